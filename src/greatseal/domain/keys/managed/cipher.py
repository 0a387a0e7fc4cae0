"""How symmetric keys encrypt: blobs that name the key and the material they were made with (kms.md 6).

What keys in external key stores encrypt is encrypted again outside (kms.md 10).
"""

import re
from collections.abc import Mapping

from greatseal.crypto import envelope
from greatseal.domain.keys.managed import outer
from greatseal.domain.keys.managed.external import ExternalKeys
from greatseal.domain.keys.managed.faults import WRONG_PLAINTEXT
from greatseal.domain.keys.managed.model import KeyName, ManagedKey, Material, Origin, is_key_id
from greatseal.domain.keys.managed.opening import OpenMaterials
from greatseal.domain.keys.managed.refusals import InvalidCiphertext, KeyInvalidState, WrongKey
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.entropy import Entropy

Context = Mapping[str, str]

_ACCOUNT = re.compile(r"[0-9]{12}")


class SymmetricCipher:
    """Encrypts with the current material of a key, and decrypts with whichever one the blob names."""

    def __init__(self, *, materials: OpenMaterials, external: ExternalKeys, entropy: Entropy) -> None:
        self._materials = materials
        self._external = external
        self._entropy = entropy

    def encrypt(self, caller: Caller, key: ManagedKey, context: Context, plaintext: bytes) -> tuple[bytes, str | None]:
        """The blob, and the id of the material; None for keys in external key stores, as KMS has it.

        Raises KeyInvalidState when the external key store does not do its part.
        """
        material = self._materials.current(key)
        blob = envelope.encrypt(
            self._materials.secret(material),
            key_id=_identity(key),
            material_id=material.id,
            context=context,
            plaintext=plaintext,
            nonce=self._entropy.token_bytes(envelope.NONCE_SIZE),
        )
        if key.origin is not Origin.EXTERNAL_KEY_STORE:
            return blob, material.id
        bound = outer.associated(_identity(key), material.id, context)
        return outer.pack(_identity(key), material.id, self._external.encrypt(caller, key, blob, bound)), None

    def decrypt(self, caller: Caller, key: ManagedKey, context: Context, blob: bytes) -> tuple[bytes, str | None]:
        """The plaintext, and the id of the material as `encrypt` tells it.

        Raises WrongKey, InvalidCiphertext, and KeyInvalidState when the external key store does not do its part.
        """
        header = _header(blob)
        if header.key_id != _identity(key):
            raise WrongKey("The key ID in the request does not identify a CMK that can perform this operation.")
        material = self._materials.of(key, header.material_id)
        if material is None or (blob[0] == outer.VERSION) != (key.origin is Origin.EXTERNAL_KEY_STORE):
            raise InvalidCiphertext
        if key.origin is Origin.EXTERNAL_KEY_STORE:
            return self._opened_twice(caller, key, material, context, blob), None
        try:
            return envelope.decrypt(self._materials.secret(material), blob, context), material.id
        except envelope.InvalidCiphertext:
            raise InvalidCiphertext from None

    def _opened_twice(
        self, caller: Caller, key: ManagedKey, material: Material, context: Context, blob: bytes
    ) -> bytes:
        _, sealed = outer.parse(blob)
        bound = outer.associated(_identity(key), material.id, context)
        inner = self._external.decrypt(caller, key, sealed, bound)
        try:
            return envelope.decrypt(self._materials.secret(material), inner, context)
        except envelope.InvalidCiphertext:
            # The blob is bound to its header outside: whatever came back is not what we had encrypted there.
            raise KeyInvalidState(WRONG_PLAINTEXT) from None


def key_name_in(blob: bytes, caller: Caller) -> KeyName:
    """The key that a blob names, in the caller's region. Raises InvalidCiphertext."""
    account, _, name = _header(blob).key_id.partition("/")
    # Nothing of a blob is proven yet: what looks like no account is no part of a name, and of no query.
    if not _ACCOUNT.fullmatch(account) or not is_key_id(name):
        raise InvalidCiphertext
    return KeyName(Arn(caller.partition, "kms", caller.region, account, f"key/{name}"), False)


def _identity(key: ManagedKey) -> str:
    """The same for a multi-Region key and its replicas, so that each decrypts what the others encrypted."""
    return f"{key.account}/{key.id}"


def _header(blob: bytes) -> envelope.Header:
    try:
        return outer.parse(blob)[0] if blob[:1] == bytes((outer.VERSION,)) else envelope.parse(blob)
    except envelope.MalformedCiphertext:
        raise InvalidCiphertext from None
