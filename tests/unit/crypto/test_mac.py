"""HMACs are whole, of the right key, and compared whole. Published values: test_vectors_secrets.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opened_keys import made

from greatseal.crypto.key_specs import IncompatibleAlgorithm, KeySpec
from greatseal.crypto.mac import generate_mac, verify_mac

HMAC = [spec for spec in KeySpec if spec.mac_algorithms]


@pytest.mark.parametrize("spec", HMAC, ids=lambda spec: spec.name)
def test_a_mac_verifies(spec):
    (algorithm,), secret = spec.mac_algorithms, made(spec).secret
    mac = generate_mac(secret, algorithm, b"message")
    assert len(mac) == spec.secret_size
    assert verify_mac(secret, algorithm, b"message", mac)
    assert not verify_mac(secret, algorithm, b"massage", mac)
    for at in range(len(mac)):
        assert not verify_mac(secret, algorithm, b"message", mac[:at] + bytes([mac[at] ^ 1]) + mac[at + 1 :])
        assert not verify_mac(secret, algorithm, b"message", mac[:at])


@given(st.binary(max_size=6144), st.sampled_from(HMAC))
def test_hostile_octets_are_just_false(octets, spec):
    assert not verify_mac(made(spec).secret, spec.mac_algorithms[0], b"message", octets)


@pytest.mark.parametrize("algorithm", ["HMAC_SHA_1", "", "sha256"])
def test_an_unknown_algorithm(algorithm):
    with pytest.raises(IncompatibleAlgorithm):
        generate_mac(made(KeySpec.HMAC_256).secret, algorithm, b"")
