"""Export and revocation of certificates that were issued here (acm.md 10.1, 10.3)."""

from dataclasses import dataclass, replace

from greatseal.crypto.keypair import encrypt_private
from greatseal.domain.audit import Audit
from greatseal.domain.certificates.inventory import Inventory, check_unused
from greatseal.domain.certificates.model import ManagedCertificate, Status, Type
from greatseal.domain.certificates.ports import PublicIssuer
from greatseal.domain.certificates.store import certificates as store
from greatseal.domain.keys import Keys
from greatseal.domain.keys.model import fingerprint
from greatseal.domain.revocation import RevocationReason, Revocations
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import (
    AlreadyProcessed,
    Conflict,
    InProgress,
    InvalidRequest,
    NotFound,
    Refusal,
    ValidationFailed,
)
from greatseal.kernel.secret import Secret
from greatseal.storage import Storage, Tx
from greatseal.x509.certificate import Certificate

_FORBIDDEN_IN_PASSPHRASE = frozenset(b"#$%")


@dataclass(frozen=True, slots=True)
class Exported:
    """A certificate on its way out: DER, and the private key as encrypted PKCS#8 DER."""

    certificate: bytes
    chain: tuple[bytes, ...]
    encrypted_key: bytes


class Exports:
    """Hands out private keys, encrypted, and revokes."""

    def __init__(
        self,
        *,
        storage: Storage,
        inventory: Inventory,
        keys: Keys,
        revocations: Revocations,
        issuer: PublicIssuer,
        audit: Audit,
        clock: Clock,
    ) -> None:
        """`issuer` revokes public certificates that no CA of ours has signed."""
        self._issuer = issuer
        self._storage = storage
        self._inventory = inventory
        self._keys = keys
        self._revocations = revocations
        self._audit = audit
        self._clock = clock

    def export(self, caller: Caller, arn: str, passphrase: Secret) -> Exported:
        """The certificate with its key under a passphrase of 4 to 128 ASCII bytes without `#`, `$` and `%`."""
        octets = passphrase.reveal()
        if not octets.isascii() or _FORBIDDEN_IN_PASSPHRASE & set(octets):
            raise ValidationFailed("The passphrase must be ASCII text without the characters #, $ and %.")

        def work(tx: Tx) -> tuple[ManagedCertificate, Secret]:
            try:
                item = self._inventory.load(tx, caller, arn)
            except NotFound:
                raise NotFound(f"Could not find certificate {arn}.") from None
            if item.type is Type.IMPORTED:
                raise ValidationFailed(f"Certificate ARN: {arn} is not a private certificate")
            if not item.is_exportable:
                raise ValidationFailed(
                    f"Certificate ARN: {arn} is not exportable. Export is chosen when a certificate is requested."
                )
            if item.material is None:
                raise InProgress(
                    "The certificate request is in process and the certificate in your account has not yet been issued."
                )
            key = self._keys.export(tx, item.material.key_id)
            exported_at = item.exported_at or self._clock.now()
            store.save(tx, replace(item, exported_at=exported_at, ever_exported=True))
            self._audit.record(tx, caller, arn, key_id=item.material.key_id)
            return item, key

        item, key = self._storage.transact(work)
        assert item.material is not None
        chain = self._inventory.chain_of(item)
        return Exported(item.material.certificate, chain, encrypt_private(key, passphrase))

    def revoke(self, caller: Caller, arn: str, reason: RevocationReason) -> None:
        """Revokes a certificate at its CA, for good; a public one only after its key was exported."""

        def look(tx: Tx) -> tuple[ManagedCertificate, str | None]:
            found = self._inventory.load(tx, caller, arn)
            return found, store.authority_certificate_arn(tx, found.id)

        item, body_arn = self._storage.read(look)
        if item.type is Type.IMPORTED or item.material is None or body_arn is None:
            raise ValidationFailed(f"Certificate {arn} cannot be revoked: it was not issued here.")
        if item.status is Status.REVOKED:
            raise ValidationFailed(f"Certificate {arn} has already been revoked.")
        if item.type is Type.AMAZON_ISSUED and not item.ever_exported:
            raise ValidationFailed(f"Certificate {arn} cannot be revoked: it has never been exported.")
        check_unused(item)
        if Arn.parse(body_arn).service != "acm-pca":
            self._revoke_upstream(caller, item, reason)
            return
        serial = f"{Certificate.parse(item.material.certificate).serial:x}"
        try:
            # The ARN of the body begins with that of the CA; private or public makes no difference there.
            self._revocations.revoke(caller, body_arn.partition("/certificate/")[0], serial=serial, reason=reason)
        except AlreadyProcessed:
            raise ValidationFailed(f"Certificate {arn} has already been revoked.") from None
        except InvalidRequest as refusal:
            # ACM has no exception of that name for this operation.
            raise ValidationFailed(refusal.message) from None

    def _revoke_upstream(self, caller: Caller, item: ManagedCertificate, reason: RevocationReason) -> None:
        """Has somebody else's CA revoke; what it has done is known here afterwards.

        Whoever had no answer, because we ended in between, asks again: the CA takes a second request for done.
        """
        assert item.material is not None
        body = item.material.certificate
        try:
            self._issuer.revoke(body, reason.value)
        except InProgress as refusal:
            raise Conflict(refusal.message) from None
        except Refusal as refusal:
            raise ValidationFailed(refusal.message) from None

        def work(tx: Tx) -> bool:
            found = self._inventory.load(tx, caller, item.arn)
            if reason is RevocationReason.KEY_COMPROMISE:
                self._keys.report_compromise(tx, fingerprint(Certificate.parse(body).spki))
            self._audit.record(tx, caller, item.arn)
            if found.material is None or found.material.certificate != body:
                return False
            self._inventory.mark_revoked(tx, found, self._clock.now(), reason.name)
            return True

        if not self._storage.transact(work):
            raise Conflict(f"Certificate {item.arn} was renewed meanwhile. The one before it is revoked.")
