"""Certificates and revocation lists as people pass them around in files."""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7

from greatseal.x509 import der, pem
from greatseal.x509.certificate import Certificate
from greatseal.x509.crl import RevocationList

MAX_LIST = 64 * 1024 * 1024
"""Octets of the longest revocation list that is read: more than a million entries."""

_LABELS = frozenset({"CERTIFICATE", "X509 CERTIFICATE"})
_PKCS7_LABELS = frozenset({"PKCS7", "CMS"})
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_certificates(data: bytes) -> tuple[Certificate, ...]:
    """Every certificate in their order, at least one, from PEM.

    Raises ValueError (`pem.PemError`, `der.DerError`) for broken PEM or DER and for blocks of another kind:
    a private key among certificates is a mistake that its owner wants to hear of.
    """
    blocks = pem.read_blocks(data)
    if not blocks:
        raise pem.PemError("there is no PEM block")
    for block in blocks:
        if block.label not in _LABELS:
            raise pem.PemError(f"there is a PEM block of type {block.label}")
    return tuple(Certificate.parse(block.der) for block in blocks)


def read_any(data: bytes) -> tuple[Certificate, ...]:
    """Every certificate in PEM, DER or PKCS#7, at least one; PEM blocks of other kinds are passed over.

    Raises ValueError (`pem.PemError`, `der.DerError`) for what is none of these.
    """
    if not _is_pem(data):
        return _of_der(data)
    found: list[Certificate] = []
    for block in pem.read_blocks(data):
        if block.label in _LABELS:
            found.append(Certificate.parse(block.der))
        elif block.label in _PKCS7_LABELS:
            found.extend(_of_der(block.der))
    if not found:
        raise pem.PemError("there is no certificate in it")
    return tuple(found)


def read_store(data: bytes) -> tuple[Certificate, ...]:
    """The certificates of a trust store in PEM, without those that are not strict DER: nobody edits such a file.

    Raises `pem.PemError`.
    """
    found: list[Certificate] = []
    for block in pem.read_blocks(data):
        try:
            found.append(Certificate.parse(block.der))
        except der.DerError:
            continue
    return tuple(found)


def read_list(data: bytes) -> RevocationList:
    """The revocation list in PEM or DER. Raises ValueError (`pem.PemError`, `der.DerError`)."""
    if _is_pem(data):
        lists = [block.der for block in pem.read_blocks(data) if block.label == "X509 CRL"]
        if len(lists) != 1:
            raise pem.PemError("there is not exactly one revocation list in it")
        data = lists[0]
    return RevocationList.parse(data, limit=MAX_LIST)


def _is_pem(data: bytes) -> bool:
    return data.startswith(_UTF_16) or b"-----BEGIN " in data


def _of_der(data: bytes) -> tuple[Certificate, ...]:
    if _SIGNED_DATA not in data[:32]:
        return (Certificate.parse(data),)
    if len(data) > der.MAX_SIZE:
        raise der.DerError(f"a structure of more than {der.MAX_SIZE} octets")
    try:
        # Windows writes these bundles in BER, which our own reader refuses.
        found = pkcs7.load_der_pkcs7_certificates(data)
    except (ValueError, UnsupportedAlgorithm):
        raise der.DerError("a PKCS#7 bundle that cannot be read") from None
    if not found:
        raise der.DerError("a PKCS#7 bundle without certificates")
    return tuple(Certificate.parse(each.public_bytes(serialization.Encoding.DER)) for each in found)
