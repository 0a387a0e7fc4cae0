"""Certificates of delegates: keys of the service that a CA lets speak for it, of its certificates or of the time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from greatseal.domain.authorities.issued import JournalEntry, JournalState, certificate_arn, serial_text
from greatseal.domain.authorities.model import Authority
from greatseal.domain.authorities.signing import SELF
from greatseal.domain.keys import NewKey
from greatseal.domain.keys.model import fingerprint
from greatseal.kernel.arn import partition_of
from greatseal.kernel.errors import RequestFailed
from greatseal.x509 import der, lint
from greatseal.x509.attributes import COMMON_NAME, Attribute
from greatseal.x509.certificate import Certificate, TbsCertificate, encode_tbs
from greatseal.x509.extensions import (
    Extension,
    authority_key_identifier,
    basic_constraints,
    key_usage,
    subject_key_identifier,
)
from greatseal.x509.names import Name
from greatseal.x509.templates import template_arn


@dataclass(frozen=True, slots=True)
class Delegation:
    """What all delegates of a kind have in common."""

    common_name: str
    template: str
    lifetime: timedelta
    backdated: timedelta
    """How long before its making a certificate begins, for clocks that are behind."""

    def entry(
        self,
        authority: Authority,
        issuer: Certificate,
        key: NewKey,
        purpose: Sequence[Extension],
        *,
        serial: int,
        now: datetime,
        partition: str | None = None,
    ) -> JournalEntry:
        """The journal row of a delegate's certificate, with the extensions of its `purpose` and those of every one.

        Raises RequestFailed when lint finds an error in it.
        """
        assert authority.certificate is not None
        moment = now.replace(microsecond=0)
        not_after = min(moment + self.lifetime, issuer.not_after)
        tbs = encode_tbs(
            TbsCertificate(
                serial=serial,
                algorithm=authority.signing_algorithm,
                issuer=issuer.subject,
                not_before=max(moment - self.backdated, issuer.not_before),
                not_after=not_after,
                subject=self._subject(issuer.subject),
                spki=key.spki,
                extensions=(
                    basic_constraints(False, critical=False),
                    authority_key_identifier(issuer.key_identifier),
                    subject_key_identifier(key.spki),
                    key_usage(["DigitalSignature"]),
                    *purpose,
                ),
            )
        )
        profile = lint.Profile(ca=False, algorithm=authority.signing_algorithm)
        found = lint.lint(tbs, issuer=issuer, profile=profile)
        errors = [each.message for each in found if each.severity is lint.Severity.ERROR]
        if errors:
            raise RequestFailed(f"The certificate of the {self.common_name} would break rules: {' '.join(errors)}")
        return JournalEntry(
            authority_id=authority.id,
            serial=serial_text(serial),
            arn=certificate_arn(authority.arn, serial_text(serial)),
            state=JournalState.PREPARED,
            tbs=tbs,
            signing_algorithm=authority.signing_algorithm,
            template_arn=template_arn(partition_of(authority.region), self.template),
            issuer_certificate_id=authority.certificate.id,
            account=authority.account,
            region=authority.region,
            service_principal=SELF,
            not_after=not_after,
            prepared_at=now,
            key_fingerprint=fingerprint(key.spki),
            partition=partition,
        )

    def _subject(self, authority: Name) -> Name:
        """The CA's own name with another common name, so that it lies where the name constraints of a chain want it."""
        kept = [rdn for rdn in authority.rdns if all(attribute.oid != COMMON_NAME for attribute in rdn)]
        return Name.build([*kept, (Attribute(COMMON_NAME, der.UTF8_STRING, self.common_name),)])
