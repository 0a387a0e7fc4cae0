"""What complete lists and deltas have in common: signing, copying, and telling how it went (docs/revocation.md)."""

import logging

from greatseal.crypto import signature
from greatseal.domain.audit import Audit
from greatseal.domain.authorities.model import Authority
from greatseal.domain.events import Event, Events
from greatseal.domain.keys import Keys
from greatseal.domain.revocation.lists import ListHead
from greatseal.domain.revocation.ports import Copied, CrlTarget, TargetUnavailable
from greatseal.kernel.arn import partition_of
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.ids import new_uuid
from greatseal.storage import Tx
from greatseal.x509.certificate import Certificate, assemble

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/pkix-crl"
# acm-pca.md 13.1
NOT_MADE = "Failed to generate CRL. Internal failure."
_DENIED = "Failed to write CRL to S3. Check your S3 bucket permissions."
_NOT_WRITTEN = "Failed to write CRL to S3. Internal failure."
_SERVICE = "acm-pca.amazonaws.com"


class Press:
    """Signs lists and brings them out. Without a `target` they are served from here only."""

    def __init__(
        self,
        *,
        keys: Keys,
        events: Events,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        target: CrlTarget | None = None,
    ) -> None:
        self._keys = keys
        self._events = events
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._target = target

    def sign(self, authority: Authority, issuer: Certificate, tbs: bytes) -> bytes:
        """Steps 3 and 4: the signed list (DER). Raises ValueError when the signature is not good."""
        algorithm = authority.signing_algorithm
        signed = self._keys.signer(authority.key_id).sign(tbs, algorithm)  # 3
        # 4: with the public key of the certificate, which is what clients will do.
        if not signature.verify(issuer.spki, algorithm, signed, tbs):
            raise ValueError("the signature of a revocation list does not verify with the CA's certificate")
        return assemble(tbs, algorithm, signed)

    def copy(self, authority: Authority, key: str, der: bytes, head: ListHead) -> str | None:
        """Step 6. Why the copy failed, or None. Must not be called in a transaction."""
        crl = authority.revocation.crl
        if self._target is None or crl.bucket is None:
            return None  # the installation's own CAs have lists at the plain listener only
        assert crl.object_acl is not None
        try:
            self._target.put(
                Copied(authority.account, authority.arn, crl.bucket, crl.object_acl.value),
                key,
                der,
                content_type=CONTENT_TYPE,
                number=head.number,
            )
        except TargetUnavailable as error:
            log.warning("revocation list not copied: %s", error, extra={"key": key})
            return _DENIED if error.denied else _NOT_WRITTEN
        return None

    def tell(
        self, tx: Tx, authority: Authority, list_id: str, number: int, failure: str | None, *, base: int | None = None
    ) -> None:
        """Step 7: the event and the audit record; a delta has a `base`."""
        result = {"result": "success"} if failure is None else {"result": "failure", "reason": failure}
        self._events.emit(
            tx,
            Event(
                "aws.acm-pca",
                "ACM Private CA CRL Generation",
                authority.account,
                authority.region,
                (authority.arn,),
                result,
            ),
        )
        details = {"list": list_id, "number": str(number), "outcome": failure or "success"}
        if base is not None:
            details["base"] = str(base)
        self._audit.record(tx, self._caller(authority), authority.arn, response=None, **details)

    def _caller(self, authority: Authority) -> Caller:
        """The service itself, in the account of the CA."""
        return Caller(
            account=authority.account,
            region=authority.region,
            principal_arn=f"arn:{partition_of(authority.region)}:iam::{authority.account}:root",
            access_key_id="",
            request_id=new_uuid(self._entropy),
            operation="acm-pca:GenerateCRL",
            at=self._clock.now(),
            source_ip=_SERVICE,
            service_principal=_SERVICE,
        )
