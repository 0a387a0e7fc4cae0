"""Orders that are carried out together: each as if it had come alone, and safe wherever the process dies."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from doors.pki import Pki, csr, parse
from faults import dying
from faults.recovery import caller, check, order, tables
from faults.test_kill_issuance import DIRECT, KILLED, prepared, restarted, signed  # noqa: F401 - a fixture
from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.crypto.signature import SignerUnavailable
from greatseal.domain.authorities import Ordered, signing
from greatseal.domain.authorities.issued import JournalEntry
from greatseal.kernel.errors import InvalidState, MalformedCsr, NotFound, RequestFailed
from greatseal.kernel.group import Waits
from greatseal.storage.errors import StorageError
from greatseal.testing import FakeEntropy
from greatseal.testing.faults import FaultyStorage, TamperedSigner
from greatseal.x509.certificate import assemble


class Desk:
    """A CA that has issued before, and orders for it."""

    def __init__(self, storage: FaultyStorage) -> None:
        self.storage = storage
        self.pki = Pki(storage)
        self.root = self.pki.root()
        self.issuance = self.pki.installation.rooms.issuance
        self.pki.issue(self.root, csr())

    def together(self, *orders: Any) -> list[Any]:
        """What comes of orders (or of CSRs), all of the root."""
        wanted = [each if isinstance(each, tuple) else (caller(), self.root, order(each)) for each in orders]
        return self.issuance.issue_together(wanted)

    def states(self) -> list[str]:
        return sorted(row["state"] for row in tables(self.storage).journal)

    def sign_with(self, tampered: Callable[[bytes], bytes]) -> None:
        keys = self.pki.installation.rooms.keys
        found = keys.signer
        keys.signer = lambda key_id: TamperedSigner(found(key_id), tampered)  # type: ignore[method-assign]


@pytest.fixture
def desk(storage_url: str) -> Iterator[Desk]:
    storage = FaultyStorage(storage_url)
    yield Desk(storage)
    storage.close()


def test_a_group_takes_two_writes_however_many_they_are(desk: Desk) -> None:
    writes: list[str] = []
    desk.storage.observe = writes.append
    done = desk.together(*(csr(f"host-{number}.example.com") for number in range(7)))
    assert [point for point in writes if point == "before-write"] == ["before-write"] * 2
    assert all(isinstance(each, Ordered) and not each.repeated for each in done)
    assert len({each.arn for each in done}) == 7
    for number, each in enumerate(done):
        names = parse(desk.pki.get(desk.root, each.arn)["Certificate"]).subject.rfc4514_string()
        assert f"host-{number}.example.com" in names
    assert len(check(desk.storage).journal) == 9


def test_one_that_is_refused_does_not_keep_the_others(desk: Desk) -> None:
    nowhere = desk.root.replace("certificate-authority/", "certificate-authority/00")
    done = desk.together(csr(), b"no request", csr(), (caller(), nowhere, order(csr())))
    assert [type(each) for each in done] == [Ordered, MalformedCsr, Ordered, NotFound]
    assert len(check(desk.storage).journal) == 4


def test_a_key_that_is_compromised_is_found_among_others(desk: Desk) -> None:
    request = csr("leaked.example.com", key=ec.generate_private_key(ec.SECP256R1()))
    arn = desk.pki.issue(desk.root, request)
    desk.pki.pca.revoke_certificate(
        CertificateAuthorityArn=desk.root, CertificateSerial=arn.rpartition("/")[2], RevocationReason="KEY_COMPROMISE"
    )
    done = desk.together(csr(), request, csr())
    assert [type(each) for each in done] == [Ordered, MalformedCsr, Ordered]


def test_what_was_known_of_the_ca_is_looked_at_again(desk: Desk) -> None:
    other = Pki(desk.storage, entropy=FakeEntropy("another node"))
    other.set_status(desk.root, "DISABLED")
    assert [type(each) for each in desk.together(csr(), csr())] == [InvalidState, InvalidState]
    other.set_status(desk.root, "ACTIVE")
    assert [type(each) for each in desk.together(csr(), csr())] == [Ordered, Ordered]
    check(desk.storage)


def test_a_token_counts_within_a_group_and_after_it(desk: Desk) -> None:
    wanted = (caller(), desk.root, order(csr(), "token"))
    first, second, free = desk.together(wanted, wanted, csr())
    assert (first.repeated, second.repeated, free.repeated) == (False, True, False)
    assert first.arn == second.arn != free.arn
    assert desk.together(wanted, csr())[0] == Ordered(first.arn, repeated=True)
    assert len(check(desk.storage).journal) == 5


def test_a_serial_that_is_taken_has_all_done_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    serials = [2**101, 2**101, 2**102, 2**103]
    monkeypatch.setattr("greatseal.domain.authorities.issuance.new_serial", lambda entropy: serials.pop(0))
    done = desk.together(csr(), csr())
    assert [each.arn[-32:] for each in done] == [f"{2**102:032x}", f"{2**103:032x}"]
    check(desk.storage)


def test_one_bad_signature_fails_one(desk: Desk) -> None:
    made = iter([True, False, True])
    desk.sign_with(lambda found: found if next(made) else bytes(64))
    done = desk.together(csr(), csr(), csr())
    assert [type(each) for each in done] == [Ordered, RequestFailed, Ordered]
    assert desk.states() == ["FAILED", "ISSUED", "ISSUED", "ISSUED", "ISSUED"]
    check(desk.storage)


def test_signatures_that_are_mixed_up_within_a_group_go_nowhere(desk: Desk) -> None:
    """Each is good, and was verified when it was made; it is that of another certificate."""
    kept: list[bytes] = []

    def one_late(found: bytes) -> bytes:
        kept.append(found)
        return kept[max(len(kept) - 2, 0)]

    desk.sign_with(one_late)
    done = desk.together(csr(), csr(), csr())
    assert [type(each) for each in done] == [Ordered, RequestFailed, RequestFailed]
    assert desk.states() == ["FAILED", "FAILED", "ISSUED", "ISSUED", "ISSUED"]
    check(desk.storage)


def test_octets_that_change_between_signing_and_storing_go_nowhere(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The signature is the one that was verified, of octets that are not the journal's any more."""
    signed: list[JournalEntry] = []

    def changed(tbs: bytes, algorithm: SignatureAlgorithm, signature: bytes) -> bytes:
        entry = signed.pop(0)
        object.__setattr__(entry, "tbs", entry.tbs.replace(b"one.example.com", b"two.example.com"))
        return assemble(entry.tbs, algorithm, signature)

    original = desk.issuance._signing._signed
    monkeypatch.setattr(signing, "assemble", changed)
    monkeypatch.setattr(desk.issuance._signing, "_signed", lambda each: signed.append(each.entry) or original(each))
    done = desk.together(csr("one.example.com"), csr("three.example.com"))
    assert [type(each) for each in done] == [RequestFailed, Ordered]
    check(desk.storage)


