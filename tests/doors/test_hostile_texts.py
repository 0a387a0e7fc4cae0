"""No text in any member of any served operation makes an error of ours: bad input is never a 5xx.

Requests are made from the models: required members are filled with something that fits, and then each string at the
top, and one further down, is replaced by texts that databases, encodings and parsers stumble over.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from doors.pki import Pki
from greatseal.aws.catalogue import SERVICES, implemented
from greatseal.aws.protocol.models import Kind, Shape, load_service
from greatseal.aws.protocol.patterns import compile_java

HOSTILE = {
    "nul": "a\x00b",
    "surrogate": "a\ud800b",
    "emoji": "\U0001f9ff",
    "long": "a" * 200_000,
    "empty": "",
}
STORED = ("nul", "emoji", "surrogate")
"""What a second database may see differently."""

ARN = "arn:aws:{service}:us-east-1:111122223333:{rest}"
UUID = "12345678-1234-4234-8234-123456789abc"
SAMPLES = (
    *("a", "aa", "111122223333", "example.com", "https://example.com", "/", "/a/", "v1", "us-east-1", "US", "1.2.3"),
    *("a@example.com", "r-abcd", "ou-abcd-abcdefgh", "p-FullAWSAccess", "h-abcdefgh", "car-abcdefgh", UUID),
    *("ab:cd", "a" * 16, "A" * 20, "A" * 44, "alias/a", "{}", "a" * 64, "0" * 32, "https://example.com/a"),
    *(ARN.format(service="acm", rest=f"certificate/{UUID}"), "arn:aws:iam::111122223333:role/a"),
    ARN.format(service="acm-pca", rest=f"certificate-authority/{UUID}"),
    *(ARN.format(service="rolesanywhere", rest=f"{kind}/{UUID}") for kind in ("trust-anchor", "profile", "crl")),
    ARN.format(service="iam", rest="policy/a").replace("us-east-1", ""),
)
_DEPTH = 4


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request):
    """Both."""
    return request.param


def filled(shape: Shape, known: dict[str, str], name: str = "", depth: int = 0) -> Any:
    """A small value of this type; strings by what is there, by their pattern, or somehow."""
    match shape.kind:
        case Kind.STRUCTURE:
            return {key: filled(shape.members[key].shape, known, key, depth + 1) for key in sorted(shape.required)}
        case Kind.LIST:
            assert shape.element is not None
            return [filled(shape.element, known, name, depth + 1) for _ in range(max(1, shape.minimum or 0))]
        case Kind.MAP:
            return {}
        case Kind.STRING:
            return known.get(name) or text_for(shape)
        case Kind.BLOB:
            return b"a" * max(1, shape.minimum or 1)
        case Kind.BOOLEAN:
            return False
        case Kind.TIMESTAMP:
            return datetime(2026, 2, 1, tzinfo=UTC)
        case _:
            return max(1, shape.minimum or 1)


def text_for(shape: Shape) -> str:
    """The first sample that fits; padded when it is too short."""
    if shape.enum:
        return shape.enum[0]
    for sample in SAMPLES:
        text = sample.ljust(shape.minimum or 0, "a")
        if len(text) <= (shape.maximum or len(text)) and (
            shape.pattern is None or compile_java(shape.pattern).fullmatch(text)
        ):
            return text
    return "a"


def places(shape: Shape, known: dict[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each string member at the top, and the first one further down, with a request in which it holds MARK."""
    base = filled(shape, known)
    deeper = None
    for name, member in shape.members.items():
        if member.shape.kind is Kind.STRING and not member.shape.enum:
            yield name, {**base, name: MARK}
        elif deeper is None:
            inside = marked(member.shape, known, _DEPTH)
            deeper = None if inside is None else (f"{name}…", {**base, name: inside})
    if deeper is not None:
        yield deeper


MARK = "\x01MARK\x01"


def marked(shape: Shape, known: dict[str, str], depth: int) -> Any:
    """A value of this type with MARK in its first string; None when there is none."""
    if depth == 0:
        return None
    if shape.kind is Kind.STRING:
        return None if shape.enum else MARK
    if shape.kind is Kind.LIST and shape.element is not None:
        inside = marked(shape.element, known, depth - 1)
        return None if inside is None else [inside]
    if shape.kind is Kind.MAP and shape.element is not None:
        inside = marked(shape.element, known, depth - 1)
        return None if inside is None else {"a": inside}
    if shape.kind is Kind.STRUCTURE:
        for name, member in shape.members.items():
            inside = marked(member.shape, known, depth - 1)
            if inside is not None:
                return {**filled(shape, known), name: inside}
    return None


def with_text(value: Any, text: str) -> Any:
    """The value with the text instead of MARK."""
    if isinstance(value, dict):
        return {key: with_text(each, text) for key, each in value.items()}
    if isinstance(value, list):
        return [with_text(each, text) for each in value]
    return text if value == MARK else value


def status(client: Any, operation: str, given: dict[str, Any]) -> int:
    """The status of the answer; 0 when the client cannot even send this."""
    try:
        answer = getattr(client, xform_name(operation))(**given)
    except ClientError as error:
        return int(error.response["ResponseMetadata"]["HTTPStatusCode"])
    except (BotoCoreError, UnicodeEncodeError, ValueError, TypeError, AttributeError):
        return 0
    return int(answer["ResponseMetadata"]["HTTPStatusCode"])


def furnished(installation: Any, authority: str) -> dict[str, str]:
    """Names of things that are there, by the members that name them, so that texts get as far as possible."""
    iam, kms = installation.client("iam"), installation.client("kms")
    iam.create_user(UserName="user")
    iam.create_group(GroupName="group")
    trust = '{"Version":"2012-10-17","Statement":[]}'.replace(
        "[]", '[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}]'
    )
    role = iam.create_role(RoleName="role", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    installation.client("s3").create_bucket(Bucket="bucket")
    installation.client("organizations").create_organization(FeatureSet="ALL")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    acm = installation.client("acm")
    certificate = acm.request_certificate(DomainName="example.com", CertificateAuthorityArn=authority)
    return {
        **dict.fromkeys(("KeyId", "TargetKeyId", "DestinationKeyId", "SourceKeyId"), key),
        **dict.fromkeys(("PolicyDocument", "AssumeRolePolicyDocument"), trust),
        "UserName": "user",
        "GroupName": "group",
        "RoleName": "role",
        "RoleArn": role,
        "Bucket": "bucket",
        "Key": "key",
        "CertificateAuthorityArn": authority,
        "CertificateArn": certificate["CertificateArn"],
    }


# What ends everybody's account or takes the names away that the other requests use comes last.
_LAST = re.compile(r"^(?:Delete|Close|Leave|Remove|Schedule|Disable)")


def test_no_text_is_an_error_of_ours(storage, database_kind):
    pki = Pki(storage)
    known = furnished(pki.installation, pki.root())
    texts = HOSTILE if database_kind == "sqlite" else {name: HOSTILE[name] for name in STORED}
    sent, wrong = 0, []
    for service in SERVICES:
        client, model = pki.installation.client(service), load_service(service)
        for operation in sorted(implemented(service), key=lambda name: (bool(_LAST.match(name)), name)):
            shape = model.operations[operation].input
            for place, given in places(shape, known) if shape else ():
                for name, text in texts.items():
                    found = status(client, operation, with_text(given, text))
                    sent += found > 0
                    if found >= 500:
                        wrong.append((service, operation, place, name, found))
    assert wrong == []
    assert sent > 1000
