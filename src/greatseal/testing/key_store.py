"""A key store in memory that can be away, lie, or wait: a token without a token."""

from collections.abc import Callable

from greatseal.crypto import keypair
from greatseal.crypto.algorithms import KeyAlgorithm, SignatureAlgorithm
from greatseal.crypto.signature import Signer, SignerUnavailable, SoftwareSigner
from greatseal.domain.keys import StoreHealth, StoreRefuses


class MemoryStore:
    """Holds keys for as long as it lives. ML-DSA is refused, as most tokens do.

    `away` lets every call fail; `tamper` goes over every signature and may change it, wait or raise.
    """

    def __init__(self, name: str = "token") -> None:
        self.name = name
        self.keys: dict[str, SoftwareSigner] = {}
        self.away = False
        self.tamper: Callable[[bytes], bytes] = lambda signed: signed

    def reach(self) -> None:
        """Raises SignerUnavailable while the store is away."""
        if self.away:
            raise SignerUnavailable(f"the key store {self.name} is away on purpose")

    def generate(self, key_id: str, algorithm: KeyAlgorithm) -> bytes:
        """A key pair; its SubjectPublicKeyInfo (DER)."""
        self.reach()
        if algorithm.family == "ML_DSA":
            raise StoreRefuses(f"The key store {self.name} cannot hold keys of type {algorithm.name}.")
        made = SoftwareSigner.of(keypair.load_private(keypair.generate(algorithm)))
        self.keys[key_id] = made
        return made.spki

    def signer(self, key_id: str, spki: bytes) -> Signer:
        """The key, looked up when it signs."""
        algorithm = keypair.algorithm_of(keypair.load_public(spki))
        assert algorithm is not None
        return _MemorySigner(self, key_id, algorithm, spki)

    def destroy(self, key_id: str) -> None:
        """Forgets a key."""
        self.reach()
        self.keys.pop(key_id, None)

    def health(self) -> StoreHealth:
        """Reachable unless it is away."""
        return StoreHealth("memory", not self.away)


class _MemorySigner:
    def __init__(self, store: MemoryStore, key_id: str, algorithm: KeyAlgorithm, spki: bytes) -> None:
        self._store = store
        self._key_id = key_id
        self.algorithm = algorithm
        self.spki = spki

    def sign(self, data: bytes, algorithm: SignatureAlgorithm) -> bytes:
        return self._store.tamper(self._key().sign(data, algorithm))

    def sign_digest(self, digest: bytes, algorithm: SignatureAlgorithm) -> bytes:
        return self._store.tamper(self._key().sign_digest(digest, algorithm))

    def _key(self) -> SoftwareSigner:
        self._store.reach()
        if self._key_id not in self._store.keys:
            raise SignerUnavailable(f"the key store {self._store.name} has no key {self._key_id}")
        return self._store.keys[self._key_id]
