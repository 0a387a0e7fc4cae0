"""Checks of RFC 6962 written from the RFC alone, with other libraries: nothing of Greatseal is imported here."""

import base64
from hashlib import sha256

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

POISON = "1.3.6.1.4.1.11129.2.4.3"
SCTS = "1.3.6.1.4.1.11129.2.4.2"


def h_leaf(data: bytes) -> bytes:
    return sha256(b"\0" + data).digest()


def h_node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def split(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(hashed: list[bytes]) -> bytes:
    """The Merkle tree hash over leaf hashes (section 2.1)."""
    if not hashed:
        return sha256(b"").digest()
    if len(hashed) == 1:
        return hashed[0]
    k = split(len(hashed))
    return h_node(mth(hashed[:k]), mth(hashed[k:]))


def root_from_path(m: int, n: int, leaf: bytes, path: list[bytes]) -> bytes:
    """The root that an audit path leads to (section 2.1.1), from the top down."""
    if n == 1:
        assert path == []
        return leaf
    k = split(n)
    if m < k:
        return h_node(root_from_path(m, k, leaf, path[:-1]), path[-1])
    return h_node(path[-1], root_from_path(m - k, n - k, leaf, path[:-1]))


def roots_from_consistency(m: int, n: int, proof: list[bytes], old: bytes) -> tuple[bytes, bytes]:
    """The roots of both trees that a consistency proof leads to (section 2.1.2)."""
    left = list(proof)

    def subproof(m: int, n: int, whole: bool) -> tuple[bytes, bytes]:
        if m == n:
            found = old if whole else left.pop(0)
            return found, found
        k = split(n)
        if m <= k:
            below = subproof(m, k, whole)
            right = left.pop(0)
            return below[0], h_node(below[1], right)
        below = subproof(m - k, n - k, False)
        other = left.pop(0)
        return h_node(other, below[0]), h_node(other, below[1])

    roots = subproof(m, n, True)
    assert left == []
    return roots


def is_consistent(m: int, n: int, proof: list[bytes], old: bytes, new: bytes) -> bool:
    return roots_from_consistency(m, n, proof, old) == (old, new)


def verify_signature(spki: bytes, digitally_signed: bytes, data: bytes) -> None:
    """Raises InvalidSignature. SHA-256 with ECDSA only."""
    assert digitally_signed[:2] == b"\4\3"
    size = int.from_bytes(digitally_signed[2:4], "big")
    assert len(digitally_signed) == 4 + size
    key = serialization.load_der_public_key(spki)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(digitally_signed[4:], data, ec.ECDSA(hashes.SHA256()))


def sized(data: bytes, octets: int) -> bytes:
    return len(data).to_bytes(octets, "big") + data


def bare_tbs(der: bytes) -> bytes:
    """The TBSCertificate without poison and SCTs, by a third library."""
    tbs = asn1_x509.Certificate.load(der)["tbs_certificate"].copy()
    kept = [each for each in tbs["extensions"] if each["extn_id"].dotted not in (POISON, SCTS)]
    tbs["extensions"] = asn1_x509.Extensions(kept)
    return tbs.dump(force=True)


def precert_entry(issuer_der: bytes, der: bytes) -> bytes:
    issuer = x509.load_der_x509_certificate(issuer_der).public_key()
    spki = issuer.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return b"\0\1" + sha256(spki).digest() + sized(bare_tbs(der), 3)


def x509_entry(der: bytes) -> bytes:
    return b"\0\0" + sized(der, 3)


def leaf_input(timestamp: int, entry: bytes, extensions: bytes) -> bytes:
    return b"\0\0" + timestamp.to_bytes(8, "big") + entry + sized(extensions, 2)


def check_sct(spki: bytes, encoded: bytes, entry: bytes) -> tuple[int, bytes, int]:
    """Timestamp, extensions and leaf index of an SCT of this log for this entry. Raises for anything else."""
    assert encoded[:1] == b"\0"
    assert encoded[1:33] == sha256(spki).digest()
    timestamp = int.from_bytes(encoded[33:41], "big")
    size = int.from_bytes(encoded[41:43], "big")
    extensions, rest = encoded[43 : 43 + size], encoded[43 + size :]
    verify_signature(spki, rest, leaf_input(timestamp, entry, extensions))
    assert extensions[:3] == b"\0\0\5"
    assert len(extensions) == 8
    return timestamp, extensions, int.from_bytes(extensions[3:], "big")


def check_checkpoint(note: str, origin: str, spki: bytes) -> tuple[int, bytes, int]:
    """Size, root and timestamp of a checkpoint (c2sp.org/static-ct-api). Raises for a wrong one."""
    body, signatures = note.rsplit("\n\n", 1)
    lines = body.split("\n")
    assert lines[0] == origin
    size, root = int(lines[1]), base64.b64decode(lines[2])
    assert len(lines) == 3
    dash, name, blob = signatures.removesuffix("\n").split(" ")
    assert (dash, name) == ("\u2014", origin)
    raw = base64.b64decode(blob)
    log_id = sha256(spki).digest()
    assert raw[:4] == sha256(origin.encode() + b"\n\x05" + log_id).digest()[:4]
    timestamp = int.from_bytes(raw[4:12], "big")
    check_head(spki, size, root, timestamp, raw[12:])
    return size, root, timestamp


def check_head(spki: bytes, size: int, root: bytes, timestamp: int, digitally_signed: bytes) -> None:
    data = b"\0\1" + timestamp.to_bytes(8, "big") + size.to_bytes(8, "big") + root
    verify_signature(spki, digitally_signed, data)


def tile_path(number: int) -> str:
    text = f"{number:03d}" if number < 1000 else ""
    if text:
        return text
    groups = []
    while number:
        groups.append(number % 1000)
        number //= 1000
    groups.reverse()
    return "/".join([f"x{each:03d}" for each in groups[:-1]] + [f"{groups[-1]:03d}"])


def read_tile_leaves(data: bytes) -> list[tuple[bytes, bytes | None, list[bytes]]]:
    """Of each TileLeaf: the MerkleTreeLeaf, the precertificate, the fingerprints of the chain."""
    found = []
    while data:
        at = 10
        kind = int.from_bytes(data[8:10], "big")
        if kind == 1:
            at += 32
        at += 3 + int.from_bytes(data[at : at + 3], "big")
        at += 2 + int.from_bytes(data[at : at + 2], "big")
        leaf, precertificate = b"\0\0" + data[:at], None
        if kind == 1:
            size = int.from_bytes(data[at : at + 3], "big")
            precertificate = data[at + 3 : at + 3 + size]
            at += 3 + size
        size = int.from_bytes(data[at : at + 2], "big")
        chain = data[at + 2 : at + 2 + size]
        assert size % 32 == 0
        found.append((leaf, precertificate, [chain[n : n + 32] for n in range(0, size, 32)]))
        data = data[at + 2 + size :]
    return found
