"""Signed certificate timestamps, what they sign, and how a certificate carries them (RFC 6962 section 3). Pure.

A log promises with an SCT that an entry is in it. The entry of a precertificate is the to-be-signed part of the
certificate without the poison, so that it can be computed from the certificate as well, without its list of SCTs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from greatseal.crypto import signature as signatures
from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.crypto.keypair import UnusableKey
from greatseal.x509 import der
from greatseal.x509.certificate import Certificate
from greatseal.x509.extensions import OID, Extension
from greatseal.x509.extensions.model import parse_extensions
from greatseal.x509.tls_encoding import EncodingError, TlsReader, vector

POISON = Extension(OID.CT_POISON, True, der.null())
"""What makes a precertificate useless to everybody but a log (section 3.1)."""

SHA256_ECDSA = b"\x04\x03"
SHA256_RSA = b"\x04\x01"
"""SignatureAndHashAlgorithm of TLS 1.2; logs have no others (section 2.1.4)."""
X509_ENTRY, PRECERT_ENTRY = 0, 1
"""LogEntryType."""

_ALGORITHMS = {SHA256_ECDSA: SignatureAlgorithm.SHA256WITHECDSA, SHA256_RSA: SignatureAlgorithm.SHA256WITHRSA}
_V1 = 0
_EXTENSIONS = 0xA3
_LEAF_INDEX = 0
_LEAF_INDEX_OCTETS = 5

_Raw = list[tuple[str, bytes]]
"""Extensions of a certificate: the OID of each, and its octets."""


@dataclass(frozen=True, slots=True)
class Sct:
    """One timestamp of version 1. `timestamp` is in milliseconds since 1970; `algorithm` two octets as of TLS 1.2."""

    log_id: bytes
    timestamp: int
    extensions: bytes
    signature: bytes
    algorithm: bytes = SHA256_ECDSA

    @classmethod
    def parse(cls, data: bytes) -> "Sct":
        """The SCT that `data` is, completely. Raises EncodingError, also for another version."""
        reader = TlsReader(data)
        if reader.number(1) != _V1:
            raise EncodingError("an SCT of an unknown version")
        found = cls(
            log_id=reader.octets(32),
            timestamp=reader.number(8),
            extensions=reader.vector(2),
            algorithm=reader.octets(2),
            signature=reader.vector(2),
        )
        reader.end()
        return found

    def encode(self) -> bytes:
        """The SCT as logs and certificates carry it."""
        return b"".join(
            (
                bytes((_V1,)),
                self.log_id,
                self.timestamp.to_bytes(8, "big"),
                vector(self.extensions, 2),
                self.algorithm,
                vector(self.signature, 2),
            )
        )


def log_id_of(spki: bytes) -> bytes:
    """The name of a log: SHA-256 of its key's SubjectPublicKeyInfo (DER)."""
    return sha256(spki).digest()


def certificate_entry(certificate: bytes) -> bytes:
    """Type and content of the entry of a final certificate (DER)."""
    return X509_ENTRY.to_bytes(2, "big") + vector(certificate, 3)


def precertificate_entry(issuer_spki: bytes, tbs: bytes) -> bytes:
    """Type and content of the entry of a precertificate, or of the certificate that came of it: both give the same.

    `tbs` is the TBSCertificate of either; poison and SCTs are taken out here. Raises DerError.
    """
    return _precertificate_entry(issuer_spki, *_opened(tbs))


def precertificate_entry_of(issuer_spki: bytes, certificate: Certificate) -> bytes:
    """As `precertificate_entry`, of a certificate that was read, in a third of the time."""
    return _precertificate_entry(issuer_spki, *_opened(certificate.tbs, certificate.extensions))


def _precertificate_entry(issuer_spki: bytes, head: bytes, extensions: _Raw) -> bytes:
    bare = _closed(head, [raw for oid, raw in extensions if oid not in (OID.CT_POISON, OID.CT_SCTS)])
    return PRECERT_ENTRY.to_bytes(2, "big") + sha256(issuer_spki).digest() + vector(bare, 3)


def timestamped_entry(timestamp: int, entry: bytes, extensions: bytes) -> bytes:
    """TimestampedEntry: the part that a leaf of the log and the signature of an SCT have in common."""
    return timestamp.to_bytes(8, "big") + entry + vector(extensions, 2)


def tree_leaf(timestamp: int, entry: bytes, extensions: bytes) -> bytes:
    """MerkleTreeLeaf: what the log hashes (section 3.4). Version 1, type timestamped_entry."""
    return b"\0\0" + timestamped_entry(timestamp, entry, extensions)


