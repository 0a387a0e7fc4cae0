"""Encrypt, Decrypt, ReEncrypt, data keys, random octets, shared secrets (kms.md 6, 7)."""

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, mlkem, padding, x25519

from doors.kms import Kms, pkcs8
from doors.pki import refused

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
SYMMETRIC = "SYMMETRIC_DEFAULT"
CONTEXT = {"purpose": "test", "Größe": "ß"}
WRONG_KEY = "The key ID in the request does not identify a CMK that can perform this operation."
PAIRS = (
    "RSA_2048",
    "ECC_NIST_P256",
    "ECC_NIST_P384",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
    "ECC_NIST_EDWARDS25519",
)


@pytest.fixture
def k(storage):
    return Kms(storage)


def only(answer):
    """Without the metadata of the response."""
    answer.pop("ResponseMetadata")
    return answer


def test_symmetric_keys(k):
    key = k.create()
    material = k.describe(key)["CurrentKeyMaterialId"]
    for plaintext in (b"x", b"x" * 4096):
        made = only(k.kms.encrypt(KeyId=key, Plaintext=plaintext, EncryptionContext=CONTEXT))
        blob = made.pop("CiphertextBlob")
        assert made == {"KeyId": key, "EncryptionAlgorithm": SYMMETRIC}
        expected = {"Plaintext": plaintext, "KeyId": key, "EncryptionAlgorithm": SYMMETRIC, "KeyMaterialId": material}
        for more in ({}, {"KeyId": key}, {"KeyId": key.rpartition("/")[2], "EncryptionAlgorithm": SYMMETRIC}):
            assert only(k.kms.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT, **more)) == expected
    again = k.kms.encrypt(KeyId=key, Plaintext=plaintext, EncryptionContext=CONTEXT)["CiphertextBlob"]
    assert again != blob
    for size in (0, 4097):
        with refused("ValidationException", "at 'plaintext'"):
            k.kms.encrypt(KeyId=key, Plaintext=b"x" * size)
    with refused("ValidationException", "at 'ciphertextBlob'"):
        k.kms.decrypt(CiphertextBlob=b"x" * 6145)


def test_the_context_is_part_of_the_ciphertext(k):
    key = k.create()
    blob = k.kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=CONTEXT)["CiphertextBlob"]
    reordered = dict(reversed(CONTEXT.items()))
    assert k.kms.decrypt(CiphertextBlob=blob, EncryptionContext=reordered)["Plaintext"] == b"x"
    others = (
        {},
        {"purpose": "test"},
        {**CONTEXT, "more": "x"},
        {**CONTEXT, "purpose": "Test"},
        {"PURPOSE": "test", "Größe": "ß"},
    )
    for other in others:
        with refused("InvalidCiphertextException"):
            k.kms.decrypt(CiphertextBlob=blob, EncryptionContext=other)
    # A pair cannot be shifted across the border of name and value.
    blob = k.kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"ab": "c"})["CiphertextBlob"]
    with refused("InvalidCiphertextException"):
        k.kms.decrypt(CiphertextBlob=blob, EncryptionContext={"a": "bc"})
    with refused("ValidationException", "upper and lower case"):
        k.kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"a": "1", "A": "2"})


def test_every_octet_of_a_ciphertext_counts(k):
    key, other = k.create(), k.create()
    blob = k.kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    codes = ("InvalidCiphertextException", "IncorrectKeyException")
    for at in range(len(blob)):
        changed = bytearray(blob)
        changed[at] ^= 1
        with refused(codes):
            k.kms.decrypt(CiphertextBlob=bytes(changed), KeyId=key)
        with refused((*codes, "AccessDeniedException")):
            k.kms.decrypt(CiphertextBlob=bytes(changed))
    for wrong in (blob[:-1], blob[1:], blob + b"\0", b"x", b"\0" * len(blob)):
        with refused(codes):
            k.kms.decrypt(CiphertextBlob=wrong, KeyId=key)
    with refused("IncorrectKeyException", WRONG_KEY):
        k.kms.decrypt(CiphertextBlob=blob, KeyId=other)
    for spec in ("HMAC_256", "ECC_NIST_P256"):
        with refused("IncorrectKeyException", WRONG_KEY):
            k.kms.decrypt(CiphertextBlob=blob, KeyId=k.create(spec))
    with refused("ValidationException", "CiphertextBlob is required."):
        k.kms.decrypt(KeyId=key)
    # PostgreSQL has no text with a null character; the account in a ciphertext is anybody's.
    with refused("InvalidCiphertextException"):
        k.kms.decrypt(CiphertextBlob=blob[:5] + b"\0" + blob[6:])


