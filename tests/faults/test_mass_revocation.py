"""Mass revocation under `kill -9` and failing databases: nothing is lost, nothing happens twice."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import pytest
import structlog
from sqlalchemy import func, select

from doors.pki import Pki, csr, serial_of
from faults.recovery import caller
from greatseal.domain.revocation import RevocationReason
from greatseal.domain.revocation.mass import MASS_JOB, Kind, Selection, State
from greatseal.domain.revocation.mass.store import mass_revocation_item
from greatseal.domain.revocation.store import revocation
from greatseal.storage import Storage, open_storage
from greatseal.storage.errors import StorageError
from greatseal.storage.schema import job, metadata, outbox
from greatseal.testing import FakeClock, FakeEntropy
from greatseal.testing.faults import FaultyStorage

KILLED = -9
LEASE = timedelta(minutes=5)
LEAVES = 5
LIST = Selection(Kind.LIST, "affected.txt", RevocationReason.SUPERSEDED)

# In batches of two: the job is leased, it starts, three batches, the end, the job is completed.
WRITES = [f"{when} write {number}" for number in range(1, 8) for when in ("before", "after")]
IN_A_BATCH = [f"{when} {what}" for what in ("revocation row", "event", "audit record") for when in ("before", "after")]


def prepared(storage: Storage) -> tuple[str, list[str], str]:
    """A CA, its leaves, and a mass revocation of them that was asked for."""
    pki = Pki(storage, entropy=FakeEntropy("before"))
    root = pki.root()
    issued = [pki.issue(root, csr(f"h{n}.example.com")) for n in range(LEAVES)]
    pki.installation.work()
    return root, issued, ask(pki, root, issued)


def ask(pki: Pki, root: str, issued: list[str]) -> str:
    items = [(root.rpartition("/")[2], serial_of(arn)) for arn in issued]
    return pki.installation.rooms.mass_revocations.ask_listed(caller(), LIST, items)


def check(pki: Pki, mass_id: str, issued: list[str]) -> None:
    """It is over, and everything happened once."""
    found = pki.installation.rooms.mass_revocations.find(mass_id)
    assert (found.state, found.total, found.done) == (State.DONE, len(issued), len(issued))
    assert {each.name: count for each, count in found.outcomes.items()} == {"REVOKED": len(issued)}
    audit_record = metadata.tables["audit_record"]

    def work(tx):  # type: ignore[no-untyped-def]
        serials = Counter(row.serial for row in tx.all(select(revocation.c.serial)))
        records = tx.all(select(audit_record).where(audit_record.c.operation == "acm-pca:RevokeCertificate"))
        audited = Counter(row.resources[1] for row in records)
        payloads = [row.payload for row in tx.all(select(outbox.c.payload))]
        left = tx.scalar(select(func.count()).select_from(mass_revocation_item))
        jobs = tx.all(select(job).where(job.c.kind == MASS_JOB))
        return serials, audited, payloads, left, jobs

    serials, audited, payloads, left, jobs = pki.storage.read(work)
    assert serials == Counter(serial_of(arn) for arn in issued)
    assert audited == Counter(issued)
    told = [each["resources"][1] for each in payloads if each["detail-type"].endswith("Certificate Revocation")]
    assert Counter(told) == Counter(issued)
    assert (left, jobs) == (0, [])


@pytest.mark.parametrize("point", [*WRITES, *IN_A_BATCH])
def test_it_survives_every_death(storage_url, die_at, tmp_path, point):
    storage = open_storage(storage_url)
    root, issued, mass_id = prepared(storage)
    storage.close()
    exit_code = die_at(url=storage_url, authority=root, journey="mass", point=point, signatures=str(tmp_path / "s"))
    assert exit_code == KILLED
    storage = open_storage(storage_url)
    clock = FakeClock()
    clock.advance(LEASE)
    pki = Pki(storage, clock=clock, entropy=FakeEntropy("after"))
    pki.installation.work()
    check(pki, mass_id, issued)
    storage.close()


@pytest.fixture
def faulty(storage_url: str) -> Iterator[FaultyStorage]:
    storage = FaultyStorage(storage_url)
    yield storage
    storage.close()


@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
def test_every_call_of_the_database_fails_once(faulty: FaultyStorage, applied: bool) -> None:
    with structlog.testing.capture_logs():
        _, issued, mass_id = prepared(faulty)
        pki = Pki(faulty, entropy=FakeEntropy("after"))
        mass = pki.installation.rooms.mass_revocations
        mass._batch = 2
        reached = 0
        for at in range(1, 100):
            faulty.fail(at=at, applied=applied)
            with suppress(StorageError):
                while mass.step(mass_id):
                    pass
            if not faulty.failed:
                break
            reached = at
            faulty.heal()
            if mass.find(mass_id).state is State.DONE:
                break
        assert reached >= 2
        faulty.heal()
        pki.clock.advance(LEASE)
        pki.installation.work()
        check(pki, mass_id, issued)


@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
def test_asking_fails_at_every_call(faulty: FaultyStorage, applied: bool) -> None:
    """Whoever is told that asking failed asks again; whatever the first attempt left revokes nothing twice."""
    pki = Pki(faulty)
    root = pki.root()
    issued = [pki.issue(root, csr(f"h{n}.example.com")) for n in range(LEAVES)]
    mass = pki.installation.rooms.mass_revocations
    for at in range(1, 20):
        faulty.fail(at=at, applied=applied)
        with suppress(StorageError):
            ask(pki, root, issued)
        failed = faulty.failed
        faulty.heal()
        if not failed:
            break
        assert {each.state for each in mass.newest()} <= {State.LOADING, State.WAITING}
    for each in mass.newest():
        if each.state is State.LOADING:
            # Its reader is gone: nothing of it is ever revoked, and it can be cancelled.
            assert not mass.step(each.id)
            mass.cancel(caller(), each.id)
    pki.installation.work()
    done = [each for each in mass.newest() if each.state is State.DONE]
    outcomes = Counter(
        {name: count for each in done for name, count in each.outcomes.items() if name.name == "REVOKED"}
    )
    assert sum(outcomes.values()) == LEAVES
    rows = faulty.read(lambda tx: tx.scalar(select(func.count()).select_from(revocation)))
    assert rows == LEAVES
    assert faulty.read(lambda tx: tx.scalar(select(func.count()).select_from(mass_revocation_item))) == 0