def signed_data(timestamp: int, entry: bytes, extensions: bytes) -> bytes:
    """What the signature of an SCT covers (section 3.2). Version 1, type certificate_timestamp."""
    return b"\0\0" + timestamped_entry(timestamp, entry, extensions)


def verify(sct: Sct, log_spki: bytes, entry: bytes) -> bool:
    """Whether the log with this key (DER) made the SCT for this entry. Unknown algorithms and keys: False."""
    algorithm = _ALGORITHMS.get(sct.algorithm)
    if algorithm is None or sct.log_id != log_id_of(log_spki):
        return False
    try:
        return signatures.verify(log_spki, algorithm, sct.signature, signed_data(sct.timestamp, entry, sct.extensions))
    except UnusableKey:
        return False


def sct_list(scts: Sequence[bytes]) -> Extension:
    """The extension of a certificate with encoded SCTs in this order (section 3.3); at least one."""
    if not scts:
        raise EncodingError("a list of no SCTs")
    return Extension(OID.CT_SCTS, False, der.octet_string(vector(b"".join(vector(sct, 2) for sct in scts), 2)))


def read_sct_list(extension: Extension) -> tuple[Sct, ...]:
    """The SCTs of version 1; others are passed over, as clients must. Raises DerError and EncodingError."""
    outer = der.Reader(extension.value)
    whole = TlsReader(outer.read(der.OCTET_STRING))
    outer.end()
    inside = TlsReader(whole.vector(2))
    whole.end()
    if not inside.more:
        raise EncodingError("a list of no SCTs")
    found = []
    while inside.more:
        data = inside.vector(2)
        if data[:1] == bytes((_V1,)):
            found.append(Sct.parse(data))
    return tuple(found)


def leaf_index_extension(index: int) -> bytes:
    """The extensions of an SCT that say where its entry is (c2sp.org/static-ct-api): type 0, five octets."""
    return bytes((_LEAF_INDEX,)) + vector(index.to_bytes(_LEAF_INDEX_OCTETS, "big"), 2)


def read_leaf_index(extensions: bytes) -> int | None:
    """Where the entry is; None when the SCT does not say. Raises EncodingError."""
    reader, found = TlsReader(extensions), None
    while reader.more:
        kind, data = reader.number(1), reader.vector(2)
        if kind == _LEAF_INDEX:
            if len(data) != _LEAF_INDEX_OCTETS or found is not None:
                raise EncodingError("a leaf index that is not five octets, or a second one")
            found = int.from_bytes(data, "big")
    return found


def without(tbs: bytes, *oids: str) -> bytes:
    """The TBSCertificate without these extensions, every other octet but for lengths as it was. Raises DerError."""
    head, extensions = _opened(tbs)
    return _closed(head, [raw for oid, raw in extensions if oid not in oids])


def with_extension(tbs: bytes, extension: Extension) -> bytes:
    """The TBSCertificate with one more extension behind the others. Raises DerError when it has it already."""
    head, extensions = _opened(tbs)
    if any(oid == extension.oid for oid, _ in extensions):
        raise der.DerError(f"extension {extension.oid} is there already")
    return _closed(head, [*(raw for _, raw in extensions), extension.encode()])


def _opened(tbs: bytes, known: Sequence[Extension] | None = None) -> tuple[bytes, _Raw]:
    """What stands before the extensions, and the OID of each extension with its octets as they are.

    `known` are the extensions of this very part, when they were read before.
    """
    inside = der.only(tbs, der.SEQUENCE)
    head: list[bytes] = []
    extensions: _Raw = []
    while (tag := inside.peek()) is not None:
        if tag != _EXTENSIONS:
            head.append(inside.raw())
            continue
        holder = inside.enter(_EXTENSIONS)
        whole = holder.raw(der.SEQUENCE)
        holder.end()
        inside.end()
        reader = der.only(whole, der.SEQUENCE)
        # Twice the same would mean that one of them is not seen: reading them refuses that.
        extensions = [(each.oid, reader.raw(der.SEQUENCE)) for each in known or parse_extensions(whole)]
        reader.end()
    return b"".join(head), extensions


def _closed(head: bytes, extensions: Sequence[bytes]) -> bytes:
    # Extensions ::= SEQUENCE SIZE (1..MAX): an empty list is left out altogether.
    return der.sequence(head, der.explicit(3, der.sequence(*extensions)) if extensions else b"")
