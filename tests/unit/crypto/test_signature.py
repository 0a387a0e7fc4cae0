"""Signatures by every pair of key and algorithm verify, and nothing else does."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from greatseal.crypto import signature as module
from greatseal.crypto.algorithms import KeyAlgorithm, SignatureAlgorithm, signature_algorithms_for
from greatseal.crypto.keypair import UnusableKey, generate, load_private, load_public
from greatseal.crypto.signature import SoftwareSigner, verify, verify_again

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


@pytest.mark.parametrize(("key", "algorithm"), PAIRS, ids=lambda row: row.name)
def test_what_verified_last_vouches_for_nothing_but_itself(key, algorithm):
    """Whatever differs in one part from the signature that verified just now is verified, and found wrong."""
    public = load_public(signer(key).spki)
    stranger = load_public(SoftwareSigner.of(load_private(generate(key))).spki)
    made = signer(key).sign(b"data", algorithm)
    flipped = made[:-1] + bytes([made[-1] ^ 1])
    for wrong in ((stranger, algorithm, made, b"data"), (public, algorithm, flipped, b"data")):
        assert verify(signer(key).spki, algorithm, made, b"data")
        assert not verify_again(*wrong)
    assert verify(signer(key).spki, algorithm, made, b"data")
    assert not verify_again(public, algorithm, made, b"other")
    for other in SignatureAlgorithm:
        assert verify(signer(key).spki, algorithm, made, b"data")
        assert verify_again(public, other, made, b"data") == (other is algorithm)


def test_only_what_verified_last_in_this_thread_is_not_verified_again(monkeypatch):
    algorithm, spki = SignatureAlgorithm.SHA256WITHECDSA, signer(KeyAlgorithm.EC_prime256v1).spki
    asked = []
    original = module.verify_digest
    monkeypatch.setattr(module, "verify_digest", lambda *arguments: asked.append(arguments) or original(*arguments))
    first, second = (signer(KeyAlgorithm.EC_prime256v1).sign(data, algorithm) for data in (b"first", b"second"))
    load_public.cache_clear()  # an equal key will do, it need not be the same object
    assert verify(spki, algorithm, second, b"second")
    load_public.cache_clear()
    assert verify_again(load_public(spki), algorithm, second, b"second")
    assert len(asked) == 1
    assert verify_again(load_public(spki), algorithm, first, b"first")
    assert len(asked) == 2
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(verify_again, load_public(spki), algorithm, first, b"first").result()
    assert len(asked) == 3
    assert not verify_again(load_public(spki), algorithm, b"", b"first")
    assert verify_again(load_public(spki), algorithm, first, b"first"), "what did not verify left no trace"
    assert len(asked) == 4


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
