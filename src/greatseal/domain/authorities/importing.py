"""Certificates that arrive from outside as PEM, to be installed for a CA (acm-pca.md 2.5)."""

from greatseal.kernel.errors import MalformedCertificate
from greatseal.x509.bundle import read_certificates
from greatseal.x509.certificate import Certificate

_SERIAL_LIMIT = 1 << 159


def parse_import(certificate: bytes, chain: bytes | None) -> tuple[Certificate, tuple[Certificate, ...]]:
    """The one certificate and the chain above it. Raises MalformedCertificate."""
    leaves = _parse(certificate, "certificate")
    if len(leaves) != 1:
        raise MalformedCertificate(f"The certificate field must hold exactly one certificate, not {len(leaves)}.")
    # RFC 5280 section 4.1.2.2. Zero is the serial of roots that everybody trusts; a negative one has no hex form.
    if not 0 <= leaves[0].serial < _SERIAL_LIMIT:
        raise MalformedCertificate("The serial number of the certificate is negative or longer than 20 octets.")
    # Clients pass an empty chain for a root (acm-pca.md 17.1b).
    return leaves[0], _parse(chain, "certificate chain") if chain and chain.strip() else ()


def _parse(data: bytes, what: str) -> tuple[Certificate, ...]:
    try:
        return read_certificates(data)
    except ValueError as error:
        raise MalformedCertificate(f"The {what} cannot be parsed: {error}.") from None
