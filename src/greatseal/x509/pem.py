"""PEM as the world writes it, read in linear time; PEM as the service writes it (RFC 7468; acm-pca.md 6.5).

Accepted: text and bag attributes around blocks, CRLF, blanks and TABs, no line ends at all, byte order
marks, UTF-16 as Windows saves it. Refused: a block that is not closed, base64 that is not base64.
"""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass

_BEGIN, _END, _DASHES = b"-----BEGIN ", b"-----END ", b"-----"
_MAX_LABEL = 80
_COLUMNS = 64
_WHITE = b" \t\r\n\v\f"
_PRINTABLE = bytes(range(0x20, 0x7F))


class PemError(ValueError):
    """Text that is not PEM. The message is the end of a sentence."""


@dataclass(frozen=True, slots=True)
class PemBlock:
    """One block: label, decoded content, and the headers of RFC 1421 that legacy encrypted keys carry."""

    label: str
    der: bytes
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def is_encrypted(self) -> bool:
        """Whether the content is a private key under a passphrase, in the old form or in PKCS#8."""
        return self.label == "ENCRYPTED PRIVATE KEY" or any(name == "DEK-Info" for name, _ in self.headers)


def read_blocks(data: bytes, *, skip: Iterable[str] = ("EC PARAMETERS", "DH PARAMETERS")) -> tuple[PemBlock, ...]:
    """All blocks in their order, without those whose label is in `skip`. Raises PemError.

    OpenSSL puts a block with the curve before an EC key; it says nothing that the key does not.
    """
    text = _as_ascii(data)
    skipped = frozenset(skip)
    blocks: list[PemBlock] = []
    position = 0
    while (start := text.find(_BEGIN, position)) >= 0:
        _check_gap(text[position:start])
        label, body_start = _label(text, start)
        closing = _END + label.encode("ascii") + _DASHES
        # The next line of dashes must be this block's own; otherwise it is not closed.
        body_end = text.find(_DASHES, body_start)
        if body_end < 0 or not text.startswith(closing, body_end):
            raise PemError(f"the PEM block {label} has no matching END line")
        position = body_end + len(closing)
        if label not in skipped:
            blocks.append(_decode(label, text[body_start:body_end]))
    _check_gap(text[position:])
    return tuple(blocks)


def _as_ascii(data: bytes) -> bytes:
    """The text in an encoding that keeps ASCII; UTF-16 is known by its byte order mark."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return data.decode("utf-16").encode()
        except UnicodeError:
            raise PemError("the text is broken UTF-16") from None
    return data


def _check_gap(gap: bytes) -> None:
    """Refuses a damaged line of dashes between blocks: passing over it would lose a block silently."""
    if b"--BEGIN " in gap or b"--END " in gap:
        raise PemError("a BEGIN or END line outside of a PEM block is damaged")


def _label(text: bytes, start: int) -> tuple[str, int]:
    """The label of the BEGIN line at `start` and where the body starts."""
    begin = start + len(_BEGIN)
    end = text.find(_DASHES, begin, begin + _MAX_LABEL + len(_DASHES))
    label = text[begin:end] if end >= 0 else b""
    if not label or label.translate(None, _PRINTABLE):
        raise PemError("a BEGIN line has no label or does not end in dashes")
    return label.decode("ascii"), end + len(_DASHES)


def _decode(label: str, body: bytes) -> PemBlock:
    headers: list[tuple[str, str]] = []
    if b":" in body:
        # Headers end with an empty line (RFC 1421 section 4.4).
        lines = body.splitlines()
        while lines and not lines[0].strip():
            del lines[0]
        count = next((at for at, line in enumerate(lines) if not line.strip()), None)
        if count is None:
            raise PemError(f"the headers of the PEM block {label} do not end")
        for line in lines[:count]:
            name, _, value = line.decode("latin-1").partition(":")
            headers.append((name.strip(), value.strip()))
        body = b"".join(lines[count:])
    packed = body.translate(None, _WHITE)
    try:
        content = base64.b64decode(packed, validate=True)
    except binascii.Error:
        raise PemError(f"the content of the PEM block {label} is not base64") from None
    if not content:
        raise PemError(f"the PEM block {label} is empty")
    return PemBlock(label, content, tuple(headers))


def write(label: str, content: bytes) -> str:
    """One block: 64 columns, `\\n`, no newline at the end, exactly as the service prints it (acm-pca.md 6.5)."""
    text = base64.b64encode(content).decode("ascii")
    lines = [text[at : at + _COLUMNS] for at in range(0, len(text), _COLUMNS)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----"])


def join(blocks: Iterable[str]) -> str:
    """Written blocks one after the other, with one `\\n` between them and none at the end."""
    return "\n".join(blocks)


def write_certificates(certificates: Iterable[bytes]) -> str:
    """A chain of certificates (DER) as PEM, in the given order."""
    return join(write("CERTIFICATE", certificate) for certificate in certificates)
