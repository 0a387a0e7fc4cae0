"""What IssueCertificate asks for, and whether the CA may do it: step 2 of docs/issuance.md, pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.domain.authorities.model import Authority, Kind, UsageMode, check_algorithms, require
from greatseal.kernel.errors import InvalidArgument
from greatseal.x509 import chain, constraints, validity
from greatseal.x509.certificate import Certificate
from greatseal.x509.csr import CertificationRequest, parse_csr
from greatseal.x509.der import DerError
from greatseal.x509.extensions import OID, find, read_san
from greatseal.x509.general_names import GeneralName
from greatseal.x509.templates import Content, Passthrough, Template
from greatseal.x509.validity import Validity


@dataclass(frozen=True, slots=True)
class Order:
    """What a caller wants to be issued. `csr` is PEM; `not_before` is ABSOLUTE or absent."""

    csr: bytes
    signing_algorithm: SignatureAlgorithm
    validity: Validity
    template: Template
    template_arn: str
    not_before: Validity | None = None
    passthrough: Passthrough | None = None
    idempotency_token: str | None = None
    idempotency_window: timedelta = timedelta(minutes=5)
    logged: bool = False
    """By way of a precertificate: `Issuance.issue` ends with it, `embed` makes the certificate of it."""


def check_authority(authority: Authority, order: Order, request: CertificationRequest, now: datetime) -> None:
    """State of the CA, kind of template, signature algorithm (acm-pca.md 2.7)."""
    is_root_template = order.template.root
    require(authority, "issue_root" if is_root_template and authority.kind is Kind.ROOT else "issue", now)
    check_algorithms(authority.key_algorithm, order.signing_algorithm)
    if not is_root_template:
        return
    if authority.kind is not Kind.ROOT:
        raise InvalidArgument(
            f"The template {order.template_arn} can be used by a certificate authority of type ROOT only."
        )
    own = parse_csr(authority.csr)
    if request.spki != own.spki:
        raise InvalidArgument(
            "A root certificate template can be used only with the certificate signing request of the "
            "certificate authority itself."
        )


def check_limits(
    authority: Authority,
    issuers: Sequence[Certificate],
    order: Order,
    content: Content,
    lifetime: tuple[datetime, datetime],
    now: datetime,
) -> None:
    """Lifetime, path length and name constraints of the CA and everything above it (acm-pca.md 6.1, 6.2, 9)."""
    _, not_after = lifetime
    if order.template.root:
        return
    validity.check_within_issuer(not_after, issuers[0].not_after)
    if authority.usage_mode is UsageMode.SHORT_LIVED_CERTIFICATE:
        validity.check_short_lived(not_after, now)
    if order.template.ca:
        chain.check_path_length(issuers, order.template.path_length)
    constraints.check_names(
        chain.name_constraints_of(issuers),
        subject=content.subject,
        san=_names_of(content),
        common_name_as_host=not order.template.ca,
    )


def _names_of(content: Content) -> tuple[GeneralName, ...]:
    extension = find(content.extensions, OID.SUBJECT_ALTERNATIVE_NAME)
    if extension is None:
        return ()
    try:
        return read_san(extension)
    except DerError as error:
        # Names that cannot be read cannot be checked against any constraint either.
        raise InvalidArgument(f"The subject alternative name cannot be read: {error}.") from None
