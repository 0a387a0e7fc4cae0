"""Signatures by every pair of key and algorithm verify, and nothing else does."""

from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from greatseal.crypto.algorithms import KeyAlgorithm, SignatureAlgorithm, signature_algorithms_for
from greatseal.crypto.keypair import UnusableKey, generate, load_private
from greatseal.crypto.signature import SoftwareSigner, verify

PAIRS = [
    (key, algorithm)
    for key in KeyAlgorithm
    if key.name not in ("RSA_3072", "RSA_4096")
    for algorithm in signature_algorithms_for(key)
]


@cache
def signer(row: KeyAlgorithm) -> SoftwareSigner:
    return SoftwareSigner.of(load_private(generate(row)))


@pytest.mark.parametrize(("key", "algorithm"), PAIRS, ids=lambda row: row.name)
def test_a_signature_verifies_with_its_algorithm_and_data_only(key, algorithm):
    made = signer(key).sign(b"data", algorithm)
    spki = signer(key).spki
    assert verify(spki, algorithm, made, b"data")
    assert not verify(spki, algorithm, made, b"other")
    assert not verify(spki, algorithm, made[:-1] + bytes([made[-1] ^ 1]), b"data")
    assert not verify(spki, algorithm, b"", b"data")
    for other in SignatureAlgorithm:
        assert verify(spki, other, made, b"data") == (other is algorithm)


def test_another_key_does_not_verify():
    first = signer(KeyAlgorithm.EC_prime256v1)
    second = SoftwareSigner.of(load_private(generate(KeyAlgorithm.EC_prime256v1)))
    made = first.sign(b"data", SignatureAlgorithm.SHA256WITHECDSA)
    assert not verify(second.spki, SignatureAlgorithm.SHA256WITHECDSA, made, b"data")


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (KeyAlgorithm.RSA_2048, SignatureAlgorithm.SHA256WITHECDSA),
        (KeyAlgorithm.EC_prime256v1, SignatureAlgorithm.SHA256WITHRSA),
        (KeyAlgorithm.ML_DSA_44, SignatureAlgorithm.ML_DSA_65),
        (KeyAlgorithm.EC_secp384r1, SignatureAlgorithm.ML_DSA_44),
    ],
    ids=lambda row: row.name,
)
def test_a_key_refuses_a_signature_of_another_kind(key, algorithm):
    with pytest.raises(ValueError, match="cannot sign with"):
        signer(key).sign(b"data", algorithm)


def test_keys_outside_the_table_do_not_sign():
    with pytest.raises(ValueError, match="size"):
        SoftwareSigner.of(rsa.generate_private_key(65537, 1024))
    with pytest.raises(ValueError, match="size"):
        SoftwareSigner.of(ec.generate_private_key(ec.SECP224R1()))


def test_deterministic_ecdsa_repeats_itself():
    key = ec.derive_private_key(2**200 + 1, ec.SECP256R1())
    steady = SoftwareSigner.of(key, deterministic=True)
    algorithm = SignatureAlgorithm.SHA256WITHECDSA
    assert steady.sign(b"data", algorithm) == steady.sign(b"data", algorithm)
    random = SoftwareSigner.of(key)
    assert random.sign(b"data", algorithm) != random.sign(b"data", algorithm)


def test_a_key_that_cannot_be_read_is_an_error_not_a_no():
    with pytest.raises(UnusableKey):
        verify(b"", SignatureAlgorithm.SHA256WITHRSA, b"", b"")
