"""Every signature of Wycheproof that a KMS key could be shown, judged by `message_signature`.

Not run, because KMS has no such algorithm: other hashes than the one of a curve, P1363 signatures, SHA-3, PSS with
another salt or MGF, RSA of other sizes, contexts of ML-DSA, and "bitcoin" signatures (KMS takes a high s).
"""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa
from wycheproof import blob, vectors

from greatseal.crypto import ed25519ph
from greatseal.crypto.key_specs import KeySpec
from greatseal.crypto.keypair import UnusableKey
from greatseal.crypto.message_signature import (
    MessageType,
    message_representative,
    sign_with,
    verify_with,
)
from greatseal.crypto.opened import PrivateKeyHandle, PublicKeyHandle, open_key, open_public
from greatseal.kernel.secret import Secret

PRE_HASHED = {
    "ecdsa_secp256r1_sha256": ("ECC_NIST_P256", "ECDSA_SHA_256"),
    "ecdsa_secp384r1_sha384": ("ECC_NIST_P384", "ECDSA_SHA_384"),
    "ecdsa_secp521r1_sha512": ("ECC_NIST_P521", "ECDSA_SHA_512"),
    "ecdsa_secp256k1_sha256": ("ECC_SECG_P256K1", "ECDSA_SHA_256"),
    **{
        f"rsa_signature_{size}_sha{bits}": (f"RSA_{size}", f"RSASSA_PKCS1_V1_5_SHA_{bits}")
        for size, hashes in ((2048, (256, 384, 512)), (3072, (256, 384, 512)), (4096, (256, 384, 512)))
        for bits in hashes
    },
    "rsa_pss_2048_sha256_mgf1_32": ("RSA_2048", "RSASSA_PSS_SHA_256"),
    "rsa_pss_2048_sha384_mgf1_48": ("RSA_2048", "RSASSA_PSS_SHA_384"),
    "rsa_pss_3072_sha256_mgf1_32": ("RSA_3072", "RSASSA_PSS_SHA_256"),
    "rsa_pss_4096_sha256_mgf1_32": ("RSA_4096", "RSASSA_PSS_SHA_256"),
    "rsa_pss_4096_sha384_mgf1_48": ("RSA_4096", "RSASSA_PSS_SHA_384"),
    "rsa_pss_4096_sha512_mgf1_64": ("RSA_4096", "RSASSA_PSS_SHA_512"),
}


def expected(test: dict, otherwise: bool) -> bool:
    """What a vector says; `acceptable` leaves it to us, and `otherwise` is what we answer."""
    return {"valid": True, "invalid": False, "acceptable": otherwise}[test["result"]]


@pytest.mark.parametrize("name", PRE_HASHED)
def test_rsa_and_ecdsa_over_message_and_digest(name):
    spec, algorithm = KeySpec[PRE_HASHED[name][0]], PRE_HASHED[name][1]
    bits = algorithm.rpartition("_")[2]
    for group, test in vectors(f"Signature/wycheproof/{name}_test.json"):
        spki, message, signature = blob(group["publicKeyDer"]), blob(test["msg"]), blob(test["sig"])
        if "SmallPublicKey" in test["flags"]:
            # The exponent is 3; KMS has keys with 65537 only.
            with pytest.raises(UnusableKey):
                open_public(spec, spki)
            continue
        key = open_public(spec, spki)
        # The acceptable ones lack the NULL of the DigestInfo, which RFC 8017 section 9.2 wants.
        good = expected(test, otherwise=False)
        digest = hashlib.new(f"sha{bits}", message).digest()
        assert verify_with(key, algorithm, message, MessageType.RAW, signature) is good, test
        assert verify_with(key, algorithm, digest, MessageType.DIGEST, signature) is good, test


