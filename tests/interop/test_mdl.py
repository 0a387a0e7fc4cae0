"""An issuing authority from its root to a reader: our commands, and the source post's own with the AWS CLI (19.1)."""

import base64
import hashlib
import json
import time
import urllib.request
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from greatseal.x509 import der, pem
from greatseal.x509.attributes import COMMON_NAME, Attribute
from greatseal.x509.extensions import crl_distribution_points
from greatseal.x509.names import Name
from interop.conftest import GREATSEAL, Service
from interop.programs import Workbench
from interop.test_governance import Shell
from made_certificates import signer
from made_mdl import PORTRAIT

pytestmark = pytest.mark.interop
ROOT = "arn:aws:acm-pca:::template/BlankRootCACertificate_PathLen0_APIPassthrough/V1"
LEAF = "arn:aws:acm-pca:::template/BlankEndEntityCertificate_APIPassthrough/V1"
LICENCE = {
    "family_name": "Doe",
    "given_name": "John",
    "birth_date": "1990-01-31",
    "issue_date": "2026-01-01",
    "expiry_date": "2031-01-01",
    "issuing_country": "US",
    "issuing_authority": "DMV",
    "document_number": "D1234567",
    "portrait": {"file": "portrait.jpg"},
    "driving_privileges": [{"vehicle_category_code": "B", "issue_date": "2010-01-01"}],
    "un_distinguishing_sign": "USA",
}


@pytest.fixture
def owner(service: Service, tmp_path: Path) -> Shell:
    return Shell(tmp_path, service.environment)


@pytest.fixture
def bucket(owner: Shell) -> str:
    """Made once; the second time it is there."""
    name = "dmv-lists"
    if name not in [each["Name"] for each in owner.aws("s3api", "list-buckets")["Buckets"]]:
        owner.aws("s3api", "create-bucket", "--bucket", name, "--object-ownership", "BucketOwnerPreferred")
        owner.aws("s3api", "delete-public-access-block", "--bucket", name)
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "acm-pca.amazonaws.com"},
            "Action": ["s3:PutObject", "s3:PutObjectAcl", "s3:GetBucketAcl", "s3:GetBucketLocation"],
            "Resource": [f"arn:aws:s3:::{name}/*", f"arn:aws:s3:::{name}"],
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        owner.aws("s3api", "put-bucket-policy", "--bucket", name, "--policy", policy)
    return name


class Authority:
    """`greatseal mdl` in a directory, for the running service."""

    def __init__(self, bench: Workbench, service: Service) -> None:
        self.bench = bench
        self.data = ("--data", str(service.data))
        (bench.folder / "portrait.jpg").write_bytes(PORTRAIT)
        (bench.folder / "phone.der").write_bytes(signer("device").spki)
        self.write("doe.json", LICENCE)

    def write(self, name: str, value: object) -> None:
        (self.bench.folder / name).write_text(json.dumps(value), encoding="utf-8")

    def mdl(self, *words: str) -> str:
        return self.bench.run(str(GREATSEAL), "mdl", *words)

    def fails(self, *words: str) -> str:
        return self.bench.fail(str(GREATSEAL), "mdl", *words)

    def told(self, said: str) -> Any:
        """The JSON after what went to standard error."""
        return json.loads(said[min(at for at in (said.find("{"), said.find("[")) if at >= 0) :])

    def certify(self, bucket: str, *more: str) -> tuple[str, str]:
        """The ARN of a new root and the key of a new signer; `root.pem` and `signer.pem`."""
        subject = ("--country", "US", "--common-name", "mDL IACA Root", "--contact", "https://dmv.example.com")
        json_ = ("--output", "json", *self.data)
        made = self.told(self.mdl("iaca", *subject, "--bucket", bucket, "--out", "root.pem", *more, *json_))
        name = ("--common-name", "mDL signer 1", "--out", "signer.pem")
        signed = self.told(self.mdl("ds", "--iaca", made["arn"], *name, *json_))
        return made["arn"], signed["key"]

    def issuing(self, key: str) -> tuple[str, ...]:
        return ("--signer", "signer.pem", "--key", key, "--root", "root.pem", "--device-key", "phone.der", *self.data)


@pytest.fixture
def authority(bench: Workbench, service: Service) -> Authority:
    return Authority(bench, service)


def test_from_the_root_to_the_reader(authority: Authority, bench: Workbench, bucket: str) -> None:
    arn, key = authority.certify(bucket)
    assert "conforms" in authority.mdl("check", "root.pem")
    assert "conforms" in authority.mdl("check", "signer.pem", "--root", "root.pem")
    assert "OK" in bench.run("openssl", "verify", "-CAfile", "root.pem", "-x509_strict", "signer.pem")
    authority.mdl("issue", "doe.json", *authority.issuing(key))
    [told] = authority.told(authority.mdl("verify", "doe.cbor", "--root", "root.pem", "--output", "json"))
    assert told["valid"] is True
    assert told["elements"]["org.iso.18013.5.1"]["family_name"] == "Doe"
    assert base64.b64decode(told["elements"]["org.iso.18013.5.1"]["portrait"]) == PORTRAIT
    fetch_list(bench, arn)
    assert "valid until" in authority.mdl("verify", "doe.cbor", "--root", "root.pem", "--crl", "iaca.crl")

    document = bytearray(bench.read("doe.cbor"))
    document[document.index(b"John") + 1] ^= 1
    (bench.folder / "doe.cbor").write_bytes(document)
    assert "given_name is not the one that was signed" in authority.fails("verify", "doe.cbor", "--root", "root.pem")


