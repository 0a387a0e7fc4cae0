"""Timestamps: requests, responses and what a token says, encoded and read strictly (RFC 3161, RFC 5816).

A token is CMS signed data around a TSTInfo (`x509.cms`); whose it is and whether it is trusted is judged elsewhere.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from greatseal.x509 import cms, der
from greatseal.x509.cms import CmsError, Digest, SignedData

GRANTED, GRANTED_WITH_MODS, REJECTION = 0, 1, 2
BAD_ALG, BAD_REQUEST, BAD_DATA_FORMAT, TIME_NOT_AVAILABLE = 0, 2, 5, 14
UNACCEPTED_POLICY, UNACCEPTED_EXTENSION, ADD_INFO_NOT_AVAILABLE, SYSTEM_FAILURE = 15, 16, 17, 25
"""Bits of PKIFailureInfo (RFC 3161 section 2.4.2)."""

MAX_REQUEST = 16 * 1024
_TIME = re.compile(rb"(\d{14})(?:\.(\d{0,5}[1-9]))?Z")
_MOST_NONCE = 64


class TimestampError(ValueError):
    """Octets that are no request, response or token. The message is a sentence without a full stop."""


@dataclass(frozen=True, slots=True)
class Imprint:
    """The digest of what is stamped; `identifier` is its AlgorithmIdentifier (DER), as it was written."""

    identifier: bytes
    octets: bytes

    @classmethod
    def of(cls, digest: Digest, data: bytes) -> "Imprint":
        """The imprint of octets that are at hand."""
        return cls(digest.identifier, digest.of(data))

    def encode(self) -> bytes:
        """The DER of the MessageImprint."""
        return der.sequence(self.identifier, der.octet_string(self.octets))

    @property
    def digest(self) -> Digest:
        """The digest, of the right length. Raises CmsError, also for a weak or unknown one."""
        found = cms.read_digest(self.identifier)
        if len(self.octets) != found.size:
            raise CmsError(cms.Fault.DIGEST_LENGTH, f"the imprint is not as long as a digest of {found.name}")
        return found


@dataclass(frozen=True, slots=True)
class TimestampRequest:
    """A TimeStampReq. `policy` is a dotted OID; `extensions` is true when there are any."""

    imprint: Imprint
    policy: str | None = None
    nonce: int | None = None
    certificates: bool = False
    extensions: bool = False

    def encode(self) -> bytes:
        """The DER of the request."""
        parts = [der.integer(1), self.imprint.encode()]
        if self.policy is not None:
            parts.append(der.oid(self.policy))
        if self.nonce is not None:
            parts.append(der.integer(self.nonce))
        if self.certificates:
            parts.append(der.boolean(True))
        return der.sequence(*parts)

    @classmethod
    def parse(cls, data: bytes) -> "TimestampRequest":
        """The request whose DER is `data`. Raises TimestampError."""
        try:
            reader = der.only(data, der.SEQUENCE, MAX_REQUEST)
            if reader.integer() != 1:
                raise der.DerError("its version is not 1")
            imprint = _read_imprint(reader)
            policy = reader.oid() if reader.peek() == der.OBJECT_IDENTIFIER else None
            nonce = _read_nonce(reader)
            certificates = reader.peek() == der.BOOLEAN
            if certificates and not reader.boolean():
                raise der.DerError("it spells out the default of certReq")
            extensions = reader.peek() == 0xA0
            if extensions:
                reader.raw(0xA0)
            reader.end()
        except der.DerError as error:
            raise TimestampError(f"the timestamp request is malformed: {error}") from None
        return cls(imprint, policy, nonce, certificates, extensions)


@dataclass(frozen=True, slots=True)
class TstInfo:
    """What a token says: when the authority had seen the imprint. `at` is aware and in UTC."""

    policy: str
    imprint: Imprint
    serial: int
    at: datetime
    accuracy: timedelta | None = None
    ordering: bool = False
    nonce: int | None = None

    def encode(self) -> bytes:
        """The DER of the TSTInfo; the time has the fraction that `at` has, without trailing zeros (section 2.4.2)."""
        parts = [
            der.integer(1),
            der.oid(self.policy),
            self.imprint.encode(),
            der.integer(self.serial),
            _encode_time(self.at),
        ]
        if self.accuracy is not None:
            parts.append(_encode_accuracy(self.accuracy))
        if self.ordering:
            parts.append(der.boolean(True))
        if self.nonce is not None:
            parts.append(der.integer(self.nonce))
        return der.sequence(*parts)

    @classmethod
    def parse(cls, data: bytes) -> "TstInfo":
        """The TSTInfo whose DER is `data`. Raises TimestampError."""
        try:
            reader = der.only(data, der.SEQUENCE)
            if reader.integer() != 1:
                raise der.DerError("its version is not 1")
            policy = reader.oid()
            imprint = _read_imprint(reader)
            serial = reader.integer()
            at = _read_time(reader.read(der.GENERALIZED_TIME))
            accuracy = _read_accuracy(reader.enter(der.SEQUENCE)) if reader.peek() == der.SEQUENCE else None
            ordering = reader.peek() == der.BOOLEAN
            if ordering and not reader.boolean():
                raise der.DerError("it spells out the default of ordering")
            nonce = _read_nonce(reader)
            # The authority's name is a hint (section 2.4.2); its certificate says who it is.
            if reader.peek() == 0xA0:
                reader.raw(0xA0)
            if reader.peek() == 0xA1:
                raise der.DerError("it has extensions, and none is understood")
            reader.end()
        except der.DerError as error:
            raise TimestampError(f"the timestamp is malformed: {error}") from None
        return cls(policy, imprint, serial, at, accuracy, ordering, nonce)


@dataclass(frozen=True, slots=True)
class TimestampResponse:
    """A TimeStampResp: a token (DER), or why there is none. `failure` is a bit of PKIFailureInfo."""

    status: int
    token: bytes | None = None
    texts: tuple[str, ...] = ()
    failure: int | None = None

    def encode(self) -> bytes:
        """The DER of the response."""
        info = [der.integer(self.status)]
        if self.texts:
            info.append(der.sequence(*(der.utf8(text) for text in self.texts)))
        if self.failure is not None:
            size = self.failure // 8 + 1
            octets = bytearray(size)
            octets[-1] = 0x80 >> self.failure % 8
            info.append(der.bit_string(bytes(octets), 7 - self.failure % 8))
        parts = [der.sequence(*info)]
        if self.token is not None:
            parts.append(self.token)
        return der.sequence(*parts)

    @classmethod
    def parse(cls, data: bytes) -> "TimestampResponse":
        """The response whose DER is `data`. Raises TimestampError."""
        try:
            reader = der.only(data, der.SEQUENCE)
            info = reader.enter(der.SEQUENCE)
            token = reader.raw(der.SEQUENCE) if reader.peek() is not None else None
            reader.end()
            status = info.integer()
            texts: list[str] = []
            if info.peek() == der.SEQUENCE:
                holder = info.enter(der.SEQUENCE)
                while holder.peek() is not None:
                    texts.append(holder.read(der.UTF8_STRING).decode("utf-8", "replace"))
            failure = None
            if info.peek() == der.BIT_STRING:
                octets, _ = info.bit_string()
                bits = (at for at in range(len(octets) * 8) if octets[at // 8] & 0x80 >> at % 8)
                failure = next(bits, None)
            info.end()
        except der.DerError as error:
            raise TimestampError(f"the timestamp response is malformed: {error}") from None
        granted = status in (GRANTED, GRANTED_WITH_MODS)
        if granted != (token is not None):
            raise TimestampError(f"the timestamp response of status {status} is not whole")
        return cls(status, token, tuple(texts), failure)


def read_token(token: bytes) -> tuple[SignedData, TstInfo]:
    """The signed data of a token and what it says; whether the signature holds is not looked at.

    Raises TimestampError and CmsError. A token has one signer, that of the authority (section 2.4.2).
    """
    signed = cms.read(token)
    if signed.content_type != cms.TST_INFO or signed.content is None:
        raise TimestampError(f"it is not a timestamp: its content is of type {signed.content_type}")
    if len(signed.signers) != 1:
        raise TimestampError(f"the timestamp has {len(signed.signers)} signers, and one is its authority")
    return signed, TstInfo.parse(signed.content)


def _read_imprint(reader: der.Reader) -> Imprint:
    inside = reader.enter(der.SEQUENCE)
    identifier = inside.raw(der.SEQUENCE)
    octets = inside.read(der.OCTET_STRING)
    inside.end()
    return Imprint(identifier, octets)


def _read_nonce(reader: der.Reader) -> int | None:
    if reader.peek() != der.INTEGER:
        return None
    content = reader.read(der.INTEGER)
    if len(content) > _MOST_NONCE:
        raise der.DerError(f"a nonce of more than {_MOST_NONCE} octets")
    return der.decode_integer(content)


def _encode_time(at: datetime) -> bytes:
    moment = at.astimezone(UTC)
    fraction = f".{moment.microsecond:06}".rstrip("0").rstrip(".")
    return der.tlv(der.GENERALIZED_TIME, f"{moment:%Y%m%d%H%M%S}{fraction}Z".encode())


def _read_time(content: bytes) -> datetime:
    found = _TIME.fullmatch(content)
    if found is None:
        raise der.DerError("a time that is not in the form of RFC 3161")
    whole = der.decode_time(der.GENERALIZED_TIME, found[1] + b"Z")
    return whole + timedelta(microseconds=int((found[2] or b"").ljust(6, b"0")))


def _encode_accuracy(accuracy: timedelta) -> bytes:
    seconds = accuracy // timedelta(seconds=1)
    millis, micros = divmod(accuracy.microseconds, 1000)
    parts = [der.integer(seconds)] if seconds else []
    if millis:
        parts.append(der.implicit(0, der.integer(millis)))
    if micros:
        parts.append(der.implicit(1, der.integer(micros)))
    return der.sequence(*parts)


def _read_accuracy(reader: der.Reader) -> timedelta:
    seconds = reader.integer() if reader.peek() == der.INTEGER else 0
    parts = [der.decode_integer(found) if (found := reader.optional(tag)) is not None else None for tag in (0x80, 0x81)]
    reader.end()
    if not 0 <= seconds <= 86400 or any(part is not None and not 1 <= part <= 999 for part in parts):
        raise der.DerError("an accuracy that no clock has")
    return timedelta(seconds=seconds, milliseconds=parts[0] or 0, microseconds=parts[1] or 0)
