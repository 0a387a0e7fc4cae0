"""Rules for subject alternative names (RFC 5280 section 4.2.1.6; acm.md 7.1; faults.md rows 25 to 34)."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from greatseal.x509 import der
from greatseal.x509.extensions import OID
from greatseal.x509.lint.hostnames import flaw_of_host, is_reserved_label
from greatseal.x509.lint.model import Draft, Rule, error, warning

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+", re.ASCII)
# ldap:///… and file:///… mean "here"; the others are nothing without a host.
_NEED_AUTHORITY = ("http", "https", "ftp", "spiffe")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL_PART = re.compile(rf'{_ATOM}(?:\.{_ATOM})*|"(?:[ !#-\[\]-~]|\\[ -~])*"', re.ASCII)


def _texts(draft: Draft, kind: str) -> Iterator[str]:
    for name in draft.san:
        if name.kind == kind:
            yield name.text


def _dns(draft: Draft) -> Iterator[str]:
    for host in _texts(draft, "dns"):
        if flaw := flaw_of_host(host, wildcard=True):
            yield f"The dNSName {host!r} {flaw}."


def _dns_underscore(draft: Draft) -> Iterator[str]:
    for host in _texts(draft, "dns"):
        if "_" in host:
            yield f"The dNSName {host!r} contains an underscore."


def _dns_reserved_label(draft: Draft) -> Iterator[str]:
    for host in _texts(draft, "dns"):
        if any(is_reserved_label(label) for label in host.split(".")):
            yield f"The dNSName {host!r} has a label with hyphens in the third and fourth place."


def _email(draft: Draft) -> Iterator[str]:
    for mailbox in _texts(draft, "email"):
        local, at, host = mailbox.rpartition("@")
        if not at or not _LOCAL_PART.fullmatch(local) or flaw_of_host(host):
            yield f"The rfc822Name {mailbox!r} is not a mailbox (local part, @, host name)."


def _uri(draft: Draft) -> Iterator[str]:
    for uri in _texts(draft, "uri"):
        if flaw := flaw_of_uri(uri):
            yield f"The uniformResourceIdentifier {uri!r} {flaw}."


def flaw_of_uri(uri: str) -> str | None:
    """What is wrong with an absolute URI in ASCII, or None (RFC 3986 section 4.3, RFC 5280 section 4.2.1.6)."""
    if not _URI.fullmatch(uri):
        return "is not absolute, or has characters that URIs do not have"
    try:
        # Reading the port checks it.
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return "has an authority that cannot be read"
    if parts.scheme in _NEED_AUTHORITY and not parts.hostname:
        return "has an empty authority"
    return None


def _spiffe(draft: Draft) -> Iterator[str]:
    for uri in _texts(draft, "uri"):
        if uri.lower().startswith("spiffe:") and (flaw_of_uri(uri) or not _is_spiffe_id(uri)):
            yield f"The URI {uri!r} is not a SPIFFE ID: trust domain and path, without user, port, query or fragment."


def _is_spiffe_id(uri: str) -> bool:
    parts = urlsplit(uri)
    return bool(parts.netloc) and not ({"@", ":"} & set(parts.netloc)) and not (parts.query or parts.fragment)


def _inner_values(draft: Draft) -> Iterator[str]:
    for name in draft.san:
        try:
            # The content of otherName and its kin is nobody's business, but it must be DER (row 33).
            der.check_nesting(name.encode())
        except der.DerError as broken:
            yield f"A name of kind {name.kind} is not DER: {broken}."


def _duplicates(draft: Draft) -> Iterator[str]:
    seen = set()
    for name in draft.san:
        identity = (name.kind, str(name).lower(), name.type_id)
        if identity in seen:
            yield f"The name {str(name)!r} occurs twice."
        seen.add(identity)


def _criticality(draft: Draft) -> Iterator[str]:
    extension = draft.extension(OID.SUBJECT_ALTERNATIVE_NAME)
    if extension is not None and extension.critical and not draft.certificate.subject.is_empty:
        yield "The subject alternative names are critical beside a subject that is not empty."


def _common_name_absent(draft: Draft) -> Iterator[str]:
    hosts = {host.lower() for host in _texts(draft, "dns")}
    if not hosts:
        return
    for common_name in draft.certificate.subject.common_names:
        looks_like_host = "." in common_name and flaw_of_host(common_name, wildcard=True) is None
        if looks_like_host and common_name.lower() not in hosts:
            yield f"The common name {common_name!r} is not among the subject alternative names."


RULES: tuple[Rule[Draft], ...] = (
    error("san-dns", "RFC 5280 section 4.2.1.6; RFC 1034 section 3.5; RFC 5891 section 4.2", _dns),
    warning("san-dns-underscore", "RFC 1034 section 3.5", _dns_underscore),
    warning("san-dns-reserved-label", "RFC 5890 section 2.3.1", _dns_reserved_label),
    error("san-email", "RFC 5280 section 4.2.1.6", _email),
    error("san-uri", "RFC 5280 section 4.2.1.6", _uri),
    warning("san-spiffe", "SPIFFE-ID section 2", _spiffe),
    error("san-inner-value", "X.690", _inner_values),
    warning("san-duplicate", "faults.md row 34", _duplicates),
    warning("san-critical", "RFC 5280 section 4.2.1.6", _criticality),
    warning("common-name-not-in-san", "BR section 7.1.4.3", _common_name_absent),
)