@pytest.mark.parametrize(("algorithm", "limit"), [("RSAES_OAEP_SHA_1", 214), ("RSAES_OAEP_SHA_256", 190)])
def test_rsa(k, algorithm, limit):
    key, other = k.create("RSA_2048"), k.create("RSA_2048")
    given = {"KeyId": key, "EncryptionAlgorithm": algorithm}
    made = only(k.kms.encrypt(**given, Plaintext=b"x" * limit))
    assert len(made["CiphertextBlob"]) == 256
    assert (made["KeyId"], made["EncryptionAlgorithm"]) == (key, algorithm)
    opened = only(k.kms.decrypt(**given, CiphertextBlob=made["CiphertextBlob"]))
    assert opened == {"Plaintext": b"x" * limit, **given}
    text = f"Algorithm {algorithm} and key spec RSA_2048 cannot encrypt data larger than {limit} bytes."
    with refused("ValidationException", text):
        k.kms.encrypt(**given, Plaintext=b"x" * (limit + 1))
    text = "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048."
    with refused("InvalidKeyUsageException", text):
        k.kms.encrypt(KeyId=key, Plaintext=b"x")
    with refused("InvalidKeyUsageException", f"Algorithm {algorithm} is incompatible with key spec SYMMETRIC_DEFAULT."):
        k.kms.encrypt(**{**given, "KeyId": k.create()}, Plaintext=b"x")
    with refused("ValidationException", "EncryptionContext"):
        k.kms.encrypt(**given, Plaintext=b"x", EncryptionContext={"a": "b"})
    with refused("ValidationException", "KeyId is required."):
        k.kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionAlgorithm=algorithm)
    wrong = [(other, made["CiphertextBlob"]), (key, made["CiphertextBlob"][:-1]), (key, b"\xff" * 256), (key, b"x")]
    for where, blob in wrong:
        with refused("InvalidCiphertextException"):
            k.kms.decrypt(**{**given, "KeyId": where}, CiphertextBlob=blob)
    swapped = {"RSAES_OAEP_SHA_1": "RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_256": "RSAES_OAEP_SHA_1"}[algorithm]
    with refused("InvalidCiphertextException"):
        k.kms.decrypt(KeyId=key, EncryptionAlgorithm=swapped, CiphertextBlob=made["CiphertextBlob"])


