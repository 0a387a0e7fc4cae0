"""Certificates as people pass them around: one or more PEM blocks in a file."""

from greatseal.x509 import pem
from greatseal.x509.certificate import Certificate

_LABELS = frozenset({"CERTIFICATE", "X509 CERTIFICATE"})


def read_certificates(data: bytes) -> tuple[Certificate, ...]:
    """Every certificate in their order, at least one.

    Raises ValueError (`pem.PemError`, `der.DerError`) for broken PEM or DER and for blocks of another kind:
    a private key among certificates is a mistake that its owner wants to hear of.
    """
    blocks = pem.read_blocks(data)
    if not blocks:
        raise pem.PemError("there is no PEM block")
    for block in blocks:
        if block.label not in _LABELS:
            raise pem.PemError(f"there is a PEM block of type {block.label}")
    return tuple(Certificate.parse(block.der) for block in blocks)