def test_a_key_that_is_away_leaves_the_rows_open(desk: Desk) -> None:
    def away(found: bytes) -> bytes:
        raise SignerUnavailable("the token is away")

    keys = desk.pki.installation.rooms.keys
    signer = keys.signer
    desk.sign_with(away)
    assert [type(each) for each in desk.together(csr(), csr())] == [Ordered, Ordered]
    assert desk.states().count("PREPARED") == 2
    keys.signer = signer  # type: ignore[method-assign]
    assert desk.issuance.finish_open(older_than=None) == 2
    check(desk.storage)


def test_keys_in_devices_are_used_by_one_thread_each(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk.pki.installation.rooms.keys, "is_in_key_store", lambda key_id: True)
    assert [type(each) for each in desk.together(csr(), csr())] == [Waits, Waits]
    assert type(desk.together(csr())[0]) is Ordered


@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", [1, 2], ids=["first write", "second write"])
def test_a_commit_that_fails_or_whose_answer_is_lost(desk: Desk, at: int, applied: bool) -> None:
    desk.together(csr(), csr())  # from now on it is known where the key is
    desk.storage.fail(at=at, applied=applied)
    done = desk.together(csr(), csr())
    assert all(isinstance(each, StorageError) for each in done), "nobody is told of a certificate"
    desk.storage.heal()
    rows = len(tables(desk.storage).journal)
    assert rows == (4 if (at, applied) == (1, False) else 6)
    desk.issuance.finish_open(older_than=timedelta(0))
    check(desk.storage)


def test_recovery_that_was_faster_for_one_of_them(desk: Desk) -> None:
    """A row that somebody else closed has the others closed one by one; every certificate is what the row holds."""
    finish, calls = desk.issuance.finish_open, []

    def slow(found: bytes) -> bytes:
        if len(calls) == 1:
            calls.append("now")
            finish(older_than=timedelta(0), limit=1)
        calls.append("signed")
        return found

    desk.sign_with(slow)
    done = desk.together(csr(), csr())
    assert [type(each) for each in done] == [Ordered, Ordered]
    assert desk.states() == ["ISSUED"] * 4
    check(desk.storage)


@pytest.mark.parametrize("point", DIRECT)
def test_a_group_survives_a_kill(
    storage_url: str,
    restarted: Callable[[timedelta], Pki],  # noqa: F811
    die_at: Callable[..., int],
    tmp_path: Path,
    point: str,
) -> None:
    authority, notes = prepared(storage_url), tmp_path / "signatures"
    exit_code = die_at(url=storage_url, authority=authority, journey="group", point=point, signatures=str(notes))
    assert exit_code == KILLED
    pki = restarted(timedelta(minutes=1))
    pki.installation.rooms.issuance.finish_open(older_than=timedelta(0))
    found = check(pki.storage, signed=signed(notes))
    was_committed = DIRECT.index(point) >= DIRECT.index("after write 1")
    # The CA's own certificate, the one before the group, and all of the group or none of it.
    assert len(found.journal) == (2 + dying.GROUP if was_committed else 2)