def test_every_octet_of_an_rsa_ciphertext_counts(k):
    key = k.create("RSA_2048")
    given = {"KeyId": key, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    public = serialization.load_der_public_key(k.kms.get_public_key(KeyId=key)["PublicKey"])
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    blob = public.encrypt(b"from outside", oaep)
    assert k.kms.decrypt(**given, CiphertextBlob=blob)["Plaintext"] == b"from outside"
    for at in range(len(blob)):
        changed = bytearray(blob)
        changed[at] ^= 1
        with refused("InvalidCiphertextException"):
            k.kms.decrypt(**given, CiphertextBlob=bytes(changed))


def test_encryption_is_for_keys_of_that_usage(k):
    signing = k.create("RSA_2048", "SIGN_VERIFY")
    text = f"{signing} key usage is SIGN_VERIFY which is not valid for Encrypt."
    with refused("InvalidKeyUsageException", text):
        k.kms.encrypt(KeyId=signing, Plaintext=b"x", EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    with refused("InvalidKeyUsageException", "which is not valid for GenerateDataKey."):
        k.kms.generate_data_key(KeyId=k.create("HMAC_256"), KeySpec="AES_256")
    with refused("InvalidKeyUsageException", "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048."):
        k.kms.generate_data_key(KeyId=k.create("RSA_2048"), KeySpec="AES_256")


def test_re_encryption(k):
    old, new, pair = k.create(), k.create(), k.create("RSA_2048")
    materials = [k.describe(key)["CurrentKeyMaterialId"] for key in (old, new)]
    blob = k.kms.encrypt(KeyId=old, Plaintext=b"x" * 191, EncryptionContext={"a": "1"})["CiphertextBlob"]
    contexts = {"SourceEncryptionContext": {"a": "1"}, "DestinationEncryptionContext": {"a": "2"}}
    made = only(k.kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=new, **contexts))
    moved = made.pop("CiphertextBlob")
    assert made == {
        "SourceKeyId": old,
        "KeyId": new,
        "SourceEncryptionAlgorithm": SYMMETRIC,
        "DestinationEncryptionAlgorithm": SYMMETRIC,
        "SourceKeyMaterialId": materials[0],
        "DestinationKeyMaterialId": materials[1],
    }
    assert k.kms.decrypt(CiphertextBlob=moved, EncryptionContext={"a": "2"})["Plaintext"] == b"x" * 191
    with refused("InvalidCiphertextException"):
        k.kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=new)
    with refused("IncorrectKeyException", WRONG_KEY):
        k.kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=new, SourceKeyId=new, **contexts)
    to_pair = {"DestinationKeyId": pair, "DestinationEncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    with refused("ValidationException", "cannot encrypt data larger than 190 bytes"):
        k.kms.re_encrypt(CiphertextBlob=blob, SourceEncryptionContext={"a": "1"}, **to_pair)
    small = k.kms.encrypt(KeyId=old, Plaintext=b"small")["CiphertextBlob"]
    under = only(k.kms.re_encrypt(CiphertextBlob=small, **to_pair))
    assert "DestinationKeyMaterialId" not in under
    back = {"SourceKeyId": pair, "SourceEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "DestinationKeyId": old}
    again = k.kms.re_encrypt(CiphertextBlob=under["CiphertextBlob"], **back)["CiphertextBlob"]
    assert k.kms.decrypt(CiphertextBlob=again)["Plaintext"] == b"small"
    with refused("ValidationException", "SourceKeyId is required."):
        back.pop("SourceKeyId")
        k.kms.re_encrypt(CiphertextBlob=under["CiphertextBlob"], **back)


def test_data_keys(k):
    key = k.create()
    material = k.describe(key)["CurrentKeyMaterialId"]
    for given, size in (
        ({"KeySpec": "AES_128"}, 16),
        ({"KeySpec": "AES_256"}, 32),
        ({"NumberOfBytes": 1}, 1),
        ({"NumberOfBytes": 1024}, 1024),
    ):
        made = only(k.kms.generate_data_key(KeyId=key, EncryptionContext=CONTEXT, **given))
        assert made.keys() == {"CiphertextBlob", "Plaintext", "KeyId", "KeyMaterialId"}
        assert (len(made["Plaintext"]), made["KeyId"], made["KeyMaterialId"]) == (size, key, material)
        opened = k.kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=CONTEXT)
        assert opened["Plaintext"] == made["Plaintext"]
        closed = only(k.kms.generate_data_key_without_plaintext(KeyId=key, **given))
        assert closed.keys() == {"CiphertextBlob", "KeyId", "KeyMaterialId"}
        assert len(k.kms.decrypt(CiphertextBlob=closed["CiphertextBlob"])["Plaintext"]) == size
    for given in ({}, {"KeySpec": "AES_128", "NumberOfBytes": 16}):
        with refused("ValidationException", "Please specify either number of bytes or key spec."):
            k.kms.generate_data_key(KeyId=key, **given)
    with refused("ValidationException", "Member must have value less than or equal to 1024"):
        k.kms.generate_data_key(KeyId=key, NumberOfBytes=1025)


@pytest.mark.parametrize("spec", PAIRS)
def test_data_key_pairs(k, spec):
    key = k.create()
    made = only(k.kms.generate_data_key_pair(KeyId=key, KeyPairSpec=spec, EncryptionContext=CONTEXT))
    members = {"PrivateKeyCiphertextBlob", "PublicKey", "KeyId", "KeyPairSpec", "KeyMaterialId"}
    assert made.keys() == members | {"PrivateKeyPlaintext"}
    assert (made["KeyId"], made["KeyPairSpec"]) == (key, spec)
    blob = made["PrivateKeyCiphertextBlob"]
    opened = k.kms.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT)["Plaintext"]
    assert opened == made["PrivateKeyPlaintext"]
    assert spki(serialization.load_der_private_key(opened, None)) == made["PublicKey"]
    with refused("InvalidCiphertextException"):
        k.kms.decrypt(CiphertextBlob=blob)
    closed = only(k.kms.generate_data_key_pair_without_plaintext(KeyId=key, KeyPairSpec=spec))
    assert closed.keys() == members
    opened = k.kms.decrypt(CiphertextBlob=closed["PrivateKeyCiphertextBlob"])["Plaintext"]
    assert spki(serialization.load_der_private_key(opened, None)) == closed["PublicKey"]


def spki(private):
    return private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def test_data_key_pairs_that_are_refused(k):
    key = k.create()
    with refused("ValidationException", "KeySpec SM2 is not supported."):
        k.kms.generate_data_key_pair(KeyId=key, KeyPairSpec="SM2")
    with refused("ValidationException", "at 'keyPairSpec'"):
        k.kms.generate_data_key_pair(KeyId=key, KeyPairSpec="ML_DSA_65")
    for spec, code in (("RSA_2048", "InvalidKeyUsageException"), ("HMAC_256", "InvalidKeyUsageException")):
        with refused(code):
            k.kms.generate_data_key_pair(KeyId=k.create(spec), KeyPairSpec="ECC_NIST_P256")


