"""Validation texts of acm.md 1.2 and acm-pca.md 1.1, as a table of cases."""

import re
from typing import Any

import pytest

from greatseal.aws.protocol.models import Kind, Member, Shape, compile_service, load_service, lower_camel
from greatseal.aws.protocol.patterns import compile_java, translate
from greatseal.aws.protocol.validate import STYLES, Style, validate
from greatseal.aws.wire import WireError
from unit.aws.wire import ACM, ACM_PCA, EVERY

CA_ARN = "arn:aws:acm-pca:eu-central-1:111122223333:certificate-authority/11111111-2222-3333-4444-555555555555"
CERTIFICATE_ARN = "arn:aws:acm:eu-central-1:111122223333:certificate/11111111-2222-3333-4444-555555555555"
DOMAIN = "failed to satisfy constraint: Member must satisfy regular expression pattern: "


def message(service: str, operation: str, parameters: dict[str, Any]) -> str:
    model = {"acm": ACM, "acm-pca": ACM_PCA}[service]
    with pytest.raises(WireError) as caught:
        validate(model.operations[operation].input, parameters, STYLES.get(service, Style.QUOTED))
    assert (caught.value.code, caught.value.status) == ("ValidationException", 400)
    return caught.value.message


ISSUE = {
    "CertificateAuthorityArn": CA_ARN,
    "Csr": b"csr",
    "SigningAlgorithm": "SHA256WITHRSA",
    "Validity": {"Value": 1, "Type": "DAYS"},
}

CASES = [
    (
        "acm-pca",
        "IssueCertificate",
        ISSUE | {"Validity": {"Value": 0, "Type": "DAYS"}},
        "1 validation error detected: Value '0' at 'validity.value' failed to satisfy constraint: "
        "Member must have value greater than or equal to 1",
    ),
    (
        "acm-pca",
        "IssueCertificate",
        ISSUE | {"SigningAlgorithm": "MD5"},
        "1 validation error detected: Value 'MD5' at 'signingAlgorithm' failed to satisfy constraint: "
        "Member must satisfy enum value set: [SHA256WITHECDSA,",
    ),
    (
        "acm-pca",
        "IssueCertificate",
        ISSUE | {"Csr": b""},
        "1 validation error detected: Value at 'csr' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1",
    ),
    (
        "acm-pca",
        "DescribeCertificateAuthority",
        {},
        "1 validation error detected: Value null at 'certificateAuthorityArn' failed to satisfy constraint: "
        "Member must not be null",
    ),
    (
        "acm-pca",
        "DescribeCertificateAuthority",
        {"CertificateAuthorityArn": "x"},
        "2 validation errors detected: Value 'x' at 'certificateAuthorityArn' failed to satisfy constraint: Member "
        "must have length greater than or equal to 5; Value 'x' at 'certificateAuthorityArn' " + DOMAIN,
    ),
    (
        "acm-pca",
        "TagCertificateAuthority",
        {"CertificateAuthorityArn": CA_ARN, "Tags": []},
        "1 validation error detected: Value '[]' at 'tags' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1",
    ),
    (
        "acm-pca",
        "TagCertificateAuthority",
        {"CertificateAuthorityArn": CA_ARN, "Tags": [{"Key": "a"}, {"Key": "b", "Value": "*"}]},
        "1 validation error detected: Value '*' at 'tags.2.member.value' " + DOMAIN + r"([\p{L}",
    ),
    (
        "acm-pca",
        "TagCertificateAuthority",
        {"CertificateAuthorityArn": CA_ARN, "Tags": [None]},
        "1 validation error detected: Value null at 'tags.1.member' failed to satisfy constraint: "
        "Member must not be null",
    ),
    (
        "acm",
        "AddTagsToCertificate",
        {"CertificateArn": CERTIFICATE_ARN, "Tags": [{"Key": "a"}, {"Key": "b", "Value": "*"}]},
        "1 validation error detected: Value of the input at 'tags.2.member.value' " + DOMAIN + r"([\p{L}",
    ),
    (
        "acm",
        "RequestCertificate",
        {"DomainName": "_x.example.com"},
        "1 validation error detected: Value of the input at 'domainName' " + DOMAIN + r"(\*\.)?(((?!-)",
    ),
    (
        "acm",
        "PutAccountConfiguration",
        {},
        "1 validation error detected: Value null at 'idempotencyToken' failed to satisfy constraint: "
        "Member must not be null",
    ),
    (
        "acm",
        "ListCertificates",
        {"NextToken": ""},
        "1 validation error detected: Value of the input at 'nextToken' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1",
    ),
    (
        "acm",
        "RequestCertificate",
        {"DomainName": "example.com", "SubjectAlternativeNames": ["ccc"]},
        "1 validation error detected: Value '[ccc]' at 'subjectAlternativeNames' failed to satisfy constraint: Member "
        "must satisfy constraint: [Member must have length less than or equal to 253, Member must have length greater "
        "than or equal to 1, Member must satisfy regular expression pattern: ",
    ),
    (
        "acm",
        "ListCertificates",
        {"Includes": {"keyTypes": ["blah"]}},
        "1 validation error detected: Value '[blah]' at 'includes.keyTypes' failed to satisfy constraint: Member must "
        "satisfy constraint: [Member must satisfy enum value set: [RSA_1024,",
    ),
    (
        "acm",
        "ListCertificates",
        {"Includes": {"keyTypes": [None]}},
        "1 validation error detected: Value '[null]' at 'includes.keyTypes' failed to satisfy constraint: Member must "
        "satisfy constraint: [Member must satisfy enum value set: [RSA_1024,",
    ),
    (
        "acm",
        "RequestCertificate",
        {"DomainName": "example.com", "DomainValidationOptions": [{"DomainName": "example.com"}]},
        "1 validation error detected: Value null at 'domainValidationOptions.1.member.validationDomain' failed to "
        "satisfy constraint: Member must not be null",
    ),
    (
        "acm",
        "SearchCertificates",
        {"FilterStatement": {}},
        "1 validation error detected: Value at 'filterStatement' failed to satisfy constraint: "
        "Member must have exactly one member set",
    ),
]


