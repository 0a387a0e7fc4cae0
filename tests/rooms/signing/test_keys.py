"""Keys that sign files: of KMS over its door, and of this process; whatever is longer than KMS takes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from doors.kms import Kms
from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.crypto.key_specs import KeySpec
from greatseal.domain.signing import (
    CannotSign,
    KeyFailed,
    LocalKey,
    SigningKey,
    author_of,
    classic,
    identifier_of,
    kms_algorithm,
    sign,
)
from greatseal.integrations.aws_service import AwsService
from greatseal.integrations.kms_keys import KmsKey
from greatseal.kernel.secret import Secret
from greatseal.storage import Storage
from greatseal.x509 import cms
from greatseal.x509.extensions import OID, Extension
from made_certificates import NOW
from made_signed import DIGESTS, author, key, order, private_key

SPECS = ("RSA_2048", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ML_DSA_44", "ML_DSA_65", "ML_DSA_87")


@pytest.fixture
def kms(storage: Storage) -> Kms:
    return Kms(storage)


class Watched(AwsService):
    """The service in this process; remembers what it was asked to sign."""

    def __init__(self, client: Any) -> None:
        super().__init__(None)
        self._clients["kms"] = client
        self.asked: list[dict[str, Any]] = []

    def call(self, service: str, operation: str, **parameters: Any) -> Mapping[str, Any]:
        if operation == "sign":
            self.asked.append(parameters)
        return super().call(service, operation, **parameters)


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
    found = KmsKey(Watched(kms.kms), kms.create("ECC_NIST_EDWARDS25519"))
    scheme = cms.scheme_for(found.spki)
    assert cms.verifies(scheme, found.spki, found.sign(b"short", scheme.effective), b"short")
    with pytest.raises(KeyFailed, match="whole message"):
        found.sign(bytes(5000), scheme.effective)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_what_kms_refuses_is_said(kms: Kms) -> None:
    with pytest.raises(KeyFailed, match=r"KMS refused: NotFoundException: Alias .* is not found"):
        KmsKey(Watched(kms.kms), "alias/nobody")
    with pytest.raises(KeyFailed, match="not to sign"):
        KmsKey(Watched(kms.kms), kms.create("RSA_2048", "ENCRYPT_DECRYPT"))
    found = KmsKey(Watched(kms.kms), kms.create("ECC_NIST_P384"))
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


class Lying:
    """A key whose signatures come out changed, as of a token that fails or a memory that forgets."""

    name = "the key that lies"

    def __init__(self, honest: SigningKey) -> None:
        self._honest, self.spki = honest, honest.spki

    def sign(self, data: bytes, identifier: bytes) -> bytes:
        return self._honest.sign(data + b"x", identifier)


@pytest.mark.parametrize("label", ["p256", "rsa", "mldsa65"])
def test_whatever_signs_is_verified_before_anybody_sees_it(label: str) -> None:
    honest = author(label)
    lying = replace(honest, key=Lying(honest.key))
    with pytest.raises(KeyFailed, match="not a signature by the key the key that lies"):
        sign([honest, lying], [], DIGESTS, at=NOW)
    with pytest.raises(KeyFailed, match="not a signature"):
        classic(lying, b"data")
    # Not the key that says what it is, but the certificate.
    with pytest.raises(KeyFailed, match="not a signature"):
        sign([replace(honest, key=key(f"{label}-other"))], [], DIGESTS, at=NOW)


@pytest.mark.parametrize("broken", [OID.EXTENDED_KEY_USAGE, OID.KEY_USAGE])
def test_a_certificate_whose_usage_cannot_be_read_signs_nothing(broken: str) -> None:
    usual = order("p256")
    unreadable = Extension(broken, False, b"\x05\x00")
    made = usual.but(add=(*(each for each in usual.add if each.oid != broken), unreadable)).sign()
    with pytest.raises(CannotSign, match="cannot be read"):
        author_of(key("p256"), [made], at=NOW)
