"""Published vectors for what keeps and shares secrets: OAEP, key wrap, ECDH, ML-KEM, HMAC.

From Wycheproof, except HMAC (RFC 4231). Not run, because KMS has no such algorithm: other hashes of OAEP, another hash
in MGF1, labels, ML-KEM-512, and expanded private keys of ML-KEM.
"""

import hashlib

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, mlkem, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from wycheproof import blob, vectors

from greatseal.crypto import asymmetric_encryption, import_wrapping
from greatseal.crypto.envelope import InvalidCiphertext
from greatseal.crypto.key_agreement import decapsulate, derive_shared_secret, encapsulate
from greatseal.crypto.key_specs import KeySpec
from greatseal.crypto.keypair import UnusableKey
from greatseal.crypto.mac import generate_mac, verify_mac
from greatseal.crypto.opened import CURVES, PrivateKeyHandle, PublicKeyHandle, open_key, open_public
from greatseal.kernel.secret import Secret


@pytest.mark.parametrize(
    ("name", "spec", "algorithm"),
    [
        ("2048_sha1_mgf1sha1", KeySpec.RSA_2048, "RSAES_OAEP_SHA_1"),
        ("2048_sha256_mgf1sha256", KeySpec.RSA_2048, "RSAES_OAEP_SHA_256"),
        ("3072_sha256_mgf1sha256", KeySpec.RSA_3072, "RSAES_OAEP_SHA_256"),
        ("4096_sha256_mgf1sha256", KeySpec.RSA_4096, "RSAES_OAEP_SHA_256"),
    ],
)
def test_oaep_decrypts(name, spec, algorithm):
    opened: dict[str, PrivateKeyHandle] = {}
    for group, test in vectors(f"Cipher/wycheproof/rsa_oaep_{name}_test.json"):
        pkcs8 = group["privateKeyPkcs8"]
        key = opened.setdefault(pkcs8, opened.get(pkcs8) or open_key(spec, Secret(blob(pkcs8))))
        if test["result"] == "valid" and not test["label"]:
            assert asymmetric_encryption.decrypt(key, algorithm, blob(test["ct"])) == blob(test["msg"]), test
        else:
            with pytest.raises(InvalidCiphertext):
                asymmetric_encryption.decrypt(key, algorithm, blob(test["ct"]))


@pytest.fixture(scope="module")
def wrapping_key() -> PrivateKeyHandle:
    return PrivateKeyHandle(KeySpec.RSA_2048, rsa.generate_private_key(public_exponent=65537, key_size=2048))


def test_key_wrap_with_padding(wrapping_key):
    public = wrapping_key.key.public_key()
    sha256 = padding.OAEP(mgf=padding.MGF1(SHA256()), algorithm=SHA256(), label=None)
    for _, test in vectors("Cipher/wycheproof/aes_kwp_test.json"):
        wrapped = public.encrypt(blob(test["key"]), sha256) + blob(test["ct"])
        if test["result"] == "invalid":
            with pytest.raises(InvalidCiphertext):
                import_wrapping.unwrap(wrapping_key, "RSA_AES_KEY_WRAP_SHA_256", wrapped)
        else:
            # The acceptable ones wrap very short keys, which RFC 5649 allows.
            unwrapped = import_wrapping.unwrap(wrapping_key, "RSA_AES_KEY_WRAP_SHA_256", wrapped)
            assert unwrapped.reveal() == blob(test["msg"]), test


@pytest.mark.parametrize(
    ("curve", "spec"),
    [
        ("secp256r1", KeySpec.ECC_NIST_P256),
        ("secp384r1", KeySpec.ECC_NIST_P384),
        ("secp521r1", KeySpec.ECC_NIST_P521),
    ],
)
def test_ecdh(curve, spec):
    agreed = 0
    for _, test in vectors(f"Protocol/wycheproof/ecdh_{curve}_test.json"):
        key = PrivateKeyHandle(spec, ec.derive_private_key(int(test["private"], 16), CURVES[curve]()))
        try:
            shared = derive_shared_secret(key, blob(test["public"]))
        except UnusableKey:
            # Acceptable are encodings outside of RFC 5480: explicit parameters, BER, compressed points.
            assert test["result"] != "valid", test
        else:
            assert test["result"] != "invalid", test
            assert shared == blob(test["shared"]), test
            agreed += 1
    assert agreed > 200


