"""Keys that a key store holds: away, lying, abandoned, destroyed; through the doors that use them (docs/keys.md)."""

from contextlib import nullcontext, suppress
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError
from sqlalchemy import select

from doors.pki import Pki, csr, refused
from faults.recovery import caller, check, order
from greatseal.crypto.algorithms import KeyAlgorithm, SignatureAlgorithm
from greatseal.crypto.signature import SignerLied, SignerUnavailable
from greatseal.domain.keys import Purpose
from greatseal.domain.keys.model import KeyAbandoned
from greatseal.domain.keys.store import key, unneeded_key
from greatseal.kernel.secret import Secret
from greatseal.storage.errors import StorageError
from greatseal.storage.migrate import migrate
from greatseal.testing import FakeEntropy
from greatseal.testing.faults import FaultyStorage
from greatseal.testing.key_store import MemoryStore

EC = KeyAlgorithm.EC_prime256v1
ACCOUNT = "111122223333"
EVERYTHING = {Purpose.AUTHORITY: "token", Purpose.OCSP: "token", Purpose.KMS: "token"}


def pki_with(storage, store, **more):
    return Pki(storage, key_stores={store.name: store}, store_for=EVERYTHING, **more)


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def pki(storage, store):
    return pki_with(storage, store)


def keys_of(pki):
    return pki.storage.read(lambda tx: tx.all(select(key.c.id, key.c.store, key.c.sealed, key.c.purpose)))


def unneeded(pki):
    return {row.id for row in pki.storage.read(lambda tx: tx.all(select(unneeded_key)))}


def test_a_ca_of_a_key_store_signs_and_nothing_of_its_key_is_in_the_database(pki, store):
    authority = pki.root()
    assert pki.get(authority, pki.issue(authority, csr()))["Certificate"]
    (row,) = [each for each in keys_of(pki) if each.purpose == "AUTHORITY"]
    assert (row.store, row.sealed) == ("token", None)
    assert set(store.keys) == {row.id}
    assert unneeded(pki) == set()


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_an_algorithm_that_the_store_lacks_is_refused_and_not_made_elsewhere(pki, store):
    with refused("InvalidArgsException", "cannot hold keys of type ML_DSA_44"):
        pki.create(key="ML_DSA_44")
    assert keys_of(pki) == []
    assert store.keys == {}


def test_while_the_store_is_away_requests_are_accepted_and_signed_later(pki, store):
    """No client is led to ask twice: the row is open, and its certificate comes when the key is back."""
    authority = pki.root()
    store.away = True
    arn = pki.issue(authority, csr(), IdempotencyToken="token")
    with refused("RequestInProgressException"):
        pki.get(authority, arn)
    assert pki.issue(authority, csr(), IdempotencyToken="token") == arn
    pki.clock.advance(timedelta(minutes=2))
    assert pki.installation.rooms.issuance.finish_open() == 1
    store.away = False
    assert pki.installation.rooms.issuance.finish_open() == 1
    assert pki.get(authority, arn)["Certificate"]
    assert [row["state"] for row in check(pki.storage).journal] == ["ISSUED", "ISSUED"]


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_ca_whose_key_is_away_does_not_hold_up_the_others(storage, store):
    pki = pki_with(storage, store)
    away, near = pki.root(), Pki(storage, clock=pki.clock, entropy=FakeEntropy("another")).root()
    store.away = True
    for _ in range(4):
        pki.issue(away, csr())
    pki.clock.advance(timedelta(seconds=1))
    left = pki.installation.rooms.issuance.prepare(caller(), near, order(csr()))
    pki.clock.advance(timedelta(minutes=2))
    assert pki.installation.rooms.issuance.finish_open(limit=3) == 2
    assert pki.get(near, left.entry.arn)["Certificate"]
    store.away = False
    assert pki.installation.rooms.issuance.finish_open(limit=3) == 3
    assert pki.installation.rooms.issuance.finish_open(limit=3) == 1


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_no_ca_can_be_made_while_the_store_is_away(pki, store):
    store.away = True
    with pytest.raises(ClientError) as refusal:
        pki.create()
    assert refusal.value.response["Error"]["Code"] == "ServiceUnavailable"
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert keys_of(pki) == []


