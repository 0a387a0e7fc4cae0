"""Certification requests: parse with every check, and build (RFC 2986; acm-pca.md 2.7, 5, 6.6)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.crypto.signature import Signer
from greatseal.kernel.errors import MalformedCsr
from greatseal.x509 import der, pem, public_keys
from greatseal.x509.extensions import OID, Extension, encode_extensions, find, parse_extensions, read_san
from greatseal.x509.general_names import GeneralName
from greatseal.x509.names import Name

MAX_SIZE = 64 * 1024
"""Octets of the largest request, PEM or DER; the service's own door takes half of it (acm-pca.md 3.2)."""
_MAX_COMMON_NAME = 64
_LABELS = ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")


@dataclass(frozen=True, slots=True)
class CertificationRequest:
    """A request whose signature was verified. `spki` is DER; `attributes` are the OIDs of all attributes."""

    der: bytes
    subject: Name
    spki: bytes = field(repr=False)
    extensions: tuple[Extension, ...]
    attributes: tuple[str, ...]

    def extension(self, oid: str) -> Extension | None:
        """The requested extension with this OID, or None."""
        return find(self.extensions, oid)

    @property
    def san(self) -> tuple[GeneralName, ...]:
        """The subject alternative names that are asked for."""
        found = self.extension(OID.SUBJECT_ALTERNATIVE_NAME)
        return read_san(found) if found else ()


@dataclass(frozen=True, slots=True)
class Unproven:
    """A request that was read, and what is left to be verified. Its only use is `prove`."""

    _request: CertificationRequest
    _info: bytes
    _algorithm: bytes
    _signature: bytes

    def prove(self) -> CertificationRequest:
        """The request. Raises MalformedCsr unless its key can be read, it says who, and its signature verifies."""
        request = self._request
        try:
            public_keys.load_subject_key(request.spki)
        except der.DerError as error:
            raise _malformed(error) from None
        _check_identity(request)
        if not public_keys.verify(request.spki, self._algorithm, self._signature, self._info):
            raise MalformedCsr(
                "The signature of the certificate signing request does not prove possession of its key: "
                "it does not verify, or its algorithm is not accepted."
            )
        return request


def parse_csr(data: bytes) -> CertificationRequest:
    """The request in `data`, PEM or DER. Raises MalformedCsr with the reason.

    Checks that it is one strict DER value of version 1, that no extension occurs twice, that subject or
    SAN say something, that the key can be read, and that its signature proves possession of the key.
    """
    return read_csr(data).prove()


def read_csr(data: bytes) -> Unproven:
    """The first half of `parse_csr`: what needs no key. Raises MalformedCsr with the reason."""
    if len(data) > MAX_SIZE:
        raise MalformedCsr(f"The certificate signing request is larger than {MAX_SIZE} bytes.")
    try:
        encoded = _unwrap(data)
        unproven = _read(encoded)
        # Unknown attributes are not interpreted, but BER or deep nesting inside them is refused as well.
        der.check_nesting(encoded)
    except (der.DerError, pem.PemError) as error:
        raise _malformed(error) from None
    return unproven


def _malformed(error: Exception) -> MalformedCsr:
    return MalformedCsr(f"The certificate signing request is malformed: {error}.")


def _unwrap(data: bytes) -> bytes:
    """The DER inside PEM, or the DER itself. Raises PemError."""
    # DER of a request has a length in the long form, an octet that PEM text cannot have there.
    if data[:1] == b"\x30" and data[1:2] >= b"\x80":
        return data
    blocks = pem.read_blocks(data)
    if len(blocks) != 1:
        raise pem.PemError(f"one PEM block was expected, {len(blocks)} were found")
    if blocks[0].label not in _LABELS:
        raise pem.PemError(f"the PEM block is a {blocks[0].label[:64]}, not a CERTIFICATE REQUEST")
    return blocks[0].der


def _read(encoded: bytes) -> Unproven:
    """The request, its signed part, its AlgorithmIdentifier and its signature. Raises DerError."""
    info, algorithm, signed = der.expect(der.members(encoded, der.SEQUENCE), der.SEQUENCE, der.SEQUENCE, der.BIT_STRING)
    signature = der.Reader(signed).octets()
    number, name, spki, attributes = der.expect(
        der.members(info, der.SEQUENCE), der.INTEGER, der.SEQUENCE, der.SEQUENCE, 0xA0
    )
    if der.decode_integer(der.content(number, der.INTEGER)) != 0:
        raise der.DerError("its version is not 0, the only one that exists")
    subject = Name.parse(name)
    kinds: list[str] = []
    extensions: tuple[Extension, ...] = ()
    for attribute in der.members(attributes, 0xA0):
        oid, values = der.expect(der.members(attribute, der.SEQUENCE), der.OBJECT_IDENTIFIER, der.SET)
        kind = der.decode_oid(der.content(oid, der.OBJECT_IDENTIFIER))
        if kind == OID.EXTENSION_REQUEST:
            if kind in kinds:
                raise der.DerError("it has two attributes that request extensions")
            (asked,) = der.expect(der.members(values, der.SET), der.SEQUENCE)
            extensions = parse_extensions(asked)
        kinds.append(kind)
    request = CertificationRequest(encoded, subject, spki, extensions, tuple(kinds))
    return Unproven(request, info, algorithm, signature)


def _check_identity(request: CertificationRequest) -> None:
    """Refuses a request that names nobody, or whose names cannot be read (acm-pca.md 2.7 and 6.4)."""
    try:
        names = request.san
    except der.DerError as error:
        raise MalformedCsr(f"The subject alternative names of the request cannot be read: {error}.") from None
    if request.subject.is_empty and not names:
        raise MalformedCsr("The certificate signing request has neither a subject nor a subject alternative name.")
    for name in request.subject.common_names:
        if len(name) > _MAX_COMMON_NAME:
            raise MalformedCsr(f"The common name of the request is longer than {_MAX_COMMON_NAME} characters.")


def build_csr(
    subject: Name, signer: Signer, algorithm: SignatureAlgorithm, extensions: Sequence[Extension] = ()
) -> bytes:
    """The DER of a request for the signer's key, with one extensionRequest attribute if there are extensions."""
    attributes = b""
    if extensions:
        attributes = der.sequence(der.oid(OID.EXTENSION_REQUEST), der.set_of([encode_extensions(extensions)]))
    info = der.sequence(der.integer(0), subject.der, signer.spki, der.tlv(0xA0, attributes))
    return der.sequence(info, algorithm.identifier, der.bit_string(signer.sign(info, algorithm)))
