"""Materials ready for use: opened once, and kept in memory as long as they are used."""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import TypeVar

from greatseal.crypto import message_signature
from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.crypto.key_specs import KeySpec
from greatseal.crypto.message_signature import MessageType
from greatseal.crypto.opened import PrivateKeyHandle, PublicKeyHandle, open_key, open_public
from greatseal.crypto.signature import SignerLied, SignerUnavailable
from greatseal.domain.keys.managed.model import ManagedKey, Material, Origin
from greatseal.domain.keys.managed.refusals import KeyInvalidState, KeyUnavailable
from greatseal.domain.keys.managed.store import materials
from greatseal.domain.keys.service import Keys
from greatseal.kernel.secret import Secret
from greatseal.storage import Storage

T = TypeVar("T")

_KEPT = 512
_Sign = Callable[[str, bytes, MessageType], bytes]
# What key stores can sign, which have RSA and the curves of NIST.
_SIGNATURES: Mapping[str, SignatureAlgorithm] = {
    **{f"RSASSA_PKCS1_V1_5_SHA_{n}": SignatureAlgorithm[f"SHA{n}WITHRSA"] for n in (256, 384, 512)},
    **{f"RSASSA_PSS_SHA_{n}": SignatureAlgorithm[f"SHA{n}WITHRSA_PSS"] for n in (256, 384, 512)},
    **{f"ECDSA_SHA_{n}": SignatureAlgorithm[f"SHA{n}WITHECDSA"] for n in (256, 384, 512)},
}


class OpenMaterials:
    """Finds and opens the materials of keys. The caller has checked the state of the key."""

    def __init__(self, *, storage: Storage, keys: Keys) -> None:
        self._storage = storage
        self._keys = keys
        # Rows of our own materials do not change while the key, which is read anew for each request, names them.
        self._row = lru_cache(_KEPT)(self._read)
        self._private = lru_cache(_KEPT)(self._open_private)
        self._signer = lru_cache(_KEPT)(self._open_signer)
        self._public = lru_cache(_KEPT)(open_public)
        for cache in (self._row, self._private, self._signer):
            keys.when_destroyed(cache.cache_clear)

    def current(self, key: ManagedKey) -> Material:
        """The material that the key works with now."""
        assert key.material is not None  # a key without material is pending import
        return (self._row if key.origin is Origin.AWS_KMS else self._read)(key.arn, key.material)

    def of(self, key: ManagedKey, material_id: str) -> Material | None:
        """One that the key has or had, as the database knows it now."""
        return self._storage.read(lambda tx: materials.find(tx, key.arn, material_id))

    def secret(self, material: Material) -> Secret:
        """The octets. Raises KeyInvalidState when imported material was deleted."""
        return self._opened(material, self._keys.material)

    def private(self, spec: KeySpec, material: Material) -> PrivateKeyHandle:
        """The private key. Raises KeyInvalidState when imported material was deleted."""
        return self._opened(material, lambda secret_id: self._private(spec, secret_id))

    def sign(self, spec: KeySpec, material: Material, algorithm: str, message: bytes, kind: MessageType) -> bytes:
        """The signature, verified before anybody sees it. Raises KeyInvalidState and KeyUnavailable."""
        try:
            signature = self._opened(material, lambda secret_id: self._signer(spec, secret_id))(
                algorithm, message, kind
            )
        except (SignerUnavailable, SignerLied) as error:
            raise KeyUnavailable(f"{material.key_arn} is unavailable: {error}") from None
        if not message_signature.verify_with(self.public(spec, material), algorithm, message, kind, signature):
            raise KeyUnavailable(f"{material.key_arn} made a signature that does not verify.")
        return signature

    def public(self, spec: KeySpec, material: Material) -> PublicKeyHandle:
        """The public key."""
        assert material.spki is not None
        return self._public(spec, material.spki)

    def _opened(self, material: Material, opening: Callable[[str], T]) -> T:
        if material.secret_id is None:
            raise KeyInvalidState(f"{material.key_arn} is pending import.")
        try:
            return opening(material.secret_id)
        except LookupError:
            # Destroyed since its row was read: imported material was deleted, or the key has come to its end.
            raise KeyInvalidState(f"{material.key_arn} is pending import.") from None

    def _read(self, key_arn: str, material_id: str) -> Material:
        found = self._storage.read(lambda tx: materials.find(tx, key_arn, material_id))
        if found is None or found.secret_id is None:
            raise KeyInvalidState(f"{key_arn} is pending import.")
        return found

    def _open_signer(self, spec: KeySpec, secret_id: str) -> _Sign:
        if self._keys.is_in_key_store(secret_id):
            signer = self._keys.signer(secret_id)

            def by_token(algorithm: str, message: bytes, kind: MessageType) -> bytes:
                digest = message_signature.prepared(algorithm, message, kind)
                return signer.sign_digest(digest, _SIGNATURES[algorithm])

            return by_token
        return partial(message_signature.sign_with, self._private(spec, secret_id))

    def _open_private(self, spec: KeySpec, secret_id: str) -> PrivateKeyHandle:
        return open_key(spec, self._keys.material(secret_id))
