"""May this certificate become the certificate of that private CA? (acm-pca.md 2.5)

All rules of ImportCertificateAuthorityCertificate that need nothing but the certificates and the CA's key.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from greatseal.kernel.errors import CertificateMismatch, InvalidRequest, MalformedCertificate, NameConstraintViolation
from greatseal.x509 import der
from greatseal.x509.certificate import Certificate
from greatseal.x509.chain.links import (
    BrokenChain,
    check_links,
    name_constraints_of,
)
from greatseal.x509.constraints import Unreadable, check_names, check_supported
from greatseal.x509.extensions import OID
from greatseal.x509.names import Name, same_name
from greatseal.x509.path.links import is_self_signed, may_sign_certificates

Kind = Literal["ROOT", "SUBORDINATE"]

# acm-pca.md 2.5. AIA, CRL distribution points, FreshestCRL, PolicyConstraints and everything that is not in this
# list are refused when critical, because nothing here acts upon them.
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
        OID.SUBJECT_DIRECTORY_ATTRIBUTES,
        OID.SUBJECT_KEY_IDENTIFIER,
        OID.SUBJECT_INFORMATION_ACCESS,
    }
)


def check_ca_import(
    certificate: Certificate,
    chain: Sequence[Certificate],
    *,
    ca_spki: bytes,
    csr_subject: Name,
    kind: Kind,
    now: datetime,
) -> None:
    """Returns when the certificate may be installed; `chain` is nearest issuer first, root last.

    `ca_spki` is the DER of the CA's SubjectPublicKeyInfo, `now` an aware instant. Raises InvalidRequest for a
    certificate or chain of the wrong kind, CertificateMismatch for another key or subject, and
    MalformedCertificate for everything that is wrong with the certificates themselves.
    """
    _check_kind(certificate, chain, kind)
    if certificate.spki != ca_spki:
        raise CertificateMismatch("The public key of the certificate is not the key of the certificate authority.")
    if not same_name(certificate.subject, csr_subject):
        raise CertificateMismatch("The subject of the certificate is not the subject of the CSR.")
    path = (certificate, *chain)
    if kind == "SUBORDINATE":
        _check_chain(path)
    for element in path:
        _check_element(element, now)
    _check_basic_constraints(certificate)
    _check_name_constraints(path)


def _check_kind(certificate: Certificate, chain: Sequence[Certificate], kind: Kind) -> None:
    """A root is self-signed and alone, a subordinate neither."""
    self_signed = is_self_signed(certificate)
    if kind == "ROOT":
        if chain:
            raise InvalidRequest("A certificate chain must not be given for a root CA.")
        if not self_signed:
            raise InvalidRequest("The certificate of a root CA must be self-signed.")
        return
    if not chain:
        raise InvalidRequest("A certificate chain is required for a subordinate CA.")
    if self_signed:
        raise InvalidRequest("The certificate of a subordinate CA must not be self-signed.")


def _check_element(element: Certificate, now: datetime) -> None:
    """What every certificate of the path must be: unexpired, and without critical extensions nobody heeds."""
    if element.not_after < now:
        raise MalformedCertificate(f"The certificate of {element.subject.display()!r} has expired.")
    for extension in element.extensions:
        if extension.critical and extension.oid not in _MAY_BE_CRITICAL:
            raise MalformedCertificate(
                f"The extension {extension.oid} of {element.subject.display()!r} must not be critical."
            )


def _check_basic_constraints(certificate: Certificate) -> None:
    """Present, readable, critical, CA; and a key usage that lets a CA work (RFC 5280 sections 4.2.1.3, 4.2.1.9)."""
    extension = certificate.extension(OID.BASIC_CONSTRAINTS)
    try:
        constraints = certificate.basic_constraints
    except der.DerError as error:
        raise MalformedCertificate(f"The basic constraints of the certificate cannot be read: {error}.") from None
    if extension is None or constraints is None or not extension.critical or not constraints.ca:
        raise MalformedCertificate("The certificate must have critical basic constraints that say CA:TRUE.")
    if not may_sign_certificates(certificate):
        raise MalformedCertificate("The key usage of the certificate does not allow signing certificates.")


def _check_chain(path: Sequence[Certificate]) -> None:
    """Each signs the one before, the last signs itself, and every path length leaves room for this CA."""
    try:
        if not is_self_signed(path[-1]):
            raise BrokenChain("its last certificate is not self-signed")
        # The imported CA will certify others and therefore uses up path length itself.
        check_links(path, end_is_ca=True)
    except BrokenChain as error:
        raise MalformedCertificate(f"The certificate chain is not valid: {error}.") from None


def _check_name_constraints(path: Sequence[Certificate]) -> None:
    """Every constraint can be honoured, and the CAs below obey it (RFC 5280 section 6.1.3 (b) and (c))."""
    for position, element in enumerate(path):
        constraints = name_constraints_of((element,))
        try:
            for constraint in constraints:
                check_supported(constraint)
            for below in path[:position]:
                # Self-issued certificates are exempt: they exist to roll a key over (section 6.1.3).
                if constraints and not below.is_self_issued:
                    check_names(constraints, subject=below.subject, san=below.san, common_name_as_host=False)
        except (Unreadable, NameConstraintViolation, der.DerError) as error:
            raise MalformedCertificate(
                f"The name constraints of {element.subject.display()!r} are not met or not supported: {error}"
            ) from None
