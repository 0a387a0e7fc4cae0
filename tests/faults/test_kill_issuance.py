"""`kill -9` between all steps of issuance, on both databases (docs/issuance.md; faults.md 63).

After the restart nothing that was signed is unknown, no serial exists twice, and every request has one outcome.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from doors.pki import Pki, csr
from faults import dying
from faults.recovery import check, tables
from greatseal.domain.keys.store import key
from greatseal.storage import Storage, open_storage
from greatseal.storage.schema import job, outbox
from greatseal.testing import FakeClock, FakeEntropy

KILLED = -9
IN_THE_FIRST_TRANSACTION = ["before journal row", "after journal row", "before audit record", "after audit record"]
SIGNING = ["before signature", "after signature"]
IN_THE_LAST_TRANSACTION = ["before journal closed", "after journal closed", "before event", "after event"]

DIRECT = [
    "before write 1",  # step 1 is done
    *IN_THE_FIRST_TRANSACTION,  # in steps 3 and 4
    "after write 1",  # steps 3 and 4 are committed
    *SIGNING,  # around step 5
    "before write 2",  # step 6 is done
    *IN_THE_LAST_TRANSACTION,  # in step 7
    "after write 2",  # step 7 is committed, the client knows nothing
]
# The first write leases the job, the fourth takes the certificate over, the fifth ends the job.
JOB = [
    "before write 1",
    "after write 1",
    "before write 2",
    *IN_THE_FIRST_TRANSACTION,
    "after write 2",
    *SIGNING,
    "before write 3",
    *IN_THE_LAST_TRANSACTION,
    "after write 3",
    "before write 4",
    "after write 4",
    "before write 5",
    "after write 5",
]
JOB_LEASE = timedelta(minutes=5)


def prepared(url: str) -> str:
    """A CA in a fresh database, made by an installation that has ended properly."""
    storage = open_storage(url)
    try:
        return Pki(storage, entropy=FakeEntropy("before")).root()
    finally:
        storage.close()


@pytest.fixture
def restarted(storage_url: str) -> Iterator[Callable[[timedelta], Pki]]:
    opened: list[Storage] = []

    def restart(after: timedelta) -> Pki:
        opened.append(open_storage(storage_url))
        clock = FakeClock()
        clock.advance(after)
        return Pki(opened[-1], clock=clock, entropy=FakeEntropy("after"))

    yield restart
    for storage in opened:
        storage.close()


def signed(notes: Path) -> list[bytes]:
    return [bytes.fromhex(line) for line in notes.read_text().splitlines()] if notes.exists() else []


def recovered(pki: Pki) -> None:
    """What a start does, and again: the second time changes nothing."""
    finish = pki.installation.rooms.issuance.finish_open
    finish(older_than=timedelta(0))
    before = tables(pki.storage)
    assert finish(older_than=timedelta(0)) == 0
    assert tables(pki.storage) == before


@pytest.mark.parametrize("point", DIRECT)
def test_a_direct_request_survives(storage_url, restarted, die_at, tmp_path, point):
    authority, notes = prepared(storage_url), tmp_path / "signatures"
    exit_code = die_at(url=storage_url, authority=authority, journey="direct", point=point, signatures=str(notes))
    assert exit_code == KILLED
    pki = restarted(timedelta(minutes=1))
    recovered(pki)
    found = check(pki.storage, signed=signed(notes))
    was_committed = DIRECT.index(point) >= DIRECT.index("after write 1")
    assert len(found.journal) == (2 if was_committed else 1)  # the CA's own certificate is one
    # The client that never got an answer asks again.
    arn = pki.issue(authority, dying.CSR, IdempotencyToken=dying.TOKEN)
    assert len(check(pki.storage, signed=signed(notes)).journal) == 2
    assert arn in {row["arn"] for row in found.journal} or not was_committed
    assert pki.issue(authority, dying.CSR, IdempotencyToken=dying.TOKEN) == arn
    assert pki.get(authority, arn)["Certificate"]


@pytest.mark.parametrize("point", JOB)
def test_a_request_of_acm_survives(storage_url, restarted, die_at, tmp_path, point):
    authority, notes = prepared(storage_url), tmp_path / "signatures"
    storage = open_storage(storage_url)
    acm = Pki(storage, entropy=FakeEntropy("client")).installation.client("acm")
    wanted = {
        "DomainName": "app.example.com",
        "CertificateAuthorityArn": authority,
        "KeyAlgorithm": "EC_prime256v1",
        "IdempotencyToken": "acm",
    }
    arn = acm.request_certificate(**wanted)["CertificateArn"]
    storage.close()
    exit_code = die_at(url=storage_url, authority=authority, journey="job", point=point, signatures=str(notes))
    assert exit_code == KILLED
    pki = restarted(JOB_LEASE)  # the dead process holds the job for so long
    acm = pki.installation.client("acm")
    recovered(pki)
    pki.installation.work()
    found = check(pki.storage, signed=signed(notes))
    assert len(found.journal) == 2
    described = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert described["Status"] == "ISSUED"
    assert acm.get_certificate(CertificateArn=arn)["Certificate"]
    assert acm.request_certificate(**wanted)["CertificateArn"] == arn
    assert pki.installation.work() == 0
    assert count(pki, job) == 0
    assert count(pki, key) == 2  # the CA's and the certificate's: no key without an owner
    assert announced(pki) == [arn]


def count(pki: Pki, table: object) -> int:
    return pki.storage.read(lambda tx: tx.scalar(select(func.count()).select_from(table)))


def announced(pki: Pki) -> list[str]:
    """The certificates that `ACM Certificate Available` was told of."""
    messages = pki.storage.read(lambda tx: tx.all(select(outbox.c.payload)))
    return [m.payload["resources"][0] for m in messages if m.payload["detail-type"] == "ACM Certificate Available"]


def test_without_a_kill_the_journey_ends(storage_url, restarted, die_at, tmp_path):
    """The matrix kills for a reason: the same process, not killed, issues."""
    authority = prepared(storage_url)
    ended = die_at(
        url=storage_url, authority=authority, journey="direct", point="never", signatures=str(tmp_path / "s")
    )
    assert ended == 0
    pki = restarted(timedelta(0))
    assert len(check(pki.storage, signed=signed(tmp_path / "s")).journal) == 2
    assert pki.issue(authority, csr(), IdempotencyToken=dying.TOKEN) in {r["arn"] for r in tables(pki.storage).journal}


def test_a_ca_that_is_disabled_after_the_kill_does_not_split_the_outcome(storage_url, restarted, die_at, tmp_path):
    """What was prepared is finished; the job that asks again gets it instead of a refusal for the CA's state."""
    authority = prepared(storage_url)
    storage = open_storage(storage_url)
    arn = (
        Pki(storage, entropy=FakeEntropy("client"))
        .installation.client("acm")
        .request_certificate(
            DomainName="app.example.com", CertificateAuthorityArn=authority, KeyAlgorithm="EC_prime256v1"
        )["CertificateArn"]
    )
    storage.close()
    notes = str(tmp_path / "signatures")
    assert die_at(url=storage_url, authority=authority, journey="job", point="after write 2", signatures=notes) < 0
    pki = restarted(JOB_LEASE)
    pki.set_status(authority, "DISABLED")
    recovered(pki)
    pki.installation.work()
    assert len(check(pki.storage).journal) == 2
    described = pki.installation.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
    assert described["Status"] == "ISSUED"
