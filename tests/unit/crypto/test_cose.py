"""COSE_Sign1 and COSE_Key: every algorithm, and structures that are refused."""

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519

from greatseal.crypto import cose
from greatseal.crypto.cbor import Tagged, decode, encode

CURVES = [
    (ec.SECP256R1(), cose.Algorithm.ES256, 64),
    (ec.SECP384R1(), cose.Algorithm.ES384, 96),
    (ec.SECP521R1(), cose.Algorithm.ES512, 132),
    (ec.BrainpoolP256R1(), cose.Algorithm.ES256, 64),
    (ec.BrainpoolP384R1(), cose.Algorithm.ES384, 96),
    (ec.BrainpoolP512R1(), cose.Algorithm.ES512, 128),
]
HASHES = {-7: hashes.SHA256(), -35: hashes.SHA384(), -36: hashes.SHA512()}


def spki_of(key) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def signed(algorithm, key, payload=b"payload") -> list[object]:
    data = cose.to_be_signed(cose.protected_header(algorithm), payload)
    made = key.sign(data, ec.ECDSA(HASHES[algorithm.value])) if algorithm.value in HASHES else key.sign(data)
    return cose.sign1(algorithm, (b"certificate",), payload, cose.raw_signature(spki_of(key), made))


@pytest.mark.parametrize(("curve", "algorithm", "size"), CURVES, ids=lambda value: getattr(value, "name", str(value)))
def test_each_curve(curve, algorithm, size):
    key = ec.generate_private_key(curve)
    assert cose.algorithm_for(spki_of(key)) is algorithm
    found = cose.read_sign1(decode(encode(signed(algorithm, key))))
    assert len(found.signature) == size
    assert cose.verify(found, spki_of(key))
    assert not cose.verify(found, spki_of(ec.generate_private_key(curve)))
    assert cose.read_cose_key(decode(encode(cose.cose_key(spki_of(key))))) == spki_of(key)


@pytest.mark.parametrize("kind", [ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey])
def test_edwards_keys(kind):
    key = kind.generate()
    found = cose.read_sign1(signed(cose.Algorithm.EDDSA, key))
    assert cose.digest_for(found.algorithm, b"") is None
    assert cose.verify(found, spki_of(key))
    assert cose.read_cose_key(cose.cose_key(spki_of(key))) == spki_of(key)


def test_the_sig_structure_is_signed():
    # RFC 9052 section 4.4, by hand: ["Signature1", h'a10126', h'', h'01'].
    protected = cose.protected_header(cose.Algorithm.ES256)
    assert protected.hex() == "a10126"
    assert cose.to_be_signed(protected, b"\x01").hex() == "846a5369676e61747572653143a10126404101"


def test_a_key_for_agreement_is_a_device_key_but_signs_nothing():
    key = spki_of(x25519.X25519PrivateKey.generate())
    assert cose.read_cose_key(cose.cose_key(key)) == key
    with pytest.raises(cose.CoseError, match="signs no mobile document"):
        cose.algorithm_for(key)


def test_the_algorithm_goes_with_the_key():
    found = cose.read_sign1(signed(cose.Algorithm.ES256, ec.generate_private_key(ec.SECP256R1())))
    with pytest.raises(cose.CoseError, match="ES256 does not go with"):
        cose.verify(found, spki_of(ec.generate_private_key(ec.SECP384R1())))


GOOD = [cose.protected_header(cose.Algorithm.ES256), {33: b"c"}, b"p", b"s"]
MALFORMED = [
    (5, "four elements"),
    (GOOD[:3], "four elements"),
    ([1, {}, b"", b""], "wrong types"),
    ([GOOD[0], {33: b"c"}, None, b"s"], "no payload"),
    ([b"\xa1", {33: b"c"}, b"p", b"s"], "the protected header has"),
    ([encode([]), {33: b"c"}, b"p", b"s"], "not a map"),
    ([b"", {1: -7, 33: b"c"}, b"p", b"s"], "not in the protected header"),
    ([encode({1: -257}), {33: b"c"}, b"p", b"s"], "-257 is none of"),
    ([encode({1: [1]}), {33: b"c"}, b"p", b"s"], "is none of"),
    ([GOOD[0], {1: -7, 33: b"c"}, b"p", b"s"], "both protected and unprotected"),
    ([encode({1: -7, 2: [33]}), {33: b"c"}, b"p", b"s"], "critical header"),
    ([GOOD[0], {}, b"p", b"s"], "x5chain is missing"),
    ([GOOD[0], {33: []}, b"p", b"s"], "x5chain is missing"),
    ([GOOD[0], {33: [1]}, b"p", b"s"], "something else than certificates"),
]


@pytest.mark.parametrize(("value", "reason"), MALFORMED)
def test_malformed_structures(value, reason):
    with pytest.raises(cose.CoseError, match=reason):
        cose.read_sign1(value)


def test_a_tag_around_is_understood():
    assert cose.read_sign1(Tagged(18, GOOD)).chain == (b"c",)


POINT = cose.cose_key(spki_of(ec.derive_private_key(7, ec.SECP256R1())))
KEYS = [
    ([], "not a map"),
    (POINT | {-4: b"d" * 32}, "private key"),
    (POINT | {-3: bytes(32)}, "not a point"),
    (POINT | {-2: POINT[-2][:31]}, "not a point"),
    (POINT | {1: 4}, "of no kind"),
    (POINT | {-1: 8}, "of no kind"),
    (POINT | {-1: [1]}, "of no kind"),
    ({1: 1, -1: 6, -2: b"short"}, "not a point"),
]


@pytest.mark.parametrize(("value", "reason"), KEYS)
def test_keys_that_are_none(value, reason):
    with pytest.raises(cose.CoseError, match=reason):
        cose.read_cose_key(value)


def test_a_compressed_point_is_read():
    key = ec.derive_private_key(7, ec.SECP256R1()).public_key()
    assert cose.read_cose_key(POINT | {-3: bool(key.public_numbers().y & 1)}) == cose.read_cose_key(POINT)


def test_no_rsa_key():
    with pytest.raises(cose.CoseError, match="no device has"):
        cose.cose_key(spki_of(rsa.generate_private_key(65537, 2048)))


def test_a_signature_that_is_no_der():
    with pytest.raises(cose.CoseError, match="not the DER of two numbers"):
        cose.raw_signature(spki_of(ec.derive_private_key(7, ec.SECP256R1())), b"\x30\x01")
