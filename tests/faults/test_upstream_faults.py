"""Orders at a CA upstream when the database fails, or its answer is lost, at each call: one certificate each."""

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import structlog

from greatseal.storage.errors import StorageError
from greatseal.testing.faults import FaultyStorage
from rooms.upstream.test_upstream_orders import Bench, make, order

__all__ = ["make"]

MORE_THAN_ENOUGH = 80


@pytest.fixture
def storage(storage_url: str) -> Iterator[FaultyStorage]:
    faulty = FaultyStorage(storage_url)
    yield faulty
    faulty.close()


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with structlog.testing.capture_logs():
        yield


@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("slow", [False, True], ids=["at-once", "slow"])
def test_an_order(make: Callable[..., Bench], storage: FaultyStorage, applied: bool, slow: bool) -> None:
    bench = make()

    def hurry(call: str) -> None:
        if call == "finalize done":
            bench.ca.slow = False

    bench.ca.on_call = hurry
    for number in range(1, MORE_THAN_ENOUGH):
        bench.ca.slow, issued = slow, len(bench.ca.issued)
        wanted = order(f"{number:08}/1")
        storage.fail(at=number, applied=applied)
        with suppress(StorageError):
            bench.until_issued(wanted)
        reached = storage.failed
        storage.heal()
        bench.until_issued(wanted)
        assert len(bench.ca.issued) == issued + 1, number
        assert len(bench.ca.accounts) == 1, number
        assert bench.texts() == [], number
        if not reached:
            assert number > 10
            return
    raise AssertionError("more calls than anybody thought")
