"""The subjects that asked for sessions: written by `vending`, read by their account."""

from dataclasses import replace
from datetime import datetime

from greatseal.domain.anywhere.model import (
    SeenCertificate,
    SeenProperties,
    Subject,
    TrustAnchor,
    not_found,
    resource_arn,
)
from greatseal.domain.anywhere.shelf import listing
from greatseal.domain.anywhere.store import subjects as store
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.pages import Page, PageTokens
from greatseal.storage import Storage, Tx
from greatseal.x509 import pem
from greatseal.x509.certificate import Certificate

# A subject that renews every hour must not grow without end.
_REMEMBERED = 20


class Subjects:
    """Keeps and hands out subjects."""

    def __init__(self, *, storage: Storage, tokens: PageTokens) -> None:
        self._storage = storage
        self._tokens = tokens

    def get(self, caller: Caller, arn: str) -> Subject:
        """The caller's subject with this ARN. Raises NotFound."""
        found = self._storage.read(lambda tx: store.find(tx, arn.rpartition("/")[2]))
        if found is None or found.arn != arn or (found.account, found.region) != (caller.account, caller.region):
            raise not_found(arn)
        return found

    def list(self, caller: Caller, *, limit: int | None, token: str | None) -> Page[Subject]:
        """The caller's subjects in its region, oldest first. Raises InvalidArgument and InvalidToken."""
        return listing(
            caller,
            self._tokens,
            "ListSubjects",
            lambda after, count: self._storage.read(
                lambda tx: store.listing(tx, caller.account, caller.region, after=after, limit=count)
            ),
            lambda item: [item.created_at.isoformat(), item.id],
            limit=limit,
            token=token,
        )

    def record(
        self,
        tx: Tx,
        anchor: TrustAnchor,
        certificate: Certificate,
        *,
        new_id: str,
        at: datetime,
        failed: bool,
        properties: tuple[tuple[str, str], ...],
    ) -> Subject:
        """Notes that a trusted certificate asked for a session; `new_id` is for a subject that comes first."""
        name = certificate.subject.display()
        found = store.by_name(tx, anchor.account, anchor.region, name)
        partition = Arn.parse(anchor.arn).partition
        subject = found or Subject(
            id=new_id,
            arn=resource_arn("subject", anchor.account, anchor.region, partition, new_id),
            account=anchor.account,
            region=anchor.region,
            x509_subject=name,
            created_at=at,
            updated_at=at,
            last_seen_at=at,
        )
        seen = SeenCertificate(
            at,
            str(certificate.serial),
            certificate.issuer.display(),
            pem.write("CERTIFICATE", certificate.der),
            failed,
        )
        others = [each for each in subject.credentials if (each.serial, each.issuer) != (seen.serial, seen.issuer)]
        changed = replace(
            subject,
            updated_at=at,
            last_seen_at=at,
            credentials=(seen, *others)[:_REMEMBERED],
            instance_properties=_with(subject.instance_properties, properties, at, failed),
        )
        (store.save if found else store.add)(tx, changed)
        return changed


def _with(
    present: tuple[SeenProperties, ...], properties: tuple[tuple[str, str], ...], at: datetime, failed: bool
) -> tuple[SeenProperties, ...]:
    if not properties:
        return present
    others = [each for each in present if each.properties != properties]
    return (SeenProperties(at, properties, failed), *others)[:_REMEMBERED]