LIES = {
    "flipped": lambda signed: bytes([*signed[:-1], signed[-1] ^ 1]),
    "empty": lambda signed: b"",
    "zeros": lambda signed: bytes(len(signed)),
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_lie_goes_nowhere(pki, store, lie):
    authority = pki.root()
    store.tamper = LIES[lie]
    with refused("RequestFailedException", "could not be signed"):
        pki.issue(authority, csr())
    keys = pki.installation.rooms.keys
    signer = keys.signer(next(iter(store.keys)))
    with pytest.raises(SignerLied):
        signer.sign(b"data", SignatureAlgorithm.SHA256WITHECDSA)
    with pytest.raises(SignerLied):
        signer.sign_digest(bytes(32), SignatureAlgorithm.SHA256WITHECDSA)
    assert sorted(row["state"] for row in check(pki.storage).journal) == ["FAILED", "ISSUED"]


def test_a_key_that_was_never_stored_is_destroyed_after_an_hour(pki, store):
    keys = pki.installation.rooms.keys
    made = keys.generate(EC, Purpose.AUTHORITY)
    assert set(store.keys) == {made.id} == unneeded(pki)
    pki.clock.advance(timedelta(minutes=59))
    assert keys.destroy_unneeded() == 0
    pki.clock.advance(timedelta(minutes=12))
    with pytest.raises(KeyAbandoned):
        pki.storage.transact(lambda tx: keys.add(tx, made, account=ACCOUNT, purpose=Purpose.AUTHORITY))
    store.away = True
    assert keys.destroy_unneeded() == 0
    assert unneeded(pki) == {made.id}
    store.away = False
    assert keys.destroy_unneeded() == 1
    assert (store.keys, unneeded(pki)) == ({}, set())


def test_a_key_that_is_destroyed_here_is_destroyed_there(pki, store):
    keys = pki.installation.rooms.keys
    made = keys.generate(EC, Purpose.AUTHORITY)
    pki.storage.transact(lambda tx: keys.add(tx, made, account=ACCOUNT, purpose=Purpose.AUTHORITY))
    keys.signer(made.id)
    pki.storage.transact(lambda tx: keys.destroy(tx, made.id))
    with pytest.raises(LookupError):
        keys.signer(made.id)
    pki.clock.advance(timedelta(minutes=11))
    assert keys.destroy_unneeded() == 1
    assert store.keys == {}


@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_wherever_the_making_of_a_ca_breaks_off_no_key_is_left_for_ever(database_url, store, applied):
    """Each write of CreateCertificateAuthority fails in turn, before and after its commit."""
    at, survivors = 1, 0
    faulty = FaultyStorage(database_url)
    migrate(faulty)
    while True:
        pki = pki_with(faulty, store, entropy=FakeEntropy(f"attempt {at}"))
        faulty.fail(at=at, applied=applied)
        with suppress(ClientError, StorageError):
            pki.create()
        failed = faulty.failed
        faulty.heal()
        pki.clock.advance(timedelta(hours=2))
        pki.installation.rooms.keys.destroy_unneeded()
        stored = {row.id for row in keys_of(pki) if row.store}
        assert set(store.keys) == stored
        assert unneeded(pki) == set()
        survivors = len(stored)
        if not failed:
            break
        at += 1
    faulty.close()
    assert at > 3
    assert survivors >= 1


def test_a_store_that_the_settings_forgot_is_said_to_be_unreachable(storage, pki, store):
    authority = pki.root()
    forgetful = Pki(storage, entropy=FakeEntropy("forgetful"))
    arn = forgetful.issue(authority, csr())
    with refused("RequestInProgressException"):
        forgetful.get(authority, arn)
    (health,) = forgetful.installation.rooms.keys.health().values()
    assert not health.reachable
    with pytest.raises(SignerUnavailable, match="not among the settings"):
        forgetful.installation.rooms.keys.signer(next(iter(store.keys)))


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("lie", LIES)
def test_a_kms_key_of_a_store_that_lies_or_is_away_answers_that_it_is_unavailable(pki, store, lie):
    kms = pki.installation.client("kms")
    arn = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    asked = {"KeyId": arn, "Message": b"message", "SigningAlgorithm": "ECDSA_SHA_256"}
    assert len(store.keys) == 1
    assert kms.verify(**asked, Signature=kms.sign(**asked)["Signature"])["SignatureValid"]
    store.tamper = LIES[lie]
    for away in (False, True):
        store.away = away
        with pytest.raises(kms.exceptions.KeyUnavailableException, match="is unavailable") as answer:
            kms.sign(**asked)
        # SDKs try again.
        assert answer.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("spec", ["ML_DSA_65", "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519"])
def test_a_kms_key_that_signs_is_never_made_outside_of_its_store(pki, store, spec):
    kms = pki.installation.client("kms")
    with refused("ValidationException", "hold"):
        kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")
    assert store.keys == {}
    assert keys_of(pki) == []
    # What no store does is sealed, as the documents say.
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    blob = kms.encrypt(KeyId=arn, Plaintext=b"text")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"text"


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_store_that_is_away_holds_up_no_other_and_is_asked_once(storage, store):
    class Away(MemoryStore):
        def __init__(self, name):
            super().__init__(name)
            self.asked = []

        def destroy(self, key_id):
            self.asked.append(key_id)
            super().destroy(key_id)

    away = Away("away")
    pki = Pki(storage, key_stores={"token": store, "away": away}, store_for={**EVERYTHING, Purpose.AUTHORITY: "away"})
    keys = pki.installation.rooms.keys
    for purpose in (Purpose.AUTHORITY, Purpose.AUTHORITY, Purpose.OCSP):
        keys.generate(EC, purpose)
        pki.clock.advance(timedelta(seconds=1))
    pki.clock.advance(timedelta(hours=2))
    away.away = True
    # What is away comes first, and is more than a batch.
    assert keys.destroy_unneeded(limit=1) == 1
    assert (store.keys, len(away.asked)) == ({}, 1)
    pki.clock.advance(timedelta(hours=1))
    assert keys.destroy_unneeded() == 0
    assert len(set(away.asked)) == 2, "a key that its store does not destroy is not in the way of the others"
    pki.clock.advance(timedelta(hours=1))
    away.away = False
    assert keys.destroy_unneeded() == 2
    assert (away.keys, unneeded(pki)) == ({}, set())


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_what_a_store_refuses_leaves_nothing_to_destroy(pki):
    with refused("InvalidArgsException", "cannot hold keys of type ML_DSA_44"):
        pki.create(key="ML_DSA_44")
    assert unneeded(pki) == set()


def test_a_key_that_its_token_has_lost_uses_up_no_sessions(monkeypatch):
    """Each try opens sessions; a module in which other calls are running cannot be started again to end them."""
    pkcs11 = pytest.importorskip("pkcs11")
    from greatseal.integrations.signers import sessions

    opened = set()

    class Session:
        def __init__(self, **_):
            opened.add(self)

        def close(self):
            opened.remove(self)

    class Token:
        flags = pkcs11.constants.TokenFlag(0)
        open = staticmethod(Session)

    class Module:
        generation = 0
        call = staticmethod(nullcontext)
        start_again = staticmethod(lambda: False)

    monkeypatch.setattr(sessions, "module_at", lambda _: Module)
    monkeypatch.setattr(sessions, "find_token", lambda *_: Token)
    pool = sessions.SessionPool(sessions.TokenAddress("hsm", "", "", lambda: Secret(b"1234"), max_sessions=1))

    def lost(_):
        raise pkcs11.exceptions.NoSuchKey

    for _ in range(50):
        with pytest.raises(SignerUnavailable, match="NoSuchKey"):
            pool.run(lost)
    assert pool.run(lambda held: held.session) in opened
    # One for the thread; one that keeps the log-in, and one more for each second in which it was doubted.
    assert len(opened) <= 4
