"""Messages signed with KMS keys: which message goes with which algorithm, and that nothing else verifies."""

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from dilithium_py import ml_dsa
from hypothesis import given, settings
from hypothesis import strategies as st
from opened_keys import SIGNING, made, private, public

from greatseal.crypto.key_specs import IncompatibleAlgorithm, KeySpec, Kind
from greatseal.crypto.message_signature import (
    MessageType,
    WrongDigestLength,
    WrongMessageType,
    message_representative,
    prepared,
    sign_with,
    verify_with,
)

RAW, DIGEST, EXTERNAL_MU = MessageType
ML_DSA = [spec for spec in KeySpec if spec.kind is Kind.ML_DSA]
MESSAGE = b"Message of any length"


def accepted(algorithm: str, message_type: MessageType) -> int | None:
    """The length that a message must have (0: any), None for a clash: the table of kms.md section 4."""
    if algorithm == "ML_DSA_SHAKE_256":
        return {RAW: 0, DIGEST: None, EXTERNAL_MU: 64}[message_type]
    if algorithm == "ED25519_SHA_512":
        return {RAW: 0}.get(message_type)
    if algorithm == "ED25519_PH_SHA_512":
        return {DIGEST: 64}.get(message_type)
    return {RAW: 0, DIGEST: int(algorithm.rpartition("_")[2]) // 8}.get(message_type)


@pytest.mark.parametrize("message_type", MessageType)
@pytest.mark.parametrize(("spec", "algorithm"), SIGNING)
def test_the_table_of_message_types(spec, algorithm, message_type):
    length = accepted(algorithm, message_type)
    for size in (1, 32, 48, 64, 4096):
        message = bytes(size)
        if length is None:
            with pytest.raises(WrongMessageType, match=algorithm):
                sign_with(private(spec), algorithm, message, message_type)
            with pytest.raises(WrongMessageType, match=algorithm):
                verify_with(public(spec), algorithm, message, message_type, b"signature")
        elif length not in (0, size):
            with pytest.raises(WrongDigestLength, match=rf"^Digest is invalid length for algorithm {algorithm}\.$"):
                sign_with(private(spec), algorithm, message, message_type)
            with pytest.raises(WrongDigestLength):
                verify_with(public(spec), algorithm, message, message_type, b"signature")
        else:
            signature = sign_with(private(spec), algorithm, message, message_type)
            assert verify_with(public(spec), algorithm, message, message_type, signature)
            assert not verify_with(public(spec), algorithm, b"\1" + message[1:], message_type, signature)


@pytest.mark.parametrize(("spec", "algorithm"), [row for row in SIGNING if row[0].kind in (Kind.RSA, Kind.EC)])
def test_message_and_digest_give_the_same_kind_of_signature(spec, algorithm):
    digest = hashlib.new(f"sha{algorithm.rpartition('_')[2]}", MESSAGE).digest()
    assert prepared(algorithm, MESSAGE, RAW) == prepared(algorithm, digest, DIGEST) == digest
    of_message = sign_with(private(spec), algorithm, MESSAGE, RAW)
    of_digest = sign_with(private(spec), algorithm, digest, DIGEST)
    assert verify_with(public(spec), algorithm, digest, DIGEST, of_message)
    assert verify_with(public(spec), algorithm, MESSAGE, RAW, of_digest)
    # A digest that is signed as a message is another thing.
    assert not verify_with(public(spec), algorithm, digest, RAW, of_message)


def test_ed25519ph_hashes_the_digest_again():
    digest = hashlib.sha512(MESSAGE).digest()
    assert prepared("ED25519_PH_SHA_512", digest, DIGEST) == hashlib.sha512(digest).digest()
    spec = KeySpec.ECC_NIST_EDWARDS25519
    signature = sign_with(private(spec), "ED25519_PH_SHA_512", digest, DIGEST)
    assert not verify_with(public(spec), "ED25519_SHA_512", digest, RAW, signature)


@pytest.mark.parametrize("spec", ML_DSA, ids=lambda spec: spec.name)
def test_ml_dsa_with_a_second_implementation(spec):
    theirs = getattr(ml_dsa, spec.name)
    raw_public = public(spec).key.public_bytes_raw()
    assert len(raw_public) == {44: 1312, 65: 1952, 87: 2592}[spec.size]
    mu = message_representative(public(spec), MESSAGE)
    for message, message_type in ((MESSAGE, RAW), (mu, EXTERNAL_MU)):
        signature = sign_with(private(spec), "ML_DSA_SHAKE_256", message, message_type)
        assert len(signature) == {44: 2420, 65: 3309, 87: 4627}[spec.size]
        assert theirs.verify(raw_public, MESSAGE, signature)
        assert verify_with(public(spec), "ML_DSA_SHAKE_256", MESSAGE, RAW, signature)
        assert verify_with(public(spec), "ML_DSA_SHAKE_256", mu, EXTERNAL_MU, signature)
    _, secret = theirs.key_derive(private(spec).key.private_bytes_raw())
    for signature in (theirs.sign(secret, MESSAGE), theirs.sign_external_mu(secret, mu)):
        assert verify_with(public(spec), "ML_DSA_SHAKE_256", MESSAGE, RAW, signature)
        assert verify_with(public(spec), "ML_DSA_SHAKE_256", mu, EXTERNAL_MU, signature)
    with_context = theirs.sign(secret, MESSAGE, ctx=b"context")
    assert not verify_with(public(spec), "ML_DSA_SHAKE_256", MESSAGE, RAW, with_context)


def test_a_message_representative_is_of_ml_dsa_only():
    with pytest.raises(IncompatibleAlgorithm):
        message_representative(public(KeySpec.ECC_NIST_P256), MESSAGE)


def test_pss_has_a_salt_as_long_as_the_hash():
    signature = sign_with(private(KeySpec.RSA_2048), "RSASSA_PSS_SHA_384", MESSAGE, RAW)
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA384()), salt_length=48)
    public(KeySpec.RSA_2048).key.verify(signature, MESSAGE, pss, hashes.SHA384())
    other = private(KeySpec.RSA_2048).key.sign(
        MESSAGE, padding.PSS(mgf=padding.MGF1(hashes.SHA384()), salt_length=20), hashes.SHA384()
    )
    assert not verify_with(public(KeySpec.RSA_2048), "RSASSA_PSS_SHA_384", MESSAGE, RAW, other)


