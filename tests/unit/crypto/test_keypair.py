"""Keys are loaded, refused and encoded; a private key never prints itself."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

from greatseal.crypto.algorithms import KeyAlgorithm
from greatseal.crypto.keypair import (
    UnusableKey,
    accept_private,
    accept_public,
    algorithm_of,
    encode_private,
    encode_public,
    generate,
    load_private,
    load_public,
)
from greatseal.kernel.secret import Secret


@pytest.mark.parametrize("row", KeyAlgorithm, ids=lambda row: row.name)
def test_a_key_survives_encoding(row):
    pkcs8 = generate(row)
    key = load_private(pkcs8)
    assert encode_private(key).reveal() == pkcs8.reveal()
    public = load_public(encode_public(key.public_key()))
    assert encode_public(public) == encode_public(key.public_key())


def test_ml_dsa_keys_are_kept_as_their_seed():
    # RFC 9881 section 6: the seed alone is 32 octets under a context tag; the expanded key has thousands.
    assert len(generate(KeyAlgorithm.ML_DSA_65).reveal()) == 54


@pytest.mark.parametrize("data", [b"", b"0", b"\x30\x00", b"-----BEGIN PRIVATE KEY-----"])
def test_bytes_that_are_no_key_are_refused(data):
    with pytest.raises(UnusableKey):
        load_private(Secret(data))
    with pytest.raises(UnusableKey):
        load_public(data)


def test_an_encrypted_key_is_refused():
    key = ec.generate_private_key(ec.SECP256R1())
    locked = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"password"),
    )
    with pytest.raises(UnusableKey):
        load_private(Secret(locked))


@pytest.mark.parametrize("key", [ed25519.Ed25519PrivateKey.generate(), dsa.generate_private_key(1024)])
def test_other_kinds_are_refused(key):
    with pytest.raises(UnusableKey):
        accept_private(key)
    with pytest.raises(UnusableKey):
        accept_public(key.public_key())
    with pytest.raises(UnusableKey):
        accept_public(object())


def test_other_sizes_have_no_row():
    assert algorithm_of(ec.generate_private_key(ec.SECP224R1()).public_key()) is None
    assert algorithm_of(rsa.generate_private_key(65537, 1024).public_key()) is None


def test_a_point_off_the_curve_is_refused():
    good = bytearray(encode_public(ec.generate_private_key(ec.SECP256R1()).public_key()))
    good[-1] ^= 1
    with pytest.raises(UnusableKey):
        load_public(bytes(good))


def test_a_private_key_does_not_print():
    assert "…" in repr(generate(KeyAlgorithm.EC_prime256v1))
