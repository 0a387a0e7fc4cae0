"""What a symmetric key encrypts opens with that key and context, and with nothing else."""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from greatseal.crypto.envelope import (
    NONCE_SIZE,
    Header,
    InvalidCiphertext,
    MalformedCiphertext,
    canonical,
    decrypt,
    encrypt,
    parse,
)
from greatseal.kernel.secret import Secret

KEY = Secret(bytes(range(32)))
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
MATERIAL = "0f" * 32
CONTEXT = {"purpose": "test", "app": "greatseal"}
PLAINTEXT = b"attack at dawn"


def sealed(context=CONTEXT, *, plaintext=PLAINTEXT, key_id=KEY_ID, nonce=bytes(NONCE_SIZE)) -> bytes:
    return encrypt(KEY, key_id=key_id, material_id=MATERIAL, context=context, plaintext=plaintext, nonce=nonce)


contexts = st.dictionaries(st.text(max_size=12), st.text(max_size=12), max_size=4)


@given(st.binary(max_size=4096), contexts, st.text(min_size=1, max_size=60), st.binary(min_size=32, max_size=32))
def test_a_ciphertext_opens(plaintext, context, key_id, nonce):
    blob = sealed(context, plaintext=plaintext, key_id=key_id, nonce=nonce)
    assert parse(blob) == Header(key_id, MATERIAL)
    assert decrypt(KEY, blob, context) == plaintext


def test_the_form_is_what_the_document_says():
    # Decrypted again from the module's description alone, with HMAC from the standard library as HKDF-Expand.
    blob, nonce = sealed(nonce=bytes(range(32))), bytes(range(32))
    header = bytes((1, len(KEY_ID))) + KEY_ID.encode() + bytes.fromhex(MATERIAL)
    assert blob.startswith(header + nonce)
    info = b"greatseal kms envelope 1\0" + nonce
    first = hmac.digest(KEY.reveal(), info + b"\1", hashlib.sha256)
    second = hmac.digest(KEY.reveal(), first + info + b"\2", hashlib.sha256)
    pairs = b"\0\0\0\3app\0\0\0\x09greatseal\0\0\0\7purpose\0\0\0\4test"
    assert AESGCM(first).decrypt(second[:12], blob[len(header) + 32 :], header + pairs) == PLAINTEXT


@pytest.mark.parametrize("at", range(len(sealed())))
def test_no_octet_may_change(at):
    blob = bytearray(sealed())
    for change in (0x01, 0x80, 0xFF):
        blob[at] ^= change
        with pytest.raises(InvalidCiphertext):
            decrypt(KEY, bytes(blob), CONTEXT)
        blob[at] ^= change


@pytest.mark.parametrize("size", range(len(sealed())))
def test_a_cut_off_ciphertext_does_not_open(size):
    with pytest.raises(InvalidCiphertext):
        decrypt(KEY, sealed()[:size], CONTEXT)


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"purpose": "test"},
        {"purpose": "greatseal", "app": "test"},
        {"Purpose": "test", "app": "greatseal"},
        {"purpose": "test", "app": "greatseal", "": ""},
        {"purpose": "test", "appg": "reatseal"},
        {"app": "greatsealpurposetest"},
    ],
)
def test_another_context_does_not_open(context):
    with pytest.raises(InvalidCiphertext):
        decrypt(KEY, sealed(), context)


def test_the_order_of_a_context_does_not_matter():
    assert decrypt(KEY, sealed(), dict(reversed(CONTEXT.items()))) == PLAINTEXT


@given(contexts, contexts)
def test_no_two_contexts_look_the_same(one, other):
    assert (canonical(one) == canonical(other)) is (one == other)


def test_a_lone_surrogate_has_an_encoding():
    assert decrypt(KEY, sealed({"\ud800": "\udfff"}), {"\ud800": "\udfff"}) == PLAINTEXT
    assert canonical({"a": "\ud800"}) != canonical({"a": "?"})


def test_another_key_does_not_open():
    with pytest.raises(InvalidCiphertext):
        decrypt(Secret(bytes(32)), sealed(), CONTEXT)


def test_each_nonce_gives_another_message_key():
    # The same plaintext twice: neither ciphertext nor tag may repeat.
    bodies = {sealed(nonce=bytes([at]) * NONCE_SIZE)[-30:] for at in range(50)}
    assert len(bodies) == 50


@given(st.binary(max_size=400))
def test_hostile_octets_are_refused_in_our_words(octets):
    for blob in (octets, b"\1" + octets, b"\1\x24" + octets):
        with pytest.raises(InvalidCiphertext):
            decrypt(KEY, blob, {})
        try:
            parse(blob)
        except MalformedCiphertext:
            continue


@pytest.mark.parametrize("blob", [b"", b"\1", b"\2" + sealed()[1:], b"\1\0" + bytes(100), b"\1\1\xff" + bytes(100)])
def test_what_is_no_blob_is_malformed(blob):
    with pytest.raises(MalformedCiphertext):
        parse(blob)


@pytest.mark.parametrize(
    "wrong",
    [
        {"key_id": ""},
        {"key_id": "x" * 256},
        {"material_id": "0f" * 31},
        {"material_id": "0F" * 32},
        {"material_id": "0f " * 32},
        {"nonce": bytes(31)},
    ],
)
def test_what_does_not_fit_the_header_is_refused(wrong):
    given = {"key_id": KEY_ID, "material_id": MATERIAL, "nonce": bytes(NONCE_SIZE)} | wrong
    with pytest.raises(ValueError, match="octets"):
        encrypt(KEY, context={}, plaintext=b"", **given)


def test_the_largest_message_fits_the_wire():
    # CiphertextBlob has at most 6144 octets; the key id is a whole ARN here.
    arn = "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/mrk-" + "0" * 32
    assert len(sealed(plaintext=bytes(4096), key_id=arn)) <= 6144
