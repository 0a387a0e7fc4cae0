"""A new key-encryption key while the installation works, and at every line at which it may die (docs/keys.md)."""

from contextlib import suppress

import pytest
from sqlalchemy import select

from doors.pki import Pki, csr
from greatseal.crypto.wrap import CannotOpen, Keyring, key_fingerprint, prefix_under
from greatseal.domain.access.credentials import SEALED as CREDENTIALS
from greatseal.domain.audit import Seals
from greatseal.domain.audit.verification import verify
from greatseal.domain.keys.key_encryption import GRACE, installation_secret, keyring, opens
from greatseal.domain.keys.store import SEALED as KEYS
from greatseal.kernel.errors import Conflict
from greatseal.kernel.secret import Secret
from greatseal.storage import installation
from greatseal.storage.errors import StorageError
from greatseal.storage.migrate import migrate
from greatseal.storage.schema import metadata
from greatseal.testing import FakeEntropy
from greatseal.testing.faults import FaultyStorage

OLD, NEW, OTHER = Secret(b"1" * 32), Secret(b"2" * 32), Secret(b"3" * 32)
SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


def started(storage, kek, **more):
    """A node that is started with `kek`, as the service does it."""
    fingerprint = key_fingerprint(kek)
    if not storage.read(lambda tx: opens(tx, fingerprint)):
        raise CannotOpen("refused at the start")
    storage.transact(lambda tx: installation.remember(tx, "kek-fingerprint", fingerprint.encode()))
    return Pki(storage, kek=keyring(storage, kek), configured_kek=lambda: fingerprint, **more)


def sealed(storage):
    """Every sealed value of the two columns."""
    tables = [(each.table, each.column) for each in (KEYS, CREDENTIALS)]
    return [
        row[0] for table, column in tables for row in storage.read(lambda tx, t=table, c=column: tx.all(select(t.c[c])))
    ]


def whole(pki, authority):
    """Everything that rests on sealed secrets works: old keys, old credentials, the audit trail's seals."""
    arn = pki.issue(authority, csr())
    assert pki.get(authority, arn)["Certificate"]
    rooms = pki.installation.rooms
    rooms.audit_log.catch_up()
    report = verify(pki.storage, Seals.under(installation_secret(pki.storage, rooms.access._sealer.keyring)))
    assert report.ok, report.findings


def test_a_change_from_begin_to_end(storage):
    pki = started(storage, OLD)
    authority = pki.root()
    change = pki.installation.rooms.kek_change
    change.begin(NEW, "a test")
    assert change.reseal() == len(sealed(storage))
    assert all(value.startswith(prefix_under(key_fingerprint(NEW))) for value in sealed(storage))
    assert not change.finish(), "too early"
    pki.clock.advance(GRACE)
    assert not change.finish(), "the settings still name the old key"
    whole(pki, authority)
    whole(started(storage, OLD, clock=pki.clock, entropy=FakeEntropy("old")), authority)
    node = started(storage, NEW, clock=pki.clock, entropy=FakeEntropy("new"))
    assert node.installation.rooms.kek_change.finish()
    whole(node, authority)
    with pytest.raises(CannotOpen):
        started(storage, OLD)
    names = storage.read(lambda tx: tx.all(select(metadata.tables["installation"].c.key)))
    assert not [row.key for row in names if row.key.startswith("kek-link/") or row.key == "kek-change"]


def test_a_node_that_slept_through_the_begin_opens_what_another_sealed(storage):
    sleeper = started(storage, OLD)
    authority = sleeper.root()
    worker = started(storage, OLD, clock=sleeper.clock, entropy=FakeEntropy("worker"))
    worker.installation.rooms.kek_change.begin(NEW, "a test")
    worker.installation.rooms.kek_change.reseal()
    made = worker.root()
    sleeper.installation.rooms.keys._signer.cache_clear()
    assert sleeper.get(made, sleeper.issue(made, csr()))["Certificate"]
    assert sleeper.get(authority, sleeper.issue(authority, csr()))["Certificate"]
    # What it seals itself meanwhile is found by whoever carries the change on.
    sleeper.root()
    assert worker.installation.rooms.kek_change.left() >= 1
    worker.clock.advance(GRACE)
    node = started(storage, NEW, clock=sleeper.clock, entropy=FakeEntropy("node"))
    assert not node.installation.rooms.kek_change.finish(), "a value is left that only the old key opens"
    node.installation.rooms.kek_change.carry_on()
    assert node.installation.rooms.kek_change.under_way() is None
    sleeper.installation.rooms.kek_change.refresh()
    whole(sleeper, sleeper.root())


