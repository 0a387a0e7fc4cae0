"""Encrypt, Decrypt, ReEncrypt, and data keys (kms.md 6, 7)."""

from collections.abc import Mapping
from dataclasses import dataclass

from greatseal.crypto import asymmetric_encryption, envelope
from greatseal.crypto import material as cryptographic
from greatseal.crypto.key_specs import KeySpec
from greatseal.domain.audit import Audit
from greatseal.domain.keys.managed.cipher import SymmetricCipher
from greatseal.domain.keys.managed.model import ManagedKey, Origin, require_algorithm, require_usable, require_usage
from greatseal.domain.keys.managed.opening import OpenMaterials
from greatseal.domain.keys.managed.refusals import DryRunSucceeded, InvalidCiphertext, UnsupportedOnKey, WrongKey
from greatseal.domain.keys.managed.trail import record_use
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import ValidationFailed

SYMMETRIC = "SYMMETRIC_DEFAULT"
_WRONG_KEY = "The key ID in the request does not identify a CMK that can perform this operation."


@dataclass(frozen=True, slots=True)
class Encrypted:
    """A ciphertext and the material it was made with; RSA ciphertexts name none."""

    blob: bytes
    material_id: str | None = None


@dataclass(frozen=True, slots=True)
class Decrypted:
    """A plaintext and the material that opened it."""

    plaintext: bytes
    material_id: str | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One side of an encryption: which key, how, and in which context."""

    key: ManagedKey
    algorithm: str = SYMMETRIC
    context: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class DataKeyPair:
    """A key pair for use outside: the private half twice, open and under a KMS key."""

    private: bytes
    """PKCS#8 DER."""
    public: bytes
    """SubjectPublicKeyInfo DER."""
    encrypted: Encrypted


class Encryption:
    """What keys keep secret. Every act is in the audit trail before it is answered."""

    def __init__(
        self,
        *,
        materials: OpenMaterials,
        cipher: SymmetricCipher,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._materials = materials
        self._cipher = cipher
        self._audit = audit
        self._clock = clock
        self._entropy = entropy

    def encrypt(self, caller: Caller, to: Side, plaintext: bytes, *, dry_run: bool) -> Encrypted:
        """Raises ValidationFailed for more octets than the key takes."""
        self._check(to, "Encrypt")
        _check_size(to, plaintext)
        if dry_run:
            raise DryRunSucceeded
        made = self._encrypted(caller, to, plaintext)
        record_use(self._audit, caller, to.key.arn)
        return made

    def decrypt(self, caller: Caller, of: Side, blob: bytes | None, *, dry_run: bool) -> Decrypted:
        """Raises InvalidCiphertext, and WrongKey when another key encrypted. A rehearsal may have no ciphertext."""
        self._check_source(of, "Decrypt")
        if blob is None:
            raise DryRunSucceeded
        opened = self._decrypted(caller, of, blob)
        if dry_run:
            raise DryRunSucceeded
        record_use(self._audit, caller, of.key.arn)
        return opened

    def re_encrypt(
        self, caller: Caller, of: Side, to: Side, blob: bytes | None, *, dry_run: bool
    ) -> tuple[Encrypted, str | None]:
        """The same plaintext under another key, and the material that it was under. The plaintext stays inside."""
        self._check_source(of, "ReEncrypt")
        self._check(to, "ReEncrypt")
        if blob is None:
            raise DryRunSucceeded
        opened = self._decrypted(caller, of, blob)
        _check_size(to, opened.plaintext)
        if dry_run:
            raise DryRunSucceeded
        made = self._encrypted(caller, to, opened.plaintext)
        record_use(self._audit, caller, *dict.fromkeys((of.key.arn, to.key.arn)))
        return made, opened.material_id

    def data_key(self, caller: Caller, under: Side, size: int, *, dry_run: bool) -> tuple[bytes, Encrypted]:
        """`size` random octets, open and encrypted."""
        self._check(under, _operation(caller))
        if dry_run:
            raise DryRunSucceeded
        plaintext = self._entropy.token_bytes(size)
        made = self._encrypted(caller, under, plaintext)
        record_use(self._audit, caller, under.key.arn)
        return plaintext, made

    def data_key_pair(self, caller: Caller, under: Side, spec: KeySpec, *, dry_run: bool) -> DataKeyPair:
        """A new key pair. Raises UnsupportedOnKey for keys of custom key stores."""
        self._check(under, _operation(caller))
        if under.key.origin is Origin.EXTERNAL_KEY_STORE:
            raise UnsupportedOnKey(
                f"{under.key.arn} origin is EXTERNAL_KEY_STORE which is not valid for this operation."
            )
        if dry_run:
            raise DryRunSucceeded
        made = cryptographic.generate(spec, self._entropy.token_bytes)
        assert made.spki is not None
        private = made.secret.reveal()
        encrypted = self._encrypted(caller, under, private)
        record_use(self._audit, caller, under.key.arn)
        return DataKeyPair(private, made.spki, encrypted)

    def random(self, size: int) -> bytes:
        """Random octets."""
        return self._entropy.token_bytes(size)

    def _encrypted(self, caller: Caller, to: Side, plaintext: bytes) -> Encrypted:
        if to.algorithm == SYMMETRIC:
            return Encrypted(*self._cipher.encrypt(caller, to.key, to.context or {}, plaintext))
        public = self._materials.public(to.key.spec, self._materials.current(to.key))
        return Encrypted(asymmetric_encryption.encrypt(public, to.algorithm, plaintext))

    def _decrypted(self, caller: Caller, of: Side, blob: bytes) -> Decrypted:
        if of.algorithm == SYMMETRIC:
            return Decrypted(*self._cipher.decrypt(caller, of.key, of.context or {}, blob))
        private = self._materials.private(of.key.spec, self._materials.current(of.key))
        try:
            return Decrypted(asymmetric_encryption.decrypt(private, of.algorithm, blob))
        except envelope.InvalidCiphertext:
            raise InvalidCiphertext from None

    def _check_source(self, of: Side, operation: str) -> None:
        if of.key.usage != "ENCRYPT_DECRYPT" and of.algorithm == SYMMETRIC:
            # What a symmetric blob is held against may be any key; only its own opens it (kms.md 6).
            require_usable(of.key, self._clock.now())
            raise WrongKey(_WRONG_KEY)
        self._check(of, operation)

    def _check(self, side: Side, operation: str) -> None:
        require_usable(side.key, self._clock.now())
        require_usage(side.key, "ENCRYPT_DECRYPT", operation)
        require_algorithm(side.key, side.algorithm, side.key.spec.encryption_algorithms)
        if side.context and side.algorithm != SYMMETRIC:
            raise ValidationFailed("EncryptionContext is supported by symmetric encryption KMS keys only.")


def _check_size(to: Side, plaintext: bytes) -> None:
    if to.algorithm == SYMMETRIC:
        return
    limit = to.key.spec.oaep_limit(to.algorithm)
    if len(plaintext) > limit:
        raise ValidationFailed(
            f"Algorithm {to.algorithm} and key spec {to.key.spec.name} cannot encrypt data larger than {limit} bytes."
        )


def _operation(caller: Caller) -> str:
    return caller.operation.partition(":")[2]
