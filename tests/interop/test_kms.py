"""KMS as people use it: the AWS CLI signs and verifies a file, and OpenSSL agrees with every classical key."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session
from dilithium_py import ml_dsa

from interop.conftest import Service
from interop.programs import Workbench
from interop.test_governance import Shell

pytestmark = pytest.mark.interop
CURVES = {"ECC_NIST_P256": "256", "ECC_NIST_P384": "384", "ECC_NIST_P521": "512", "ECC_SECG_P256K1": "256"}
RSA = [
    (spec, padding, bits)
    for spec in ("RSA_2048", "RSA_3072")
    for padding in ("PKCS1_V1_5", "PSS")
    for bits in ("256", "384", "512")
]
FILE = bytes(range(256)) * 16


@pytest.fixture
def owner(service: Service, tmp_path: Path) -> Shell:
    return Shell(tmp_path, service.environment)


@pytest.fixture
def kms(service: Service) -> Any:
    variables = service.environment
    session = Session()
    session.set_credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
    return session.create_client(
        "kms",
        region_name=variables["AWS_DEFAULT_REGION"],
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        verify=variables["AWS_CA_BUNDLE"],
    )


def create(kms: Any, spec: str, usage: str = "SIGN_VERIFY") -> str:
    arn: str = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["Arn"]
    return arn


def signed(kms: Any, bench: Workbench, spec: str, algorithm: str) -> None:
    """Leaves `file`, `signature` and `public.der` on the bench."""
    key = create(kms, spec)
    answer = kms.sign(KeyId=key, Message=FILE, SigningAlgorithm=algorithm)
    (bench.folder / "file").write_bytes(FILE)
    (bench.folder / "signature").write_bytes(answer["Signature"])
    (bench.folder / "public.der").write_bytes(kms.get_public_key(KeyId=key)["PublicKey"])


@pytest.mark.parametrize(("spec", "padding", "bits"), RSA)
def test_openssl_verifies_rsa(kms: Any, bench: Workbench, spec: str, padding: str, bits: str) -> None:
    signed(kms, bench, spec, f"RSASSA_{padding}_SHA_{bits}")
    pss = ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest") if padding == "PSS" else ()
    command = (
        "openssl",
        "dgst",
        f"-sha{bits}",
        "-keyform",
        "DER",
        "-verify",
        "public.der",
        *pss,
        "-signature",
        "signature",
    )
    assert "Verified OK" in bench.run(*command, "file")
    (bench.folder / "file").write_bytes(FILE[:-1] + b"x")
    assert "erification" in bench.fail(*command, "file")


@pytest.mark.parametrize(("spec", "bits"), CURVES.items())
def test_openssl_verifies_ecdsa(kms: Any, bench: Workbench, spec: str, bits: str) -> None:
    signed(kms, bench, spec, f"ECDSA_SHA_{bits}")
    command = ("openssl", "dgst", f"-sha{bits}", "-keyform", "DER", "-verify", "public.der", "-signature", "signature")
    assert "Verified OK" in bench.run(*command, "file")
    (bench.folder / "file").write_bytes(FILE[:-1] + b"x")
    assert "erification" in bench.fail(*command, "file")


def test_openssl_verifies_ed25519(kms: Any, bench: Workbench) -> None:
    signed(kms, bench, "ECC_NIST_EDWARDS25519", "ED25519_SHA_512")
    command = (
        "openssl",
        "pkeyutl",
        "-verify",
        "-pubin",
        "-keyform",
        "DER",
        "-inkey",
        "public.der",
        "-rawin",
        "-in",
        "file",
    )
    assert "Verified Successfully" in bench.run(*command, "-sigfile", "signature")
    (bench.folder / "file").write_bytes(FILE[:-1] + b"x")
    bench.fail(*command, "-sigfile", "signature")


@pytest.mark.parametrize("spec", ["ML_DSA_44", "ML_DSA_65", "ML_DSA_87"])
def test_a_second_implementation_verifies_ml_dsa(kms: Any, spec: str) -> None:
    key = create(kms, spec)
    answer = kms.sign(KeyId=key, Message=FILE, SigningAlgorithm="ML_DSA_SHAKE_256")["Signature"]
    sizes = {"ML_DSA_44": 1312, "ML_DSA_65": 1952, "ML_DSA_87": 2592}
    public = kms.get_public_key(KeyId=key)["PublicKey"][-sizes[spec] :]
    implementation = getattr(ml_dsa, spec)
    assert implementation.verify(public, FILE, answer)
    assert not implementation.verify(public, FILE[1:], answer)


@pytest.mark.parametrize("bits", ["1", "256"])
def test_openssl_encrypts_for_a_key(kms: Any, bench: Workbench, bits: str) -> None:
    key = create(kms, "RSA_2048", "ENCRYPT_DECRYPT")
    (bench.folder / "public.der").write_bytes(kms.get_public_key(KeyId=key)["PublicKey"])
    (bench.folder / "secret").write_bytes(b"from outside")
    options = ("rsa_padding_mode:oaep", f"rsa_oaep_md:sha{bits}", f"rsa_mgf1_md:sha{bits}")
    words = [word for option in options for word in ("-pkeyopt", option)]
    given = ("-pubin", "-keyform", "DER", "-inkey", "public.der", *words, "-in", "secret", "-out", "sealed")
    bench.run("openssl", "pkeyutl", "-encrypt", *given)
    opened = kms.decrypt(KeyId=key, CiphertextBlob=bench.read("sealed"), EncryptionAlgorithm=f"RSAES_OAEP_SHA_{bits}")
    assert opened["Plaintext"] == b"from outside"


@pytest.mark.parametrize(
    ("spec", "curve"), [("ECC_NIST_P256", "P-256"), ("ECC_NIST_P384", "P-384"), ("ECC_NIST_P521", "P-521")]
)
def test_openssl_derives_the_same_secret(kms: Any, bench: Workbench, spec: str, curve: str) -> None:
    key = create(kms, spec, "KEY_AGREEMENT")
    (bench.folder / "theirs.der").write_bytes(kms.get_public_key(KeyId=key)["PublicKey"])
    bench.run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-out", "ours.pem")
    bench.run("openssl", "pkey", "-in", "ours.pem", "-pubout", "-outform", "DER", "-out", "ours.der")
    bench.run("openssl", "pkey", "-pubin", "-inform", "DER", "-in", "theirs.der", "-out", "theirs.pem")
    bench.run("openssl", "pkeyutl", "-derive", "-inkey", "ours.pem", "-peerkey", "theirs.pem", "-out", "secret")
    made = kms.derive_shared_secret(KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=bench.read("ours.der"))
    assert made["SharedSecret"] == bench.read("secret")


def test_a_file_is_signed_and_verified_two_ways(owner: Shell, bench: Workbench) -> None:
    """workflows.md 8 with the AWS CLI: two roles in the key policy, a digest made by OpenSSL."""
    account = owner.aws("sts", "get-caller-identity")["Account"]
    here = f"arn:aws:iam::{account}"
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": f"{here}:root"}, "Action": "sts:AssumeRole"}],
    }
    trust = owner.write("trust.json", document)
    for role in ("SignRole", "VerifyRole"):
        owner.aws("iam", "create-role", "--role-name", role, "--assume-role-policy-document", trust)
    # AssumeRole is refused to root users on AWS, and allowed here when the role's trust policy says so.
    signer, verifier = (owner.assuming(f"{here}:role/{role}") for role in ("SignRole", "VerifyRole"))
    blanks = {"SignRole": ["kms:Sign"], "VerifyRole": ["kms:Verify", "kms:GetPublicKey "]}
    key = owner.aws(
        *("kms", "create-key", "--key-spec", "ECC_NIST_P384", "--key-usage", "SIGN_VERIFY"),
        *("--policy", owner.write("policy.json", policy(here, blanks))),
    )["KeyMetadata"]["KeyId"]
    (bench.folder / "ExampleFile").write_bytes(b"what is signed\n")
    bench.run("openssl", "dgst", "-sha384", "-binary", "-out", "ExampleDigest", "ExampleFile")
    given = ("--key-id", key, "--message-type", "DIGEST", "--signing-algorithm", "ECDSA_SHA_384")
    digest = (*given, "--message", "fileb://ExampleDigest")
    answer = signer.aws("kms", "sign", *digest)
    assert answer["KeyId"].endswith(f"key/{key}")
    assert answer["SigningAlgorithm"] == "ECDSA_SHA_384"
    (bench.folder / "ExampleSignature").write_bytes(base64.b64decode(answer["Signature"]))
    with_signature = (*digest, "--signature", "fileb://ExampleSignature")
    assert verifier.aws("kms", "verify", *with_signature)["SignatureValid"] is True
    assert "not authorized to perform: kms:Verify" in signer.refused("kms", "verify", *with_signature)
    assert "not authorized to perform: kms:Sign" in verifier.refused("kms", "sign", *digest)
    assert "kms:GetPublicKey" in verifier.refused("kms", "get-public-key", "--key-id", key)
    # The trailing blank taken away, the public key can be fetched and the file verified offline.
    blanks["VerifyRole"][1] = "kms:GetPublicKey"
    owner.aws("kms", "put-key-policy", "--key-id", key, "--policy", owner.write("policy.json", policy(here, blanks)))
    public = verifier.aws("kms", "get-public-key", "--key-id", key)["PublicKey"]
    (bench.folder / "public.der").write_bytes(base64.b64decode(public))
    command = (
        "openssl",
        "dgst",
        "-sha384",
        "-keyform",
        "DER",
        "-verify",
        "public.der",
        "-signature",
        "ExampleSignature",
    )
    assert "Verified OK" in bench.run(*command, "ExampleFile")
    (bench.folder / "ExampleFile").write_bytes(b"something else\n")
    bench.fail(*command, "ExampleFile")
    bench.run("openssl", "dgst", "-sha384", "-binary", "-out", "ExampleDigest", "ExampleFile")
    assert "KMSInvalidSignatureException" in verifier.refused("kms", "verify", *with_signature)
    (bench.folder / "ExampleDigest").write_bytes(b"0123456789abcdef" * 6)
    assert "Digest is invalid length for algorithm ECDSA_SHA_384." in signer.refused("kms", "sign", *digest)
    raw = ("--key-id", key, "--message-type", "RAW", "--signing-algorithm", "ECDSA_SHA_384")
    (bench.folder / "Large").write_bytes(b"x" * 4097)
    assert "ValidationException" in signer.refused("kms", "sign", *raw, "--message", "fileb://Large")


def policy(here: str, roles: dict[str, list[str]]) -> dict[str, Any]:
    """The key policy of the workflow: the account manages, two roles sign and verify."""
    statements = [
        {"Sid": "Account", "Effect": "Allow", "Principal": {"AWS": f"{here}:root"}, "Action": "kms:*", "Resource": "*"}
    ]
    statements += [
        {
            "Sid": f"Allow {role}",
            "Effect": "Allow",
            "Principal": {"AWS": f"{here}:role/{role}"},
            "Action": actions,
            "Resource": "*",
        }  # type: ignore[dict-item]
        for role, actions in roles.items()
    ]
    return json.loads(json.dumps({"Version": "2012-10-17", "Statement": statements}))  # type: ignore[no-any-return]
