"""Keys that lie, fail, hang or are gone: nothing wrong is ever handed out, and the journal says what happened."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from doors.pki import Pki, csr, refused
from faults.recovery import check
from greatseal.crypto import keypair
from greatseal.crypto.algorithms import KeyAlgorithm
from greatseal.crypto.signature import Signer, SoftwareSigner
from greatseal.domain.keys.store import key
from greatseal.testing.faults import TamperedSigner

LIES: dict[str, Callable[[bytes], bytes]] = {
    "flipped": lambda signed: bytes([*signed[:-1], signed[-1] ^ 1]),
    "truncated": lambda signed: signed[:-7],
    "longer": lambda signed: signed + b"\x00",
    "empty": lambda signed: b"",
    "garbage": lambda signed: bytes(range(200)),
    "zeros": lambda signed: bytes(len(signed)),
}


def other(algorithm: KeyAlgorithm) -> Signer:
    return SoftwareSigner.of(keypair.load_private(keypair.generate(algorithm)))


@pytest.fixture
def pki(storage):
    return Pki(storage)


def sign_with(pki: Pki, replaced: Callable[[Signer], Signer]) -> Callable[[], None]:
    """From now on keys are what `replaced` makes of them; returns the way back."""
    keys = pki.installation.rooms.keys
    original = keys.signer
    keys.signer = lambda key_id: replaced(original(key_id))

    def back() -> None:
        keys.signer = original

    return back


def failed_once(pki: Pki, authority: str, back: Callable[[], None]) -> None:
    """The client is told, the journal says FAILED, and the same token leads to the same failure for good."""
    with refused("RequestFailedException", "could not be signed"):
        pki.issue(authority, csr(), IdempotencyToken="token")
    back()
    arn = pki.issue(authority, csr(), IdempotencyToken="token")
    with refused("RequestFailedException", "could not be issued"):
        pki.get(authority, arn)
    assert pki.installation.rooms.issuance.finish_open(older_than=timedelta(0)) == 0
    states = {row["arn"]: row["state"] for row in check(pki.storage).journal}
    assert states.pop(arn) == "FAILED"
    assert set(states.values()) == {"ISSUED"}
    assert pki.get(authority, pki.issue(authority, csr()))["Certificate"]  # the serial is burnt, the CA is not


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("algorithm", ["EC_prime256v1", "RSA_2048", "ML_DSA_44"])
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_signature_that_is_wrong_goes_nowhere(pki, algorithm, lie):
    authority = pki.root(algorithm)
    failed_once(pki, authority, sign_with(pki, lambda signer: TamperedSigner(signer, LIES[lie])))


@pytest.mark.parametrize("algorithm", ["EC_prime256v1", "RSA_2048", "ML_DSA_65"])
def test_a_signature_by_another_key_goes_nowhere(pki, algorithm):
    """Also when the signer says of itself whose key it is: the issuer's certificate knows better."""
    authority = pki.root(algorithm)
    stranger = other(KeyAlgorithm[algorithm])
    failed_once(pki, authority, sign_with(pki, lambda signer: stranger))


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_root_is_not_signed_by_another_key_either(pki):
    arn = pki.create()
    back = sign_with(pki, lambda signer: other(KeyAlgorithm.EC_prime256v1))
    with refused("RequestFailedException"):
        pki.install_root(arn)
    back()
    pki.install_root(arn)
    assert sorted(row["state"] for row in check(pki.storage).journal) == ["FAILED", "ISSUED"]


@pytest.mark.parametrize("raised", [RuntimeError, ValueError, OSError, TimeoutError, MemoryError])
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_signer_that_raises(pki, raised):
    def fail(signed: bytes) -> bytes:
        raise raised("the token was pulled out")

    authority = pki.root()
    failed_once(pki, authority, sign_with(pki, lambda signer: TamperedSigner(signer, fail)))


def test_a_key_that_is_gone(pki):
    authority = pki.root()
    rooms = pki.installation.rooms
    rooms.keys._signer.cache_clear()
    pki.storage.transact(lambda tx: tx.execute(delete(key)))
    with refused("RequestFailedException", "could not be signed"):
        pki.issue(authority, csr())
    assert sorted(row["state"] for row in check(pki.storage).journal) == ["FAILED", "ISSUED"]


def test_a_key_whose_row_was_altered(pki):
    authority = pki.root()
    rooms = pki.installation.rooms
    rooms.keys._signer.cache_clear()
    pki.storage.transact(lambda tx: tx.execute(update(key).values(sealed=b"\x01" + bytes(100))))
    with refused("RequestFailedException", "could not be signed"):
        pki.issue(authority, csr())
    assert sorted(row["state"] for row in check(pki.storage).journal) == ["FAILED", "ISSUED"]


def test_a_ca_that_is_pointed_at_the_key_of_another_ca(pki):
    """The sealed key opens, because it is where it belongs; the certificate would not verify under its issuer."""
    from greatseal.domain.authorities.store.authorities import authority as authorities

    victim, attacker = pki.root(), pki.root()
    attackers_key = pki.installation.rooms.registry.describe(attacker).key_id
    pki.storage.transact(
        lambda tx: tx.execute(update(authorities).where(authorities.c.arn == victim).values(key_id=attackers_key))
    )
    with refused("RequestFailedException", "could not be signed"):
        pki.issue(victim, csr())
    check(pki.storage)


def test_a_slow_signer_is_overtaken_by_recovery_and_there_is_one_certificate(pki):
    """A token that takes longer than a minute: another node finishes the row, and both give the same certificate."""
    authority = pki.root()
    started, go_on = threading.Event(), threading.Event()

    def wait(signed: bytes) -> bytes:
        started.set()
        assert go_on.wait(30)
        return signed

    back = sign_with(pki, lambda signer: TamperedSigner(signer, wait))
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(pki.issue, authority, csr(), algorithm="SHA256WITHECDSA")
        try:
            assert started.wait(30)
            back()
            pki.clock.advance(timedelta(minutes=2))
            assert pki.installation.rooms.issuance.finish_open() == 1
        finally:
            go_on.set()
        arn = slow.result(30)
    assert pki.get(authority, arn)["Certificate"]
    assert len(check(pki.storage).journal) == 2


@pytest.mark.parametrize("recovery_lies", [True, False])
def test_two_that_disagree_have_one_outcome(pki, recovery_lies):
    """One node's key works and the other's does not: whoever closes the row first decides for both."""
    authority = pki.root()
    started, go_on = threading.Event(), threading.Event()

    def late(lies: bool) -> Callable[[bytes], bytes]:
        def wait(signed: bytes) -> bytes:
            started.set()
            assert go_on.wait(30)
            return b"" if lies else signed

        return wait

    back = sign_with(pki, lambda signer: TamperedSigner(signer, late(not recovery_lies)))
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(pki.issue, authority, csr(), algorithm="SHA256WITHECDSA")
        try:
            assert started.wait(30)
            back()
            undo = sign_with(pki, lambda s: TamperedSigner(s, (lambda b: b"") if recovery_lies else (lambda b: b)))
            assert pki.installation.rooms.issuance.finish_open(older_than=timedelta(0)) == 1
            undo()
        finally:
            go_on.set()
        if recovery_lies:
            with refused("RequestFailedException"):
                slow.result(30)
        else:
            assert pki.get(authority, slow.result(30))["Certificate"]
    assert sorted(r["state"] for r in check(pki.storage).journal) == ["FAILED" if recovery_lies else "ISSUED", "ISSUED"]
