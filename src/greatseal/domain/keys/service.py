"""The verbs of the keys room."""

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta

from greatseal.crypto import keypair
from greatseal.crypto.algorithms import KeyAlgorithm
from greatseal.crypto.signature import Signer, SignerUnavailable, SoftwareSigner
from greatseal.crypto.wrap import Sealer
from greatseal.domain.keys import store
from greatseal.domain.keys.model import (
    SOFTWARE,
    Found,
    KeyAbandoned,
    NewKey,
    NewSecret,
    Purpose,
    StoreRefuses,
    fingerprint,
    identity,
)
from greatseal.domain.keys.opened import Opened
from greatseal.domain.keys.pool import KeyPool
from greatseal.domain.keys.ports import KeyStore, StoreHealth
from greatseal.domain.keys.verified import VerifiedSigner
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.ids import new_uuid
from greatseal.kernel.secret import Secret
from greatseal.storage import Storage, Tx

# Opened signers that are kept. An authority signs often and there are few of them.
_CACHED_SIGNERS = 256
# A key that was made in a key store is stored by then, or its maker has died.
_ABANDONED_AFTER = timedelta(hours=1)
# Clocks of nodes differ: what one still stores another must not destroy.
_CLOCK_TOLERANCE = timedelta(minutes=10)

log = logging.getLogger(__name__)

Watched = Callable[[Signer, Purpose], Signer]
"""Makes of a signer one that does the same, and tells somebody."""


