"""From what an owner asked for to the CA's certificate signing request (acm-pca.md 3.1, 3.4, 6.6)."""

from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.crypto.signature import Signer
from greatseal.domain.authorities.model import SubjectSpec
from greatseal.kernel.errors import InvalidArgument
from greatseal.x509 import names
from greatseal.x509.csr import build_csr
from greatseal.x509.extensions import Extension, basic_constraints


def subject_name(spec: SubjectSpec) -> names.Name:
    """The distinguished name. Raises InvalidArgument for an empty subject or a mixture of both forms."""
    if spec.standard and spec.custom:
        raise InvalidArgument("CustomAttributes cannot be used together with other members of the subject.")
    if not spec.standard and not spec.custom:
        raise InvalidArgument("The subject of a certificate authority cannot be empty.")
    try:
        if spec.custom:
            return names.subject_from_custom(spec.custom)
        return names.subject_from_attributes(dict(spec.standard))
    except ValueError as error:
        raise InvalidArgument(f"The subject is not valid: {error}") from None


def csr_of(
    spec: SubjectSpec, extensions: tuple[Extension, ...], signer: Signer, algorithm: SignatureAlgorithm
) -> bytes:
    """The CSR (DER): subject, Basic Constraints critical CA:TRUE, and the extensions that were asked for."""
    requested = (basic_constraints(ca=True, path_length=None, critical=True), *extensions)
    return build_csr(subject_name(spec), signer, algorithm, requested)
