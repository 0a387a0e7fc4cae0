"""Making a key that signs timestamps, when the database fails, the process dies, or two nodes do it at once.

What holds after recovery: every serial was signed once and is in the journal with its key, and tokens are given.
"""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import select

from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.domain.authorities.store.authorities import authority
from greatseal.domain.authorities.store.journal import issued_certificate
from greatseal.domain.keys import Purpose
from greatseal.domain.keys.store import key
from greatseal.domain.timestamping import store
from greatseal.domain.timestamping.model import USED_FOR
from greatseal.edge.messages import HttpRequest
from greatseal.storage import Storage, open_storage
from greatseal.storage.errors import StorageError
from greatseal.storage.migrate import migrate
from greatseal.testing import FakeClock, FakeEntropy, Installation
from greatseal.testing.faults import FaultyStorage, TamperedSigner
from greatseal.web.tsa import TsaDoor
from greatseal.x509.certificate import Certificate, verify_signature
from greatseal.x509.cms import Digest
from greatseal.x509.timestamp import SYSTEM_FAILURE, Imprint, TimestampRequest, TimestampResponse

sqlite_only = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
REQUEST = TimestampRequest(Imprint.of(Digest.SHA256, b"what is stamped"), certificates=True).encode()
MORE_THAN_ENOUGH = 60


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Defects are logged with rich tracebacks, which take longer than the tests."""
    with structlog.testing.capture_logs():
        yield


def ask(installation: Installation) -> TimestampResponse:
    """What `/tsa` answers; it must be a timestamp message, whatever fails behind it."""
    headers = ((b"content-type", b"application/timestamp-query"),)
    door = TsaDoor(installation.rooms.timestamps.stamping, lambda: None)
    answer = door.handle(
        HttpRequest(method="POST", raw_path=b"/tsa", raw_query=b"", headers=headers, body=REQUEST, request_id="r")
    )
    assert answer.status == 200
    return TimestampResponse.parse(answer.body)


def journal(storage: Storage) -> list[Any]:
    return storage.read(lambda tx: tx.all(select(issued_certificate).order_by(issued_certificate.c.prepared_at)))


def check(storage: Storage, signed: list[bytes]) -> None:
    """Everything that was signed is known, by one CA, and each key of the authority has its one certificate."""
    [ca] = storage.read(lambda tx: tx.all(select(authority)))
    rows = journal(storage)
    assert {row.tbs for row in rows}.issuperset(signed), "something was signed that the database does not know"
    assert len({row.serial for row in rows}) == len(rows)
    assert {row.state for row in rows} == {"ISSUED"}
    roots = [row for row in rows if row.issuer_certificate_id is None]
    for row in rows:
        certificate = Certificate.parse(row.certificate)
        assert row.authority_id == ca.id
        assert certificate.tbs == row.tbs
        assert verify_signature(certificate, Certificate.parse(roots[0].certificate).spki)
    kept = storage.read(store.keys)
    held = storage.read(lambda tx: tx.all(select(key.c.id).where(key.c.purpose == Purpose.TIMESTAMPING.value)))
    assert {row.id for row in held} == {each.key_id for each in kept}, "a key without a row, or a row without its key"
    assert len(rows) == len(roots) + len(kept)


class Watch:
    """Writes down what the keys of authorities sign."""

    def __init__(self) -> None:
        self.signed: list[bytes] = []

    def over(self, installation: Installation) -> Installation:
        keys = installation.rooms.keys
        signer_of = keys.signer

        class Noting(TamperedSigner):
            def sign(inside, data: bytes, algorithm: SignatureAlgorithm) -> bytes:  # noqa: N805 - `self` is outside
                self.signed.append(data)
                return super().sign(data, algorithm)

        keys.signer = lambda key_id: Noting(signer_of(key_id), lambda made: made)  # type: ignore[method-assign]
        return installation


@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
def test_the_process_dies_at_every_call_of_the_first_request(tmp_path: Path, applied: bool) -> None:
    """From an empty database: the CA, its certificate, the key and the key's certificate, each call a death."""
    empty = tmp_path / "empty.db"
    fresh = open_storage(f"sqlite:///{empty}")
    migrate(fresh)
    fresh.close()
    reached = 0
    for at in range(1, MORE_THAN_ENOUGH):
        shutil.copy(empty, tmp_path / f"{at}.db")
        faulty = FaultyStorage(f"sqlite:///{tmp_path}/{at}.db")
        clock, watch = FakeClock(), Watch()
        first = watch.over(Installation(faulty, clock=clock, entropy=FakeEntropy("dying")))
        faulty.fail(at=at, applied=applied)
        answer = ask(first)
        survived = not faulty.failed
        assert survived or answer.token is not None or answer.failure == SYSTEM_FAILURE
        faulty.heal()
        # Nothing that was in memory is left.
        clock.advance(timedelta(minutes=2))
        again = watch.over(Installation(faulty, clock=clock, entropy=FakeEntropy("after")))
        again.rooms.issuance.finish_open()
        assert ask(again).token is not None
        check(faulty, [data for data in watch.signed if _is_tbs(data)])
        faulty.close()
        if survived:
            break
        reached += 1
    assert reached >= 15


