"""Sign, Verify, GetPublicKey, GenerateMac and VerifyMac (kms.md 4, 5, 8)."""

import hashlib
import hmac
import json

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

from doors.kms import USAGES, Kms
from doors.pki import refused

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
RSA = [f"RSASSA_{kind}_SHA_{bits}" for kind in ("PKCS1_V1_5", "PSS") for bits in (256, 384, 512)]
HASHED = [
    *(("RSA_2048", each) for each in RSA),
    ("ECC_NIST_P256", "ECDSA_SHA_256"),
    ("ECC_NIST_P384", "ECDSA_SHA_384"),
    ("ECC_NIST_P521", "ECDSA_SHA_512"),
    ("ECC_SECG_P256K1", "ECDSA_SHA_256"),
]
ML_DSA = {"ML_DSA_44": (1334, 2420), "ML_DSA_65": (1974, 3309), "ML_DSA_87": (2614, 4627)}
MACS = {"HMAC_224": 28, "HMAC_256": 32, "HMAC_384": 48, "HMAC_512": 64}


@pytest.fixture
def k(storage):
    return Kms(storage)


def bad_signature():
    """Also: the real service says nothing more."""
    return refused("KMSInvalidSignatureException")


def flipped(octets, at):
    changed = bytearray(octets)
    changed[at] ^= 1
    return bytes(changed)


@pytest.mark.parametrize(("spec", "algorithm"), HASHED)
def test_hashed_messages(k, spec, algorithm):
    key = k.create(spec, "SIGN_VERIFY")
    message = b"m" * 4096
    digest = hashlib.new(f"sha{algorithm[-3:]}", message).digest()
    given = {"KeyId": key, "SigningAlgorithm": algorithm}
    as_digest = {**given, "Message": digest, "MessageType": "DIGEST"}
    raw = k.kms.sign(**given, Message=message)
    raw.pop("ResponseMetadata")
    assert raw.keys() == {"KeyId", "Signature", "SigningAlgorithm"}
    assert (raw["KeyId"], raw["SigningAlgorithm"]) == (key, algorithm)
    hashed = k.kms.sign(**as_digest)["Signature"]
    for signature in (raw["Signature"], hashed):
        for again in ({**given, "Message": message}, {**given, "Message": message, "MessageType": "RAW"}, as_digest):
            answer = k.kms.verify(**again, Signature=signature)
            answer.pop("ResponseMetadata")
            assert answer == {"KeyId": key, "SignatureValid": True, "SigningAlgorithm": algorithm}
    for wrong in (
        {**given, "Message": message[1:], "Signature": hashed},
        {**as_digest, "Message": flipped(digest, 0), "Signature": hashed},
        {**as_digest, "Signature": flipped(hashed, -1)},
        {**as_digest, "Signature": hashed + b"\0"},
        {**as_digest, "Signature": b"x"},
    ):
        with bad_signature():
            k.kms.verify(**wrong)
    for length in {1, 20, 32, 48, 64, 65} - {len(digest)}:
        for call, more in ((k.kms.sign, {}), (k.kms.verify, {"Signature": hashed})):
            with refused("ValidationException", f"Digest is invalid length for algorithm {algorithm}."):
                call(**{**as_digest, "Message": b"d" * length}, **more)
    for call, more in ((k.kms.sign, {}), (k.kms.verify, {"Signature": hashed})):
        with refused("ValidationException", "EXTERNAL_MU"):
            call(**{**as_digest, "MessageType": "EXTERNAL_MU"}, **more)


def test_ed25519(k):
    key = k.create("ECC_NIST_EDWARDS25519")
    pure = {"KeyId": key, "SigningAlgorithm": "ED25519_SHA_512"}
    hashed = {"KeyId": key, "SigningAlgorithm": "ED25519_PH_SHA_512", "MessageType": "DIGEST"}
    signature = k.kms.sign(**pure, Message=b"message")["Signature"]
    assert len(signature) == 64
    public(k, key).verify(signature, b"message")
    assert k.kms.verify(**pure, Message=b"message", Signature=signature)["SignatureValid"]
    digest = hashlib.sha512(b"message").digest()
    other = k.kms.sign(**hashed, Message=digest)["Signature"]
    assert k.kms.verify(**hashed, Message=digest, Signature=other)["SignatureValid"]
    with bad_signature():
        k.kms.verify(**pure, Message=digest, Signature=other)
    with bad_signature():
        k.kms.verify(**pure, Message=b"other", Signature=signature)
    for given in (
        {**pure, "MessageType": "DIGEST"},
        {**hashed, "MessageType": "RAW"},
        {**pure, "MessageType": "EXTERNAL_MU"},
    ):
        with refused("ValidationException", "The message type"):
            k.kms.sign(**given, Message=digest)
    with refused("ValidationException", "Digest is invalid length for algorithm ED25519_PH_SHA_512."):
        k.kms.sign(**hashed, Message=digest[1:])


