"""May this certificate open sessions below that trust anchor? Pure (iam.md 11.2, "Certificate path").

A path has the end entity first and a certificate of the trust anchor last; what is between them came with the
request, in any order. Rules: RFC 5280 section 6.1, with the end-entity rules of the IAM Roles Anywhere User Guide.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice, pairwise

from greatseal.domain.anywhere.model import UntrustedCertificate
from greatseal.kernel.errors import MalformedCertificate, NameConstraintViolation
from greatseal.x509 import crl, der
from greatseal.x509.certificate import Certificate
from greatseal.x509.chain import BrokenChain, check_issues, name_constraints_of
from greatseal.x509.chain.links import check_links
from greatseal.x509.constraints import Unreadable, check_names, check_supported
from greatseal.x509.extensions import OID, read_extended_key_usage, read_key_usage
from greatseal.x509.names import same_name

_LONGEST_SERIAL = 20
# CAs that certify each other make many paths; nobody needs to try them all.
_MOST_PATHS = 16
# Critical extensions that are acted upon here, or that say nothing which a session depends on.
_MAY_BE_CRITICAL = frozenset(
    {
        OID.AUTHORITY_KEY_IDENTIFIER,
        OID.BASIC_CONSTRAINTS,
        OID.CERTIFICATE_POLICIES,
        OID.EXTENDED_KEY_USAGE,
        OID.INHIBIT_ANY_POLICY,
        OID.ISSUER_ALTERNATIVE_NAME,
        OID.KEY_USAGE,
        OID.NAME_CONSTRAINTS,
        OID.POLICY_MAPPINGS,
        OID.SUBJECT_ALTERNATIVE_NAME,
        OID.SUBJECT_KEY_IDENTIFIER,
    }
)
Path = tuple[Certificate, ...]


def check_end_entity(certificate: Certificate) -> None:
    """Raises UntrustedCertificate unless the certificate is fit to identify a workload."""
    try:
        problem = _end_entity_problem(certificate)
    except der.DerError as error:
        problem = f"an extension cannot be read: {error}"
    if problem:
        raise UntrustedCertificate(f"Untrusted certificate. Insufficient certificate: {problem}.")


def _end_entity_problem(certificate: Certificate) -> str | None:
    if certificate.version != 3:
        return "it is not of version 3"
    if certificate.serial <= 0 or certificate.serial.bit_length() > _LONGEST_SERIAL * 8:
        return "its serial number is not positive or has more than 20 octets"
    constraints = certificate.basic_constraints
    if constraints is None or constraints.ca:
        return "it must have basic constraints that say CA:FALSE"
    usage = certificate.extension(OID.KEY_USAGE)
    if usage is None or "DigitalSignature" not in read_key_usage(usage):
        return "its key usage must include digitalSignature"
    purposes = certificate.extension(OID.EXTENDED_KEY_USAGE)
    if purposes and not {OID.CLIENT_AUTH, OID.ANY_EXTENDED_KEY_USAGE} & set(read_extended_key_usage(purposes)):
        return "its extended key usage must include clientAuth"
    return None


def trusted_path(
    leaf: Certificate, intermediates: Sequence[Certificate], anchors: Sequence[Certificate], now: datetime
) -> Path:
    """The path from `leaf` to one of `anchors`. Raises UntrustedCertificate with what is wrong with the last one tried.

    `now` is an aware instant, at which every certificate of the path must be valid.
    """
    problem = "no certificate of the trust anchor stands above it"
    for path in islice(_paths((leaf,), tuple(intermediates), anchors, {}), _MOST_PATHS):
        try:
            _check_path(path, now)
        except (BrokenChain, MalformedCertificate, NameConstraintViolation, Unreadable, der.DerError) as error:
            problem = str(error).rstrip(".")
        else:
            return path
    raise UntrustedCertificate(f"Untrusted signing certificate: {problem}.")


def _paths(
    path: Path,
    intermediates: Path,
    anchors: Sequence[Certificate],
    known: dict[tuple[bytes, bytes], bool],
) -> Iterator[Path]:
    """Every path to an anchor, the shortest first at each step. `known` keeps a flood of equal names cheap."""
    for anchor in anchors:
        if anchor not in path and _certifies(anchor, path[-1], known):
            yield (*path, anchor)
    for position, issuer in enumerate(intermediates):
        if issuer not in path and _certifies(issuer, path[-1], known):
            yield from _paths((*path, issuer), intermediates[:position] + intermediates[position + 1 :], anchors, known)


def _certifies(issuer: Certificate, certificate: Certificate, known: dict[tuple[bytes, bytes], bool]) -> bool:
    pair = issuer.der, certificate.der
    if pair not in known:
        try:
            check_issues(issuer, certificate)
            known[pair] = True
        except BrokenChain:
            known[pair] = False
    return known[pair]


def _check_path(path: Path, now: datetime) -> None:
    check_links(path)
    for element in path:
        name = element.subject.display()
        if not element.not_before <= now <= element.not_after:
            raise BrokenChain(f"the certificate of {name!r} is not valid at this time")
        for extension in element.extensions:
            if extension.critical and extension.oid not in _MAY_BE_CRITICAL:
                raise BrokenChain(f"the critical extension {extension.oid} of {name!r} is not understood")
    for position, issuer in enumerate(path[1:], start=1):
        constraints = name_constraints_of((issuer,))
        for constraint in constraints:
            check_supported(constraint)
        for below in path[:position] if constraints else ():
            # Self-issued CAs are exempt: they exist to roll a key over (RFC 5280 section 6.1.3).
            if below is path[0] or not below.is_self_issued:
                check_names(constraints, subject=below.subject, san=below.san, common_name_as_host=below is path[0])


def check_not_revoked(path: Path, lists: Sequence[crl.RevocationList]) -> None:
    """Raises UntrustedCertificate when a list that an issuer in the path signed names the certificate below it.

    A list that is out of date still counts: what it revokes was revoked.
    """
    for certificate, issuer in pairwise(path):
        for each in lists:
            if (
                same_name(each.issuer, certificate.issuer)
                and each.entry(certificate.serial) is not None
                and crl.verify_signature(each, issuer.spki)
            ):
                raise UntrustedCertificate("Untrusted certificate. Revoked certificate.")