@pytest.mark.parametrize("size", [768, 1024])
def test_ml_kem_decapsulates(size):
    spec, private = KeySpec[f"ML_KEM_{size}"], getattr(mlkem, f"MLKEM{size}PrivateKey")
    for _, test in vectors(f"Protocol/wycheproof/mlkem_{size}_test.json"):
        seed, ciphertext = blob(test["seed"]), blob(test["c"])
        if len(seed) != 64:
            assert test["result"] == "invalid"
            continue  # has no PKCS#8 form
        key = PrivateKeyHandle(spec, private.from_seed_bytes(seed))
        if test["result"] == "valid":
            assert key.key.public_key().public_bytes_raw() == blob(test["ek"])
            assert decapsulate(key, ciphertext) == blob(test["K"]), test
        else:
            with pytest.raises(InvalidCiphertext):
                decapsulate(key, ciphertext)


@pytest.mark.parametrize("size", [768, 1024])
def test_ml_kem_refuses_public_keys_out_of_range(size):
    spec, refused = KeySpec[f"ML_KEM_{size}"], 0
    good = getattr(mlkem, f"MLKEM{size}PrivateKey").generate().public_key()
    spki = good.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    front = spki.removesuffix(good.public_bytes_raw())
    for _, test in vectors(f"Protocol/wycheproof/mlkem_{size}_encaps_test.json"):
        encoded = front + blob(test["ek"])
        if test["result"] == "valid":
            # The randomness of encapsulation cannot be given, so the other half is tried by the decapsulation above.
            secret, ciphertext = encapsulate(open_public(spec, encoded))
            assert (len(secret), len(ciphertext)) == (32, len(blob(test["c"])))
        else:
            with pytest.raises(UnusableKey):
                open_public(spec, encoded)
            refused += 1
    assert refused > 2


# RFC 4231 sections 4.2 to 4.4: key, data, HMAC-SHA-224, HMAC-SHA-256.
RFC_4231 = [
    (
        "0b" * 20,
        b"Hi There",
        "896fb1128abbdf196832107cd49df33f47b4b1169912ba4f53684b22",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    ),
    (
        b"Jefe".hex(),
        b"what do ya want for nothing?",
        "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    (
        "aa" * 20,
        b"\xdd" * 50,
        "7fb3cb3588c6c1f6ffa9694d7d6ad2649365b0c1f65d69d1ec8333ea",
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
    ),
]


@pytest.mark.parametrize(("key", "data", "sha224", "sha256"), RFC_4231)
def test_hmac(key, data, sha224, sha256):
    secret = Secret(blob(key))
    assert generate_mac(secret, "HMAC_SHA_224", data).hex() == sha224
    assert generate_mac(secret, "HMAC_SHA_256", data).hex() == sha256
    assert verify_mac(secret, "HMAC_SHA_256", data, blob(sha256))


@pytest.mark.parametrize(("bits", "block"), [(224, 64), (256, 64), (384, 128), (512, 128)])
def test_hmac_is_what_rfc_2104_says(bits, block):
    key, data = bytes(range(bits // 8)), b"message"
    inner, outer = (bytes(octet ^ pad for octet in key.ljust(block, b"\0")) for pad in (0x36, 0x5C))
    expected = hashlib.new(f"sha{bits}", outer + hashlib.new(f"sha{bits}", inner + data).digest()).digest()
    assert generate_mac(Secret(key), f"HMAC_SHA_{bits}", data) == expected


def test_the_public_half_is_a_handle_too(wrapping_key):
    public = PublicKeyHandle(KeySpec.RSA_2048, wrapping_key.key.public_key())
    ciphertext = asymmetric_encryption.encrypt(public, "RSAES_OAEP_SHA_256", b"")
    assert asymmetric_encryption.decrypt(wrapping_key, "RSAES_OAEP_SHA_256", ciphertext) == b""
