"""Signed notes (c2sp.org/signed-note): a text, an empty line, and a line for each signature. Pure.

What a signature is made of is the matter of its type; here are the frame and the names of keys.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

_NOTE = re.compile("(?P<text>(?:[^\\n]*\\n)+?)\\n(?P<signatures>(?:\u2014 [^\\s+]+ [A-Za-z0-9+/]+={0,2}\\n)+)")
_LARGEST = 64 * 1024
_KEY_ID = 4


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """A signature by the key that `name` and the four octets of `key_id` name together."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def line(self) -> str:
        """The line of the note, with its end."""
        return f"\u2014 {self.name} {base64.b64encode(self.key_id + self.signature).decode('ascii')}\n"


def key_id(name: str, kind: int, key: bytes) -> bytes:
    """The recommended name of a key: of its name, the type of its signatures and its encoding."""
    return sha256(name.encode() + b"\n" + bytes((kind,)) + key).digest()[:_KEY_ID]


def write(text: str, signatures: Sequence[NoteSignature]) -> str:
    """The note. `text` ends with a line break."""
    return text + "\n" + "".join(each.line for each in signatures)


def parse(note: str) -> tuple[str, tuple[NoteSignature, ...]]:
    """The text that is signed, and the signatures by whom ever. Raises ValueError."""
    found = _NOTE.fullmatch(note) if len(note) <= _LARGEST else None
    if found is None or any(ord(each) < 0x20 and each != "\n" for each in note):
        raise ValueError("the text is not a signed note")
    signatures = []
    for line in found["signatures"].splitlines():
        _, name, text = line.split(" ")
        raw = base64.b64decode(text, validate=True)
        if len(raw) > _KEY_ID:
            signatures.append(NoteSignature(name, raw[:_KEY_ID], raw[_KEY_ID:]))
    return found["text"], tuple(signatures)
