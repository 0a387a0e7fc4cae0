"""Operators of conditions, by AWS's own tables: missing keys, sets, negation, wildcards, values (iam.md 4)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greatseal.domain.access.language import AmbiguousContext, Context
from greatseal.domain.access.language.operators import OPERATORS
from rooms.access.asking import holds

ARN = "arn:aws:iam::111122223333:role/R"
READABLE = {
    "String": "x",
    "Numeric": "5",
    "Date": "2026-01-01",
    "Bool": "true",
    "Binary": "YQ==",
    "IpAddress": "10.0.0.0/8",
    "NotIpAddress": "10.0.0.0/8",
    "Arn": ARN,
}


def _value(operator: str) -> str:
    return next(value for family, value in READABLE.items() if operator.startswith(family))


@pytest.mark.parametrize("operator", sorted(OPERATORS))
@pytest.mark.parametrize("context", [{}, {"k:k": ()}], ids=["absent", "empty"])
def test_a_missing_key(operator: str, context: dict[str, Any]) -> None:
    negated = "Not" in operator
    value = _value(operator)
    assert holds({operator: {"k:k": value}}, context) is negated
    assert holds({f"{operator}IfExists": {"k:k": value}}, context) is True
    assert holds({f"ForAllValues:{operator}": {"k:k": value}}, context) is True
    assert holds({f"ForAllValues:{operator}IfExists": {"k:k": value}}, context) is True
    assert holds({f"ForAnyValue:{operator}": {"k:k": value}}, context) is False
    assert holds({f"ForAnyValue:{operator}IfExists": {"k:k": value}}, context) is True


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        # several values of one key: OR for a positive operator, NOR for a negated one
        ({"StringEquals": ["a", "b"]}, "b", True),
        ({"StringEquals": ["a", "b"]}, "c", False),
        ({"StringNotEquals": ["a", "b"]}, "b", False),
        ({"StringNotEquals": ["a", "b"]}, "c", True),
        ({"StringEquals": "a*"}, "ab", False),
        ({"StringEquals": "a*"}, "a*", True),
        ({"StringEquals": "A"}, "a", False),
        ({"StringEqualsIgnoreCase": "JohnDoe"}, "johndoe", True),
        ({"StringNotEqualsIgnoreCase": "JohnDoe"}, "johndoe", False),
        ({"StringLike": ["EMAIL", "D*"]}, "DNS", True),
        ({"StringLike": "d?s"}, "DNS", False),
        ({"StringNotLike": "D?S"}, "DNS", False),
        ({"StringLike": ""}, "", True),
        ({"StringEquals": []}, "a", False),
        ({"StringNotEquals": []}, "a", True),
        # numbers
        ({"NumericEquals": 5}, "5.0", True),
        ({"NumericLessThanEquals": "10"}, "10", True),
        ({"NumericLessThan": "10"}, "9", True),
        ({"NumericGreaterThan": 1e1}, "9", False),
        ({"NumericGreaterThanEquals": "-1"}, "-1", True),
        ({"NumericEquals": "5"}, "five", False),
        ({"NumericNotEquals": "5"}, "five", True),
        ({"NumericEquals": "1e999"}, "9" * 500, False),
        # dates: ISO 8601 or epoch on either side
        ({"DateGreaterThan": "2019-07-16T12:00:00Z"}, "2019-07-16T12:00:01Z", True),
        ({"DateEquals": "1563278400"}, "2019-07-16T12:00:00Z", True),
        ({"DateEquals": "2019-07-16T14:00:00+02:00"}, "1563278400", True),
        ({"DateEquals": "2019"}, "2019-01-01T00:00Z", True),
        ({"DateLessThan": "2019-08"}, "2019-07-31T23:59:59.999Z", True),
        ({"DateNotEquals": "2019-07-16"}, "2019-07-16", False),
        ({"DateEquals": "2019-07-16"}, "yesterday", False),
        ({"DateLessThan": "2019-07-16"}, "2.0", False),
        ({"DateEquals": "2019-07-16"}, "2019-02-30", False),
        ({"DateLessThan": "0001-01-01T00:00:00+23:59"}, "-99999999999", True),
        # booleans
        ({"Bool": False}, "false", True),
        ({"Bool": "TRUE"}, "true", True),
        ({"Bool": "true"}, "yes", False),
        # binaries
        ({"BinaryEquals": "QmluYXJ5VmFsdWVJbkJhc2U2NA=="}, "QmluYXJ5VmFsdWVJbkJhc2U2NA==", True),
        ({"BinaryEquals": "YQ=="}, "YR==", True),  # other padding bits, same byte
        ({"BinaryEquals": "YQ=="}, "a", False),
        # addresses
        ({"IpAddress": "203.0.113.0/24"}, "203.0.113.7", True),
        ({"IpAddress": "203.0.113.7"}, "203.0.113.8", False),
        ({"IpAddress": ["203.0.113.0/24", "2001:DB8:1234:5678::/64"]}, "2001:db8:1234:5678::1", True),
        ({"IpAddress": "0.0.0.0/0"}, "2001:db8::1", False),
        ({"IpAddress": "203.0.113.0/24"}, "::ffff:203.0.113.7", True),
        ({"IpAddress": "::ffff:203.0.113.0/120"}, "203.0.113.7", True),
        ({"NotIpAddress": "203.0.113.0/24"}, "203.0.113.7", False),
        ({"NotIpAddress": ["192.0.2.0/24", "203.0.113.0/24"]}, "198.51.100.1", True),
        ({"IpAddress": "0.0.0.0/0"}, "not an address", False),
        # ARNs: six parts, each alone; a star crosses colons only in the sixth
        ({"ArnEquals": ARN}, ARN, True),
        ({"ArnLike": "arn:aws:iam::*:role/*"}, ARN, True),
        ({"ArnEquals": "arn:aws:iam::*:role/*"}, ARN, True),
        ({"ArnLike": "arn:aws:*:role/R:*:*"}, ARN, False),
        ({"ArnLike": "arn:*:*:*:*:*"}, ARN, True),
        ({"ArnLike": "arn:aws:logs:*:*:*"}, "arn:aws:logs:eu-west-1:1:log-group:x:log-stream:y", True),
        ({"ArnLike": "arn:aws:logs:*:*:log-group:*:y"}, "arn:aws:logs:eu-west-1:1:log-group:x:log-stream:y", True),
        ({"ArnLike": "arn:aws:iam::*:role/r"}, ARN, False),
        ({"ArnLike": "arn:*:*:*:*:*"}, "no arn", False),
        ({"ArnNotLike": "arn:aws:iam::*:role/*"}, ARN, False),
        ({"ArnNotEquals": "arn:aws:iam::*:user/*"}, ARN, True),
    ],
)
def test_one_value(condition: dict[str, Any], value: str, expected: bool) -> None:
    operator, listed = next(iter(condition.items()))
    assert holds({operator: {"k:k": listed}}, {"k:k": value}) is expected
    # a set operator on a key with one value sees a set of one
    assert holds({f"ForAllValues:{operator}": {"k:k": listed}}, {"k:k": value}) is expected
    assert holds({f"ForAnyValue:{operator}": {"k:k": listed}}, {"k:k": value}) is expected


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        ("ForAllValues:StringEquals", ("a",), True),
        ("ForAllValues:StringEquals", ("a", "b"), True),
        ("ForAllValues:StringEquals", ("a", "c"), False),
        ("ForAnyValue:StringEquals", ("a", "c"), True),
        ("ForAnyValue:StringEquals", ("c", "d"), False),
        ("ForAllValues:StringNotEquals", ("c", "d"), True),
        ("ForAllValues:StringNotEquals", ("a", "c"), False),
        ("ForAnyValue:StringNotEquals", ("a", "c"), True),
        ("ForAnyValue:StringNotEquals", ("a", "b"), False),
        ("StringEquals", ("c", "a"), True),
        ("StringEquals", ("c", "d"), False),
        ("StringNotEquals", ("c", "a"), False),
        ("StringNotEquals", ("c", "d"), True),
    ],
)
def test_several_values(operator: str, values: tuple[str, ...], expected: bool) -> None:
    assert holds({operator: {"k:k": ["a", "b"]}}, {"k:k": values}) is expected


@pytest.mark.parametrize(
    ("wanted", "context", "expected"),
    [
        ("true", {}, True),
        ("true", {"k:k": ()}, True),
        ("true", {"k:k": ""}, False),
        ("false", {"k:k": "x"}, True),
        (False, {}, False),
        (["true", "false"], {}, True),
    ],
)
def test_null(wanted: Any, context: dict[str, Any], expected: bool) -> None:
    assert holds({"Null": {"k:k": wanted}}, context) is expected


def test_conditions_are_joined_by_and() -> None:
    condition = {"StringEquals": {"a:a": "1", "b:b": "2"}, "Bool": {"c:c": True}}
    assert holds(condition, {"a:a": "1", "b:b": "2", "c:c": "true"})
    for key in ("a:a", "b:b", "c:c"):
        assert not holds(condition, {"a:a": "1", "b:b": "2", "c:c": "true", key: "0"})


def test_keys_have_no_case() -> None:
    assert holds({"StringEquals": {"AWS:requesttag/TEAM": "x"}}, {"aws:RequestTag/Team": "x"})
    with pytest.raises(AmbiguousContext, match="aws:RequestTag/Team"):
        Context({"aws:RequestTag/Team": "x", "aws:RequestTag/team": "y"})


def test_a_condition_without_operators_or_keys_is_no_condition() -> None:
    assert holds({}, {})
    assert holds({"StringEquals": {}}, {})


def test_multi_factor_pitfall() -> None:
    """The key is absent, not false, for long-term credentials (iam.md 5)."""
    assert not holds({"Bool": {"aws:MultiFactorAuthPresent": "false"}}, {})
    assert holds({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}, {})


@pytest.mark.parametrize(
    ("listed", "value", "context", "expected"),
    [
        ("${aws:username}", "alice", {"aws:username": "alice"}, True),
        ("home/${AWS:UserName}/*", "home/alice/x", {"aws:username": "alice"}, True),
        ("${aws:username}", "a", {}, False),
        ("${aws:username, 'guest'}", "guest", {}, True),
        ("${aws:username, ''}", "", {}, True),
        ("${aws:username,'guest'}", "alice", {"aws:username": "alice"}, True),
        ("${aws:TagKeys}", "a", {"aws:TagKeys": ("a",)}, False),
        ("${aws:PrincipalTag/cost center}", "7", {"aws:PrincipalTag/cost center": "7"}, True),
        # a star in a value is a star
        ("${aws:username}", "alice", {"aws:username": "a*"}, False),
        ("${aws:username}", "a*", {"aws:username": "a*"}, True),
        ("${aws:username}", "${aws:x}", {"aws:username": "${aws:x}", "aws:x": "y"}, True),
        # escapes
        ("${*}.*", "*.example.com", {}, True),
        ("${*}.*", "www.example.com", {}, False),
        ("a${?}", "a?", {}, True),
        ("a${?}", "ab", {}, False),
        ("${$}{aws:username}", "${aws:username}", {"aws:username": "x"}, True),
        ("$5", "$5", {}, True),
    ],
)
def test_variables(listed: str, value: str, context: dict[str, Any], expected: bool) -> None:
    given = {**context, "k:k": value}
    assert holds({"StringLike": {"k:k": listed}}, given) is expected
    assert holds({"StringNotLike": {"k:k": listed}}, given) is not expected
    assert holds({"StringLike": {"k:k": [listed, "never"]}}, given) is expected


def test_variables_are_text_in_the_old_version() -> None:
    context = {"aws:username": "alice", "k:k": "alice", "k:l": "${aws:username}", "k:m": "*.example.com"}
    assert not holds({"StringLike": {"k:k": "${aws:username}"}}, context, "2008-10-17")
    assert holds({"StringLike": {"k:l": "${aws:username}"}}, context, "2008-10-17")
    assert not holds({"StringLike": {"k:m": "${*}.*"}}, context, "2008-10-17")
    assert holds({"StringEquals": {"k:l": "${unfinished"}}, {"k:l": "${unfinished"}, "2008-10-17")


def test_variables_in_arns_and_booleans() -> None:
    context = {"aws:PrincipalAccount": "111122223333", "k:arn": ARN, "aws:SecureTransport": "true", "k:b": "TRUE"}
    assert holds({"ArnLike": {"k:arn": "arn:aws:iam::${aws:PrincipalAccount}:role/*"}}, context)
    assert holds({"ArnEquals": {"k:arn": "${k:arn}"}}, context)
    assert holds({"Bool": {"k:b": "${aws:SecureTransport}"}}, context)


@given(st.text(max_size=30), st.sampled_from(sorted(OPERATORS)))
def test_no_value_of_a_request_breaks_an_operator(value: str, operator: str) -> None:
    holds({operator: {"k:k": _value(operator)}}, {"k:k": value})