def _is_tbs(data: bytes) -> bool:
    """A certificate's to-be-signed part, and neither a request nor the attributes of a token."""
    return data[:1] == b"\x30" and b"\xa0\x03\x02\x01\x02" in data[:12]


@sqlite_only
@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
def test_the_process_dies_at_every_call_of_a_rotation(storage_url: str, applied: bool) -> None:
    faulty = FaultyStorage(storage_url)
    clock, watch = FakeClock(), Watch()
    assert ask(watch.over(Installation(faulty, clock=clock, entropy=FakeEntropy("first")))).token is not None
    reached = 0
    for at in range(1, MORE_THAN_ENOUGH):
        clock.advance(USED_FOR - timedelta(days=29))
        node = watch.over(Installation(faulty, clock=clock, entropy=FakeEntropy(f"{at}")))
        faulty.fail(at=at, applied=applied)
        try:
            node.rooms.timestamps.keys.rotate()
        except StorageError:
            assert faulty.failed
        if not faulty.failed:
            break
        reached += 1
        faulty.heal()
        clock.advance(timedelta(minutes=2))
        again = watch.over(Installation(faulty, clock=clock, entropy=FakeEntropy(f"after {at}")))
        again.rooms.issuance.finish_open()
        again.rooms.timestamps.keys.rotate()
        assert ask(again).token is not None
        clock.advance(timedelta(hours=2))
        again.rooms.timestamps.keys.rotate()
        [only] = faulty.read(store.keys)
        assert only.number == 1 + at, "one key for each year, and no second for the one that was begun"
    faulty.close()
    assert reached >= 6


@sqlite_only
def test_a_ca_that_cannot_sign_is_left_alone_for_a_minute(storage: Storage) -> None:
    installation = Installation(storage)
    assert ask(installation).token is not None
    keys = installation.rooms.keys
    honest = keys.signer
    keys.signer = lambda key_id: TamperedSigner(honest(key_id), lambda signed: b"nonsense")  # type: ignore[method-assign]
    installation.clock.advance(USED_FOR)
    installation.rooms.timestamps.keys.rotate()
    installation.rooms.timestamps.keys.rotate()
    assert [row.state for row in journal(storage)] == ["ISSUED", "ISSUED", "FAILED"]
    keys.signer = honest  # type: ignore[method-assign]
    # The old key goes on until there is a new one.
    assert ask(installation).token is not None
    installation.clock.advance(timedelta(minutes=1))
    installation.rooms.timestamps.keys.rotate()
    assert [row.state for row in journal(storage)] == ["ISSUED", "ISSUED", "FAILED", "ISSUED"]


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_two_nodes_make_one_ca_and_one_key(storage_url: str) -> None:
    clock = FakeClock()
    storages = [open_storage(storage_url) for _ in range(2)]
    nodes = [Installation(each, clock=clock, entropy=FakeEntropy(str(at))) for at, each in enumerate(storages)]
    try:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(ask, nodes * 8))
        assert all(each.token is not None or each.failure == SYSTEM_FAILURE for each in answers)
        clock.advance(timedelta(minutes=2))
        for node in nodes:
            node.rooms.issuance.finish_open()
            assert ask(node).token is not None
        check(storages[0], [])
    finally:
        for each in storages:
            each.close()
