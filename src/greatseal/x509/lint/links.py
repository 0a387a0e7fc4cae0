"""Rules for key identifiers and for the URLs of OCSP, issuer and CRL (RFC 5280 sections 4.2.1.1, 4.2.1.13, 4.2.2)."""

from collections.abc import Iterator

from greatseal.x509 import der
from greatseal.x509.extensions import (
    OID,
    key_identifier_of,
    read_authority_key_identifier,
    read_crl_urls,
    read_information_access,
    read_subject_key_identifier,
)
from greatseal.x509.lint.model import Draft, Rule, error, warning
from greatseal.x509.lint.san import flaw_of_uri

_SCHEMES = ("http://", "https://", "ldap://", "ldaps://", "ftp://")


def _authority_key(draft: Draft) -> Iterator[str]:
    found = draft.extension(OID.AUTHORITY_KEY_IDENTIFIER)
    if found is None:
        if draft.issuer is not None:
            yield "The authority key identifier is missing."
        return
    try:
        identifier = read_authority_key_identifier(found)
    except der.DerError:
        return  # reported by `values`
    # A root may carry its own key identifier (acm-pca.md 7.1 note b).
    expected = draft.certificate.key_identifier if draft.issuer is None else draft.issuer.key_identifier
    if identifier != expected:
        yield "The authority key identifier is not the key identifier of the issuer."


def _subject_key(draft: Draft) -> Iterator[str]:
    found = draft.extension(OID.SUBJECT_KEY_IDENTIFIER)
    if found is None:
        if draft.profile.ca:
            yield "The subject key identifier of a CA is missing."
        return
    try:
        if read_subject_key_identifier(found) != key_identifier_of(draft.certificate.spki):
            yield "The subject key identifier is not the SHA-1 of the public key."
    except der.DerError:
        return  # reported by `values` or by `frame`


def _subject_key_missing(draft: Draft) -> Iterator[str]:
    if not draft.profile.ca and draft.extension(OID.SUBJECT_KEY_IDENTIFIER) is None:
        yield "The subject key identifier is missing."


def _urls(draft: Draft) -> tuple[str, ...]:
    """The URLs of AIA and of CRL distribution points; none from a value that cannot be read."""
    urls: list[str] = []
    try:
        if access := draft.extension(OID.AUTHORITY_INFORMATION_ACCESS):
            urls += [entry.location.text for entry in read_information_access(access) if entry.location.kind == "uri"]
        for oid in (OID.CRL_DISTRIBUTION_POINTS, OID.FRESHEST_CRL):
            if points := draft.extension(oid):
                urls += read_crl_urls(points)
    except der.DerError:
        return ()
    return tuple(urls)


def _url_syntax(draft: Draft) -> Iterator[str]:
    for url in _urls(draft):
        if flaw := flaw_of_uri(url):
            yield f"The URL {url!r} {flaw}."
        elif not url.lower().startswith(_SCHEMES):
            yield f"The URL {url!r} is of a scheme that cannot be fetched."


def _url_encrypted(draft: Draft) -> Iterator[str]:
    for url in _urls(draft):
        if url.lower().startswith("https://"):
            yield f"Checking {url!r} needs a certificate that itself needs checking."


RULES: tuple[Rule[Draft], ...] = (
    error("authority-key-identifier", "RFC 5280 section 4.2.1.1", _authority_key),
    error("subject-key-identifier", "RFC 5280 section 4.2.1.2", _subject_key),
    warning("subject-key-identifier-missing", "RFC 5280 section 4.2.1.2", _subject_key_missing),
    error("url", "RFC 5280 sections 4.2.1.13 and 4.2.2.1", _url_syntax),
    warning("url-https", "RFC 5280 section 8", _url_encrypted),
)
