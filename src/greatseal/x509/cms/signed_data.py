"""SignedData: signers over the digest of a content, written in DER and read strictly (RFC 5652 section 5).

BER is refused: what is not DER has more than one spelling, and a signature should have one.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache

from greatseal.x509 import der, pem
from greatseal.x509.certificate import Certificate
from greatseal.x509.cms.attributes import SIGNATURE_TIMESTAMP, attribute, signed_attributes
from greatseal.x509.cms.faults import CmsError, Fault
from greatseal.x509.cms.schemes import Scheme

SIGNED_DATA = "1.2.840.113549.1.7.2"
DATA = "1.2.840.113549.1.7.1"
TST_INFO = "1.2.840.113549.1.9.16.1.4"

_LABELS = ("CMS", "PKCS7")
_MOST_SIGNERS = 16
_MOST_CERTIFICATES = 64

Sign = Callable[[bytes], bytes]
"""Octets in, the signature over them out: a key here, or one behind KMS."""


@dataclass(frozen=True, slots=True)
class SignerInfo:
    """One signer as it stands in the file; nothing of it is believed yet.

    `sid` is the complete DER of the identifier: IssuerAndSerialNumber, or [0] with a key identifier. `attributes` is
    the SET OF that is signed, or None. `unsigned` is a SET OF too.
    """

    version: int
    sid: bytes
    digest_identifier: bytes
    attributes: bytes | None = field(repr=False)
    signature_identifier: bytes
    signature: bytes = field(repr=False)
    unsigned: bytes | None = field(default=None, repr=False)

    def encode(self) -> bytes:
        """The DER of the SignerInfo."""
        parts = [der.integer(self.version), self.sid, self.digest_identifier]
        if self.attributes is not None:
            parts.append(der.implicit(0, self.attributes))
        parts += [self.signature_identifier, der.octet_string(self.signature)]
        if self.unsigned is not None:
            parts.append(der.implicit(1, self.unsigned))
        return der.sequence(*parts)

    def stamped(self, token: bytes) -> "SignerInfo":
        """With a timestamp token (DER) over the signature as its unsigned attribute (RFC 3161 appendix A)."""
        return replace(self, unsigned=der.set_of([attribute(SIGNATURE_TIMESTAMP, token)]))

    @property
    def is_named_by_issuer(self) -> bool:
        """Whether the signer is identified by issuer and serial number, and not by a key identifier."""
        return self.sid[0] == der.SEQUENCE


@dataclass(frozen=True, slots=True)
class SignedData:
    """What a file of signatures says. `content` is None when the signatures are detached.

    `lists` are CRLs (DER) that somebody put in.
    """

    der: bytes = field(repr=False)
    version: int
    digest_identifiers: tuple[bytes, ...]
    content_type: str
    content: bytes | None = field(repr=False)
    certificates: tuple[Certificate, ...] = field(repr=False)
    lists: tuple[bytes, ...] = field(repr=False)
    signers: tuple[SignerInfo, ...]


def sign(
    certificate: Certificate,
    scheme: Scheme,
    message_digest: bytes,
    sign_octets: Sign,
    *,
    content_type: str = DATA,
    at: datetime | None = None,
    bind_certificate: bool = True,
) -> SignerInfo:
    """One signer over a content with this digest, which must be `scheme.digest`'s.

    `at` becomes the attribute signingTime, and `bind_certificate` puts an ESSCertIDv2 in.
    """
    bound = certificate if bind_certificate else None
    attributes = signed_attributes(content_type, message_digest, scheme, at=at, certificate=bound)
    signature = sign_octets(attributes)
    return SignerInfo(
        1, issuer_and_serial(certificate), scheme.digest.identifier, attributes, scheme.identifier, signature
    )


# Who signs many files is named, and sends the same certificates, in each.
@lru_cache(maxsize=256)
def issuer_and_serial(certificate: Certificate) -> bytes:
    """The DER of the IssuerAndSerialNumber by which a signer is named."""
    return der.sequence(certificate.issuer.der, der.integer(certificate.serial))


@lru_cache(maxsize=64)
def _bag(certificates: tuple[Certificate, ...]) -> bytes:
    """The field `certificates`."""
    return der.implicit(0, der.set_of([each.der for each in dict.fromkeys(certificates)]))


def encode(
    signers: Sequence[SignerInfo],
    certificates: Iterable[Certificate],
    *,
    content_type: str = DATA,
    content: bytes | None = None,
) -> bytes:
    """The DER of a ContentInfo with SignedData; without `content` the signatures are detached."""
    # RFC 5652 section 5.1.
    version = 1 if content_type == DATA and all(each.version == 1 for each in signers) else 3
    inside = [der.oid(content_type)]
    if content is not None:
        inside.append(der.explicit(0, der.octet_string(content)))
    parts = [
        der.integer(version),
        der.set_of({each.digest_identifier for each in signers}),
        der.sequence(*inside),
    ]
    given = tuple(certificates)
    if given:
        parts.append(_bag(given))
    parts.append(der.set_of([each.encode() for each in signers]))
    return der.sequence(der.oid(SIGNED_DATA), der.explicit(0, der.sequence(*parts)))


def read(data: bytes) -> SignedData:
    """The SignedData in a ContentInfo of at most 1 MiB, DER or one block of PEM (RFC 7468 section 9). Raises CmsError.

    Only the frame is judged here; `check` judges each signer, so that one that is wrong does not hide another.
    """
    try:
        return _read(_unwrap(data))
    except pem.PemError as error:
        raise CmsError(Fault.MALFORMED, f"it is not a CMS signature in DER or PEM: {error}") from None
    except der.DerError as error:
        raise CmsError(Fault.MALFORMED, f"it is not strict DER of a CMS signature: {error}") from None


def _unwrap(data: bytes) -> bytes:
    """The DER inside PEM, or the DER itself: a SEQUENCE of so many octets is no text."""
    if data[:1] == b"\x30" and data[1:2] >= b"\x80":
        return data
    blocks = pem.read_blocks(data)
    if len(blocks) != 1 or blocks[0].label not in _LABELS:
        raise pem.PemError("there is not exactly one block of type CMS")
    return blocks[0].der


def _read(data: bytes) -> SignedData:
    outer = der.only(data, der.SEQUENCE)
    kind = outer.oid()
    if kind != SIGNED_DATA:
        raise CmsError(Fault.NOT_SIGNED_DATA, f"it is CMS of type {kind}, not signed data")
    holder = outer.enter(0xA0)
    outer.end()
    inside = holder.enter(der.SEQUENCE)
    holder.end()
    version = inside.integer()
    digests = _each(inside.enter(der.SET), der.SEQUENCE)
    content_type, content = _read_content(inside.enter(der.SEQUENCE))
    certificates = _read_certificates(inside)
    lists = _each(inside.enter(0xA1), None) if inside.peek() == 0xA1 else ()
    infos = inside.enter(der.SET)
    inside.end()
    signers: list[SignerInfo] = []
    while infos.peek() is not None:
        if len(signers) == _MOST_SIGNERS:
            raise CmsError(Fault.MALFORMED, f"it has more than {_MOST_SIGNERS} signers")
        signers.append(_read_signer(infos.enter(der.SEQUENCE)))
    if not signers:
        raise CmsError(Fault.NO_SIGNER, "nobody signed it: it has no signer")
    wanted = 1 if content_type == DATA and all(each.version == 1 for each in signers) else 3
    if version != wanted:
        raise CmsError(Fault.VERSION, f"its version is not {wanted}, which its content calls for")
    return SignedData(
        der=data,
        version=version,
        digest_identifiers=digests,
        content_type=content_type,
        content=content,
        certificates=certificates,
        # Other forms of revocation information stand in context tags (RFC 5652 section 10.2.1).
        lists=tuple(each for each in lists if each[0] == der.SEQUENCE),
        signers=tuple(signers),
    )


def _each(reader: der.Reader, tag: int | None) -> tuple[bytes, ...]:
    """The complete values of a SET OF."""
    found: list[bytes] = []
    while reader.peek() is not None:
        if len(found) == _MOST_CERTIFICATES:
            raise der.DerError(f"a set with more than {_MOST_CERTIFICATES} members")
        found.append(reader.raw(tag))
    return tuple(found)


def _read_content(reader: der.Reader) -> tuple[str, bytes | None]:
    content_type = reader.oid()
    content = None
    if reader.peek() is not None:
        holder = reader.enter(0xA0)
        content = holder.read(der.OCTET_STRING)
        holder.end()
    reader.end()
    return content_type, content


def _read_certificates(reader: der.Reader) -> tuple[Certificate, ...]:
    if reader.peek() != 0xA0:
        return ()
    # Attribute certificates and other formats stand in context tags; no path is made of them.
    return tuple(_certificate(each) for each in _each(reader.enter(0xA0), None) if each[0] == der.SEQUENCE)


# Files that were signed together carry the same certificates.
_certificate = lru_cache(maxsize=128)(Certificate.parse)


def _read_signer(reader: der.Reader) -> SignerInfo:
    version = reader.integer()
    if reader.peek() not in (der.SEQUENCE, 0x80):
        raise der.DerError("a signer that is identified in an unknown way")
    sid = reader.raw()
    digest = reader.raw(der.SEQUENCE)
    attributes = _as_set(reader.raw()) if reader.peek() == 0xA0 else None
    algorithm = reader.raw(der.SEQUENCE)
    signature = reader.read(der.OCTET_STRING)
    unsigned = _as_set(reader.raw()) if reader.peek() == 0xA1 else None
    reader.end()
    return SignerInfo(version, sid, digest, attributes, algorithm, signature, unsigned)


def _as_set(raw: bytes) -> bytes:
    """The value with the tag of a SET in the place of its own, as it is signed (RFC 5652 section 5.4)."""
    return bytes((der.SET,)) + raw[1:]
