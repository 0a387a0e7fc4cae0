"""The table of key specs says what the KMS model and the reference say."""

import botocore.session
import pytest

from greatseal.crypto.algorithms import KeyAlgorithm
from greatseal.crypto.key_specs import IncompatibleAlgorithm, KeySpec, Kind


@pytest.fixture(scope="module")
def model():
    return botocore.session.get_session().get_service_model("kms")


def test_every_spec_of_the_model_is_here_or_known_to_be_absent(model):
    here = {spec.name for spec in KeySpec}
    assert set(model.shape_for("KeySpec").enum) - here == {"SM2", "ML_KEM_512"}
    assert here <= set(model.shape_for("KeySpec").enum)


@pytest.mark.parametrize(
    ("shape", "field", "absent"),
    [
        ("SigningAlgorithmSpec", "signing_algorithms", {"SM2DSA"}),
        ("EncryptionAlgorithmSpec", "encryption_algorithms", {"SM2PKE"}),
        ("MacAlgorithmSpec", "mac_algorithms", set()),
        ("KeyAgreementAlgorithmSpec", "key_agreement_algorithms", set()),
        ("EncapsulationAlgorithmSpec", "encapsulation_algorithms", set()),
        ("KeyUsageType", "usages", set()),
    ],
)
def test_every_algorithm_of_the_model_belongs_to_a_spec(model, shape, field, absent):
    ours = {name for spec in KeySpec for name in getattr(spec, field)}
    assert ours == set(model.shape_for(shape).enum) - absent


def test_each_usage_has_its_algorithms():
    fields = {
        "SIGN_VERIFY": "signing_algorithms",
        "ENCRYPT_DECRYPT": "encryption_algorithms",
        "GENERATE_VERIFY_MAC": "mac_algorithms",
        "KEY_AGREEMENT": "key_agreement_algorithms",
        "ENCAPSULATE_DECAPSULATE": "encapsulation_algorithms",
    }
    for spec in KeySpec:
        assert {usage for usage, field in fields.items() if getattr(spec, field)} == set(spec.usages)


def test_specs_do_not_alias():
    assert len(KeySpec) == len(KeySpec.__members__) == 18


def test_one_hash_a_curve():
    # kms.md 3: P-384 signs with SHA-384 only.
    assert KeySpec.ECC_NIST_P384.signing_algorithms == ("ECDSA_SHA_384",)
    assert KeySpec.ECC_NIST_P521.signing_algorithms == ("ECDSA_SHA_512",)
    assert KeySpec.ECC_SECG_P256K1.signing_algorithms == ("ECDSA_SHA_256",)


def test_the_order_of_rsa_signing_algorithms_is_that_of_the_real_service():
    assert KeySpec.RSA_2048.signing_algorithms == (
        "RSASSA_PKCS1_V1_5_SHA_256",
        "RSASSA_PKCS1_V1_5_SHA_384",
        "RSASSA_PKCS1_V1_5_SHA_512",
        "RSASSA_PSS_SHA_256",
        "RSASSA_PSS_SHA_384",
        "RSASSA_PSS_SHA_512",
    )


@pytest.mark.parametrize(
    ("spec", "sha1", "sha256"),
    [(KeySpec.RSA_2048, 214, 190), (KeySpec.RSA_3072, 342, 318), (KeySpec.RSA_4096, 470, 446)],
)
def test_oaep_limits(spec, sha1, sha256):
    assert spec.oaep_limit("RSAES_OAEP_SHA_1") == sha1
    assert spec.oaep_limit("RSAES_OAEP_SHA_256") == sha256


@pytest.mark.parametrize(
    ("spec", "algorithm"), [(KeySpec.RSA_2048, "SYMMETRIC_DEFAULT"), (KeySpec.HMAC_256, "RSAES_OAEP_SHA_1")]
)
def test_no_limit_without_oaep(spec, algorithm):
    with pytest.raises(IncompatibleAlgorithm):
        spec.oaep_limit(algorithm)


def test_sizes_of_secrets():
    sizes = {spec.name: spec.secret_size for spec in KeySpec if spec.secret_size is not None}
    assert sizes == {"SYMMETRIC_DEFAULT": 32, "HMAC_224": 28, "HMAC_256": 32, "HMAC_384": 48, "HMAC_512": 64}


def test_every_certifiable_key_is_a_spec():
    assert {spec.key_algorithm for spec in KeySpec} - {None} == set(KeyAlgorithm)
    assert {spec.kind for spec in KeySpec} == set(Kind)
