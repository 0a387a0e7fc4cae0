"""The custom object of the classic code signing sample, octet by octet (workflows.md 6).

    CustomObject ::= SEQUENCE {
        tbs        SEQUENCE { data BIT STRING, signer Name },
        algorithm  AlgorithmIdentifier,
        signature  BIT STRING }

The data is inside. The signer is a name only; its certificate is given beside.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from greatseal.x509 import der, pem, public_keys
from greatseal.x509.certificate import Certificate
from greatseal.x509.names import Name

LABEL = "CUSTOM OBJECT"
MAX_SIZE = 64 * 1024 * 1024
"""Octets of the largest object: it is read as a whole."""


class ObjectError(ValueError):
    """An object that is not one, or whose signer cannot be found. The message is a sentence without a full stop."""


@dataclass(frozen=True, slots=True)
class CustomObject:
    """An object as it was read; `tbs` and `algorithm` are complete DER."""

    data: bytes = field(repr=False)
    signer: Name
    tbs: bytes = field(repr=False)
    algorithm: bytes
    signature: bytes = field(repr=False)


def to_be_signed(data: bytes, signer: Name) -> bytes:
    """The DER of the signed part."""
    return der.sequence(der.bit_string(data), signer.der)


def assemble(tbs: bytes, algorithm: bytes, signature: bytes) -> bytes:
    """The DER of the object from its signed part, its AlgorithmIdentifier (DER) and the signature."""
    return der.sequence(tbs, algorithm, der.bit_string(signature))


def is_object(data: bytes) -> bool:
    """Whether a file begins as a custom object in PEM does."""
    return data.lstrip().startswith(f"-----BEGIN {LABEL}-----".encode())


def read(data: bytes) -> CustomObject:
    """The object in PEM or DER. Raises ObjectError."""
    try:
        return _read(_unwrap(data))
    except (der.DerError, pem.PemError) as error:
        raise ObjectError(f"it is not a custom object: {error}") from None


def _unwrap(data: bytes) -> bytes:
    if data[:1] == b"\x30" and data[1:2] >= b"\x80":
        return data
    blocks = pem.read_blocks(data)
    if [block.label for block in blocks] != [LABEL]:
        raise pem.PemError(f"there is not exactly one PEM block of type {LABEL}")
    return blocks[0].der


def _read(encoded: bytes) -> CustomObject:
    outer = der.only(encoded, der.SEQUENCE, MAX_SIZE)
    tbs = outer.raw(der.SEQUENCE)
    algorithm = outer.raw(der.SEQUENCE)
    signature = outer.octets()
    outer.end()
    inside = der.only(tbs, der.SEQUENCE, MAX_SIZE)
    data = inside.octets()
    signer = Name.parse(inside.raw(der.SEQUENCE))
    inside.end()
    return CustomObject(data, signer, tbs, algorithm, signature)


def signer_of(found: CustomObject, certificates: Iterable[Certificate]) -> Certificate:
    """The one certificate whose subject is that of the object. Raises ObjectError when there are none or several."""
    fitting = [each for each in dict.fromkeys(certificates) if each.subject.der == found.signer.der]
    if len(fitting) != 1:
        name = found.signer.display() or "no name"
        raise ObjectError(f"{len(fitting) or 'no'} certificates of the signer ({name}) were given, and one is needed")
    return fitting[0]


def verifies(found: CustomObject, certificate: Certificate) -> bool:
    """Whether the certificate's key made the signature."""
    return public_keys.verify(certificate.spki, found.algorithm, found.signature, found.tbs)
