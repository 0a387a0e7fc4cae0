"""A client token is carried out once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from greatseal.storage import idempotency, installation
from greatseal.storage.idempotency import Earlier
from greatseal.storage.tx import Storage, Tx

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def claim(
    storage: Storage, result: str, *, fingerprint: str = "f", scope: str = "s", now: datetime = NOW
) -> Earlier | None:
    return storage.transact(
        lambda tx: idempotency.claim(
            tx, scope=scope, token="t", fingerprint=fingerprint, result=result, now=now, ttl=HOUR
        )
    )


def test_the_second_claim_finds_the_first(storage: Storage) -> None:
    assert claim(storage, "arn:1") is None
    assert claim(storage, "arn:2") == Earlier("arn:1", same_request=True)
    assert claim(storage, "arn:2", fingerprint="g") == Earlier("arn:1", same_request=False)
    assert claim(storage, "arn:3", scope="another") is None


def test_an_expired_token_is_free(storage: Storage) -> None:
    claim(storage, "arn:1")
    assert claim(storage, "arn:2", now=NOW + HOUR - timedelta(microseconds=1)) == Earlier("arn:1", same_request=True)
    assert claim(storage, "arn:2", now=NOW + HOUR) is None
    assert claim(storage, "arn:3", now=NOW + HOUR) == Earlier("arn:2", same_request=True)


def test_prune_forgets_expired_tokens_only(storage: Storage) -> None:
    claim(storage, "arn:1")
    claim(storage, "arn:2", scope="later", now=NOW + HOUR)
    assert storage.transact(lambda tx: idempotency.prune(tx, now=NOW + HOUR)) == 1
    assert claim(storage, "arn:3", scope="later", now=NOW + HOUR) == Earlier("arn:2", same_request=True)


def test_a_claim_rolls_back_with_its_work(storage: Storage) -> None:
    def work(tx: Tx) -> None:
        idempotency.claim(tx, scope="s", token="t", fingerprint="f", result="arn:1", now=NOW, ttl=HOUR)
        raise LookupError

    with pytest.raises(LookupError):
        storage.transact(work)
    assert claim(storage, "arn:2") is None


@pytest.mark.parametrize("expired", [False, True])
def test_eight_parallel_claims_have_one_winner(storage: Storage, expired: bool) -> None:
    if expired:
        claim(storage, "old", now=NOW - 2 * HOUR)
    start = threading.Barrier(8)

    def work(number: int) -> Earlier | None:
        start.wait(10)
        return claim(storage, f"arn:{number}")

    with ThreadPoolExecutor(8) as pool:
        answers = [future.result(60) for future in [pool.submit(work, number) for number in range(8)]]
    [winner] = [f"arn:{number}" for number, answer in enumerate(answers) if answer is None]
    assert {answer for answer in answers if answer is not None} == {Earlier(winner, same_request=True)}


def test_a_fact_is_decided_once(storage: Storage) -> None:
    assert storage.read(lambda tx: installation.recall(tx, "account")) is None
    assert storage.transact(lambda tx: installation.remember(tx, "account", b"1")) == b"1"
    assert storage.transact(lambda tx: installation.remember(tx, "account", b"2")) == b"1"
    assert storage.read(lambda tx: installation.recall(tx, "account")) == b"1"
