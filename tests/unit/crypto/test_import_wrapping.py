"""Key material of every spec, wrapped as a client does it, comes out whole; anything else does not come out."""

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding
from hypothesis import given, settings
from hypothesis import strategies as st
from opened_keys import made, private, public

from greatseal.crypto.envelope import InvalidCiphertext
from greatseal.crypto.import_wrapping import WRAPPING_KEY_SPECS, unwrap, wrapping_algorithms
from greatseal.crypto.key_specs import IncompatibleAlgorithm, KeySpec
from greatseal.crypto.material import load

AES = hashlib.sha256(b"an AES key of the client").digest()


def wrap(wrapping: KeySpec, algorithm: str, material: bytes, *, aes: bytes = AES) -> bytes:
    """The client's side, in the words of the documentation of KMS."""
    digest = hashes.SHA1() if algorithm.endswith("_1") else hashes.SHA256()
    oaep = padding.OAEP(mgf=padding.MGF1(digest), algorithm=digest, label=None)
    if algorithm.startswith("RSAES"):
        return public(wrapping).key.encrypt(material, oaep)
    return public(wrapping).key.encrypt(aes, oaep) + aes_key_wrap_with_padding(aes, material)


@pytest.mark.parametrize("wrapping", WRAPPING_KEY_SPECS, ids=lambda spec: spec.name)
@pytest.mark.parametrize("spec", KeySpec, ids=lambda spec: spec.name)
def test_material_travels(spec, wrapping):
    material = made(spec).secret.reveal()
    for algorithm in wrapping_algorithms(spec, wrapping):
        unwrapped = unwrap(private(wrapping), algorithm, wrap(wrapping, algorithm, material))
        assert load(spec, unwrapped).spki == made(spec).spki
        assert unwrapped.reveal() == material


def test_which_algorithm_is_for_which_material():
    direct, both = {"RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1"}, {"RSA_AES_KEY_WRAP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1"}
    assert set(wrapping_algorithms(KeySpec.SYMMETRIC_DEFAULT, KeySpec.RSA_4096)) == direct
    assert set(wrapping_algorithms(KeySpec.RSA_2048, KeySpec.RSA_4096)) == both
    assert set(wrapping_algorithms(KeySpec.ECC_NIST_P521, KeySpec.RSA_2048)) == both
    assert set(wrapping_algorithms(KeySpec.ECC_NIST_P521, KeySpec.RSA_3072)) == direct | both


@pytest.mark.parametrize("size", [16, 24, 32])
def test_any_aes_key_wraps(size):
    wrapped = wrap(KeySpec.RSA_2048, "RSA_AES_KEY_WRAP_SHA_256", b"material", aes=AES[:size])
    assert unwrap(private(KeySpec.RSA_2048), "RSA_AES_KEY_WRAP_SHA_256", wrapped).reveal() == b"material"


@pytest.mark.parametrize("size", [0, 15, 33])
def test_what_is_no_aes_key_does_not_unwrap(size):
    front = wrap(KeySpec.RSA_2048, "RSAES_OAEP_SHA_256", bytes(size))
    with pytest.raises(InvalidCiphertext):
        unwrap(private(KeySpec.RSA_2048), "RSA_AES_KEY_WRAP_SHA_256", front + bytes(24))


@settings(deadline=None)
@given(st.integers(0, 255 + 16), st.integers(0, 7))
def test_a_changed_wrapping_does_not_open(at, bit):
    wrapped = bytearray(wrap(KeySpec.RSA_2048, "RSA_AES_KEY_WRAP_SHA_256", b"material"))
    wrapped[at] ^= 1 << bit
    with pytest.raises(InvalidCiphertext):
        unwrap(private(KeySpec.RSA_2048), "RSA_AES_KEY_WRAP_SHA_256", bytes(wrapped))


@settings(deadline=None)
@given(st.binary(max_size=600), st.sampled_from(["RSA_AES_KEY_WRAP_SHA_1", "RSAES_OAEP_SHA_256"]), st.booleans())
def test_hostile_octets_are_refused_in_our_words(octets, algorithm, after_a_good_key):
    if after_a_good_key:
        algorithm = "RSA_AES_KEY_WRAP_SHA_256"
        octets = wrap(KeySpec.RSA_2048, "RSAES_OAEP_SHA_256", AES) + octets
    with pytest.raises(InvalidCiphertext):
        unwrap(private(KeySpec.RSA_2048), algorithm, octets)


def test_an_unknown_algorithm():
    with pytest.raises(IncompatibleAlgorithm):
        unwrap(private(KeySpec.RSA_2048), "RSAES_PKCS1_V1_5", bytes(256))