class Keys:
    """Makes, stores and uses private keys."""

    def __init__(
        self,
        *,
        storage: Storage,
        sealer: Sealer,
        clock: Clock,
        entropy: Entropy,
        pool: KeyPool,
        stores: Mapping[str, KeyStore] | None = None,
        store_for: Mapping[Purpose, str] | None = None,
    ) -> None:
        """`stores` are the key stores by name; `store_for` says where new keys are made, others in the database."""
        self._storage = storage
        self._sealer = sealer
        self._clock = clock
        self._entropy = entropy
        self._pool = pool
        self._stores = dict(stores or {})
        self._purposes = dict(store_for or {})
        self._signer = Opened(_CACHED_SIGNERS, self._open_signer)
        self._material = Opened(_CACHED_SIGNERS, self._open_material)
        self._forgetting: list[Callable[[], None]] = []
        self._watched: Watched = lambda signer, purpose: signer

    def watch(self, watched: Watched) -> None:
        """Hands out signers as `watched` makes them of ours, for whoever counts signatures; once, at the start."""
        self._watched = watched
        self._signer.cache_clear()

    def when_destroyed(self, forget: Callable[[], None]) -> None:
        """Calls `forget` whenever this process has destroyed a key that is not one of a certificate.

        Whoever keeps opened keys drops them then; those of certificates come and go, and are kept here alone.
        """
        self._forgetting.append(forget)

    def generate(self, algorithm: KeyAlgorithm, purpose: Purpose = Purpose.CERTIFICATE) -> NewKey:
        """A new key, sealed or in the key store of its purpose; it lasts only when `add` stores it within the hour.

        Never call it inside a transaction: it may be slow. Raises StoreRefuses and SignerUnavailable.
        """
        name = self.store_for(purpose)
        if name == SOFTWARE:
            return self._seal(self._pool.take(algorithm))
        key_id = new_uuid(self._entropy)
        due = self._clock.now() + _ABANDONED_AFTER
        # Written before the key exists: whatever dies from here on, somebody knows what to destroy, and where.
        self._storage.transact(lambda tx: store.add_unneeded(tx, key_id, name, due))
        try:
            spki = self._key_store(name).generate(key_id, algorithm)
        except StoreRefuses:
            self._storage.transact(lambda tx: store.gone(tx, key_id))
            raise
        return NewKey(key_id, algorithm, spki, None, name)

    def store_for(self, purpose: Purpose) -> str:
        """The name of the key store in which keys of a purpose are made; empty for the database."""
        return self._purposes.get(purpose, SOFTWARE)

    def adopt(self, pkcs8: Secret) -> NewKey:
        """An imported private key, sealed. Raises `crypto.keypair.UnusableKey`."""
        return self._seal(pkcs8)

    def seal(self, secret: Secret) -> NewSecret:
        """Secret bytes of any kind, sealed; nothing is stored until `add`."""
        key_id = new_uuid(self._entropy)
        return NewSecret(key_id, self._sealer.seal(identity(key_id), secret))

    def add(self, tx: Tx, new: NewKey | NewSecret, *, account: str, purpose: Purpose) -> None:
        """Stores a key in the transaction of whatever it belongs to. Raises KeyAbandoned after an hour."""
        now = self._clock.now()
        if new.store != SOFTWARE and not store.need(tx, new.id, now):
            raise KeyAbandoned(f"key {new.id} was made too long ago")
        store.add(tx, new, account=account, purpose=purpose, at=now)

    def signer_of(self, new: NewKey) -> Signer:
        """A signer for a key that is not stored yet, for its own CSR."""
        return self._signer_from(new.id, new.store, new.spki, new.sealed)

    def signer(self, key_id: str) -> Signer:
        """The key as a `Signer` that verifies what it signed.

        Raises LookupError when the key was destroyed, CannotOpen when it was altered, and SignerUnavailable when its
        key store is not among the settings.
        """
        return self._signer(key_id)

    def material(self, key_id: str) -> Secret:
        """The bytes of a KMS key, for use inside of this room. Raises as `signer`."""
        return self._material(key_id)

    def is_in_key_store(self, key_id: str) -> bool:
        """Whether the private half is in a key store, where it can only be asked to sign. Raises LookupError."""
        return self._find(key_id).record.store != SOFTWARE

    def export(self, tx: Tx, key_id: str) -> Secret:
        """The private key (PKCS#8 DER) of a certificate. Keys of authorities never leave: PermissionError."""
        found = store.find(tx, key_id)
        if found is None:
            raise LookupError(f"there is no key {key_id}")
        if found.record.purpose is not Purpose.CERTIFICATE or found.sealed is None:
            raise PermissionError(f"key {key_id} is not the key of a certificate")
        return self._sealer.open(identity(key_id), found.sealed)

    def holds(self, tx: Tx, spki: bytes) -> bool:
        """Whether the private half of a public key (SubjectPublicKeyInfo DER) is kept here. Raises UnusableKey."""
        return store.holds(tx, fingerprint(spki))

    def notorious(self, tx: Tx, fingerprints: Collection[str]) -> tuple[set[str], set[str]]:
        """Which of these are keys that must not be certified as they are.

        First those for which a certificate was revoked because the key was compromised, then those of authorities of
        this installation.
        """
        return store.notorious(tx, fingerprints)

    def report_compromise(self, tx: Tx, key_fingerprint: str) -> None:
        """The private half of this public key is known to strangers; it is never certified again (BR 6.1.1.3)."""
        store.add_compromised(tx, key_fingerprint, self._clock.now())

    def destroy(self, tx: Tx, key_id: str) -> None:
        """Deletes a key for good. A key store destroys its part soon after the commit (`destroy_unneeded`)."""
        found = store.find(tx, key_id)
        if found is not None and found.record.store != SOFTWARE:
            store.add_unneeded(tx, key_id, found.record.store, self._clock.now())
        store.remove(tx, key_id)
        of_certificate = found is not None and found.record.purpose is Purpose.CERTIFICATE
        tx.on_commit(lambda: self._forget(key_id, everywhere=not of_certificate))

    def destroy_unneeded(self, limit: int = 1000) -> int:
        """Has key stores destroy what nobody needs, so many each; how many keys.

        A store that fails is left alone until the next time, when its other keys come first. A key is forgotten here
        only after its store has destroyed it, and destroying twice is harmless: a crash between the two leaves a key
        that is destroyed again.
        """
        before = self._clock.now() - _CLOCK_TOLERANCE
        names = self._storage.read(lambda tx: store.stores_of_unneeded(tx, before))
        return sum(self._destroy_unneeded(name, before, limit) for name in names)

    def health(self) -> dict[str, StoreHealth]:
        """How every key store is, by name; also of those that hold keys but are not among the settings."""
        used = self._storage.read(store.stores_in_use)
        known = {name: each.health() for name, each in self._stores.items()}
        missing = StoreHealth("it holds keys and is not among the settings (key_stores)", reachable=False)
        return {**dict.fromkeys(used, missing), **known}

    def _destroy_unneeded(self, name: str, before: datetime, limit: int) -> int:
        done = 0
        for key_id in self._storage.read(lambda tx: store.unneeded(tx, name, before, limit)):
            try:
                self._key_store(name).destroy(key_id)
            except SignerUnavailable as error:
                log.warning("key %s cannot be destroyed yet: %s", key_id, error)
                # Behind all others of its store: one that is refused for ever must not stay in front of them.
                self._storage.transact(lambda tx, last=key_id: store.put_off(tx, last, before - timedelta.resolution))  # type: ignore[misc]
                break
            self._storage.transact(lambda tx, gone=key_id: store.gone(tx, gone))  # type: ignore[misc]
            done += 1
        return done

    def _key_store(self, name: str) -> KeyStore:
        if name not in self._stores:
            raise SignerUnavailable(f"the key store {name} is not among the settings (key_stores)")
        return self._stores[name]

    def _seal(self, pkcs8: Secret) -> NewKey:
        public = keypair.load_private(pkcs8).public_key()
        key_id = new_uuid(self._entropy)
        sealed = self._sealer.seal(identity(key_id), pkcs8)
        return NewKey(key_id, keypair.algorithm_of(public), keypair.encode_public(public), sealed)

    def _forget(self, key_id: str, *, everywhere: bool) -> None:
        self._signer.forget(key_id)
        self._material.forget(key_id)
        for forget in self._forgetting if everywhere else ():
            forget()

    def _open_material(self, key_id: str) -> Secret:
        found = self._find(key_id)
        if found.record.purpose is not Purpose.KMS or found.sealed is None:
            raise LookupError(f"there is no KMS key material {key_id}")
        return self._sealer.open(identity(key_id), found.sealed)

    def _open_signer(self, key_id: str) -> Signer:
        found = self._find(key_id)
        if found.record.spki is None:
            raise LookupError(f"key {key_id} is not one that signs")
        signer = self._signer_from(key_id, found.record.store, found.record.spki, found.sealed)
        return self._watched(signer, found.record.purpose)

    def _find(self, key_id: str) -> Found:
        found = self._storage.read(lambda tx: store.find(tx, key_id))
        if found is None:
            raise LookupError(f"there is no key {key_id}")
        return found

    def _signer_from(self, key_id: str, name: str, spki: bytes, sealed: bytes | None) -> Signer:
        if name != SOFTWARE:
            return VerifiedSigner(self._key_store(name).signer(key_id, spki), spki)
        if sealed is None:
            raise LookupError(f"the private half of key {key_id} is missing")
        signer = SoftwareSigner.of(keypair.load_private(self._sealer.open(identity(key_id), sealed)))
        return VerifiedSigner(signer, signer.spki)
