"""Two parties come to the same secret, and a stranger's octets are refused in our words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opened_keys import PAIRS, made, private, public

from greatseal.crypto.envelope import InvalidCiphertext
from greatseal.crypto.key_agreement import decapsulate, derive_shared_secret, encapsulate
from greatseal.crypto.key_specs import IncompatibleAlgorithm, KeySpec, Kind
from greatseal.crypto.keypair import UnusableKey
from greatseal.crypto.material import generate
from greatseal.crypto.opened import open_key

AGREEING = [spec for spec in KeySpec if spec.key_agreement_algorithms]
ENCAPSULATING = [spec for spec in KeySpec if spec.encapsulation_algorithms]


@pytest.mark.parametrize("spec", AGREEING, ids=lambda spec: spec.name)
def test_both_sides_derive_the_same(spec):
    peer = generate(spec, bytes)
    ours = derive_shared_secret(private(spec), peer.spki)
    assert ours == derive_shared_secret(open_key(spec, peer.secret), made(spec).spki)
    assert len(ours) == (spec.size + 7) // 8


@pytest.mark.parametrize("spec", AGREEING, ids=lambda spec: spec.name)
def test_a_peer_on_another_curve_is_refused(spec):
    for other in PAIRS:
        if other is not spec:
            with pytest.raises(UnusableKey):
                derive_shared_secret(private(spec), made(other).spki)


@given(st.binary(max_size=200))
def test_hostile_peers_are_refused(octets):
    with pytest.raises(UnusableKey):
        derive_shared_secret(private(KeySpec.ECC_NIST_P256), octets)


@pytest.mark.parametrize("spec", ENCAPSULATING, ids=lambda spec: spec.name)
def test_what_was_encapsulated_comes_out(spec):
    secret, ciphertext = encapsulate(public(spec))
    assert (len(secret), len(ciphertext)) == (32, {768: 1088, 1024: 1568}[spec.size])
    assert decapsulate(private(spec), ciphertext) == secret
    assert encapsulate(public(spec))[0] != secret


@pytest.mark.parametrize("spec", ENCAPSULATING, ids=lambda spec: spec.name)
def test_a_changed_ciphertext_gives_another_secret_always_the_same(spec):
    # Implicit rejection, FIPS 203 section 6.3.
    secret, ciphertext = encapsulate(public(spec))
    changed = ciphertext[:-1] + bytes([ciphertext[-1] ^ 1])
    assert decapsulate(private(spec), changed) != secret
    assert decapsulate(private(spec), changed) == decapsulate(private(spec), changed)


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=100), st.integers(1000, 1700).map(bytes)), st.sampled_from(ENCAPSULATING))
def test_only_the_length_of_a_ciphertext_is_refused(octets, spec):
    if len(octets) == {768: 1088, 1024: 1568}[spec.size]:
        assert len(decapsulate(private(spec), octets)) == 32
        return
    with pytest.raises(InvalidCiphertext):
        decapsulate(private(spec), octets)


@pytest.mark.parametrize("spec", PAIRS, ids=lambda spec: spec.name)
def test_keys_that_are_for_something_else(spec):
    if spec not in AGREEING:
        with pytest.raises(IncompatibleAlgorithm, match="ECDH"):
            derive_shared_secret(private(spec), made(spec).spki)
    if spec.kind is not Kind.ML_KEM:
        with pytest.raises(IncompatibleAlgorithm, match="ML_KEM"):
            encapsulate(public(spec))
        with pytest.raises(IncompatibleAlgorithm, match="ML_KEM"):
            decapsulate(private(spec), b"")