def test_random_octets(k):
    for size in (1, 1024):
        assert len(k.kms.generate_random(NumberOfBytes=size)["Plaintext"]) == size
    with refused("ValidationException", "NumberOfBytes is required."):
        k.kms.generate_random()
    for size in (0, 1025):
        with refused("ValidationException", "at 'numberOfBytes'"):
            k.kms.generate_random(NumberOfBytes=size)


def test_attested_recipients_are_refused(k):
    recipient = {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": b"x"}
    key, agreeing = k.create(), k.create("ECC_NIST_P256", "KEY_AGREEMENT")
    calls = {
        "decrypt": {"CiphertextBlob": k.kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]},
        "generate_data_key": {"KeyId": key, "KeySpec": "AES_256"},
        "generate_data_key_pair": {"KeyId": key, "KeyPairSpec": "ECC_NIST_P256"},
        "generate_random": {"NumberOfBytes": 1},
        "derive_shared_secret": {"KeyId": agreeing, "KeyAgreementAlgorithm": "ECDH", "PublicKey": b"x"},
    }
    for name, given in calls.items():
        with refused("UnsupportedOperationException", "Recipient"):
            getattr(k.kms, name)(**given, Recipient=recipient)


@pytest.mark.parametrize(
    ("spec", "curve"),
    [("ECC_NIST_P256", ec.SECP256R1()), ("ECC_NIST_P384", ec.SECP384R1()), ("ECC_NIST_P521", ec.SECP521R1())],
)
def test_shared_secrets(k, spec, curve):
    key = k.create(spec, "KEY_AGREEMENT")
    ours = serialization.load_der_public_key(k.kms.get_public_key(KeyId=key)["PublicKey"])
    theirs = ec.generate_private_key(curve)
    given = {"KeyId": key, "KeyAgreementAlgorithm": "ECDH"}
    made = only(k.kms.derive_shared_secret(**given, PublicKey=spki(theirs)))
    assert made == {**given, "SharedSecret": theirs.exchange(ec.ECDH(), ours), "KeyOrigin": "AWS_KMS"}
    for wrong in (
        spki(ec.generate_private_key(ec.SECP256K1())),
        spki(x25519.X25519PrivateKey.generate()),
        b"x",
        spki(theirs)[:-1],
        pkcs8(theirs),
    ):
        with refused("ValidationException"):
            k.kms.derive_shared_secret(**given, PublicKey=wrong)
    with refused("InvalidKeyUsageException", "which is not valid for Sign."):
        k.kms.sign(KeyId=key, Message=b"m", SigningAlgorithm="ECDSA_SHA_256")
    with refused("InvalidKeyUsageException", "which is not valid for DeriveSharedSecret."):
        k.kms.derive_shared_secret(**{**given, "KeyId": k.create(spec, "SIGN_VERIFY")}, PublicKey=spki(theirs))


@pytest.mark.parametrize(("spec", "size"), [("ML_KEM_768", 1088), ("ML_KEM_1024", 1568)])
def test_encapsulation(k, spec, size):
    key = k.create(spec)
    given = {"KeyId": key, "EncapsulationAlgorithm": "ML_KEM"}
    made = only(k.kms.encapsulate(**given))
    blob, secret = made.pop("SharedSecretCiphertextBlob"), made.pop("SharedSecret")
    assert made == given
    assert (len(blob), len(secret)) == (size, 32)
    assert only(k.kms.decapsulate(**given, SharedSecretCiphertextBlob=blob)) == {**given, "SharedSecret": secret}
    outside = serialization.load_der_public_key(k.kms.get_public_key(KeyId=key)["PublicKey"])
    assert isinstance(outside, mlkem.MLKEM768PublicKey | mlkem.MLKEM1024PublicKey)
    secret, blob = outside.encapsulate()
    assert k.kms.decapsulate(**given, SharedSecretCiphertextBlob=blob)["SharedSecret"] == secret
    changed = bytes([blob[0] ^ 1]) + blob[1:]
    assert k.kms.decapsulate(**given, SharedSecretCiphertextBlob=changed)["SharedSecret"] != secret
    with refused("InvalidCiphertextException"):
        k.kms.decapsulate(**given, SharedSecretCiphertextBlob=blob[:-1])
    with refused("InvalidKeyUsageException", "which is not valid for Encapsulate."):
        k.kms.encapsulate(**{**given, "KeyId": k.create("ECC_NIST_P256")})
