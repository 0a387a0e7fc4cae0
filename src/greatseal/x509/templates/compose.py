"""Subject and extensions of a certificate from its template, the API and the request (acm-pca.md 7.1).

Each extension is taken whole from the first of these that has it: the template (with what the issuing CA
adds), ApiPassthrough, the request. What loses is dropped without an error.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from greatseal.kernel.errors import InvalidArgument, MalformedCsr
from greatseal.x509 import der
from greatseal.x509.csr import CertificationRequest
from greatseal.x509.extensions import (
    OID,
    Extension,
    authority_information_access,
    authority_key_identifier,
    basic_constraints,
    certificate_policies,
    crl_distribution_points,
    extended_key_usage,
    key_usage,
    refuse_duplicates,
    subject_alternative_name,
    subject_key_identifier,
)
from greatseal.x509.general_names import GeneralName
from greatseal.x509.names import Name
from greatseal.x509.templates.table import Template

# The order of the service's own certificates; it carries no meaning, and every other extension follows
# in the order in which it was given (acm-pca.md 6.4 and 7.2).
_ORDER = (
    OID.BASIC_CONSTRAINTS,
    OID.AUTHORITY_KEY_IDENTIFIER,
    OID.SUBJECT_KEY_IDENTIFIER,
    OID.KEY_USAGE,
    OID.EXTENDED_KEY_USAGE,
    OID.CRL_DISTRIBUTION_POINTS,
    OID.AUTHORITY_INFORMATION_ACCESS,
    OID.SUBJECT_ALTERNATIVE_NAME,
)
_NEVER_PASSED = {OID.BASIC_CONSTRAINTS, OID.SUBJECT_KEY_IDENTIFIER, OID.AUTHORITY_KEY_IDENTIFIER}


@dataclass(frozen=True, slots=True)
class Passthrough:
    """ApiPassthrough: a subject that replaces the request's, and extensions, no OID twice."""

    subject: Name | None = None
    extensions: tuple[Extension, ...] = ()


@dataclass(frozen=True, slots=True)
class IssuerFacts:
    """What the issuing CA writes into certificates. The URLs are None when CRL or OCSP is off or omitted."""

    subject: Name = field(hash=False)
    key_identifier: bytes
    crl_url: str | None = None
    ocsp_url: str | None = None
    issuers_url: str | None = None
    """Where the issuing CA's own certificate is; it gives way to an access extension that was asked for."""


@dataclass(frozen=True, slots=True)
class Content:
    """The parts of a certificate that a template decides."""

    subject: Name
    extensions: tuple[Extension, ...]


def passthrough(
    *,
    subject: Name | None = None,
    key_usages: Iterable[str] = (),
    purposes: Sequence[str] = (),
    names: Sequence[GeneralName] = (),
    policies: Sequence[tuple[str, Sequence[str]]] = (),
    custom: Sequence[Extension] = (),
) -> Passthrough:
    """ApiPassthrough from its typed members (acm-pca.md 8): KeyUsage is critical, the others are not.

    Raises InvalidArgument when an OID is given twice, typed or custom, or a value cannot be encoded.
    """
    try:
        typed: list[Extension] = []
        if usages := tuple(key_usages):
            typed.append(key_usage(usages, critical=True))
        if purposes:
            typed.append(extended_key_usage(purposes))
        if policies:
            typed.append(certificate_policies(policies))
        if names:
            typed.append(subject_alternative_name(names))
        extensions = (*typed, *custom)
        for extension in extensions:
            der.oid(extension.oid)
        refuse_duplicates(extensions)
    except der.DerError as error:
        raise InvalidArgument(f"The extensions of ApiPassthrough cannot be used: {error}.") from None
    return Passthrough(subject, extensions)


def compose(
    template: Template,
    *,
    request: CertificationRequest,
    passthrough: Passthrough | None = None,
    issuer: IssuerFacts | None = None,
) -> Content:
    """Subject and extensions of the certificate. `issuer` is None for a self-signed root and only then.

    Raises MalformedCsr when neither subject nor SAN would name anybody, ValueError when `issuer` does not
    fit the template.
    """
    if template.root != (issuer is None):
        raise ValueError(f"template {template.name} and the issuer do not fit together")
    api = passthrough if passthrough and template.from_api else Passthrough()
    subject = request.subject if api.subject is None else api.subject
    sources = [[*_from_template(template, issuer), subject_key_identifier(request.spki)]]
    sources.append([extension for extension in api.extensions if _passes_from_api(template, extension)])
    sources.append([extension for extension in request.extensions if _passes_from_csr(template, extension)])
    if issuer is not None and issuer.issuers_url is not None:
        # Last: without OCSP, whoever asks for an access extension of his own gets it (acm-pca.md 7.1).
        sources.append([authority_information_access(None, issuer.issuers_url)])

    chosen: dict[str, Extension] = {}
    for source in sources:
        for extension in source:
            chosen.setdefault(extension.oid, extension)
    san = chosen.get(OID.SUBJECT_ALTERNATIVE_NAME)
    if subject.is_empty:
        if san is None:
            raise MalformedCsr("The certificate would have neither a subject nor a subject alternative name.")
        # Nothing else says who the subject is (RFC 5280 section 4.2.1.6).
        chosen[san.oid] = replace(san, critical=True)
    first = [chosen.pop(oid) for oid in _ORDER if oid in chosen]
    return Content(subject, (*first, *chosen.values()))


@lru_cache(256)
def _from_template(template: Template, issuer: IssuerFacts | None) -> tuple[Extension, ...]:
    """What the template defines, with the facts of the issuing CA; a root takes nothing from its CA's settings.

    It is the same for all certificates of a CA from a template (and of a part of its list).
    """
    extensions = [basic_constraints(template.ca, template.path_length, template.critical_basic_constraints)]
    if template.key_usage is not None:
        extensions.append(key_usage(template.key_usage, critical=True))
    if template.extended_key_usage is not None:
        extensions.append(extended_key_usage(template.extended_key_usage, template.critical_extended_key_usage))
    if template.policies:
        extensions.append(certificate_policies([(oid, ()) for oid in template.policies]))
    if issuer is not None:
        extensions.append(authority_key_identifier(issuer.key_identifier))
        if issuer.crl_url is not None:
            extensions.append(crl_distribution_points(issuer.crl_url))
        if issuer.ocsp_url is not None:
            extensions.append(authority_information_access(issuer.ocsp_url, issuer.issuers_url))
    return tuple(extensions)


def _passes_from_api(template: Template, extension: Extension) -> bool:
    # A root's own AKI is the documented exception (acm-pca.md 7, note b; Matter roots carry one).
    if template.root and extension.oid == OID.AUTHORITY_KEY_IDENTIFIER:
        return True
    return extension.oid not in _NEVER_PASSED


def _passes_from_csr(template: Template, extension: Extension) -> bool:
    if extension.oid == OID.SUBJECT_ALTERNATIVE_NAME:
        return True
    return template.from_csr and extension.oid not in _NEVER_PASSED
