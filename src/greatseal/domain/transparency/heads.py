"""Tree heads: what a log signs about its tree, as RFC 6962 has it and as a checkpoint (c2sp.org/static-ct-api). Pure.

    log.example.com/ct/alder                       origin: which log this is
    20852163                                       size: how many entries it holds
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=   the root of its Merkle tree

    — log.example.com/ct/alder BASE64              four octets of key id, a timestamp, the signature of RFC 6962

One signature serves both forms, so that neither can say what the other does not.
"""

import base64
import re
from dataclasses import dataclass

from greatseal.crypto import signature, signed_note
from greatseal.crypto.algorithms import KeyAlgorithm, SignatureAlgorithm
from greatseal.crypto.keypair import UnusableKey
from greatseal.crypto.merkle import HASH_SIZE
from greatseal.crypto.signature import Signer
from greatseal.crypto.signed_note import NoteSignature
from greatseal.x509.sct import SHA256_ECDSA, SHA256_RSA, log_id_of
from greatseal.x509.tls_encoding import EncodingError, TlsReader, vector

_NOTE_TYPE = 0x05
_ALGORITHMS = {SHA256_ECDSA: SignatureAlgorithm.SHA256WITHECDSA, SHA256_RSA: SignatureAlgorithm.SHA256WITHRSA}
_BODY = re.compile(r"(?P<origin>[^\s+]+)\n(?P<size>0|[1-9][0-9]{0,18})\n(?P<root>[A-Za-z0-9+/]{43}=)\n")


@dataclass(frozen=True, slots=True)
class TreeHead:
    """A tree of `size` entries with this root, at `timestamp`: milliseconds since 1970."""

    size: int
    root: bytes
    timestamp: int

    @property
    def signed_data(self) -> bytes:
        """What is signed (RFC 6962 section 3.5): version 1, type tree_hash, time, size, root."""
        return b"\0\1" + self.timestamp.to_bytes(8, "big") + self.size.to_bytes(8, "big") + self.root


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A tree head and the signature over it. `algorithm` is two octets as of TLS 1.2."""

    head: TreeHead
    signature: bytes
    algorithm: bytes = SHA256_ECDSA

    @classmethod
    def of(cls, head: TreeHead, digitally_signed: bytes) -> "SignedHead":
        """From the TreeHeadSignature as logs send it. Raises EncodingError."""
        reader = TlsReader(digitally_signed)
        algorithm, signed = reader.octets(2), reader.vector(2)
        reader.end()
        return cls(head, signed, algorithm)

    @property
    def digitally_signed(self) -> bytes:
        """The TreeHeadSignature as logs send it."""
        return self.algorithm + vector(self.signature, 2)

    def signed_by(self, spki: bytes) -> bool:
        """Whether the log with this key (DER) signed. Unknown algorithms and keys: False."""
        algorithm = _ALGORITHMS.get(self.algorithm)
        try:
            return algorithm is not None and signature.verify(spki, algorithm, self.signature, self.head.signed_data)
        except UnusableKey:
            return False


def sign(head: TreeHead, signer: Signer) -> SignedHead:
    """Raises ValueError for a key that is not ECDSA on P-256, or that signs wrongly."""
    if signer.algorithm is not KeyAlgorithm.EC_prime256v1:
        raise ValueError("tree heads are signed with ECDSA on P-256")
    signed = SignedHead(head, signer.sign(head.signed_data, SignatureAlgorithm.SHA256WITHECDSA))
    if not signed.signed_by(signer.spki):
        raise ValueError("the signature over the tree head does not verify")
    return signed


def checkpoint(origin: str, spki: bytes, signed: SignedHead) -> str:
    """The tree head as a signed note."""
    head = signed.head
    body = f"{origin}\n{head.size}\n{base64.b64encode(head.root).decode('ascii')}\n"
    blob = head.timestamp.to_bytes(8, "big") + signed.digitally_signed
    return signed_note.write(body, [NoteSignature(origin, _key_id(origin, spki), blob)])


def read_checkpoint(note: str, origin: str, spki: bytes) -> SignedHead:
    """What the log with this key says in a note. Raises ValueError, also when it did not sign the note.

    Signatures of others, as of witnesses, are passed over.
    """
    body, signatures = signed_note.parse(note)
    found = _BODY.fullmatch(body)
    if found is None or found["origin"] != origin:
        raise ValueError(f"the note is not a checkpoint of {origin}")
    root = base64.b64decode(found["root"], validate=True)
    if len(root) != HASH_SIZE or base64.b64encode(root).decode("ascii") != found["root"]:
        raise ValueError("the root of the checkpoint is not in its canonical form")
    for each in signatures:
        if (each.name, each.key_id) != (origin, _key_id(origin, spki)):
            continue
        reader = TlsReader(each.signature)
        try:
            head = TreeHead(int(found["size"]), root, reader.number(8))
            signed = SignedHead.of(head, reader.rest())
        except EncodingError as error:
            raise ValueError(f"the signature of the checkpoint cannot be read: {error}") from None
        if not signed.signed_by(spki):
            raise ValueError("the signature of the checkpoint does not verify")
        return signed
    raise ValueError(f"the checkpoint is not signed by {origin}")


def head_members(signed: SignedHead) -> dict[str, int | str]:
    """A tree head as get-sth tells it (RFC 6962 section 4.3)."""
    return {
        "tree_size": signed.head.size,
        "timestamp": signed.head.timestamp,
        "sha256_root_hash": base64.b64encode(signed.head.root).decode("ascii"),
        "tree_head_signature": base64.b64encode(signed.digitally_signed).decode("ascii"),
    }


def _key_id(origin: str, spki: bytes) -> bytes:
    return signed_note.key_id(origin, _NOTE_TYPE, log_id_of(spki))
