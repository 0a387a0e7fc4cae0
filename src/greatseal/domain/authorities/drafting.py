"""What a certificate will say: step 2 of docs/issuance.md, a function of the CA, the order and the time.

A draft is made on what is known of the CA before any transaction is open, so that nobody waits for it. In the
transaction it holds if the CA is still the very same value and its addresses are as they were guessed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.domain.authorities.model import Authority, CaCertificate, parsed_chain
from greatseal.domain.authorities.order import Order, check_limits
from greatseal.domain.authorities.ports import RevocationAddresses
from greatseal.kernel.errors import InvalidArgument
from greatseal.x509 import lint, sct, templates, validity
from greatseal.x509.certificate import Certificate, TbsCertificate, encode_tbs
from greatseal.x509.csr import CertificationRequest
from greatseal.x509.der import DerError
from greatseal.x509.templates import IssuerFacts, Template
from greatseal.x509.tls_encoding import EncodingError


@dataclass(frozen=True, slots=True)
class Draft:
    """The to-be-signed octets, linted, and what they were made of."""

    authority: Authority
    addresses: RevocationAddresses
    tbs: bytes
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Composed:
    """A draft that was not linted yet. Its only use is `linted`."""

    draft: Draft
    issuer: Certificate | None
    profile: lint.Profile


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order comes to before anything is composed: who issues, nearest first, and the lifetime."""

    issuers: tuple[Certificate, ...]
    lifetime: tuple[datetime, datetime]


def terms_of(authority: Authority, order: Order, now: datetime) -> Terms:
    """Raises as `validity_period`."""
    issuers = () if order.template.root else issuers_of(authority.certificate)
    return Terms(issuers, validity.validity_period(order.validity, order.not_before, now))


def composed(
    authority: Authority,
    order: Order,
    request: CertificationRequest,
    terms: Terms,
    addresses: RevocationAddresses,
    *,
    serial: int,
    now: datetime,
) -> Composed:
    """Composes, checks the limits of the CA, and encodes. Raises InvalidArgument and other refusals."""
    issuers, lifetime = terms.issuers, terms.lifetime
    content = templates.compose(
        order.template,
        request=request,
        passthrough=order.passthrough,
        issuer=_facts(issuers[0], addresses) if issuers else None,
    )
    check_limits(authority, issuers, order, content, lifetime, now)
    tbs = _encoded(
        TbsCertificate(
            serial=serial,
            algorithm=order.signing_algorithm,
            issuer=issuers[0].subject if issuers else content.subject,
            not_before=lifetime[0],
            not_after=lifetime[1],
            subject=content.subject,
            spki=request.spki,
            # Last, so that the certificate differs from it in its last extension only.
            extensions=(*content.extensions, sct.POISON) if order.logged else content.extensions,
        )
    )
    return Composed(
        Draft(authority, addresses, tbs, lifetime[1]),
        issuers[0] if issuers else None,
        profile_of(order.template, order.signing_algorithm),
    )


def linted(made: Composed) -> Draft:
    """What may be signed. Raises as `check`."""
    check(made.draft.tbs, made.issuer, made.profile)
    return made.draft


@lru_cache(256)
def issuers_of(certificate: CaCertificate | None) -> tuple[Certificate, ...]:
    """The issuing CA's certificate and those above it, parsed once for as long as it is installed."""
    assert certificate is not None
    return parsed_chain(certificate)


def profile_of(template: Template, algorithm: SignatureAlgorithm) -> lint.Profile:
    """What a certificate from a template is linted as."""
    return lint.Profile(
        ca=template.ca,
        key_usage_required=template.key_usage is not None,
        algorithm=algorithm,
        public=template.public,
    )


def check(tbs: bytes, issuer: Certificate | None, profile: lint.Profile) -> None:
    """Nothing is signed that our own lint finds an error in. Raises InvalidArgument with all of them."""
    findings = lint.lint(tbs, issuer=issuer, profile=profile)
    errors = [f"{f.message} ({f.reference})" for f in findings if f.severity is lint.Severity.ERROR]
    if errors:
        raise InvalidArgument("The certificate would break the rules of its profile: " + " ".join(errors))


def embedded(precertificate: bytes, scts: Sequence[bytes]) -> bytes:
    """What the certificate of a precertificate says: the same, with SCTs instead of the poison."""
    try:
        bare = sct.without(Certificate.parse(precertificate).tbs, sct.POISON.oid)
        return sct.with_extension(bare, sct.sct_list(scts))
    except (DerError, EncodingError) as error:
        raise InvalidArgument(f"The certificate cannot be encoded: {error}.") from None


def _encoded(fields: TbsCertificate) -> bytes:
    try:
        return encode_tbs(fields)
    except DerError as error:
        raise InvalidArgument(f"The certificate cannot be encoded: {error}.") from None


@lru_cache(256)
def _facts(issuer: Certificate, addresses: RevocationAddresses) -> IssuerFacts:
    return IssuerFacts(
        subject=issuer.subject,
        key_identifier=issuer.key_identifier,
        crl_url=addresses.crl_url,
        ocsp_url=addresses.ocsp_url,
        issuers_url=addresses.issuers_url,
    )
