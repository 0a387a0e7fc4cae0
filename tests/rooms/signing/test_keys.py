"""Keys that sign files: of KMS over its door, and of this process; whatever is longer than KMS takes."""

from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from doors.kms import Kms
from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.crypto.key_specs import KeySpec
from greatseal.domain.signing import KeyFailed, LocalKey, identifier_of, kms_algorithm
from greatseal.integrations.kms_keys import KmsKey
from greatseal.kernel.secret import Secret
from greatseal.storage import Storage
from greatseal.x509 import cms
from made_signed import key, private_key

SPECS = ("RSA_2048", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ML_DSA_44", "ML_DSA_65", "ML_DSA_87")


@pytest.fixture
def kms(storage: Storage) -> Kms:
    return Kms(storage)


class Watched:
    """A KMS client that remembers what it was asked."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.asked: list[dict[str, Any]] = []

    def get_public_key(self, **parameters: Any) -> Any:
        return self._client.get_public_key(**parameters)

    def sign(self, **parameters: Any) -> Any:
        self.asked.append(parameters)
        return self._client.sign(**parameters)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_messages_of_every_length(kms: Kms) -> None:
    for spec in SPECS:
        client = Watched(kms.kms)
        found = KmsKey(client, kms.create(spec, "SIGN_VERIFY"))
        scheme = cms.scheme_for(found.spki)
        for size in (1, 4096, 4097, 100_000):
            data = bytes(size)
            assert cms.verifies(scheme, found.spki, found.sign(data, scheme.effective), data)
        kinds = [each.get("MessageType", "RAW") for each in client.asked]
        long = "EXTERNAL_MU" if spec.startswith("ML_DSA") else "DIGEST"
        assert kinds == ["RAW", "RAW", long, long]


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_ed25519_needs_the_whole_message(kms: Kms) -> None:
    found = KmsKey(kms.kms, kms.create("ECC_NIST_EDWARDS25519"))
    scheme = cms.scheme_for(found.spki)
    assert cms.verifies(scheme, found.spki, found.sign(b"short", scheme.effective), b"short")
    with pytest.raises(KeyFailed, match="whole message"):
        found.sign(bytes(5000), scheme.effective)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_what_kms_refuses_is_said(kms: Kms) -> None:
    with pytest.raises(KeyFailed, match=r"KMS refused: NotFoundException: Alias .* is not found"):
        KmsKey(kms.kms, "alias/nobody")
    with pytest.raises(KeyFailed, match="not to sign"):
        KmsKey(kms.kms, kms.create("RSA_2048", "ENCRYPT_DECRYPT"))
    found = KmsKey(kms.kms, kms.create("ECC_NIST_P384"))
    with pytest.raises(KeyFailed, match="InvalidKeyUsageException"):
        found.sign(b"x", SignatureAlgorithm.SHA256WITHECDSA.identifier)
    kms.kms.disable_key(KeyId=found.name)
    with pytest.raises(KeyFailed, match="DisabledException"):
        found.sign(b"x", SignatureAlgorithm.SHA384WITHECDSA.identifier)


def test_names_of_algorithms_go_both_ways() -> None:
    for spec in (KeySpec[name] for name in SPECS):
        for name in spec.signing_algorithms:
            assert kms_algorithm(identifier_of(name, spec).identifier) == name
    with pytest.raises(KeyFailed):
        identifier_of("ED25519_SHA_512", KeySpec.ECC_NIST_EDWARDS25519)
    with pytest.raises(KeyFailed):
        identifier_of("ECDSA_SHA_256", KeySpec.ECC_NIST_P384)


def test_keys_of_files() -> None:
    old = private_key("rsa").private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    assert LocalKey.open("old", Secret(old)).spki == key("rsa").spki
    with pytest.raises(KeyFailed, match="incompatible"):
        key("p384").sign(b"x", SignatureAlgorithm.SHA256WITHECDSA.identifier)
    with pytest.raises(KeyFailed):
        LocalKey.open("none", Secret(b"nothing"))