@pytest.mark.parametrize("spec", ML_DSA)
def test_ml_dsa(k, spec):
    key = k.create(spec)
    spki, size = ML_DSA[spec]
    der = k.kms.get_public_key(KeyId=key)["PublicKey"]
    assert len(der) == spki
    tr = hashlib.shake_256(public(k, key).public_bytes_raw()).digest(64)
    mu = hashlib.shake_256(tr + b"\x00\x00" + b"message").digest(64)
    given = {"KeyId": key, "SigningAlgorithm": "ML_DSA_SHAKE_256"}
    as_mu = {**given, "Message": mu, "MessageType": "EXTERNAL_MU"}
    raw = k.kms.sign(**given, Message=b"message")["Signature"]
    external = k.kms.sign(**as_mu)["Signature"]
    for signature in (raw, external):
        assert len(signature) == size
        public(k, key).verify(signature, b"message")
        assert k.kms.verify(**given, Message=b"message", Signature=signature)["SignatureValid"]
        assert k.kms.verify(**as_mu, Signature=signature)["SignatureValid"]
    with bad_signature():
        k.kms.verify(**given, Message=b"Message", Signature=raw)
    with bad_signature():
        k.kms.verify(**given, Message=mu, Signature=raw)
    for length in (32, 63, 65):
        with refused("ValidationException", "Digest is invalid length for algorithm ML_DSA_SHAKE_256."):
            k.kms.sign(**{**as_mu, "Message": b"m" * length})
    with refused("ValidationException", "The message type DIGEST cannot be used with ML_DSA_SHAKE_256."):
        k.kms.sign(**given, Message=mu, MessageType="DIGEST")


def public(k, key):
    return serialization.load_der_public_key(k.kms.get_public_key(KeyId=key)["PublicKey"])


def test_signatures_are_those_that_others_verify(k):
    key = k.create("RSA_2048", "SIGN_VERIFY")
    for bits, digest in ((256, hashes.SHA256()), (512, hashes.SHA512())):
        for kind, form in (
            ("PKCS1_V1_5", padding.PKCS1v15()),
            ("PSS", padding.PSS(padding.MGF1(digest), digest.digest_size)),
        ):
            signature = k.kms.sign(KeyId=key, Message=b"m", SigningAlgorithm=f"RSASSA_{kind}_SHA_{bits}")["Signature"]
            public(k, key).verify(signature, b"m", form, digest)
            with pytest.raises(InvalidSignature):
                public(k, key).verify(signature, b"n", form, digest)
    key = k.create("ECC_SECG_P256K1")
    signature = k.kms.sign(KeyId=key, Message=b"m", SigningAlgorithm="ECDSA_SHA_256")["Signature"]
    public(k, key).verify(signature, b"m", ec.ECDSA(hashes.SHA256()))


def test_messages_have_bounds(k):
    key = k.create("ECC_NIST_P256")
    given = {"KeyId": key, "SigningAlgorithm": "ECDSA_SHA_256"}
    text = "Value at 'message' failed to satisfy constraint: Member must have length less than or equal to 4096"
    with refused("ValidationException", f"1 validation error detected: {text}"):
        k.kms.sign(**given, Message=b"m" * 4097)
    with refused("ValidationException", "at 'message'"):
        k.kms.sign(**given, Message=b"")
    with refused("ValidationException", "at 'signature'"):
        k.kms.verify(**given, Message=b"m", Signature=b"s" * 6145)
    with refused("ValidationException", "at 'messageType'"):
        k.kms.sign(**given, Message=b"m", MessageType="HASH")