@pytest.mark.parametrize(("service", "operation", "parameters", "expected"), CASES)
def test_text(service: str, operation: str, parameters: dict[str, Any], expected: str) -> None:
    text = message(service, operation, parameters)
    assert text.startswith(expected), text


def test_null_constraint_is_named_last() -> None:
    assert message("acm", "ListCertificates", {"Includes": {"keyTypes": [None]}}).endswith(", Member must not be null]")


def test_several_violations_come_together() -> None:
    text = message("acm", "RequestCertificate", {"DomainName": "x", "IdempotencyToken": "a-b", "KeyAlgorithm": "RSA_1"})
    assert text.startswith("3 validation errors detected: ")
    assert text.count("; Value of the input at ") == 2


def test_secrets_are_not_shown() -> None:
    for style in Style:
        with pytest.raises(WireError) as caught:
            validate(ACM.operations["ExportCertificate"].input, {"CertificateArn": "x", "Passphrase": b"pwd"}, style)
        assert "pwd" not in caught.value.message
        assert "passphrase" in caught.value.message
    secret = Shape("S", Kind.STRING, sensitive=True, maximum=2)
    container = Shape("C", Kind.STRUCTURE, members={"Pin": Member("Pin", "Pin", "pin", secret)})
    with pytest.raises(WireError, match=r"^ValidationException: 1 validation error detected: Value at 'pin' failed"):
        validate(container, {"Pin": "1234"})


def test_long_values_are_cut_and_not_matched() -> None:
    text = message("acm-pca", "DescribeCertificateAuthority", {"CertificateAuthorityArn": "x" * 100_000})
    assert text.startswith("1 validation error detected: ")
    assert len(text) < 2000


def test_long_lists_are_one_violation() -> None:
    parameters = {"CertificateAuthorityArn": CA_ARN, "Tags": [{}] * 100_000}
    assert message("acm-pca", "TagCertificateAuthority", parameters) == (
        "1 validation error detected: Value at 'tags' failed to satisfy constraint: "
        "Member must have length less than or equal to 50"
    )


def test_lists_and_patterns_without_a_maximum() -> None:
    digits = Shape("Digits", Kind.STRING, pattern="[0-9]+")
    container = Shape(
        "C", Kind.STRUCTURE, members={"Names": Member("Names", "Names", "names", Shape("L", Kind.LIST, element=digits))}
    )
    validate(container, {"Names": ["1"] * 5000})
    for bad in (["1"] * 5000 + ["x"], ["1" * 100_000]):
        with pytest.raises(WireError, match="Member must satisfy regular expression pattern"):
            validate(container, {"Names": bad})


def test_the_longest_policy_is_matched() -> None:
    put = ACM_PCA.operations["PutPolicy"].input
    validate(put, {"ResourceArn": CA_ARN, "Policy": "x" * 81920})
    assert "regular expression" in message("acm-pca", "PutPolicy", {"ResourceArn": CA_ARN, "Policy": "x" * 70000 + "€"})


