"""The verbs of the keys room."""

from functools import lru_cache

from greatseal.crypto import keypair
from greatseal.crypto.algorithms import KeyAlgorithm
from greatseal.crypto.signature import Signer, SoftwareSigner
from greatseal.crypto.wrap import Sealer
from greatseal.domain.keys import store
from greatseal.domain.keys.model import NewKey, NewSecret, Purpose, fingerprint, identity
from greatseal.domain.keys.pool import KeyPool
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.ids import new_uuid
from greatseal.kernel.secret import Secret
from greatseal.storage import Storage, Tx

# Opened signers that are kept. An authority signs often and there are few of them.
_CACHED_SIGNERS = 256


class Keys:
    """Makes, stores and uses private keys."""

    def __init__(self, *, storage: Storage, sealer: Sealer, clock: Clock, entropy: Entropy, pool: KeyPool) -> None:
        self._storage = storage
        self._sealer = sealer
        self._clock = clock
        self._entropy = entropy
        self._pool = pool
        self._signer = lru_cache(_CACHED_SIGNERS)(self._open_signer)
        self._material = lru_cache(_CACHED_SIGNERS)(self._open_material)

    def generate(self, algorithm: KeyAlgorithm) -> NewKey:
        """A new key, sealed; nothing is stored until `add`. Never call it inside a transaction: it may be slow."""
        return self._seal(self._pool.take(algorithm))

    def adopt(self, pkcs8: Secret) -> NewKey:
        """An imported private key, sealed. Raises `crypto.keypair.UnusableKey`."""
        return self._seal(pkcs8)

    def seal(self, secret: Secret) -> NewSecret:
        """Secret bytes of any kind, sealed; nothing is stored until `add`."""
        key_id = new_uuid(self._entropy)
        return NewSecret(key_id, self._sealer.seal(identity(key_id), secret))

    def add(self, tx: Tx, new: NewKey | NewSecret, *, account: str, purpose: Purpose) -> None:
        """Stores a key in the transaction of whatever it belongs to."""
        store.add(tx, new, account=account, purpose=purpose, at=self._clock.now())

    def signer_of(self, new: NewKey) -> Signer:
        """A signer for a key that is not stored yet, for its own CSR."""
        return self._signer_from(new.id, new.sealed)

    def signer(self, key_id: str) -> Signer:
        """The key as a `Signer`. Raises LookupError when it was destroyed and CannotOpen when it was altered."""
        return self._signer(key_id)

    def material(self, key_id: str) -> Secret:
        """The bytes of a KMS key, for use inside of this room. Raises as `signer`."""
        return self._material(key_id)

    def export(self, tx: Tx, key_id: str) -> Secret:
        """The private key (PKCS#8 DER) of a certificate. Keys of authorities never leave: PermissionError."""
        found = store.find(tx, key_id)
        if found is None:
            raise LookupError(f"there is no key {key_id}")
        record, sealed = found
        if record.purpose is not Purpose.CERTIFICATE:
            raise PermissionError(f"key {key_id} is not the key of a certificate")
        return self._sealer.open(identity(key_id), sealed)

    def is_authority_key(self, tx: Tx, spki: bytes) -> bool:
        """Whether a public key (SubjectPublicKeyInfo DER) is that of an authority of this installation."""
        return store.has_authority_key(tx, fingerprint(spki))

    def is_compromised(self, tx: Tx, spki: bytes) -> bool:
        """Whether a certificate for this public key was revoked because the key was compromised."""
        return store.has_compromised(tx, fingerprint(spki))

    def report_compromise(self, tx: Tx, spki: bytes) -> None:
        """The private half of this public key is known to strangers; it is never certified again (BR 6.1.1.3)."""
        store.add_compromised(tx, fingerprint(spki), self._clock.now())

    def destroy(self, tx: Tx, key_id: str) -> None:
        """Deletes a key for good."""
        store.remove(tx, key_id)
        tx.on_commit(self._forget)

    def _seal(self, pkcs8: Secret) -> NewKey:
        public = keypair.load_private(pkcs8).public_key()
        key_id = new_uuid(self._entropy)
        sealed = self._sealer.seal(identity(key_id), pkcs8)
        return NewKey(key_id, keypair.algorithm_of(public), keypair.encode_public(public), sealed)

    def _forget(self) -> None:
        self._signer.cache_clear()
        self._material.cache_clear()

    def _open_material(self, key_id: str) -> Secret:
        found = self._storage.read(lambda tx: store.find(tx, key_id))
        if found is None or found[0].purpose is not Purpose.KMS:
            raise LookupError(f"there is no KMS key material {key_id}")
        return self._sealer.open(identity(key_id), found[1])

    def _open_signer(self, key_id: str) -> Signer:
        found = self._storage.read(lambda tx: store.find(tx, key_id))
        if found is None:
            raise LookupError(f"there is no key {key_id}")
        return self._signer_from(key_id, found[1])

    def _signer_from(self, key_id: str, sealed: bytes) -> Signer:
        return SoftwareSigner.of(keypair.load_private(self._sealer.open(identity(key_id), sealed)))
