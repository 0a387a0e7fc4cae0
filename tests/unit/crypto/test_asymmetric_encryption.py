"""RSA keys that encrypt: limits, and that a ciphertext tells nothing when it does not open."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opened_keys import private, public

from greatseal.crypto.asymmetric_encryption import PlaintextTooLong, decrypt, encrypt
from greatseal.crypto.envelope import InvalidCiphertext
from greatseal.crypto.key_specs import IncompatibleAlgorithm, KeySpec

RSA = [KeySpec.RSA_2048, KeySpec.RSA_3072, KeySpec.RSA_4096]
ALGORITHMS = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("spec", RSA, ids=lambda spec: spec.name)
def test_up_to_the_limit(spec, algorithm):
    limit = spec.oaep_limit(algorithm)
    for size in (0, 1, limit):
        ciphertext = encrypt(public(spec), algorithm, bytes(size))
        assert len(ciphertext) == spec.size // 8
        assert decrypt(private(spec), algorithm, ciphertext) == bytes(size)
    with pytest.raises(PlaintextTooLong) as refused:
        encrypt(public(spec), algorithm, bytes(limit + 1))
    assert refused.value.limit == limit


def test_the_hash_belongs_to_the_ciphertext():
    ciphertext = encrypt(public(KeySpec.RSA_2048), ALGORITHMS[0], b"secret")
    with pytest.raises(InvalidCiphertext):
        decrypt(private(KeySpec.RSA_2048), ALGORITHMS[1], ciphertext)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 255), st.integers(0, 7))
def test_a_changed_ciphertext_does_not_open(at, bit):
    ciphertext = bytearray(encrypt(public(KeySpec.RSA_2048), ALGORITHMS[1], b"secret"))
    ciphertext[at] ^= 1 << bit
    with pytest.raises(InvalidCiphertext):
        decrypt(private(KeySpec.RSA_2048), ALGORITHMS[1], bytes(ciphertext))


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=300), st.binary(min_size=256, max_size=256)), st.sampled_from(ALGORITHMS))
def test_hostile_octets_are_refused_in_our_words(octets, algorithm):
    with pytest.raises(InvalidCiphertext, match=r"^the ciphertext does not decrypt with this key$"):
        decrypt(private(KeySpec.RSA_2048), algorithm, octets)


@pytest.mark.parametrize(
    ("spec", "algorithm"), [(KeySpec.RSA_2048, "SYMMETRIC_DEFAULT"), (KeySpec.ECC_NIST_P256, ALGORITHMS[0])]
)
def test_an_algorithm_of_another_spec(spec, algorithm):
    with pytest.raises(IncompatibleAlgorithm):
        encrypt(public(spec), algorithm, b"")
    with pytest.raises(IncompatibleAlgorithm):
        decrypt(private(spec), algorithm, b"")
