"""Rules for extensions as such: a known OID holds what it promises, and criticality is as the RFC has it."""

from collections.abc import Callable, Iterator
from functools import lru_cache

from greatseal.x509 import der
from greatseal.x509.extensions import (
    OID,
    Extension,
    key_usage,
    read_authority_key_identifier,
    read_basic_constraints,
    read_certificate_policies,
    read_crl_urls,
    read_extended_key_usage,
    read_information_access,
    read_key_usage,
    read_name_constraints,
    read_san,
    read_subject_key_identifier,
)
from greatseal.x509.lint.model import Draft, Rule, error, warning


def _read_null(extension: Extension) -> None:
    if extension.value != der.null():
        raise der.DerError("the value is not NULL")


def _read_structure(extension: Extension) -> None:
    """For values that nobody here interprets: one SEQUENCE of DER."""
    der.only(extension.value, der.SEQUENCE)
    der.check_nesting(extension.value)


def _read_count(extension: Extension) -> None:
    reader = der.Reader(extension.value)
    if reader.integer() < 0:
        raise der.DerError("a negative count")
    reader.end()


_READERS: dict[str, Callable[[Extension], object]] = {
    OID.AUTHORITY_INFORMATION_ACCESS: read_information_access,
    OID.AUTHORITY_KEY_IDENTIFIER: read_authority_key_identifier,
    OID.BASIC_CONSTRAINTS: read_basic_constraints,
    OID.CERTIFICATE_POLICIES: read_certificate_policies,
    OID.CRL_DISTRIBUTION_POINTS: read_crl_urls,
    OID.CT_POISON: _read_null,
    # An OCTET STRING around the list (RFC 6962 section 3.3).
    OID.CT_SCTS: read_subject_key_identifier,
    OID.EXTENDED_KEY_USAGE: read_extended_key_usage,
    OID.FRESHEST_CRL: read_crl_urls,
    OID.INHIBIT_ANY_POLICY: _read_count,
    OID.ISSUER_ALTERNATIVE_NAME: read_san,
    OID.KEY_USAGE: read_key_usage,
    OID.NAME_CONSTRAINTS: read_name_constraints,
    OID.OCSP_NO_CHECK: _read_null,
    OID.POLICY_CONSTRAINTS: _read_structure,
    OID.POLICY_MAPPINGS: _read_structure,
    OID.SUBJECT_ALTERNATIVE_NAME: read_san,
    OID.SUBJECT_DIRECTORY_ATTRIBUTES: _read_structure,
    OID.SUBJECT_INFORMATION_ACCESS: read_information_access,
    OID.SUBJECT_KEY_IDENTIFIER: read_subject_key_identifier,
    OID.TLS_FEATURE: _read_structure,
}

# RFC 5280 sections 4.2.1.1, 4.2.1.2, 4.2.1.8, 4.2.1.15, 4.2.2.1 and 4.2.2.2: "MUST mark as non-critical".
_NEVER_CRITICAL = (
    OID.AUTHORITY_INFORMATION_ACCESS,
    OID.AUTHORITY_KEY_IDENTIFIER,
    OID.FRESHEST_CRL,
    OID.SUBJECT_DIRECTORY_ATTRIBUTES,
    OID.SUBJECT_INFORMATION_ACCESS,
    OID.SUBJECT_KEY_IDENTIFIER,
)


def _well_formed(draft: Draft) -> Iterator[str]:
    for extension in draft.certificate.extensions:
        reader = _READERS.get(extension.oid)
        if reader is None:
            continue
        try:
            reader(extension)
        except der.DerError as broken:
            yield f"The value of extension {extension.oid} is malformed: {broken}."


def _key_usage_minimal(draft: Draft) -> Iterator[str]:
    # The real service writes nine bits for KeyUsage of ApiPassthrough (acm-pca.md 6.4); a request may as well.
    found = draft.extension(OID.KEY_USAGE)
    if found is not None and not _is_minimal(found):
        yield "The key usage is not in its shortest form."


@lru_cache(256)
def _is_minimal(usage: Extension) -> bool:
    try:
        return key_usage(read_key_usage(usage)).value == usage.value
    except der.DerError:
        return True  # `_well_formed` reports it


def _never_critical(draft: Draft) -> Iterator[str]:
    for oid in _NEVER_CRITICAL:
        found = draft.extension(oid)
        if found is not None and found.critical:
            yield f"Extension {oid} must not be critical."


def _crl_points_critical(draft: Draft) -> Iterator[str]:
    found = draft.extension(OID.CRL_DISTRIBUTION_POINTS)
    if found is not None and found.critical:
        yield "The CRL distribution points are critical."


def _unknown_critical(draft: Draft) -> Iterator[str]:
    for extension in draft.certificate.extensions:
        if extension.critical and extension.oid not in _READERS:
            yield f"Extension {extension.oid} is critical; relying parties that do not know it will refuse."


RULES: tuple[Rule[Draft], ...] = (
    error("extension-value", "RFC 5280 section 4.2", _well_formed),
    warning("key-usage-minimal", "X.690 section 11.2.2", _key_usage_minimal),
    error("extension-never-critical", "RFC 5280 section 4.2", _never_critical),
    warning("crl-points-critical", "RFC 5280 section 4.2.1.13", _crl_points_critical),
    warning("extension-unknown-critical", "RFC 5280 section 4.2", _unknown_critical),
)
