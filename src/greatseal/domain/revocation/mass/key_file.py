"""A public key in whatever form somebody reports it."""

import re

from greatseal.crypto.keypair import UnusableKey, encode_public, load_private
from greatseal.domain.keys.model import fingerprint
from greatseal.kernel.errors import InvalidArgument
from greatseal.kernel.secret import Secret
from greatseal.x509 import pem
from greatseal.x509.certificate import Certificate
from greatseal.x509.csr import parse_csr

_HASH = re.compile(rb"[0-9a-fA-F]{64}")


def key_in(content: bytes) -> str:
    """The fingerprint of the key in a file: a certificate, a request, a public or an unencrypted private key (PEM).

    The SHA-256 of a SubjectPublicKeyInfo in hexadecimal, with or without colons, will do as well. Raises
    InvalidArgument, also when the file has several keys.
    """
    digits = content.strip().replace(b":", b"")
    if _HASH.fullmatch(digits):
        return digits.decode().lower()
    try:
        blocks = pem.read_blocks(content)
        found = {_fingerprint(block) for block in blocks}
    except (ValueError, UnusableKey) as error:
        raise InvalidArgument(f"the key cannot be read: {error}") from error
    if len(found) != 1:
        raise InvalidArgument(f"expected one key in PEM, or its SHA-256 in hexadecimal; found {len(found)} keys")
    return found.pop()


def _fingerprint(block: pem.PemBlock) -> str:
    if block.label == "PUBLIC KEY":
        return fingerprint(block.der)
    if block.label == "CERTIFICATE":
        return fingerprint(Certificate.parse(block.der).spki)
    if block.label in ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"):
        return fingerprint(parse_csr(block.der).spki)
    if block.label.endswith("PRIVATE KEY") and not block.is_encrypted:
        return fingerprint(encode_public(load_private(Secret(block.der)).public_key()))
    raise ValueError(f"a block of {block.label} has no key that can be read")
