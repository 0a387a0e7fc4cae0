"""Private keys at rest: sealed, bound to their own row, opened by the right key-encryption key only (docs/keys.md)."""

import pytest
from sqlalchemy import select, update

from greatseal.crypto import keypair, signature
from greatseal.crypto.algorithms import KeyAlgorithm, SignatureAlgorithm
from greatseal.crypto.wrap import CannotOpen, Sealer
from greatseal.domain.keys import KeyPool, Keys, NewKey, Purpose
from greatseal.domain.keys.store import key
from greatseal.kernel.secret import Secret
from greatseal.storage import Storage
from greatseal.testing import FakeClock, FakeEntropy

KEK, OTHER_KEK = Secret(b"k" * 32), Secret(b"o" * 32)
ACCOUNT = "111122223333"
EC = KeyAlgorithm.EC_prime256v1


def room(storage: Storage, kek: Secret = KEK) -> Keys:
    entropy = FakeEntropy()
    return Keys(
        storage=storage, sealer=Sealer(kek, entropy), clock=FakeClock(), entropy=FakeEntropy("ids"), pool=KeyPool({})
    )


def stored(storage: Storage, keys: Keys, purpose: Purpose = Purpose.CERTIFICATE) -> NewKey:
    new = keys.generate(EC)
    storage.transact(lambda tx: keys.add(tx, new, account=ACCOUNT, purpose=purpose))
    return new


def write(storage: Storage, key_id: str, sealed: bytes) -> None:
    storage.transact(lambda tx: tx.execute(update(key).where(key.c.id == key_id).values(sealed=sealed)))


def test_what_is_sealed_opens_and_signs(storage):
    keys = room(storage)
    new = stored(storage, keys)
    signer = room(storage).signer(new.id)
    signed = signer.sign(b"data", SignatureAlgorithm.SHA256WITHECDSA)
    assert signature.verify(new.spki, SignatureAlgorithm.SHA256WITHECDSA, signed, b"data")


def test_no_private_key_is_in_the_database_in_the_clear(storage, tmp_path):
    keys = room(storage)
    new = stored(storage, keys)
    plain = storage.read(lambda tx: keys.export(tx, new.id)).reveal()
    secret = keypair.load_private(Secret(plain)).private_numbers().private_value.to_bytes(32, "big")
    (row,) = storage.read(lambda tx: tx.all(select(key)))
    assert secret not in row.sealed
    if storage.dialect == "sqlite":
        for path in tmp_path.glob("greatseal.db*"):
            assert secret not in path.read_bytes()


def test_a_row_copied_over_another_row_does_not_open(storage):
    keys = room(storage)
    mine, yours = stored(storage, keys), stored(storage, keys)
    write(storage, mine.id, yours.sealed)
    with pytest.raises(CannotOpen):
        room(storage).signer(mine.id)
    assert room(storage).signer(yours.id).spki == yours.spki


@pytest.mark.parametrize("position", [0, 1, 12, 13, 40, -1])
def test_an_altered_row_does_not_open(storage, position):
    keys = room(storage)
    new = stored(storage, keys)
    altered = bytearray(new.sealed)
    altered[position] ^= 1
    write(storage, new.id, bytes(altered))
    with pytest.raises(CannotOpen):
        room(storage).signer(new.id)
    with pytest.raises(CannotOpen):
        storage.read(lambda tx: keys.export(tx, new.id))


def test_another_key_encryption_key_opens_nothing(storage):
    new = stored(storage, room(storage))
    with pytest.raises(CannotOpen):
        room(storage, OTHER_KEK).signer(new.id)


def test_the_key_of_an_authority_never_leaves(storage):
    keys = room(storage)
    new = stored(storage, keys, Purpose.AUTHORITY)
    with pytest.raises(PermissionError, match="not the key of a certificate"):
        storage.read(lambda tx: keys.export(tx, new.id))
    assert keys.signer(new.id).spki == new.spki


def test_a_destroyed_key_signs_no_more_even_when_it_was_in_memory(storage):
    keys = room(storage)
    new = stored(storage, keys)
    keys.signer(new.id)
    storage.transact(lambda tx: keys.destroy(tx, new.id))
    with pytest.raises(LookupError):
        keys.signer(new.id)
    with pytest.raises(LookupError):
        storage.read(lambda tx: keys.export(tx, new.id))


def test_a_destruction_that_is_rolled_back_destroys_nothing(storage):
    keys = room(storage)
    new = stored(storage, keys)

    def work(tx):
        keys.destroy(tx, new.id)
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        storage.transact(work)
    assert room(storage).signer(new.id).spki == new.spki


def test_a_pool_hands_every_key_out_once():
    pool = KeyPool({EC: 3})
    while pool.fill_one():
        pass
    assert pool.ready() == {EC: 3}
    taken = {pool.take(EC).reveal() for _ in range(5)}
    assert len(taken) == 5
    assert pool.ready() == {EC: 0}
    assert pool.wanted.is_set()


def test_the_same_key_sealed_twice_is_two_different_texts(storage):
    keys = room(storage)
    plain = keypair.generate(EC)
    assert keys.adopt(plain).sealed != keys.adopt(plain).sealed
