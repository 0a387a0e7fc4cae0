"""The published test keys are derived again from what the RFCs print, and refused in every encoding."""

import hashlib
from base64 import b64decode

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, mldsa

from greatseal.crypto.blocklist import DEFAULT_BLOCKLIST, Blocklist
from greatseal.crypto.weakness import weaknesses

# RFC 9500 section 2.1 (moduli; the exponent is 65537) and section 2.3 (private keys).
RFC9500_RSA_2048 = (
    "sPnoGUOnrpiSqt4XynxA+HRP7S+BSObI6qJ7fQAVSPtRkqsotWxQYLEYzNEx5ZSHTGypibVsJylvCfuToDTfMul8b/CZjP2Ob0LdpYrNH6l5"
    "hvFE89FU1nZQF15oVLOpUgA7wGiHuEVawrGfey92UE68mOyUVXGweJIVDdxqdMoPvNNUl86BU02vlBiESxOuox+dWmuVV7vfYZ79Toh/LUK4"
    "3YvJh+rhv4nKuF7iHjVjBd9sB6iDjj70HFldzOQ9r8SRI+9NirupPTkF5AKNe6kUhKJ1luB7S27ZkvB3tSTT3P593VVJvnzOjaA1z6Cz+4+e"
    "RvcysqhrRgFlwI9TEw=="
)
RFC9500_EC = {
    ec.SECP256R1: "E6CB5BDD80AA45AE9C95E8C15476679FFEC953C16851E711E743939589C64FC1",
}
# RFC 6979 appendices A.2.5 to A.2.7.
RFC6979 = {
    ec.SECP256R1: "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
    ec.SECP384R1: ("6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5"),
    ec.SECP521R1: (
        "00FAD06DAA62BA3B25D2FB40133DA757205DE67F5BB0018FEE8C86E1B68C7E75CAA896EB32F1F47C70855836A6D16FCC1466F6D8FBEC"
        "67DB89EC0C08B0E996B83538"
    ),
}


def spki(key) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def from_scalar(curve: type[ec.EllipticCurve], scalar: str):
    return ec.derive_private_key(int(scalar, 16), curve()).public_key()


def published() -> list[tuple[str, bytes]]:
    from cryptography.hazmat.primitives.asymmetric import rsa

    modulus = int.from_bytes(b64decode(RFC9500_RSA_2048), "big")
    found = [("RFC 9500", spki(rsa.RSAPublicNumbers(65537, modulus).public_key()))]
    found += [("RFC 9500", spki(from_scalar(curve, scalar))) for curve, scalar in RFC9500_EC.items()]
    found += [("RFC 6979", spki(from_scalar(curve, scalar))) for curve, scalar in RFC6979.items()]
    found += [("generator", spki(from_scalar(curve, "1"))) for curve in RFC6979]
    # RFC 9881 appendix C: the seed is the octets 0 to 31.
    kinds = (mldsa.MLDSA44PrivateKey, mldsa.MLDSA65PrivateKey, mldsa.MLDSA87PrivateKey)
    found += [("RFC 9881", spki(kind.from_seed_bytes(bytes(range(32))).public_key())) for kind in kinds]
    return found


@pytest.mark.parametrize(("source", "key"), published())
def test_published_keys_are_refused(source, key):
    assert source in weaknesses(key)[0]


def test_a_compressed_point_does_not_hide_a_published_key():
    curve, scalar = next(iter(RFC6979.items()))
    short = from_scalar(curve, scalar).public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint
    )
    header = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")
    assert "RFC 6979" in weaknesses(header + short)[0]


def test_the_list_holds_hashes_only():
    assert all(len(bytes.fromhex(key)) == 32 for key in DEFAULT_BLOCKLIST.keys)


@pytest.mark.parametrize("line", ["xyz", "0" * 19, "0" * 21, "A" * 20])
def test_a_broken_list_is_refused_with_its_line(line):
    with pytest.raises(ValueError, match="line 2"):
        Blocklist().with_openssl_blacklist(f"# list\n{line}\n")


def test_lists_add_up():
    both = Blocklist().with_openssl_blacklist("0" * 20).with_openssl_blacklist("1" * 20)
    assert len(both.debian) == 2
    assert both.find(b"") is None
    assert Blocklist(keys={hashlib.sha256(b"").hexdigest(): "nothing"}).find(b"") == "nothing"