def test_maps() -> None:
    model = {
        "metadata": {"protocol": "json", "endpointPrefix": "x"},
        "operations": {"Put": {"http": {"method": "POST", "requestUri": "/"}, "input": {"shape": "PutRequest"}}},
        "shapes": {
            "PutRequest": {"type": "structure", "members": {"Tags": {"shape": "Map"}, "Deep": {"shape": "Deep"}}},
            "Map": {"type": "map", "key": {"shape": "K"}, "value": {"shape": "K"}, "max": 1},
            "Deep": {"type": "map", "key": {"shape": "K"}, "value": {"shape": "Inner"}},
            "Inner": {"type": "structure", "members": {"Name": {"shape": "K"}}, "required": ["Name"]},
            "K": {"type": "string", "max": 2},
        },
    }
    shape = compile_service("x", model).operations["Put"].input
    with pytest.raises(WireError) as caught:
        validate(shape, {"Tags": {"abc": "x", "d": "xyz"}, "Deep": {"k": {}}})
    assert caught.value.message == (
        "4 validation errors detected: "
        "Value at 'tags' failed to satisfy constraint: Map keys must satisfy constraint: "
        "[Member must have length less than or equal to 2]; "
        "Value at 'tags' failed to satisfy constraint: Map value must satisfy constraint: "
        "[Member must have length less than or equal to 2]; "
        "Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 1; "
        "Value null at 'deep.k.member.name' failed to satisfy constraint: Member must not be null"
    )


@pytest.mark.parametrize(
    ("good", "name"),
    [
        (False, "*.com"), (False, "com"), (False, "a.b"), (False, "*.*.example.com"), (False, "a*.example.com"),
        (False, "example.com."), (True, "a.bc"), (True, "*.co.uk"), (True, "EXAMPLE.com"), (True, "xn--a.com"),
        (True, "1.2.3.44"), (False, "example.com\n"), (False, "exämple.com"),
    ],
)  # fmt: skip
def test_domain_name_pattern(good: bool, name: str) -> None:
    shape = ACM.operations["RequestCertificate"].input
    assert shape is not None
    pattern = shape.members["DomainName"].shape.pattern
    assert pattern is not None
    assert bool(compile_java(pattern).fullmatch(name)) is good


def test_unicode_categories() -> None:
    pattern = compile_java(r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)")
    assert pattern.fullmatch("Größe 12 日本 ٣ Ⅷ\u3000𝒳")
    for bad in ("a*b", "a\tb", "€", "😀"):
        assert not pattern.fullmatch(bad)
    assert compile_java(r"\p{L}+").fullmatch("äß")
    with pytest.raises(ValueError, match="unsupported category"):
        translate(r"\p{Alpha}")


def test_java_semantics() -> None:
    assert not compile_java(r"\w+").fullmatch("ä")
    assert not compile_java(r"a.b").fullmatch("a\u2028b")
    assert not compile_java(r"a.b").fullmatch("a\rb")
    assert compile_java(r"[.]+\.").fullmatch("...")


def test_every_pattern_of_the_models_compiles() -> None:
    for service in (*EVERY, load_service("kms")):
        for shape in inputs_of(service):
            if shape.pattern:
                assert isinstance(compile_java(shape.pattern), re.Pattern)


def inputs_of(service: Any) -> list[Shape]:
    found: dict[str, Shape] = {}
    waiting = [operation.input for operation in service.operations.values() if operation.input]
    while waiting:
        shape = waiting.pop()
        if shape.name not in found:
            found[shape.name] = shape
            waiting += [member.shape for member in shape.members.values()]
            waiting += [part for part in (shape.element, shape.key) if part]
    return list(found.values())


def test_recursive_shape() -> None:
    statement = ACM.operations["SearchCertificates"].input.members["FilterStatement"].shape  # type: ignore[union-attr]
    inner = statement.members["And"].shape.element
    assert inner is statement
    assert statement.union
    assert repr(statement)


@pytest.mark.parametrize(
    ("name", "path"),
    [("IdempotencyToken", "idempotencyToken"), ("S3BucketName", "s3BucketName"), ("CRLSign", "crlSign"),
     ("AWSAccountId", "awsAccountId"), ("OID", "oid"), ("keyTypes", "keyTypes"), ("X509Attributes", "x509Attributes")],
)  # fmt: skip
def test_lower_camel(name: str, path: str) -> None:
    assert lower_camel(name) == path
