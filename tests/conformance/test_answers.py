"""Every answer of the door is what the service's model says, in each protocol that the model offers.

botocore drops what it does not know and forgives much, so the bodies are also read with plain decoders.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import cbor2
import pytest
from botocore.exceptions import ClientError
from botocore.model import Shape
from botocore.serialize import create_serializer

from conformance.hierarchy import CLASSICAL, POST_QUANTUM, Customer, csr, pkcs8

CBOR, JSON = "smithy-rpc-v2-cbor", "json"
CONTENT_TYPES = {CBOR: "application/cbor", JSON: "application/x-amz-json-1.1"}
SCALARS = {
    "string": str,
    "integer": int,
    "long": int,
    "boolean": bool,
    "float": float,
    "double": float,
}


class Witness:
    """A client that speaks one protocol, and every answer that it was given."""

    def __init__(self, client: Any, protocol: str) -> None:
        self.client = client
        self.protocol = protocol
        self.answers = 0
        # botocore has no setting for this; it takes the protocol that it likes best.
        client._serializer = create_serializer(protocol, include_validation=False)
        client.meta.service_model.resolved_protocol = protocol
        client.meta.events.register("before-parse", self._read)

    def _read(self, operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
        self.answers += 1
        headers, body = response_dict["headers"], response_dict["body"]
        assert headers["x-amzn-requestid"]
        good = response_dict["status_code"] == 200
        if not body:
            assert good
            assert operation_model.output_shape is None or not operation_model.output_shape.members
            return
        assert headers["content-type"] == CONTENT_TYPES[self.protocol]
        if self.protocol == CBOR:
            assert headers["smithy-protocol"] == "rpc-v2-cbor"
            stream = BytesIO(body)
            value = cbor2.CBORDecoder(stream).decode()
            assert stream.tell() == len(body) or not stream.read()
        else:
            value = json.loads(body.decode("utf-8"), parse_float=Decimal)
        if good:
            assert list(self.strange(operation_model.output_shape, value, "")) == []
        else:
            assert isinstance(value["__type"], str)
            assert isinstance(value.get("message", value.get("Message")), str)

    def strange(self, shape: Shape | None, value: Any, at: str) -> Iterator[str]:
        """Where a value is not of its shape."""
        kind = "structure" if shape is None else shape.type_name
        if kind == "structure":
            members = {} if shape is None else shape.members
            for name, member in value.items():
                if name in members:
                    yield from self.strange(members[name], member, f"{at}.{name}")
                else:
                    yield f"{at}.{name} is not in the model"
            for name in set(getattr(shape, "required_members", ())) - value.keys():
                yield f"{at}.{name} is required"
        elif kind == "list":
            for number, member in enumerate(value):
                yield from self.strange(shape.member, member, f"{at}[{number}]")
        elif not isinstance(value, self._type(kind)):
            yield f"{at} is {value!r}, not a {kind}"
        elif getattr(shape, "enum", None) and value not in shape.enum and value.replace("-", "_", 1) not in shape.enum:
            yield f"{at} is {value!r}, not one of {shape.enum}"

    def _type(self, kind: str) -> type | tuple[type, ...]:
        if kind == "timestamp":
            return datetime if self.protocol == CBOR else (int, Decimal)
        if kind == "blob":
            return bytes if self.protocol == CBOR else str
        return SCALARS[kind]


def tale(customer: Customer, key: str) -> str:
    """Every operation of Private CA that is served, once; returns a subordinate's ARN."""
    pca = customer.pca
    issuing = customer.chain(key)
    this = {"CertificateAuthorityArn": issuing.arn}
    leaf = customer.issue(issuing, csr("EC_prime256v1", "app.example.internal"))
    pca.tag_certificate_authority(**this, Tags=[{"Key": "team", "Value": "pki"}])
    pca.create_permission(**this, Principal="acm.amazonaws.com", Actions=["IssueCertificate", "GetCertificate"])
    read(customer, issuing.arn)
    pca.revoke_certificate(**this, CertificateSerial=f"{leaf.parsed.serial_number:x}", RevocationReason="SUPERSEDED")
    pca.untag_certificate_authority(**this, Tags=[{"Key": "team"}])
    pca.delete_permission(**this, Principal="acm.amazonaws.com")
    passing = customer.create("ROOT", key)
    pca.delete_certificate_authority(CertificateAuthorityArn=passing, PermanentDeletionTimeInDays=7)
    pca.restore_certificate_authority(CertificateAuthorityArn=passing)
    pca.update_certificate_authority(**this, Status="DISABLED")
    pca.update_certificate_authority(**this, Status="ACTIVE")
    return issuing.arn