def fetch_list(bench: Workbench, arn: str) -> None:
    """The root's revocation list, as soon as it is published at the address in the signer's certificate."""
    text = bench.run("openssl", "x509", "-in", "signer.pem", "-noout", "-text")
    url = next(line.strip() for line in text.splitlines() if arn.rpartition("/")[2] in line).removeprefix("URI:")
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                (bench.folder / "iaca.crl").write_bytes(answer.read())
                return
        except OSError:
            continue
    raise AssertionError(f"no list at {url}")


def test_a_batch_and_what_is_wrong_with_some_of_it(authority: Authority, bench: Workbench, bucket: str) -> None:
    _, key = authority.certify(bucket, "--key-algorithm", "EC_secp384r1")
    for number in range(5):
        authority.write(f"{number}.json", LICENCE | {"document_number": f"D{number}"})
    authority.write("misspelt.json", LICENCE | {"familly_name": "Doe"})
    authority.write("elsewhere.json", LICENCE | {"issuing_country": "CA"})
    files = [f"{number}.json" for number in range(5)]
    said = authority.fails(
        "issue", *files, "misspelt.json", "elsewhere.json", "--out-dir", "out", *authority.issuing(key)
    )
    assert "did you mean family_name?" in said
    assert "issuing_country is CA, the document signer is of US" in said
    issued = sorted(str(path.relative_to(bench.folder)) for path in (bench.folder / "out").iterdir())
    assert issued == [f"out/{number}.cbor" for number in range(5)]
    authority.mdl("verify", *issued, "--root", "root.pem")


def test_bad_files_and_options(authority: Authority, bench: Workbench, bucket: str) -> None:
    arn, key = authority.certify(bucket)
    junk = bench.folder / "junk.cbor"
    for octets, reason in (
        (b"\xa2\x01\x01\x01\x02", "the map key 1 twice"),
        (b"\x9f\xff", "an indefinite length"),
        (b"\x81" * 100, "nested more than 32 deep"),
        (b"\x5b" + b"\x7f" * 8, "longer than the document"),
    ):
        junk.write_bytes(octets)
        assert reason in authority.fails("verify", "junk.cbor", "--root", "root.pem")
    issuing = authority.issuing(key)
    assert "validUntil is after the document signer ends" in authority.fails(
        "issue", "doe.json", "--days", "500", *issuing
    )
    more = ("--common-name", "x", *authority.data)
    assert "457 days at most" in authority.fails("ds", "--iaca", arn, "--days", "458", *more)
    assert "is given twice" in _twice(authority, bench, issuing)
    other = authority.fails("issue", "doe.json", *(word.replace("root.pem", "signer.pem") for word in issuing))
    assert "readers would refuse every document" in other


def _twice(authority: Authority, bench: Workbench, issuing: tuple[str, ...]) -> str:
    (bench.folder / "twice.json").write_text('{"family_name": "A", "family_name": "B"}', encoding="utf-8")
    return authority.fails("issue", "twice.json", *issuing)


