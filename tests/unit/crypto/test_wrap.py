"""What is sealed opens in its place with its key, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greatseal.crypto.wrap import (
    KEY_SIZE,
    NONCE_SIZE,
    CannotOpen,
    key_fingerprint,
    key_from_passphrase,
    seal,
    unseal,
)
from greatseal.kernel.secret import Secret

KEK = Secret(bytes(range(KEY_SIZE)))
NONCE = bytes(NONCE_SIZE)


@given(st.binary(max_size=200), st.binary(max_size=40), st.binary(min_size=NONCE_SIZE, max_size=NONCE_SIZE))
def test_a_sealed_value_opens(plaintext, associated, nonce):
    sealed = seal(KEK, Secret(plaintext), nonce=nonce, associated=associated)
    assert unseal(KEK, sealed, associated=associated).reveal() == plaintext


@given(st.integers(0, 60), st.integers(1, 255))
def test_an_altered_value_does_not_open(at, change):
    sealed = bytearray(seal(KEK, Secret(bytes(32)), nonce=NONCE, associated=b"key/1"))
    sealed[at] ^= change
    with pytest.raises(CannotOpen):
        unseal(KEK, bytes(sealed), associated=b"key/1")


def test_a_value_moved_to_another_row_does_not_open():
    sealed = seal(KEK, Secret(b"private"), nonce=NONCE, associated=b"key/1")
    with pytest.raises(CannotOpen):
        unseal(KEK, sealed, associated=b"key/2")


def test_another_key_does_not_open():
    sealed = seal(KEK, Secret(b"private"), nonce=NONCE, associated=b"key/1")
    with pytest.raises(CannotOpen):
        unseal(Secret(bytes(KEY_SIZE)), sealed, associated=b"key/1")


@pytest.mark.parametrize("size", range(29))
def test_a_cut_off_value_does_not_open(size):
    sealed = seal(KEK, Secret(b""), nonce=NONCE, associated=b"")
    with pytest.raises(CannotOpen):
        unseal(KEK, sealed[:size], associated=b"")


@pytest.mark.parametrize("size", [0, 11, 13, 16])
def test_a_nonce_of_another_size_is_refused(size):
    with pytest.raises(ValueError, match="nonce"):
        seal(KEK, Secret(b""), nonce=bytes(size), associated=b"")


def test_the_plaintext_is_not_in_the_sealed_value():
    assert b"very private" not in seal(KEK, Secret(b"very private"), nonce=NONCE, associated=b"")


def test_a_passphrase_makes_the_same_key_again():
    first = key_from_passphrase(Secret(b"correct horse"), b"salt")
    assert len(first.reveal()) == KEY_SIZE
    assert first.reveal() == key_from_passphrase(Secret(b"correct horse"), b"salt").reveal()
    assert first.reveal() != key_from_passphrase(Secret(b"correct horse"), b"pepper").reveal()


def test_a_fingerprint_names_a_key():
    assert key_fingerprint(KEK) == key_fingerprint(Secret(KEK.reveal()))
    assert key_fingerprint(KEK) != key_fingerprint(Secret(bytes(KEY_SIZE)))
    assert len(key_fingerprint(KEK)) == 16