def test_ed25519():
    spec = KeySpec.ECC_NIST_EDWARDS25519
    for group, test in vectors("Signature/wycheproof/ed25519_test.json"):
        signature, message = blob(test["sig"]), blob(test["msg"])
        # Public keys of small or mixed order: verification without the cofactor, as RFC 8032 section 5.1.7 allows,
        # takes some; they need a signer who wants it, and gain nothing.
        key = open_public(spec, blob(group["publicKeyDer"]))
        good = verify_with(key, "ED25519_SHA_512", message, MessageType.RAW, signature)
        assert good is expected(test, otherwise=good), test


@pytest.mark.parametrize("size", [44, 65, 87])
def test_ml_dsa_verifies_message_and_representative(size):
    spec = KeySpec[f"ML_DSA_{size}"]
    for group, test in vectors(f"Signature/wycheproof/mldsa_{size}_verify_test.json"):
        if test.get("ctx"):
            continue  # KMS has no contexts
        if "IncorrectPublicKeyLength" in test["flags"]:
            with pytest.raises(UnusableKey):
                open_public(spec, blob(group["publicKeyDer"]))
            continue
        key = open_public(spec, blob(group["publicKeyDer"]))
        message, signature, good = blob(test["msg"]), blob(test["sig"]), expected(test, otherwise=False)
        mu = message_representative(key, message)
        assert verify_with(key, "ML_DSA_SHAKE_256", message, MessageType.RAW, signature) is good, test
        assert verify_with(key, "ML_DSA_SHAKE_256", mu, MessageType.EXTERNAL_MU, signature) is good, test


@pytest.mark.parametrize("size", [44, 65, 87])
def test_ml_dsa_signs_with_the_keys_of_the_vectors(size):
    spec = KeySpec[f"ML_DSA_{size}"]
    for group, test in vectors(f"Signature/wycheproof/mldsa_{size}_sign_seed_test.json"):
        if test["result"] == "invalid" or test.get("ctx"):
            # Seeds of a wrong length, which have no PKCS#8 form, and contexts, which KMS does not have.
            assert test.get("ctx") or "IncorrectPrivateKeyLength" in test["flags"]
            continue
        key, public = private_of(spec, group), public_of(spec, group)
        if "privateKeyPkcs8" in group:
            assert open_key(spec, Secret(blob(group["privateKeyPkcs8"]))).spki == key.spki
        mu = blob(test["mu"])
        assert verify_with(public, "ML_DSA_SHAKE_256", mu, MessageType.EXTERNAL_MU, blob(test["sig"])), test
        signed = sign_with(key, "ML_DSA_SHAKE_256", mu, MessageType.EXTERNAL_MU)
        assert verify_with(public, "ML_DSA_SHAKE_256", mu, MessageType.EXTERNAL_MU, signed)
        if "Internal" not in test["flags"]:
            assert message_representative(public, blob(test["msg"])) == mu
            assert verify_with(public, "ML_DSA_SHAKE_256", blob(test["msg"]), MessageType.RAW, signed)


def private_of(spec: KeySpec, group: dict) -> PrivateKeyHandle:
    made = getattr(mldsa, f"MLDSA{spec.size}PrivateKey")
    return PrivateKeyHandle(spec, made.from_seed_bytes(blob(group["privateSeed"])))


def public_of(spec: KeySpec, group: dict) -> PublicKeyHandle:
    made = getattr(mldsa, f"MLDSA{spec.size}PublicKey")
    return PublicKeyHandle(spec, made.from_public_bytes(blob(group["publicKey"])))


def test_ed25519ph_of_the_standard():
    # RFC 8032 section 7.3.
    key = ed25519.Ed25519PrivateKey.from_private_bytes(
        blob("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42")
    )
    signature = blob(
        "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41"
        "31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406"
    )
    assert ed25519ph.sign(key, b"abc") == signature
    assert ed25519ph.verify(key.public_key(), b"abc", signature)
    assert not ed25519ph.verify(key.public_key(), b"abd", signature)
    assert not ed25519ph.verify(key.public_key(), b"abc", key.sign(b"abc"))
