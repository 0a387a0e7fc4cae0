"""What is a policy and what is not; every complaint names its place (iam.md 3)."""

import json
from typing import Any

import pytest

from greatseal.domain.access.language import (
    Effect,
    MalformedPolicy,
    PolicyKind,
    PolicyTooLarge,
    parse_policy,
    size_of,
)
from rooms.access.asking import statement

IDENTITY, RESOURCE, TRUST, SCP = PolicyKind.IDENTITY, PolicyKind.RESOURCE, PolicyKind.TRUST, PolicyKind.SCP
A = "111122223333"
ASSUME = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": A}}


def _document(*statements: Any, **top: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **top})


def _place(text: str, kind: PolicyKind = IDENTITY) -> str:
    with pytest.raises(MalformedPolicy) as caught:
        parse_policy(text, kind)
    assert isinstance(caught.value, ValueError)
    assert str(caught.value) == (f"{caught.value.place}: " if caught.value.place else "") + caught.value.reason
    return caught.value.place


def _without(element: str) -> dict[str, Any]:
    return {key: value for key, value in statement().items() if key != element}


def _when(condition: Any) -> dict[str, Any]:
    return statement(Condition=condition)


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        (_without("Effect"), ""),
        (statement("allow"), ".Effect"),
        (statement("Permit"), ".Effect"),
        (_without("Action"), ""),
        (statement(NotAction="*"), ".NotAction"),
        (statement(action=[]), ".Action"),
        (statement(action="RequestCertificate"), ".Action"),
        (statement(action=["acm:*", "acm:a:b"]), ".Action[1]"),
        (statement(action=["ac*:List"]), ".Action[0]"),
        (statement(action=[7]), ".Action[0]"),
        (statement(action={"a": "b"}), ".Action"),
        (_without("Resource"), ""),
        (statement(NotResource="*"), ".NotResource"),
        (statement(resource=["*", "my-bucket"]), ".Resource[1]"),
        (statement(resource=[]), ".Resource"),
        (statement(resource="arn:aws:iam::${aws:PrincipalAccount}:role/x"), ".Resource"),
        (statement(resource="arn:aws:s3:::${aws:username"), ".Resource"),
        (statement(resource="arn:aws:s3:::${}"), ".Resource"),
        (statement(resource="arn:aws:s3:::${aws:x, default}"), ".Resource"),
        (statement(Principal="*"), ".Principal"),
        (statement(NotPrincipal={"AWS": A}), ".NotPrincipal"),
        (statement(Sid="with blank"), ".Sid"),
        (statement(Sid=1), ".Sid"),
        (statement(Sid=None), ".Sid"),
        (statement(Resources="*"), ".Resources"),
        (statement(effect=None), ".Effect"),
        (_when([]), ".Condition"),
        (_when({"StringLik": {"aws:x": "a"}}), ".Condition.StringLik"),
        (_when({"stringlike": {"aws:x": "a"}}), ".Condition.stringlike"),
        (_when({"ForSomeValues:StringLike": {"aws:x": "a"}}), ".Condition.ForSomeValues:StringLike"),
        (_when({"NullIfExists": {"aws:x": "true"}}), ".Condition.NullIfExists"),
        (_when({"StringLikeIfExistsIfExists": {"aws:x": "a"}}), ".Condition.StringLikeIfExistsIfExists"),
        (_when({"StringLike": "a"}), ".Condition.StringLike"),
        (_when({"StringLike": {"x": "a"}}), ".Condition.StringLike.x"),
        (_when({"StringLike": {"aws:x": None}}), ".Condition.StringLike.aws:x"),
        (_when({"StringLike": {"aws:x": ["a", {}]}}), ".Condition.StringLike.aws:x[1]"),
        (_when({"StringLike": {"aws:x": "a", "AWS:X": "b"}}), ".Condition.StringLike.AWS:X"),
        (_when({"StringLike": {"aws:x": "${aws:y"}}), ".Condition.StringLike.aws:x"),
        (_when({"StringLike": {"aws:x": "${${aws:y}}"}}), ".Condition.StringLike.aws:x"),
        (_when({"NumericEquals": {"aws:x": "many"}}), ".Condition.NumericEquals.aws:x"),
        (_when({"DateEquals": {"aws:x": "2026-13-01"}}), ".Condition.DateEquals.aws:x"),
        (_when({"Bool": {"aws:x": "yes"}}), ".Condition.Bool.aws:x"),
        (_when({"Null": {"aws:x": "yes"}}), ".Condition.Null.aws:x"),
        (_when({"BinaryEquals": {"aws:x": "a"}}), ".Condition.BinaryEquals.aws:x"),
        (_when({"IpAddress": {"aws:x": ["10.0.0.0/8", "10.0.0.0/33"]}}), ".Condition.IpAddress.aws:x[1]"),
        (_when({"IpAddress": {"aws:x": "10.0.0.0/255.0.0.0"}}), ".Condition.IpAddress.aws:x"),
        (_when({"ArnLike": {"aws:x": "role/*"}}), ".Condition.ArnLike.aws:x"),
        ("Allow", ""),
    ],
)
def test_malformed_statements(wrong: Any, place: str) -> None:
    assert _place(_document(statement(), wrong)) == f"Statement[1]{place}"


