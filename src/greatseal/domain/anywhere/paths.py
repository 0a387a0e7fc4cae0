"""May this certificate open sessions below that trust anchor? Pure (iam.md 11.2, "Certificate path").

A path has the end entity first and a certificate of the trust anchor last; what is between them came with the
request, in any order. `x509.path` finds and validates it; here are the end-entity rules of the IAM Roles Anywhere
User Guide, and the lists that say who is revoked.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from greatseal.domain.anywhere.model import UntrustedCertificate
from greatseal.x509 import crl, der
from greatseal.x509.certificate import Certificate
from greatseal.x509.extensions import OID, read_extended_key_usage, read_key_usage
from greatseal.x509.names import same_name
from greatseal.x509.path import Path, Rules, Strength, Valid, find

_LONGEST_SERIAL = 20
# The service documents no least size; weaker keys than these can be broken by anybody.
_STRENGTH = Strength(rsa_bits=1024)


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
    """The path from `leaf` to one of `anchors`. Raises UntrustedCertificate with what is wrong with the best one.

    `now` is an aware instant, at which every certificate of the path must be valid. `check_end_entity` looks at
    what the leaf is for.
    """
    verdict = find(leaf, intermediates, anchors, Rules(at=now, strength=_STRENGTH))
    if isinstance(verdict, Valid):
        return verdict.path
    raise UntrustedCertificate(f"Untrusted signing certificate: {verdict.problem}.")


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