def test_algorithms_and_usages_that_do_not_fit(k):
    key, cipher, mac = k.create("ECC_NIST_P384"), k.create("RSA_2048"), k.create("HMAC_224")
    with refused("InvalidKeyUsageException", "Algorithm ECDSA_SHA_256 is incompatible with key spec ECC_NIST_P384."):
        k.kms.sign(KeyId=key, Message=b"m", SigningAlgorithm="ECDSA_SHA_256")
    with refused("InvalidKeyUsageException", "Algorithm HMAC_SHA_256 is incompatible with key spec HMAC_224."):
        k.kms.generate_mac(KeyId=mac, Message=b"m", MacAlgorithm="HMAC_SHA_256")
    for operation, more in (("sign", {}), ("verify", {"Signature": b"s"})):
        text = f"{cipher} key usage is ENCRYPT_DECRYPT which is not valid for {operation.capitalize()}."
        with refused("InvalidKeyUsageException", text):
            getattr(k.kms, operation)(KeyId=cipher, Message=b"m", SigningAlgorithm=RSA[0], **more)
    with refused("InvalidKeyUsageException", f"{key} key usage is SIGN_VERIFY which is not valid for VerifyMac."):
        k.kms.verify_mac(KeyId=key, Message=b"m", MacAlgorithm="HMAC_SHA_256", Mac=b"m")


@pytest.mark.parametrize("spec", MACS)
def test_macs(k, spec):
    key = k.create(spec)
    algorithm = f"HMAC_SHA_{spec[-3:]}"
    given = {"KeyId": key, "Message": b"message", "MacAlgorithm": algorithm}
    answer = k.kms.generate_mac(**given)
    answer.pop("ResponseMetadata")
    mac = answer.pop("Mac")
    assert answer == {"KeyId": key, "MacAlgorithm": algorithm}
    assert len(mac) == MACS[spec]
    checked = k.kms.verify_mac(**given, Mac=mac)
    checked.pop("ResponseMetadata")
    assert checked == {"KeyId": key, "MacValid": True, "MacAlgorithm": algorithm}
    for at in range(len(mac)):
        with refused("KMSInvalidMacException"):
            k.kms.verify_mac(**given, Mac=flipped(mac, at))
    for wrong in (mac[:-1], mac + b"\0", b"m"):
        with refused("KMSInvalidMacException"):
            k.kms.verify_mac(**given, Mac=wrong)
    with refused("KMSInvalidMacException"):
        k.kms.verify_mac(**{**given, "Message": b"Message"}, Mac=mac)


def test_a_mac_is_an_hmac(k):
    material = bytes(range(32))
    key = k.external("HMAC_256")
    k.bring(key, material)
    mac = k.kms.generate_mac(KeyId=key, Message=b"m", MacAlgorithm="HMAC_SHA_256")["Mac"]
    assert mac == hmac.digest(material, b"m", "sha256")


@pytest.mark.parametrize("operation", ["verify", "verify_mac", "decrypt"])
def test_some_refusals_say_nothing(k, operation):
    key = k.create({"verify": "ECC_NIST_P256", "verify_mac": "HMAC_256", "decrypt": "RSA_2048"}[operation])
    given = {
        "verify": {"Message": b"m", "Signature": b"s", "SigningAlgorithm": "ECDSA_SHA_256"},
        "verify_mac": {"Message": b"m", "Mac": b"s", "MacAlgorithm": "HMAC_SHA_256"},
        "decrypt": {"CiphertextBlob": b"s" * 256, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"},
    }[operation]
    seen = {}
    k.kms.meta.events.register("after-call", lambda http_response, **_: seen.update(body=http_response.content))
    with refused(("KMSInvalidSignatureException", "KMSInvalidMacException", "InvalidCiphertextException")):
        getattr(k.kms, operation)(KeyId=key, **given)
    assert json.loads(seen["body"]).keys() == {"__type"}


@pytest.mark.parametrize("spec", [each for each in USAGES if not each.startswith(("HMAC", "SYMM", "RSA_3", "RSA_4"))])
def test_public_keys(k, spec):
    members = {
        "SIGN_VERIFY": "SigningAlgorithms",
        "ENCRYPT_DECRYPT": "EncryptionAlgorithms",
        "KEY_AGREEMENT": "KeyAgreementAlgorithms",
        "ENCAPSULATE_DECAPSULATE": "EncapsulationAlgorithms",
    }
    for usage in USAGES[spec]:
        key = k.create(spec, usage)
        found = k.kms.get_public_key(KeyId=key)
        found.pop("ResponseMetadata")
        listed = {member for member in found if member.endswith("Algorithms")}
        assert listed == {members[usage]}
        assert found.keys() - listed == {"KeyId", "PublicKey", "CustomerMasterKeySpec", "KeySpec", "KeyUsage"}
        assert (found["KeyId"], found["KeySpec"], found["KeyUsage"]) == (key, spec, usage)
        serialization.load_der_public_key(found["PublicKey"])


def test_secrets_have_no_public_key(k):
    for spec in ("SYMMETRIC_DEFAULT", "HMAC_512"):
        with refused("UnsupportedOperationException"):
            k.kms.get_public_key(KeyId=k.create(spec))
