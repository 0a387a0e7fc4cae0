"""The four service control policies of workflows.md 22, word for word, with what a caller reads (iam.md 5, 6)."""

from typing import Any

import pytest

from greatseal.domain.access.language import (
    Circumstances,
    Context,
    PolicyKind,
    Principal,
    Request,
    Verdict,
    denial_sentence,
    evaluate,
)
from rooms.access.asking import policy, statement

ACCOUNT = "111122223333"
REQUEST = "acm:RequestCertificate"
RESOURCE = f"arn:aws:acm:eu-west-1:{ACCOUNT}:certificate/*"
ISSUER, OPERATOR, OTHER = (f"arn:aws:iam::{ACCOUNT}:role/pki/{name}" for name in ("Issuer", "Operator", "Other"))
REFUSED = (
    f"User: arn:aws:sts::{ACCOUNT}:assumed-role/Other/alice is not authorized to perform: {REQUEST} on resource: "
    f"{RESOURCE} with an explicit deny in a service control policy"
)

NO_EMAIL = statement(
    "Deny",
    REQUEST,
    Sid="NoEmail",
    Condition={"StringLike": {"acm:ValidationMethod": "EMAIL"}, "ArnNotLike": {"aws:PrincipalArn": [ISSUER]}},
)
NO_WILDCARDS = statement("Deny", REQUEST, Condition={"ForAnyValue:StringLike": {"acm:DomainNames": ["${*}.*"]}})
OWN_NAMES = [
    statement(
        "Deny",
        REQUEST,
        Sid=name,
        Condition={
            "ForAnyValue:StringLike": {"acm:DomainNames": f"{name}.example.com"},
            "ArnNotLike": {"aws:PrincipalArn": roles},
        },
    )
    for name, roles in (("app1", [ISSUER, OPERATOR]), ("app2", [OPERATOR]))
]
NO_RSA = statement("Deny", REQUEST, Condition={"StringLike": {"acm:KeyAlgorithm": "RSA*"}})


def _ask(
    *denies: dict[str, Any], role: str = OTHER, allowed: bool = True, management: bool = False, **keys: Any
) -> Verdict:
    """A session of a role requests a certificate; the context holds the defaults that the service fills in."""
    caller = Principal.assumed_role(f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.rpartition('/')[2]}/alice", role)
    values = {"DomainNames": ("www.example.com",), "KeyAlgorithm": "RSA_2048", "ValidationMethod": "DNS", **keys}
    context: dict[str, Any] = {f"acm:{key}": value for key, value in values.items() if value is not None}
    context["aws:PrincipalArn"] = role
    full = policy(statement(), kind=PolicyKind.SCP, name="p-FullAWSAccess")
    at = Circumstances(
        caller,
        ACCOUNT,
        identity=(policy(statement(action="acm:*")),) if allowed else (),
        scp_levels=((full,), (full, policy(*denies, kind=PolicyKind.SCP, name="p-examples"))),
        management_account=management,
    )
    return evaluate(at, Request(caller, REQUEST, RESOURCE, Context(context)))


def _sentence(verdict: Verdict, role: str = "Other") -> str:
    return denial_sentence(verdict, f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/alice", REQUEST, RESOURCE)


@pytest.mark.parametrize(
    ("keys", "refused"),
    [
        ({"ValidationMethod": "EMAIL"}, True),
        ({"ValidationMethod": "EMAIL", "role": ISSUER}, False),
        ({"ValidationMethod": "DNS"}, False),
        (
            {"ValidationMethod": None, "CertificateAuthority": "arn:aws:acm-pca:eu-west-1:1:certificate-authority/x"},
            False,
        ),
    ],
    ids=["anybody", "the excepted role", "DNS", "a private CA"],
)
def test_no_validation_by_mail(keys: dict[str, Any], refused: bool) -> None:
    verdict = _ask(NO_EMAIL, **keys)
    assert verdict.allowed is not refused
    if refused:
        assert _sentence(verdict) == REFUSED
        assert (verdict.policy, verdict.statement, verdict.sid) == ("p-examples", 0, "NoEmail")


@pytest.mark.parametrize(
    ("names", "refused"),
    [
        (("*.example.com",), True),
        (("www.example.com", "*.sub.example.com"), True),
        (("www.example.com", "a.b.example.com"), False),
    ],
)
def test_no_wildcard_names(names: tuple[str, ...], refused: bool) -> None:
    verdict = _ask(NO_WILDCARDS, DomainNames=names)
    assert verdict.allowed is not refused
    if refused:
        assert _sentence(verdict) == REFUSED


@pytest.mark.parametrize(
    ("name", "role", "refused"),
    [
        ("app1", OTHER, True),
        ("app2", OTHER, True),
        ("app3", OTHER, False),
        ("app1", ISSUER, False),
        ("app2", ISSUER, True),
        ("app1", OPERATOR, False),
        ("app2", OPERATOR, False),
    ],
)
def test_names_belong_to_roles(name: str, role: str, refused: bool) -> None:
    verdict = _ask(*OWN_NAMES, DomainNames=("x.example.com", f"{name}.example.com"), role=role)
    assert verdict.allowed is not refused
    if refused:
        short = role.rpartition("/")[2]
        assert _sentence(verdict, short) == REFUSED.replace("role/Other", f"role/{short}")
        assert verdict.sid == name


@pytest.mark.parametrize(
    ("algorithm", "refused"),
    [("RSA_2048", True), ("RSA_4096", True), ("EC_prime256v1", False), ("EC_secp384r1", False)],
)
def test_no_rsa(algorithm: str, refused: bool) -> None:
    verdict = _ask(NO_RSA, KeyAlgorithm=algorithm)
    assert verdict.allowed is not refused
    if refused:
        assert _sentence(verdict) == REFUSED


def test_service_control_gives_nothing_and_spares_the_management_account() -> None:
    silent = _ask(NO_RSA, KeyAlgorithm="EC_prime256v1", allowed=False)
    assert _sentence(silent).endswith(f"because no identity-based policy allows the {REQUEST} action")
    assert _ask(NO_RSA, management=True).allowed
