"""Is this public key fit to be certified? Pure judgement over a SubjectPublicKeyInfo.

Rules: Baseline Requirements 6.1.1.3, 6.1.5 and 6.1.6; RFC 5480 (named curves only); RFC 9881 (ML-DSA);
faults.md rows 11 to 16, 18 to 21 and 23. The real service certifies any key (acm-pca.md 5); Greatseal does not.
"""

from cryptography.hazmat.primitives.asymmetric import ec

from greatseal.crypto.blocklist import DEFAULT_BLOCKLIST, Blocklist
from greatseal.crypto.keypair import UnusableKey, encode_public, load_public
from greatseal.crypto.rsa_weakness import MIN_BITS, rsa_weaknesses
from greatseal.crypto.spki import MalformedSpki, SubjectPublicKeyInfo, parse_rsa, parse_spki

_RSA, _EC = "1.2.840.113549.1.1.1", "1.2.840.10045.2.1"
_NULL = bytes.fromhex("0500")

# Complete DER of the OBJECT IDENTIFIER of each named curve (RFC 5480 section 2.1.1.1).
_CURVES: dict[bytes, type[ec.EllipticCurve]] = {
    bytes.fromhex("06082a8648ce3d030107"): ec.SECP256R1,
    bytes.fromhex("06052b81040022"): ec.SECP384R1,
    bytes.fromhex("06052b81040023"): ec.SECP521R1,
}

# Octets of the public key by parameter set (RFC 9881 section 4).
_MLDSA_SIZES = {
    "2.16.840.1.101.3.4.3.17": ("ML-DSA-44", 1312),
    "2.16.840.1.101.3.4.3.18": ("ML-DSA-65", 1952),
    "2.16.840.1.101.3.4.3.19": ("ML-DSA-87", 2592),
}

_OTHER_ALGORITHMS = {
    "1.2.840.113549.1.1.10": "RSASSA-PSS",
    "1.2.840.113549.1.1.7": "RSAES-OAEP",
    "1.2.840.113549.1.3.1": "Diffie-Hellman",
    "1.2.840.10046.2.1": "Diffie-Hellman",
    "1.2.840.10040.4.1": "DSA",
    "1.3.101.110": "X25519",
    "1.3.101.111": "X448",
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
}


class WeakKey(ValueError):
    """A public key that must not be certified; `reasons` are sentences for whoever sent it."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


def weaknesses(
    spki: bytes, *, blocklist: Blocklist = DEFAULT_BLOCKLIST, min_rsa_bits: int = MIN_BITS
) -> tuple[str, ...]:
    """Every reason not to certify the key in `spki` (DER), as sentences; empty for a good key.

    Never raises: bytes that are no key are a reason too. `min_rsa_bits` is for stored foreign certificates.
    """
    try:
        info = parse_spki(spki)
        if info.oid == _RSA:
            return _rsa(info, spki, blocklist, min_rsa_bits)
    except MalformedSpki as malformed:
        return (str(malformed),)
    if info.oid == _EC:
        return _ec(info, spki, blocklist)
    if info.oid in _MLDSA_SIZES:
        return _mldsa(info, spki, blocklist)
    name = _OTHER_ALGORITHMS.get(info.oid, info.oid)
    return (f"Keys of type {name} are not supported for certificates.",)


def refuse_weak(spki: bytes, *, blocklist: Blocklist = DEFAULT_BLOCKLIST, min_rsa_bits: int = MIN_BITS) -> None:
    """Raises WeakKey with every reason that `weaknesses` finds."""
    if found := weaknesses(spki, blocklist=blocklist, min_rsa_bits=min_rsa_bits):
        raise WeakKey(found)


def _rsa(info: SubjectPublicKeyInfo, spki: bytes, blocklist: Blocklist, min_bits: int) -> tuple[str, ...]:
    if info.parameters != _NULL:
        return ("The parameters of an RSA key must be NULL (RFC 3279 section 2.3.1).",)
    numbers = parse_rsa(info.key_bytes)
    found = rsa_weaknesses(numbers.modulus, numbers.exponent, min_bits=min_bits)
    if blocklist.has_modulus(numbers.modulus):
        found += ("The RSA key comes from Debian's predictable generator (CVE-2008-0166).",)
    return found + _known(spki, blocklist)


def _ec(info: SubjectPublicKeyInfo, spki: bytes, blocklist: Blocklist) -> tuple[str, ...]:
    curve = _CURVES.get(info.parameters or b"")
    if curve is None:
        if (info.parameters or b"")[:1] == b"\x30":
            return ("The elliptic curve is given by explicit parameters; a named curve is required.",)
        return ("The elliptic curve is not one of P-256, P-384 and P-521.",)
    if info.key_bytes[:1] not in (b"\x02", b"\x03", b"\x04"):
        # 00 is the point at infinity; 06 and 07 are the hybrid form, which RFC 5480 section 2.2 does not allow.
        return ("The elliptic curve point is at infinity or in a form that certificates do not use.",)
    try:
        key = load_public(spki)
    except UnusableKey:
        return (f"The public key is not a point on the curve {curve.name}.",)
    # In strict DER an uncompressed point on a named curve has one encoding, which is the canonical one.
    return _known(spki if info.key_bytes[:1] == b"\x04" else encode_public(key), blocklist)


def _mldsa(info: SubjectPublicKeyInfo, spki: bytes, blocklist: Blocklist) -> tuple[str, ...]:
    name, size = _MLDSA_SIZES[info.oid]
    if info.parameters is not None:
        return (f"The parameters of an {name} key must be absent (RFC 9881 section 2).",)
    if len(info.key_bytes) != size:
        return (f"An {name} public key has {size} octets, not {len(info.key_bytes)}.",)
    return _known(spki, blocklist)


def _known(canonical_spki: bytes, blocklist: Blocklist) -> tuple[str, ...]:
    name = blocklist.find(canonical_spki)
    return () if name is None else (f"The private key is public knowledge: {name}.",)