@SQLITE
def test_sessions_live_until_the_old_key_is_retired(storage):
    pki = started(storage, OLD)
    sts = pki.installation.client("sts")
    role = pki.installation.client("iam").create_role(
        RoleName="r",
        AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},'
        '"Action":"sts:AssumeRole"}}',
    )["Role"]["Arn"]
    given = sts.get_session_token()["Credentials"]
    assert role
    from greatseal.domain.access import Credential

    credential = Credential(given["AccessKeyId"], Secret(given["SecretAccessKey"].encode()), "", "", "")

    def who(node):
        client = node.installation.client("sts", credential=credential, token=given["SessionToken"])
        return client.get_caller_identity()["Account"]

    pki.installation.rooms.kek_change.begin(NEW, "a test")
    pki.installation.rooms.kek_change.reseal()
    node = started(storage, NEW, clock=pki.clock, entropy=FakeEntropy("node"))
    assert who(node) == who(pki) == "111122223333"
    pki.clock.advance(GRACE)
    assert node.installation.rooms.kek_change.finish()
    with pytest.raises(Exception, match="InvalidClientTokenId"):
        who(node)


@SQLITE
def test_two_changes_at_once_are_refused(storage):
    pki = started(storage, OLD)
    rival = started(storage, OLD, entropy=FakeEntropy("rival"))
    pki.installation.rooms.kek_change.begin(NEW, "a test")
    with pytest.raises(Conflict, match="is under way"):
        rival.installation.rooms.kek_change.begin(OTHER, "another")
    with pytest.raises(Conflict):
        pki.installation.rooms.kek_change.begin(NEW, "the same")


@SQLITE
def test_a_link_that_was_altered_opens_nothing(storage):
    pki = started(storage, OLD)
    pki.installation.rooms.kek_change.begin(NEW, "a test")
    name = f"kek-link/{key_fingerprint(NEW)}"
    storage.transact(lambda tx: installation.replace(tx, name, bytes(80)))
    with pytest.raises(CannotOpen):
        started(storage, OLD)
    assert started(storage, NEW, entropy=FakeEntropy("node"))


@SQLITE
def test_a_value_that_opens_under_no_key_does_not_hold_up_the_change(storage):
    pki = started(storage, OLD)
    pki.root()
    (key_id, value) = storage.read(lambda tx: KEYS.others(tx, b"\xff", "", 1))[0]
    broken = value[:-1] + bytes([value[-1] ^ 1])
    storage.transact(lambda tx: KEYS.replace(tx, key_id, value, broken))
    pki.installation.rooms.kek_change.begin(NEW, "a test")
    pki.clock.advance(GRACE)
    node = started(storage, NEW, clock=pki.clock, entropy=FakeEntropy("node"))
    node.installation.rooms.kek_change.carry_on()
    assert node.installation.rooms.kek_change.under_way() is None
    assert broken in sealed(storage)


@pytest.mark.parametrize("applied", [False, True])
@SQLITE
def test_whatever_fails_on_the_way_one_of_the_two_keys_opens_everything(database_url, applied):
    """Each call of the change fails in turn, before and after its commit; then a new process carries it on."""
    keys = [OLD, NEW]
    storage = faulty = FaultyStorage(database_url)
    migrate(storage)
    authority = started(storage, OLD).root()
    at = 1
    while True:
        before, after = keys[at % 2 - 1], keys[at % 2]
        pki = started(faulty, before, entropy=FakeEntropy(f"{at}"))
        rooms = pki.installation.rooms
        configured = key_fingerprint(after)
        rooms.kek_change._configured = lambda configured=configured: configured
        faulty.fail(at=at, applied=applied)
        with suppress(StorageError):
            rooms.kek_change.begin(after, "a test")
            rooms.kek_change.reseal()
            pki.clock.advance(GRACE)
            rooms.kek_change.finish()
        failed = faulty.failed
        faulty.heal()
        opened = 0
        for kek in (before, after):
            with suppress(CannotOpen):
                whole(started(storage, kek, clock=pki.clock, entropy=FakeEntropy(f"{at}/{opened}")), authority)
                opened += 1
        assert opened, at
        # The next process ends it, or begins it anew.
        node = None
        with suppress(CannotOpen):
            node = started(storage, after, clock=pki.clock, entropy=FakeEntropy(f"{at}/end"))
        if node is None:
            node = started(storage, before, clock=pki.clock, entropy=FakeEntropy(f"{at}/end"))
            node.installation.rooms.kek_change.begin(after, "again")
        node.installation.rooms.kek_change._configured = lambda configured=configured: configured
        pki.clock.advance(GRACE)
        node.installation.rooms.kek_change.carry_on()
        whole(started(storage, after, clock=pki.clock, entropy=FakeEntropy(f"{at}/after")), authority)
        if not failed:
            break
        at += 1
    storage.close()
    assert at > 5


def test_values_of_the_first_form_open_and_are_sealed_anew():
    """They have no fingerprint: whichever known key fits opens them."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = bytes(12)
    first_form = b"\x01" + nonce + AESGCM(OLD.reveal()).encrypt(nonce, b"secret", b"\x01" + b"key/1")
    ring = Keyring(NEW)
    with pytest.raises(CannotOpen):
        ring.open("key/1", first_form)
    ring.use(OLD)
    ring.use(NEW)
    assert ring.open("key/1", first_form).reveal() == b"secret"
    ring.forget_others()
    with pytest.raises(CannotOpen):
        ring.open("key/1", first_form)
