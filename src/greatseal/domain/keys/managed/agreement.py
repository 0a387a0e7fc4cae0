"""DeriveSharedSecret, Encapsulate and Decapsulate: secrets that two sides come to share (kms.md 7; FIPS 203)."""

from greatseal.crypto import key_agreement
from greatseal.crypto.envelope import InvalidCiphertext as Undecryptable
from greatseal.crypto.keypair import UnusableKey
from greatseal.domain.audit import Audit
from greatseal.domain.keys.managed.model import ManagedKey, require_algorithm, require_usable, require_usage
from greatseal.domain.keys.managed.opening import OpenMaterials
from greatseal.domain.keys.managed.refusals import DryRunSucceeded, InvalidCiphertext
from greatseal.domain.keys.managed.trail import record_use
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import ValidationFailed


class Agreement:
    """What keys agree on with others. Every act is in the audit trail before it is answered."""

    def __init__(self, *, materials: OpenMaterials, audit: Audit, clock: Clock) -> None:
        self._materials = materials
        self._audit = audit
        self._clock = clock

    def derive(self, caller: Caller, key: ManagedKey, algorithm: str, peer: bytes, *, dry_run: bool) -> bytes:
        """The x-coordinate of ECDH with a peer's public key (DER). Raises ValidationFailed for another curve."""
        require_usable(key, self._clock.now())
        require_usage(key, "KEY_AGREEMENT", "DeriveSharedSecret")
        require_algorithm(key, algorithm, key.spec.key_agreement_algorithms)
        private = self._materials.private(key.spec, self._materials.current(key))
        try:
            secret = key_agreement.derive_shared_secret(private, peer)
        except UnusableKey:
            # The real service says nothing more (kms.md 7).
            raise ValidationFailed("") from None
        if dry_run:
            raise DryRunSucceeded
        record_use(self._audit, caller, key.arn)
        return secret

    def encapsulate(self, caller: Caller, key: ManagedKey, algorithm: str, *, dry_run: bool) -> tuple[bytes, bytes]:
        """A new shared secret, and the ciphertext from which the key's owner gets it."""
        self._check(key, algorithm, "Encapsulate", dry_run=dry_run)
        secret, blob = key_agreement.encapsulate(self._materials.public(key.spec, self._materials.current(key)))
        record_use(self._audit, caller, key.arn)
        return secret, blob

    def decapsulate(self, caller: Caller, key: ManagedKey, algorithm: str, blob: bytes, *, dry_run: bool) -> bytes:
        """The shared secret in a ciphertext. Raises InvalidCiphertext for one of a wrong length."""
        self._check(key, algorithm, "Decapsulate", dry_run=dry_run)
        try:
            secret = key_agreement.decapsulate(self._materials.private(key.spec, self._materials.current(key)), blob)
        except Undecryptable:
            raise InvalidCiphertext from None
        record_use(self._audit, caller, key.arn)
        return secret

    def _check(self, key: ManagedKey, algorithm: str, operation: str, *, dry_run: bool) -> None:
        require_usable(key, self._clock.now())
        require_usage(key, "ENCAPSULATE_DECAPSULATE", operation)
        require_algorithm(key, algorithm, key.spec.encapsulation_algorithms)
        if dry_run:
            raise DryRunSucceeded
