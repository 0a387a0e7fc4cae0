"""Token buckets: how much they let through, what they remember, and what they forget."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greatseal.edge.buckets import Buckets, Limit


def test_a_burst_then_the_rate() -> None:
    buckets, limit = Buckets(), Limit(rate=2, burst=4)
    assert [buckets.take("a", limit, 10.0) for _ in range(4)] == [0.0] * 4
    assert buckets.take("a", limit, 10.0) == pytest.approx(0.5, abs=0.001)
    assert buckets.take("a", limit, 10.4) == pytest.approx(0.1, abs=0.001)
    assert buckets.take("a", limit, 10.5) == 0.0
    assert buckets.take("a", limit, 10.5) == pytest.approx(0.5, abs=0.001)
    # A rest fills it, and not beyond.
    assert [buckets.take("a", limit, 1000.0) > 0 for _ in range(5)] == [False] * 4 + [True]


def test_keys_do_not_know_each_other() -> None:
    buckets, limit = Buckets(), Limit(rate=1, burst=1)
    assert buckets.take("a", limit, 1.0) == 0.0
    assert buckets.take("b", limit, 1.0) == 0.0
    assert buckets.take("a", limit, 1.0) > 0


def test_slow_rates_let_one_through() -> None:
    buckets, limit = Buckets(), Limit(rate=0.1, burst=0.1)
    assert buckets.take("a", limit, 5.0) == 0.0
    assert buckets.take("a", limit, 5.0) == pytest.approx(10.0, abs=0.011)


def test_a_token_that_is_given_back() -> None:
    buckets, limit = Buckets(), Limit(rate=1, burst=1)
    buckets.take("a", limit, 1.0)
    buckets.give_back("a", limit)
    assert buckets.take("a", limit, 1.0) == 0.0
    buckets.give_back("never taken", limit)
    assert len(buckets) == 1


def test_a_flood_of_keys_is_bounded_and_leaves_the_busy_ones() -> None:
    buckets, limit = Buckets(most=100), Limit(rate=0.001, burst=1)
    buckets.take("busy", limit, 1.0)
    for number in range(10_000):
        buckets.take(number, limit, 1.0)
        assert len(buckets) <= 201
        if number % 50 == 0:
            # Whoever is forgotten starts anew; whoever was not waits.
            assert buckets.take("busy", limit, 1.0) > 0
    assert buckets.take(1, limit, 1.0) == 0.0


@given(
    rate=st.floats(0.1, 100),
    burst=st.floats(1, 50),
    pauses=st.lists(st.floats(0, 2), min_size=1, max_size=200),
)
def test_never_more_than_burst_and_rate(rate: float, burst: float, pauses: list[float]) -> None:
    buckets, limit, now, taken = Buckets(), Limit(rate, burst), 100.0, 0
    for pause in pauses:
        now += pause
        taken += buckets.take("a", limit, now) == 0.0
        assert taken <= burst + rate * (now - 100.0) + 0.0011
