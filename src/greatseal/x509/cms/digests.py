"""Message digests as CMS names them: SHA-2 (RFC 5754), SHA-3 (RFC 9688), SHAKE of fixed lengths (RFC 8702)."""

import hashlib
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from greatseal.x509 import der
from greatseal.x509.cms.faults import CmsError, Fault

_NIST = "2.16.840.1.101.3.4.2."


@dataclass(frozen=True, slots=True)
class DigestRow:
    """OID, octets of the digest, hashlib's name, bits of collision resistance, whether NULL parameters may stand."""

    oid: str
    size: int
    name: str
    strength: int
    null: bool = False


class Digest(Enum):
    """The digests that are accepted. SHAKE128 has 32 octets and SHAKE256 has 64 (RFC 8702 section 3.1)."""

    SHA256 = DigestRow(_NIST + "1", 32, "sha256", 128, null=True)
    SHA384 = DigestRow(_NIST + "2", 48, "sha384", 192, null=True)
    SHA512 = DigestRow(_NIST + "3", 64, "sha512", 256, null=True)
    SHA3_256 = DigestRow(_NIST + "8", 32, "sha3_256", 128)
    SHA3_384 = DigestRow(_NIST + "9", 48, "sha3_384", 192)
    SHA3_512 = DigestRow(_NIST + "10", 64, "sha3_512", 256)
    SHAKE128 = DigestRow(_NIST + "11", 32, "shake_128", 128)
    SHAKE256 = DigestRow(_NIST + "12", 64, "shake_256", 256)

    @property
    def size(self) -> int:
        """Octets of the digest."""
        return self.value.size

    @property
    def strength(self) -> int:
        """Bits of collision resistance."""
        return self.value.strength

    @property
    def identifier(self) -> bytes:
        """The DER of the AlgorithmIdentifier that we write: parameters absent (RFC 5754 section 2)."""
        return der.sequence(der.oid(self.value.oid))

    def new(self) -> "Sum":
        """A sum over nothing yet."""
        return Sum(self)

    def of(self, data: bytes) -> bytes:
        """The digest of octets that are at hand."""
        found = Sum(self)
        found.update(data)
        return found.digest()


class Sum:
    """One digest in the making; hashlib lets other threads run while it takes long pieces in."""

    def __init__(self, digest: Digest) -> None:
        self._digest = digest
        self._hash = hashlib.new(digest.value.name)

    def update(self, piece: bytes | bytearray | memoryview) -> None:
        """Takes the next piece of the content in."""
        self._hash.update(piece)

    def digest(self) -> bytes:
        """The digest of what was taken in."""
        if self._hash.digest_size:
            return self._hash.digest()
        # The functions of variable length, whose stubs in typeshed are those of the others.
        return self._hash.digest(self._digest.size)  # type: ignore[call-arg]


_BY_OID = {row.value.oid: row for row in Digest}
_WEAK = {
    "1.2.840.113549.2.2": "MD2",
    "1.2.840.113549.2.5": "MD5",
    "1.3.14.3.2.26": "SHA-1",
    "1.3.36.3.2.1": "RIPEMD-160",
    _NIST + "4": "SHA-224",
    _NIST + "5": "SHA-512/224",
    _NIST + "7": "SHA3-224",
}


@lru_cache(maxsize=256)
def read_digest(identifier: bytes) -> Digest:
    """The digest of an AlgorithmIdentifier (DER). Raises CmsError.

    NULL parameters are accepted for SHA-2, where old programs write them (RFC 5754 section 2), and for no other.
    """
    oid, parameters = split(identifier)
    if oid in _WEAK:
        raise CmsError(Fault.WEAK_DIGEST, f"the digest algorithm {_WEAK[oid]} is too weak")
    row = _BY_OID.get(oid)
    if row is None:
        raise CmsError(Fault.DIGEST_ALGORITHM, f"the digest algorithm {oid} is not accepted")
    if parameters and not (row.value.null and parameters == der.null()):
        raise CmsError(Fault.PARAMETERS, f"the digest algorithm {row.name} has parameters, which must be absent")
    return row


def split(identifier: bytes) -> tuple[str, bytes]:
    """OID and parameters (DER, empty when absent) of an AlgorithmIdentifier. Raises CmsError."""
    try:
        inside = der.only(identifier, der.SEQUENCE)
        oid = inside.oid()
        parameters = inside.raw() if inside.peek() is not None else b""
        inside.end()
    except der.DerError as error:
        raise CmsError(Fault.MALFORMED, f"an algorithm identifier is malformed: {error}") from None
    return oid, parameters