def read(customer: Customer, arn: str) -> list[dict[str, Any]]:
    """The answers of every operation that only reads, without what differs from call to call."""
    pca, this = customer.pca, {"CertificateAuthorityArn": arn}
    answers = [
        pca.describe_certificate_authority(**this),
        pca.list_certificate_authorities(MaxResults=1000),
        pca.get_certificate_authority_csr(**this),
        pca.get_certificate_authority_certificate(**this),
        pca.list_permissions(**this),
        pca.list_tags(**this),
    ]
    return [{name: value for name, value in answer.items() if name != "ResponseMetadata"} for answer in answers]


def complaints(customer: Customer, arn: str) -> list[tuple[str, str]]:
    """The codes and texts of refusals: modelled, of the validation, and of what is not served yet."""
    this = {"CertificateAuthorityArn": arn}
    nobody = {"CertificateAuthorityArn": arn[:-12] + "000000000000"}
    calls = [
        (customer.pca.describe_certificate_authority, nobody),
        (customer.pca.describe_certificate_authority, {"CertificateAuthorityArn": "arn:nonsense"}),
        (customer.pca.create_permission, {**this, "Principal": "", "Actions": []}),
        (customer.pca.issue_certificate, {**this, "Csr": b"no CSR", "SigningAlgorithm": "x", "Validity": {}}),
        (customer.pca.get_policy, {"ResourceArn": arn}),
    ]
    said = []
    for call, parameters in calls:
        with pytest.raises(ClientError) as refusal:
            call(**parameters)
        said.append((refusal.value.response["Error"]["Code"], refusal.value.response["Error"]["Message"]))
    return said


@pytest.fixture
def speaking(installation):
    """Makes a customer whose Private CA client speaks a protocol, with its witness."""

    def make(protocol: str) -> tuple[Customer, Witness]:
        witness = Witness(installation.client("acm-pca"), protocol)
        return Customer(witness.client, None), witness

    return make


@pytest.mark.parametrize("protocol", [CBOR, JSON])
@pytest.mark.parametrize("key", ["EC_prime256v1", *POST_QUANTUM])
def test_every_answer_of_private_ca(speaking, key, protocol):
    customer, witness = speaking(protocol)
    tale(customer, key)
    assert witness.answers > 25


def test_both_protocols_say_the_same(speaking):
    by_cbor, by_json = speaking(CBOR)[0], speaking(JSON)[0]
    arn = tale(by_cbor, "EC_prime256v1")
    assert read(by_cbor, arn) == read(by_json, arn)
    assert complaints(by_cbor, arn) == complaints(by_json, arn)


@pytest.mark.parametrize("key", ["RSA_2048", "EC_prime256v1"])
def test_every_answer_of_acm(installation, chain, key):
    assert key in CLASSICAL
    witness = Witness(installation.client("acm"), JSON)
    acm = witness.client
    customer = Customer(installation.client("acm-pca"), acm, installation.work)
    exported = customer.export(chain(key), key, "app.example.internal", "www.example.internal")
    this = {"CertificateArn": exported.arn}
    acm.get_certificate(**this)
    acm.add_tags_to_certificate(**this, Tags=[{"Key": "team", "Value": "pki"}])
    acm.list_tags_for_certificate(**this)
    acm.renew_certificate(**this)
    installation.work()
    acm.describe_certificate(**this)
    acm.list_certificates(Includes={"keyTypes": list(CLASSICAL)})
    acm.search_certificates()
    acm.get_account_configuration()
    own = customer.issue(chain(key), csr(key, "imported.example.internal"))
    imported = acm.import_certificate(
        Certificate=own.certificate.encode(), PrivateKey=pkcs8(key), CertificateChain=own.chain.encode()
    )
    acm.describe_certificate(CertificateArn=imported["CertificateArn"])
    acm.delete_certificate(CertificateArn=imported["CertificateArn"])
    with pytest.raises(ClientError):
        acm.describe_certificate(CertificateArn=imported["CertificateArn"])
    assert witness.answers > 12