def test_the_commands_of_the_post(owner: Shell, authority: Authority, bench: Workbench, bucket: str) -> None:
    """Its steps 1 to 12 as they are, with raw digests; the certificates work, and annex B has much against them."""
    config = {
        "KeyAlgorithm": "EC_prime256v1",
        "SigningAlgorithm": "SHA256WITHECDSA",
        "Subject": {"Country": "US", "CommonName": "mDL IACA Root"},
    }
    crl = {"CustomCname": "example.com", "Enabled": True, "S3BucketName": bucket, "ExpirationInDays": 5000}
    arn = owner.aws(
        *("acm-pca", "create-certificate-authority", "--certificate-authority-type", "ROOT"),
        *("--certificate-authority-configuration", json.dumps(config)),
        *("--revocation-configuration", json.dumps({"CrlConfiguration": crl})),
    )["CertificateAuthorityArn"]
    request = owner.aws("acm-pca", "get-certificate-authority-csr", "--certificate-authority-arn", arn)["Csr"]
    (bench.folder / "root.csr").write_text(request, encoding="utf-8")
    point = crl_distribution_points(f"http://example.com/crl/{arn.rpartition('/')[2]}.crl").value
    extensions = {
        "KeyUsage": {"KeyCertSign": True, "CRLSign": True},
        "CustomExtensions": [{"ObjectIdentifier": "2.5.29.31", "Value": base64.b64encode(point).decode()}],
    }
    root = issue(owner, arn, "root.csr", ROOT, "3285", extensions)
    (bench.folder / "root.pem").write_text(root, encoding="utf-8")
    imported = ("--certificate-authority-arn", arn, "--certificate", "fileb://root.pem")
    owner.aws("acm-pca", "import-certificate-authority-certificate", *imported)

    key = owner.aws("kms", "create-key", "--key-spec", "ECC_NIST_P256", "--key-usage", "SIGN_VERIFY")["KeyMetadata"][
        "Arn"
    ]
    (bench.folder / "signer.csr").write_text(kms_request(owner, bench, key), encoding="utf-8")
    extensions = {
        "KeyUsage": {"DigitalSignature": True},
        "ExtendedKeyUsage": [{"ExtendedKeyUsageObjectIdentifier": "1.0.18013.5.1.2"}],
    }
    (bench.folder / "signer.pem").write_text(
        issue(owner, arn, "signer.csr", LEAF, "1825", extensions), encoding="utf-8"
    )

    found = authority.told(authority.fails("check", "signer.pem", "--root", "root.pem", "--output", "json"))
    codes = {each["code"] for each in found[0]["deviations"]}
    assert codes == {"validity", "issuer-alternative-name", "extended-key-usage-critical"}
    assert "has no IssuerAltName" in authority.fails("check", "root.pem")

    assert "readers would refuse" in authority.fails("issue", "doe.json", *authority.issuing(key))
    authority.mdl("issue", "doe.json", "--tolerate-deviations", *authority.issuing(key))
    assert "has no IssuerAltName" in authority.fails("verify", "doe.cbor", "--root", "root.pem")
    said = authority.mdl("verify", "doe.cbor", "--root", "root.pem", "--tolerate-deviations")
    assert "4 deviations tolerated" in said

    # Steps 11 and 12 by hand: KMS signs the Sig_structure of the same security object, and its DER becomes r and s.
    document = cbor2.loads(bench.read("doe.cbor"))
    protected, chain, payload, _ = document["issuerAuth"]
    made = sign(owner, bench, key, hashlib.sha256(cbor2.dumps(["Signature1", protected, b"", payload])).digest())
    raw = b"".join(each.to_bytes(32, "big") for each in decode_dss_signature(made))
    document["issuerAuth"] = [protected, chain, payload, raw]
    (bench.folder / "by-hand.cbor").write_bytes(cbor2.dumps(document))
    authority.mdl("verify", "by-hand.cbor", "--root", "root.pem", "--tolerate-deviations")
    # And its mistake: the object itself was signed.
    made = sign(owner, bench, key, hashlib.sha256(payload).digest())
    raw = b"".join(each.to_bytes(32, "big") for each in decode_dss_signature(made))
    document["issuerAuth"] = [protected, chain, payload, raw]
    (bench.folder / "by-hand.cbor").write_bytes(cbor2.dumps(document))
    said = authority.fails("verify", "by-hand.cbor", "--root", "root.pem", "--tolerate-deviations")
    assert "the issuer's signature over the document is wrong" in said


def issue(owner: Shell, arn: str, csr: str, template: str, days: str, extensions: dict[str, Any]) -> str:
    issued = owner.aws(
        *("acm-pca", "issue-certificate", "--certificate-authority-arn", arn, "--csr", f"fileb://{csr}"),
        *("--signing-algorithm", "SHA256WITHECDSA", "--template-arn", template),
        *("--validity", f"Value={days},Type=DAYS", "--api-passthrough", json.dumps({"Extensions": extensions})),
    )["CertificateArn"]
    given = ("--certificate-authority-arn", arn, "--certificate-arn", issued)
    text: str = owner.aws("acm-pca", "get-certificate", *given)["Certificate"]
    return text


def sign(owner: Shell, bench: Workbench, key: str, digest: bytes) -> bytes:
    (bench.folder / "digest.bin").write_bytes(digest)
    how = ("--message-type", "DIGEST", "--signing-algorithm", "ECDSA_SHA_256")
    return base64.b64decode(
        owner.aws("kms", "sign", "--key-id", key, "--message", "fileb://digest.bin", *how)["Signature"]
    )


def kms_request(owner: Shell, bench: Workbench, key: str) -> str:
    """Step 7: a request that the KMS key signs, put together by the client."""
    spki = base64.b64decode(owner.aws("kms", "get-public-key", "--key-id", key)["PublicKey"])
    country = Attribute("2.5.4.6", der.PRINTABLE_STRING, "US")
    name = Name.build([(country,), (Attribute(COMMON_NAME, der.UTF8_STRING, "mDL signer"),)])
    info = der.sequence(der.integer(0), name.der, spki, der.tlv(0xA0, b""))
    signature = sign(owner, bench, key, hashlib.sha256(info).digest())
    algorithm = der.sequence(der.oid("1.2.840.10045.4.3.2"))
    return pem.write("CERTIFICATE REQUEST", der.sequence(info, algorithm, der.bit_string(signature)))
