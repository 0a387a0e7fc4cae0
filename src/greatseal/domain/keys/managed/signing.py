"""Sign, Verify, GetPublicKey, GenerateMac and VerifyMac (kms.md 4, 5, 8)."""

from greatseal.crypto import mac, message_signature
from greatseal.crypto.message_signature import MessageType, WrongDigestLength, WrongMessageType
from greatseal.domain.audit import Audit
from greatseal.domain.keys.managed.model import ManagedKey, require_algorithm, require_usable, require_usage
from greatseal.domain.keys.managed.opening import OpenMaterials
from greatseal.domain.keys.managed.refusals import (
    DryRunSucceeded,
    InvalidMac,
    InvalidSignature,
    UnsupportedOnKey,
)
from greatseal.domain.keys.managed.trail import record_use
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import ValidationFailed


class Signing:
    """What keys say about messages. Every act is in the audit trail before it is answered."""

    def __init__(self, *, materials: OpenMaterials, audit: Audit, clock: Clock) -> None:
        self._materials = materials
        self._audit = audit
        self._clock = clock

    def sign(
        self, caller: Caller, key: ManagedKey, algorithm: str, message: bytes, kind: MessageType, *, dry_run: bool
    ) -> bytes:
        """The signature, verified with the public key before anybody sees it."""
        self._check(key, algorithm, message, kind, "Sign")
        if dry_run:
            raise DryRunSucceeded
        material = self._materials.current(key)
        signature = self._materials.sign(key.spec, material, algorithm, message, kind)
        record_use(self._audit, caller, key.arn)
        return signature

    def verify(
        self,
        caller: Caller,
        key: ManagedKey,
        algorithm: str,
        message: bytes,
        kind: MessageType,
        signature: bytes,
        *,
        dry_run: bool,
    ) -> None:
        """Raises InvalidSignature unless the signature is good."""
        self._check(key, algorithm, message, kind, "Verify")
        if dry_run:
            raise DryRunSucceeded
        public = self._materials.public(key.spec, self._materials.current(key))
        if not message_signature.verify_with(public, algorithm, message, kind, signature):
            raise InvalidSignature
        record_use(self._audit, caller, key.arn)

    def public_key(self, caller: Caller, key: ManagedKey) -> bytes:
        """The DER of the SubjectPublicKeyInfo. Raises UnsupportedOnKey for keys that have none."""
        if key.spec.secret_size is not None:
            raise UnsupportedOnKey("")
        require_usable(key, self._clock.now())
        spki = self._materials.current(key).spki
        assert spki is not None
        record_use(self._audit, caller, key.arn)
        return spki

    def make_mac(self, caller: Caller, key: ManagedKey, algorithm: str, message: bytes, *, dry_run: bool) -> bytes:
        """The message authentication code."""
        self._check_mac(key, algorithm, "GenerateMac")
        if dry_run:
            raise DryRunSucceeded
        made = mac.generate_mac(self._materials.secret(self._materials.current(key)), algorithm, message)
        record_use(self._audit, caller, key.arn)
        return made

    def verify_mac(
        self, caller: Caller, key: ManagedKey, algorithm: str, message: bytes, given: bytes, *, dry_run: bool
    ) -> None:
        """Raises InvalidMac unless the code is good."""
        self._check_mac(key, algorithm, "VerifyMac")
        if dry_run:
            raise DryRunSucceeded
        if not mac.verify_mac(self._materials.secret(self._materials.current(key)), algorithm, message, given):
            raise InvalidMac
        record_use(self._audit, caller, key.arn)

    def _check(self, key: ManagedKey, algorithm: str, message: bytes, kind: MessageType, operation: str) -> None:
        """State, usage, algorithm, then the message (kms.md 1)."""
        require_usable(key, self._clock.now())
        require_usage(key, "SIGN_VERIFY", operation)
        require_algorithm(key, algorithm, key.spec.signing_algorithms)
        try:
            message_signature.prepared(algorithm, message, kind)
        except (WrongDigestLength, WrongMessageType) as error:
            raise ValidationFailed(str(error)) from None

    def _check_mac(self, key: ManagedKey, algorithm: str, operation: str) -> None:
        require_usable(key, self._clock.now())
        require_usage(key, "GENERATE_VERIFY_MAC", operation)
        require_algorithm(key, algorithm, key.spec.mac_algorithms)
