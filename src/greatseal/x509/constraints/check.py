"""Name constraints, enforced before signing (RFC 5280 section 4.2.1.10; acm-pca.md 9; workflows.md 23).

Our own matcher, because the CA must refuse what any relying party would refuse, and libraries differ about
leading dots, wildcards and common names. Each certificate of the chain brings its own constraints and all of
them apply: that is the intersection of what is permitted and the union of what is excluded.
"""

from collections.abc import Iterator, Sequence
from ipaddress import ip_address

from greatseal.kernel.errors import NameConstraintViolation
from greatseal.x509.constraints.subtrees import MATCHERS, Subtree, Unreadable, check_base
from greatseal.x509.extensions import NameConstraints
from greatseal.x509.general_names import GeneralName
from greatseal.x509.names import Name

__all__ = ["Unreadable", "check_names", "check_supported"]

_LABEL_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_*.")
_SMTP_UTF8_MAILBOX = "1.3.6.1.5.5.7.8.9"
_FORMS = {
    "dns": "dNSName",
    "ip": "iPAddress",
    "uri": "uniformResourceIdentifier",
    "email": "rfc822Name",
    "directory": "directoryName",
    "other": "otherName",
    "registered_id": "registeredID",
    "edi": "ediPartyName",
    "x400": "x400Address",
}


def check_supported(constraints: NameConstraints) -> None:
    """Raises Unreadable (ValueError) when a CA certificate with these constraints cannot be honoured.

    That is a subtree of the forms otherName, x400Address, registeredID or ediPartyName, a mask with holes, or
    a base that is no domain, host or mailbox (acm-pca.md 9: such certificates are refused at import).
    """
    for base in (*constraints.permitted, *constraints.excluded):
        check_base(base)


def check_names(
    constraints: Sequence[NameConstraints],
    *,
    subject: Name,
    san: Sequence[GeneralName],
    common_name_as_host: bool = True,
) -> None:
    """Raises NameConstraintViolation, naming the first name that a certificate of the chain forbids.

    `constraints` are those of the issuing CA's certificate and of every certificate above it, in any order.
    Checked are the subject, the emailAddress attributes in it, every SAN, and, where the SAN has no name of
    that form, a common name that looks like a host or an address (CN-only certificates are matched by their
    CN in the field). For a CA certificate, whose CN nobody connects to, pass `common_name_as_host=False`.
    """
    if not constraints:
        return
    names = tuple(_names(subject, san, common_name_as_host))
    for level in constraints:
        permitted = [Subtree(base, excludes=False) for base in level.permitted]
        excluded = [Subtree(base, excludes=True) for base in level.excluded]
        for name in names:
            _check_name(name, permitted, excluded)


def _names(subject: Name, san: Sequence[GeneralName], common_name_as_host: bool) -> Iterator[GeneralName]:
    """Every name that a relying party may take the certificate for."""
    if not subject.is_empty:
        yield GeneralName("directory", subject)
    for email in subject.emails:
        yield GeneralName("email", email)
    for name in san:
        yield name
        if name.kind == "other" and name.type_id == _SMTP_UTF8_MAILBOX:
            yield _ascii_mailbox(name)
    if not common_name_as_host:
        return
    kinds = {name.kind for name in san}
    for common_name in subject.common_names:
        if "dns" not in kinds and _looks_like_host(common_name):
            yield GeneralName("dns", common_name)
        if "ip" not in kinds and (address := _address(common_name)) is not None:
            yield GeneralName("ip", address)


def _ascii_mailbox(name: GeneralName) -> GeneralName:
    """SmtpUTF8Mailbox obeys the constraints on rfc822Name, its host in A-labels (RFC 9598 section 6)."""
    local, _, host = str(name).rpartition("@")
    try:
        return GeneralName("email", f"{local}@{host.encode('idna').decode('ascii')}")
    except UnicodeError:
        return GeneralName("email", "")


def _looks_like_host(common_name: str) -> bool:
    """A dot inside and only characters of host names; the rule of OpenSSL, so that "Jane Doe" stays a name."""
    lowered = common_name.lower()
    return "." in lowered.strip(".") and _LABEL_CHARACTERS.issuperset(lowered)


def _address(common_name: str) -> bytes | None:
    try:
        return ip_address(common_name).packed
    except ValueError:
        return None


def _check_name(name: GeneralName, permitted: Sequence[Subtree], excluded: Sequence[Subtree]) -> None:
    """One name against one certificate's constraints; subtrees of other forms say nothing about it."""
    allowing = [subtree for subtree in permitted if subtree.base.kind == name.kind]
    forbidding = [subtree for subtree in excluded if subtree.base.kind == name.kind]
    if (allowing or forbidding) and name.kind not in MATCHERS:
        # A form that we cannot compare must be refused, not waved through (RFC 5280 section 4.2.1.10).
        raise _violation(name, "is of a form whose name constraints cannot be evaluated")
    # Excluded wins over permitted, whatever their order.
    if any(_holds(subtree, name) for subtree in forbidding):
        raise _violation(name, "is excluded by the name constraints of the issuing CA")
    if allowing and not any(_holds(subtree, name) for subtree in allowing):
        raise _violation(name, "is not permitted by the name constraints of the issuing CA")


def _holds(subtree: Subtree, name: GeneralName) -> bool:
    """As `Subtree.holds`; what cannot be compared counts as excluded, and as not permitted."""
    try:
        return subtree.holds(name)
    except Unreadable:
        return subtree.excludes


def _violation(name: GeneralName, why: str) -> NameConstraintViolation:
    return NameConstraintViolation(f"The name {str(name)!r} ({_FORMS[name.kind]}) {why}.")
