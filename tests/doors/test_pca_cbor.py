"""The same operations over RPC v2 CBOR: other bytes, the same answers (acm-pca.md 1)."""

from typing import Any

import cbor2
import pytest
from botocore.awsrequest import AWSRequest
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from doors.pki import Pki, csr, days, name, parse
from greatseal.testing.installation import ENDPOINT, REGION, sign, to_http


class CborClient:
    """Calls operations as an SDK does that prefers CBOR: botocore's own serializer and parser for it."""

    def __init__(self, pki: Pki) -> None:
        self._pki = pki
        self._model = pki.pca.meta.service_model
        self._serializer = create_serializer("smithy-rpc-v2-cbor", include_validation=False)
        self._parser = create_parser("smithy-rpc-v2-cbor")

    def __call__(self, operation: str, **parameters: Any) -> dict[str, Any]:
        model = self._model.operation_model(operation)
        made = self._serializer.serialize_to_request(parameters, model)
        request = AWSRequest(
            method=made["method"], url=ENDPOINT + made["url_path"], headers=made["headers"], data=made["body"]
        )
        installation = self._pki.installation
        signed = sign(request, installation.credential, "acm-pca", REGION, installation.clock)
        self.response = installation.handle(to_http(signed, "00000000-0000-4000-8000-000000000000"))
        headers = {key.decode(): value.decode() for key, value in self.response.headers}
        assert headers["smithy-protocol"] == "rpc-v2-cbor"
        return self._parser.parse(
            {"status_code": self.response.status, "headers": headers, "body": self.response.body}, model.output_shape
        )


@pytest.fixture
def pki(storage):
    return Pki(storage)


@pytest.fixture
def call(pki):
    return CborClient(pki)


def test_a_root_and_a_leaf(pki, call):
    arn = call(
        "CreateCertificateAuthority",
        CertificateAuthorityType="ROOT",
        CertificateAuthorityConfiguration={
            "KeyAlgorithm": "EC_prime256v1",
            "SigningAlgorithm": "SHA256WITHECDSA",
            "Subject": {"CommonName": "Root"},
        },
        Tags=[{"Key": "made", "Value": "by CBOR"}],
    )["CertificateAuthorityArn"]
    own = call(
        "IssueCertificate",
        CertificateAuthorityArn=arn,
        Csr=call("GetCertificateAuthorityCsr", CertificateAuthorityArn=arn)["Csr"].encode(),
        SigningAlgorithm="SHA256WITHECDSA",
        Validity=days(3650),
        TemplateArn="arn:aws:acm-pca:::template/RootCACertificate/V1",
    )["CertificateArn"]
    certificate = call("GetCertificate", CertificateAuthorityArn=arn, CertificateArn=own)
    assert "CertificateChain" not in certificate
    answer = call(
        "ImportCertificateAuthorityCertificate",
        CertificateAuthorityArn=arn,
        Certificate=certificate["Certificate"].encode(),
    )
    assert call.response.status == 200
    assert {key for key in answer if key != "ResponseMetadata"} == set()
    issued = call(
        "IssueCertificate",
        CertificateAuthorityArn=arn,
        Csr=csr(),
        SigningAlgorithm="SHA256WITHECDSA",
        Validity={"Type": "END_DATE", "Value": 20270101000000},
    )["CertificateArn"]
    leaf = call("GetCertificate", CertificateAuthorityArn=arn, CertificateArn=issued)
    assert parse(leaf["Certificate"]).subject == name("app.example.com")
    assert leaf["CertificateChain"] == certificate["Certificate"]
    assert pki.get(arn, issued)["Certificate"] == leaf["Certificate"]

    described = call("DescribeCertificateAuthority", CertificateAuthorityArn=arn)["CertificateAuthority"]
    assert described == pki.describe(arn)
    raw = cbor2.loads(call.response.body)["CertificateAuthority"]
    assert raw["CreatedAt"] == pki.now  # tag 1, which cbor2 reads as a time
    assert call("ListTags", CertificateAuthorityArn=arn)["Tags"] == [{"Key": "made", "Value": "by CBOR"}]
    assert call("ListCertificateAuthorities", MaxResults=1)["CertificateAuthorities"] == [described]


def test_errors_have_the_same_names_and_texts(pki, call):
    arn = pki.create()
    unknown = arn[:-12] + "0" * 12
    for operation, parameters in (
        ("DescribeCertificateAuthority", {"CertificateAuthorityArn": unknown}),
        ("GetCertificateAuthorityCertificate", {"CertificateAuthorityArn": arn}),
        ("RestoreCertificateAuthority", {"CertificateAuthorityArn": arn}),
        ("DescribeCertificateAuthority", {}),
        ("DescribeCertificateAuthority", {"CertificateAuthorityArn": "x"}),
        ("ListCertificateAuthorities", {"NextToken": "AAAA"}),
        ("GetPolicy", {"ResourceArn": arn}),
        (
            "IssueCertificate",
            {
                "CertificateAuthorityArn": arn,
                "Csr": b"",
                "SigningAlgorithm": "NONE",
                "Validity": {"Type": "DAYS", "Value": 0},
            },
        ),
    ):
        answer = call(operation, **parameters)
        assert call.response.status == 400
        method = "".join("_" + c.lower() if c.isupper() else c for c in operation).removeprefix("_")
        with pytest.raises(pki.pca.exceptions.ClientError) as caught:
            getattr(pki.pca, method)(**parameters)
        assert answer["Error"] == caught.value.response["Error"]


@pytest.mark.parametrize("body", [b"", b"\xff", b"\x80", b"\xa1\x61", b"\x9f" * 500, b"\xbf" * 5000, b"\xa1\x00\x00"])
def test_bytes_that_are_not_cbor_are_a_serialization_error(pki, body):
    request = AWSRequest(
        method="POST",
        url=f"{ENDPOINT}/service/ACMPrivateCA/operation/DescribeCertificateAuthority",
        headers={"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor", "Accept": "application/cbor"},
        data=body,
    )
    installation = pki.installation
    signed = sign(request, installation.credential, "acm-pca", REGION, installation.clock)
    response = installation.handle(to_http(signed, "00000000-0000-4000-8000-000000000000"))
    assert response.status == 400
    assert cbor2.loads(response.body)["__type"].rpartition("#")[2] in ("SerializationException", "ValidationException")
