"""What a log keeps of an entry, and how it is handed out: tiles of entries and the structures of RFC 6962. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from greatseal.crypto.merkle import leaf_hash
from greatseal.x509 import sct
from greatseal.x509.sct import PRECERT_ENTRY, X509_ENTRY
from greatseal.x509.tls_encoding import EncodingError, TlsReader, vector

_FINGERPRINT = 32


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that may be logged: a chain that was checked.

    `entry` is type and content as an SCT signs them, `precertificate` is DER, or None when the chain begins with a
    final certificate, `issuers` are DER from the next issuer up to an accepted root.
    """

    entry: bytes
    precertificate: bytes | None
    issuers: tuple[bytes, ...]

    @property
    def identity(self) -> bytes:
        """What makes it the same when it is sent again."""
        return sha256(self.entry).digest()


@dataclass(frozen=True, slots=True)
class Leaf:
    """An entry of a log: TileLeaf of c2sp.org/static-ct-api. `chain` holds SHA-256 of the issuers."""

    timestamp: int
    entry: bytes
    extensions: bytes
    precertificate: bytes | None
    chain: tuple[bytes, ...]

    def encode(self) -> bytes:
        """The entry as a tile carries it."""
        return b"".join(
            (
                sct.timestamped_entry(self.timestamp, self.entry, self.extensions),
                b"" if self.precertificate is None else vector(self.precertificate, 3),
                vector(b"".join(self.chain), 2),
            )
        )

    @property
    def leaf_input(self) -> bytes:
        """The MerkleTreeLeaf, which the tree hashes."""
        return sct.tree_leaf(self.timestamp, self.entry, self.extensions)

    @property
    def hash(self) -> bytes:
        """The hash of the leaf in the tree."""
        return leaf_hash(self.leaf_input)

    def extra_data(self, issuer: Callable[[bytes], bytes]) -> bytes:
        """What RFC 6962 hands out beside the leaf (section 4.6). `issuer` gives a certificate by its fingerprint."""
        chain = vector(b"".join(vector(issuer(each), 3) for each in self.chain), 3)
        return chain if self.precertificate is None else vector(self.precertificate, 3) + chain


def read_tile(data: bytes) -> Iterator[Leaf]:
    """The entries of a tile, in their order. Raises EncodingError."""
    reader = TlsReader(data)
    while reader.more:
        timestamp, entry, extensions = _timestamped(reader)
        precertificate = reader.vector(3) if _type_of(entry) == PRECERT_ENTRY else None
        chain = reader.vector(2)
        if len(chain) % _FINGERPRINT:
            raise EncodingError("a chain that is not made of fingerprints")
        prints = tuple(chain[at : at + _FINGERPRINT] for at in range(0, len(chain), _FINGERPRINT))
        yield Leaf(timestamp, entry, extensions, precertificate, prints)


def read_leaf_input(data: bytes) -> tuple[int, bytes, bytes]:
    """Timestamp, entry and extensions of a MerkleTreeLeaf. Raises EncodingError, also for another version or type."""
    reader = TlsReader(data)
    if reader.octets(2) != b"\0\0":
        raise EncodingError("a leaf of an unknown version or type")
    found = _timestamped(reader)
    reader.end()
    return found


def content_of(entry: bytes) -> tuple[int, bytes]:
    """The type of an entry, and its certificate or TBSCertificate (DER). Raises EncodingError."""
    reader = TlsReader(entry)
    kind = reader.number(2)
    if kind == PRECERT_ENTRY:
        reader.octets(_FINGERPRINT)
    content = reader.vector(3)
    reader.end()
    return kind, content


def data_tile(leaves: Iterable[bytes]) -> bytes:
    """A tile of encoded entries."""
    return b"".join(leaves)


def fingerprints(certificates: Sequence[bytes]) -> tuple[bytes, ...]:
    """SHA-256 of each."""
    return tuple(sha256(each).digest() for each in certificates)


def _timestamped(reader: TlsReader) -> tuple[int, bytes, bytes]:
    timestamp, kind = reader.number(8), reader.octets(2)
    number = int.from_bytes(kind, "big")
    if number == X509_ENTRY:
        entry = kind + vector(reader.vector(3), 3)
    elif number == PRECERT_ENTRY:
        entry = kind + reader.octets(_FINGERPRINT) + vector(reader.vector(3), 3)
    else:
        raise EncodingError(f"an entry of the unknown type {number}")
    return timestamp, entry, reader.vector(2)


def _type_of(entry: bytes) -> int:
    return int.from_bytes(entry[:2], "big")