def test_the_text_names_place_and_reason() -> None:
    with pytest.raises(MalformedPolicy) as caught:
        parse_policy(_document(statement(), _when({"StringLik": {"aws:x": "a"}})), IDENTITY)
    assert str(caught.value) == "Statement[1].Condition.StringLik: unknown condition operator"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "line 1 column 1"),
        ('{"Version":', "line 1 column 12"),
        ("[]", ""),
        ('"text"', ""),
        ("{}", "Statement"),
        ('{"Statement": []}', "Statement"),
        ('{"Statement": "x"}', "Statement"),
        (_document(statement(), Versio="2012-10-17"), "Versio"),
        (_document(statement(), Version="2012-10-18"), "Version"),
        (_document(statement(), Version=2012), "Version"),
        (_document(statement(), Id=7), "Id"),
        (_document(statement(), Id=None), "Id"),
        ('{"Version":"2012-10-17","Version":"2012-10-17","Statement":[]}', "Version"),
        ('{"Statement":[{"Effect":"Allow","Effect":"Deny","Action":"*","Resource":"*"}]}', "Statement[0].Effect"),
        (
            '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*",'
            '"Condition":{"Bool":{"a:b":"true"},"Bool":{"a:c":"true"}}}}',
            "Statement.Condition.Bool",
        ),
        (_document(statement(Sid="A"), statement(Sid="B"), statement(Sid="A")), "Statement[2].Sid"),
        ('{"Statement":[{"Sid":"\\ud800"}]}', "Statement[0].Sid"),
        ('{"Statement":[NaN]}', ""),
        ("[" * 100_000, ""),
        ('{"Statement":' + "[" * 30 + "]" * 30 + "}", "Statement" + "[0]" * 12),
    ],
)
def test_malformed_documents(text: str, place: str) -> None:
    assert _place(text) == place


@pytest.mark.parametrize(
    "principal",
    [
        "alice",
        A,
        {},
        [],
        {"AWS": []},
        {"AWS": "12345"},
        {"AWS": f"arn:aws:iam::{A}:user/*"},
        {"AWS": f"arn:aws:iam::{A}:role/a?"},
        {"AWS": f"arn:aws:iam::{A}:group/g"},
        {"AWS": "arn:aws:iam::*:root"},
        {"AWS": [A, "*a"]},
        {"Service": "*.amazonaws.com"},
        {"Service": ""},
        {"Federated": "arn:aws:iam::1:oidc-provider/*"},
        {"CanonicalUser": "*"},
        {"Everyone": "*"},
        {"AWS": {"x": "y"}},
    ],
)
def test_malformed_principals(principal: Any) -> None:
    for kind, entry in ((RESOURCE, statement()), (TRUST, ASSUME)):
        assert _place(_document({**entry, "Principal": principal}), kind).startswith("Statement[0].Principal")


def test_rules_of_each_kind() -> None:
    assert _place(_document(statement()), RESOURCE) == "Statement[0]"
    assert _place(_document({**statement(Principal="*"), "NotPrincipal": "*"}), RESOURCE) == "Statement[0].NotPrincipal"
    assert _place(_document({**ASSUME, "Resource": "*"}), TRUST) == "Statement[0].Resource"
    assert _place(_document({**ASSUME, "Action": "acm:*"}), TRUST) == "Statement[0].Action"
    assert _place(_document({**ASSUME, "Principal": {}}), TRUST) == "Statement[0].Principal"
    assert _place(json.dumps({"Statement": statement()}), SCP) == "Version"
    for kind in (PolicyKind.BOUNDARY, PolicyKind.SESSION, SCP):
        assert _place(_document(statement(Principal="*")), kind) == "Statement[0].Principal"


def test_sids_of_resource_policies_may_repeat_and_hold_anything() -> None:
    """AWS's example for private CAs uses "1" twice; RAM writes dashes; KMS takes blanks (acm-pca.md 12.2)."""
    twice = statement(Principal="*", Sid="Enable IAM - policies")
    assert len(parse_policy(_document(twice, twice), RESOURCE).statements) == 2


def test_what_is_well_formed() -> None:
    read = parse_policy(
        _document(
            statement("Deny", ["acm:*", "*:*"], "arn:*:acm:*:*:certificate/${aws:username}", Sid=""),
            {"Effect": "Allow", "NotAction": "iam:*", "NotResource": ["*"], "Condition": {"Bool": {"a:b": False}}},
            Id="an id",
        ),
        IDENTITY,
    )
    first, second = read.statements
    assert (read.id, first.effect, first.sid, first.actions) == ("an id", Effect.DENY, "", ("acm:*", "*:*"))
    assert (second.not_actions, second.not_resources, second.conditions[0].values) == (True, True, ("false",))
    assert parse_policy(json.dumps({"Statement": statement()}), IDENTITY).version == "2008-10-17"


def test_numbers_are_kept_as_they_are_written() -> None:
    text = '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NumericEquals":{"a:b":[1.50,7]}}}}'
    assert parse_policy(text, IDENTITY).statements[0].conditions[0].values == ("1.50", "7")


def test_size_counts_what_is_not_white_space() -> None:
    text = json.dumps(json.loads(_document(statement())), indent=8)
    size = size_of(text)
    assert size < len(text)
    parse_policy(text, IDENTITY, limit=size)
    with pytest.raises(PolicyTooLarge, match=f"Cannot exceed quota for PolicySize: {size - 1}"):
        parse_policy(text, IDENTITY, limit=size - 1)
