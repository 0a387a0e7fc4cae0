"""Checkpoints as signed notes (c2sp.org/tlog-checkpoint, c2sp.org/signed-note), so that other programs read them.

    greatseal/audit/6e1c…                          origin: which log this is
    20852163                                       size: how many records it holds
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=   the root of its Merkle tree
    time 2026-01-15T12:00:00.000000Z               when it was signed (an extension line)

    — greatseal/audit/6e1c… BASE64                 four octets of key id, then ECDSA over all up to the empty line

Signature type 0x02: the key id is the start of the SHA-256 of the SubjectPublicKeyInfo. Pure.
"""

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from greatseal.crypto import signature, signed_note
from greatseal.crypto.algorithms import KeyAlgorithm, SignatureAlgorithm
from greatseal.crypto.keypair import UnusableKey
from greatseal.crypto.merkle import HASH_SIZE
from greatseal.crypto.signature import Signer
from greatseal.crypto.signed_note import NoteSignature

_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
_ALGORITHM = SignatureAlgorithm.SHA256WITHECDSA
_BODY = re.compile(
    r"(?P<origin>[^\s+]+)\n(?P<size>0|[1-9][0-9]{0,18})\n(?P<root>[A-Za-z0-9+/]{43}=)\ntime (?P<time>[0-9T:.Z-]+)\n"
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint says: at `at`, the log `origin` had `size` records and this root."""

    origin: str
    size: int
    root: bytes
    at: datetime

    @property
    def body(self) -> str:
        """The text that is signed."""
        root = base64.b64encode(self.root).decode("ascii")
        return f"{self.origin}\n{self.size}\n{root}\ntime {self.at.astimezone(UTC).strftime(_TIME)}\n"


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint and its signatures by key id; each says (key id, signature)."""

    checkpoint: Checkpoint
    signatures: tuple[tuple[bytes, bytes], ...]

    def signed_by(self, spki: bytes) -> bool:
        """Whether the key (DER of its SubjectPublicKeyInfo) signed this."""
        data = self.checkpoint.body.encode()
        try:
            return any(
                name == key_id(spki) and signature.verify(spki, _ALGORITHM, signed, data)
                for name, signed in self.signatures
            )
        except UnusableKey:
            return False


def key_id(spki: bytes) -> bytes:
    """The four octets by which a signature names its key."""
    return sha256(spki).digest()[:4]


def sign(checkpoint: Checkpoint, signer: Signer) -> str:
    """The signed note. Raises ValueError for a key of another kind, or one that signs wrongly."""
    if signer.algorithm is not KeyAlgorithm.EC_prime256v1:
        raise ValueError("checkpoints are signed with ECDSA on P-256")
    signed = signer.sign(checkpoint.body.encode(), _ALGORITHM)
    if not signature.verify(signer.spki, _ALGORITHM, signed, checkpoint.body.encode()):
        # A token may return anything (faults.md 66).
        raise ValueError("the signature over the checkpoint does not verify")
    return signed_note.write(checkpoint.body, [NoteSignature(checkpoint.origin, key_id(signer.spki), signed)])


def parse(note: str) -> SignedCheckpoint:
    """Raises ValueError for anything but a checkpoint as we write it, with signatures by whom ever."""
    body, signatures = signed_note.parse(note)
    found = _BODY.fullmatch(body)
    if found is None:
        raise ValueError("the text is not a signed checkpoint")
    at = datetime.strptime(found["time"], _TIME).replace(tzinfo=UTC)
    root = base64.b64decode(found["root"], validate=True)
    checkpoint = Checkpoint(found["origin"], int(found["size"]), root, at)
    if checkpoint.body != body or len(root) != HASH_SIZE:
        raise ValueError("the checkpoint is not in its canonical form")
    ours = tuple((each.key_id, each.signature) for each in signatures if each.name == checkpoint.origin)
    return SignedCheckpoint(checkpoint, ours)
