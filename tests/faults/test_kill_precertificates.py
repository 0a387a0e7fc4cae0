"""`kill -9` between all steps of an issuance by way of a precertificate, on both databases (docs/issuance.md).

However far the dead process came, whoever asks again gets one certificate with one serial number, and a precertificate
that was signed is never forgotten.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from doors.pki import Pki
from faults import dying
from faults.recovery import caller, check, order, tables
from faults.test_kill_issuance import KILLED, prepared, recovered, signed
from greatseal.domain.authorities.drafting import embedded
from greatseal.domain.authorities.issued import IssuedCertificate, Precertificate
from greatseal.domain.authorities.store import journal
from greatseal.domain.keys import Purpose
from greatseal.kernel.errors import InProgress, RequestFailed
from greatseal.storage import Storage, open_storage
from greatseal.testing import FakeClock, FakeEntropy
from greatseal.testing.key_store import MemoryStore
from greatseal.x509.certificate import Certificate
from greatseal.x509.extensions import OID

# One row of the table in docs/issuance.md each. The first write prepares, the second closes the row with the
# precertificate, the third opens it again with the SCTs, the fourth closes it with the certificate.
POINTS = [
    "before write 1",
    "after journal row",
    "after write 1",
    "before signature",
    "after signature",
    "before write 2",
    "after journal closed",
    "after write 2",
    "before journal opened again",
    "after journal opened again",
    "after write 3",
    "before write 4",
    "before event",
    "after event",
    "after write 4",
]
NO_PRECERTIFICATE_YET = POINTS[: POINTS.index("after write 2")]


@pytest.fixture
def restarted(storage_url: str) -> Iterator[Callable[[], Pki]]:
    opened: list[Storage] = []

    def restart() -> Pki:
        opened.append(open_storage(storage_url))
        clock = FakeClock()
        clock.advance(timedelta(minutes=1))
        return Pki(opened[-1], clock=clock, entropy=FakeEntropy("after"))

    yield restart
    for storage in opened:
        storage.close()


@pytest.mark.parametrize("point", POINTS)
def test_one_certificate_comes_of_it(storage_url, restarted, die_at, tmp_path, point):
    authority, notes = prepared(storage_url), tmp_path / "signatures"
    ended = die_at(url=storage_url, authority=authority, journey="logged", point=point, signatures=str(notes))
    assert ended == KILLED
    pki = restarted()
    recovered(pki)
    found = check(pki.storage, signed=signed(notes), awaiting=True)
    was_committed = POINTS.index(point) >= POINTS.index("after write 1")
    assert len(found.journal) == (2 if was_committed else 1)
    [kept] = [row["precertificate"] for row in found.journal if row["logged"]] or [None]
    arn = dying.log_and_embed(pki.installation, authority)
    [row] = [row for row in check(pki.storage, signed=signed(notes)).journal if row["logged"]]
    assert row["arn"] == arn
    assert kept in (None, row["precertificate"]), "the precertificate that was in the world is no longer known"
    assert pki.get(authority, arn)["Certificate"]
    assert dying.log_and_embed(pki.installation, authority) == arn


def test_without_a_kill_it_ends(storage_url, restarted, die_at, tmp_path):
    authority, notes = prepared(storage_url), tmp_path / "s"
    assert not die_at(url=storage_url, authority=authority, journey="logged", point="never", signatures=str(notes))
    pki = restarted()
    [row] = [row for row in check(pki.storage, signed=signed(notes)).journal if row["logged"]]
    assert row["state"] == "ISSUED"
    assert len(signed(notes)) == 2
    assert OID.CT_SCTS in [each.oid for each in Certificate.parse(row["certificate"]).extensions]


class Spoilt:
    """A key whose signatures verify with nothing, for as long as `broken`."""

    def __init__(self, signer: object) -> None:
        self._signer, self.broken = signer, True

    def __getattr__(self, name: str) -> object:
        return getattr(self._signer, name)

    def sign(self, data: bytes, algorithm: object) -> bytes:
        made = self._signer.sign(data, algorithm)  # type: ignore[attr-defined]
        return bytes([*made[:-1], made[-1] ^ 1]) if self.broken else made


@pytest.fixture
def pki(storage: Storage) -> Pki:
    return Pki(storage)


def logged(pki: Pki, authority: str, token: str = "token") -> str:
    wanted = replace(order(dying.CSR, token), logged=True)
    return pki.installation.rooms.issuance.issue(caller(), authority, wanted)


ONE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@ONE
def test_a_bad_signature_after_the_precertificate_leaves_it_revocable(pki, monkeypatch):
    authority = pki.root()
    issuance = pki.installation.rooms.issuance
    arn = logged(pki, authority)
    assert isinstance(issuance.precertificate(authority, arn), Precertificate)
    keys, signer_of = pki.installation.rooms.keys, pki.installation.rooms.keys.signer
    spoilt = Spoilt(signer_of(pki.installation.rooms.registry.describe(authority).key_id))
    monkeypatch.setattr(keys, "signer", lambda key_id: spoilt)
    with pytest.raises(RequestFailed):
        issuance.embed(authority, arn, [dying.SCT])
    [row] = [row for row in tables(pki.storage).journal if row["logged"]]
    assert row["state"] == "PRECERTIFICATE"
    assert issuance.finish_open(older_than=timedelta(0)) == 0
    assert tables(pki.storage).events[arn] == ["failure"]
    # The key is well again: the same precertificate gets its certificate.
    spoilt.broken = False
    issued = issuance.embed(authority, arn, [dying.SCT])
    assert isinstance(issued, IssuedCertificate)
    assert issuance.embed(authority, arn, [dying.SCT, dying.SCT]) == issued, "what was made stays the answer"
    assert tables(pki.storage).events[arn] == ["failure", "success"]


@ONE
def test_a_precertificate_that_cannot_be_signed_is_nothing(pki, monkeypatch):
    authority = pki.root()
    keys, signer_of = pki.installation.rooms.keys, pki.installation.rooms.keys.signer
    spoilt = Spoilt(signer_of(pki.installation.rooms.registry.describe(authority).key_id))
    monkeypatch.setattr(keys, "signer", lambda key_id: spoilt)
    with pytest.raises(RequestFailed):
        logged(pki, authority)
    [row] = [row for row in check(pki.storage).journal if row["logged"]]
    assert row["state"] == "FAILED"


@ONE
def test_a_key_that_is_away_delays_the_certificate(storage):
    """Between its two signatures: whoever embeds is told to come again, and recovery signs in the meantime."""
    store = MemoryStore()
    pki = Pki(storage, key_stores={store.name: store}, store_for={Purpose.AUTHORITY: store.name})
    authority, issuance = pki.root(), pki.installation.rooms.issuance
    arn = logged(pki, authority)
    store.away = True
    for _ in range(2):
        with pytest.raises(InProgress):
            issuance.embed(authority, arn, [dying.SCT])
    store.away = False
    pki.clock.advance(timedelta(minutes=2))
    assert issuance.finish_open() == 1
    assert issuance.embed(authority, arn, [b"another"]).certificate == issuance.certificate(authority, arn).certificate
    [row] = [row for row in check(pki.storage).journal if row["logged"]]
    assert row["state"] == "ISSUED"


@ONE
def test_a_slow_node_does_not_close_what_went_on_without_it(pki):
    """It signed the precertificate, another node embedded meanwhile; the row is then PREPARED with other octets."""
    authority = pki.root()
    issuance = pki.installation.rooms.issuance
    slow = issuance.prepare(caller(), authority, replace(order(dying.CSR, "token"), logged=True))
    arn = slow.entry.arn
    assert isinstance(issuance.sign(slow), Precertificate)
    pki.storage.transact(lambda tx: open_again(pki, tx, authority, arn))
    kept = issuance.sign(slow)
    assert isinstance(kept, Precertificate)
    [row] = [row for row in tables(pki.storage).journal if row["logged"]]
    assert row["state"] == "PREPARED"
    assert row["precertificate"] == kept.der
    assert issuance.finish_open(older_than=timedelta(0)) == 1
    [row] = [row for row in check(pki.storage).journal if row["logged"]]
    assert row["state"] == "ISSUED"


def open_again(pki, tx, authority, arn):
    """The first half of `embed`, as of a node that died then."""
    entry = journal.find(tx, authority.rpartition("/")[2], arn.rpartition("/")[2])
    tbs = embedded(entry.precertificate, [dying.SCT])
    assert journal.embed(tx, entry, tbs, at=pki.clock.now())
    assert not journal.embed(tx, entry, tbs, at=pki.clock.now()), "two nodes embedded"


@ONE
def test_what_others_see_of_a_precertificate(pki):
    """Not a certificate yet, but one that can be revoked, is reported, and has a standing (BR 4.9.10)."""
    authority = pki.root()
    rooms = pki.installation.rooms
    arn = logged(pki, authority)
    serial = arn.rpartition("/")[2]
    with pytest.raises(ClientError, match="RequestInProgress"):
        pki.get(authority, arn)
    with pytest.raises(InProgress):
        rooms.issuance.certificate(authority, arn)
    authority_id = authority.rpartition("/")[2]
    found = rooms.storage.read(lambda tx: journal.issued(tx, authority_id, after="", limit=10))
    assert serial in [entry.serial for entry in found]
    pki.pca.revoke_certificate(
        CertificateAuthorityArn=authority, CertificateSerial=serial, RevocationReason="SUPERSEDED"
    )
    assert rooms.storage.read(lambda tx: rooms.revocations.find(tx, authority_id, serial)) is not None