@pytest.mark.parametrize(
    ("spec", "algorithm"),
    [
        (KeySpec.ECC_NIST_P384, "ECDSA_SHA_256"),
        (KeySpec.ECC_NIST_P256, "RSASSA_PSS_SHA_256"),
        (KeySpec.RSA_2048, "ML_DSA_SHAKE_256"),
        (KeySpec.ML_DSA_65, "ECDSA_SHA_256"),
        (KeySpec.ECC_NIST_EDWARDS25519, "ECDSA_SHA_512"),
        (KeySpec.ML_KEM_768, "ML_DSA_SHAKE_256"),
        (KeySpec.RSA_2048, "SM2DSA"),
    ],
)
def test_an_algorithm_of_another_spec(spec, algorithm):
    expected = rf"^Algorithm {algorithm} is incompatible with key spec {spec.name}\.$"
    with pytest.raises(IncompatibleAlgorithm, match=expected):
        sign_with(private(spec), algorithm, MESSAGE, RAW)
    with pytest.raises(IncompatibleAlgorithm, match=expected):
        verify_with(public(spec), algorithm, MESSAGE, RAW, b"")


@pytest.mark.parametrize("algorithm", ["SM2DSA", "", "RSASSA_PSS_SHA_1", "SHA_256", "ML_DSA_SHAKE_128"])
def test_nothing_is_prepared_for_an_unknown_algorithm(algorithm):
    with pytest.raises(IncompatibleAlgorithm):
        prepared(algorithm, MESSAGE, RAW)


def test_ecdsa_is_der_of_two_numbers():
    signature = sign_with(private(KeySpec.ECC_NIST_P256), "ECDSA_SHA_256", MESSAGE, RAW)
    ec_key = public(KeySpec.ECC_NIST_P256).key
    ec_key.verify(signature, MESSAGE, ec.ECDSA(hashes.SHA256()))
    assert signature[0] == 0x30
    # The same key elsewhere, from GetPublicKey's answer.
    again = serialization.load_der_public_key(made(KeySpec.ECC_NIST_P256).spki)
    assert again == ec_key


@settings(deadline=None)
@given(st.sampled_from(SIGNING), st.integers(0, 8191), st.integers(0, 7))
def test_a_changed_signature_does_not_verify(row, at, bit):
    spec, algorithm = row
    message_type = DIGEST if algorithm == "ED25519_PH_SHA_512" else RAW
    message = bytes(64)
    signature = bytearray(sign_with(private(spec), algorithm, message, message_type))
    # An ECDSA signature is not always of the same length.
    signature[at % len(signature)] ^= 1 << bit
    assert not verify_with(public(spec), algorithm, message, message_type, bytes(signature))


@settings(deadline=None)
@given(st.sampled_from(SIGNING), st.binary(max_size=6144))
def test_hostile_signatures_are_just_false(row, octets):
    spec, algorithm = row
    message_type = DIGEST if algorithm == "ED25519_PH_SHA_512" else RAW
    assert not verify_with(public(spec), algorithm, bytes(64), message_type, octets)
