"""Actions, resources and principals of statements, by AWS's documented examples (iam.md 3)."""

from typing import Any

import pytest

from greatseal.domain.access.language import (
    Context,
    Decision,
    Effect,
    PolicyKind,
    Principal,
    Reach,
    Request,
    compile_policy,
    parse_policy,
)
from greatseal.domain.access.language.wildcards import matcher, tokens_of
from rooms.access.asking import ANYBODY, compiled, policy, statement

A, B = "111122223333", "444455556666"
CERTIFICATE = f"arn:aws:acm:eu-west-1:{A}:certificate/7d1e"
ROLE = f"arn:aws:iam::{A}:role/team/R"
SESSION = Principal.assumed_role(f"arn:aws:sts::{A}:assumed-role/R/build", ROLE, "AROAEXAMPLEEXAMPLE123")
OTHER_SESSION = Principal.assumed_role(f"arn:aws:sts::{A}:assumed-role/R/other", ROLE, "AROAEXAMPLEEXAMPLE123")
USER = Principal.user(f"arn:aws:iam::{A}:user/alice", "AIDAEXAMPLEEXAMPLE123")
ROOT = Principal.root(f"arn:aws:iam::{A}:root")
FEDERATED = Principal.federated_user(f"arn:aws:sts::{A}:federated-user/bob")
STRANGER = Principal.user(f"arn:aws:iam::{B}:user/eve")
SERVICE = Principal.service("acm.amazonaws.com")
PROVIDER = Principal.web_identity(f"arn:aws:iam::{A}:oidc-provider/id.example.com")


def _concerns(entry: dict[str, Any], action: str, resource: str, context: dict[str, Any] | None = None) -> bool:
    return policy(entry).decide(Request(ANYBODY, action, resource, Context(context))).effect is not None


@pytest.mark.parametrize(
    ("pattern", "action", "expected"),
    [
        ("*", "acm:RequestCertificate", True),
        ("acm:*", "acm:RequestCertificate", True),
        ("ACM:requestcertificate", "acm:RequestCertificate", True),
        ("acm:Request*", "acm:RequestCertificate", True),
        ("acm:*Certificate", "acm:RequestCertificate", True),
        ("acm:*Cert*ate", "acm:RequestCertificate", True),
        ("acm:?equestCertificate", "acm:RequestCertificate", True),
        ("acm:R*", "acm-pca:RevokeCertificate", False),
        ("*:*", "acm:RequestCertificate", True),
        ("kms:GetPublicKey ", "kms:GetPublicKey", False),
    ],
)
def test_actions(pattern: str, action: str, expected: bool) -> None:
    assert _concerns(statement(action=pattern), action, CERTIFICATE) is expected


@pytest.mark.parametrize(
    ("pattern", "resource", "expected"),
    [
        ("*", "*", True),
        (CERTIFICATE, CERTIFICATE, True),
        (CERTIFICATE, CERTIFICATE.upper(), False),
        ("arn:aws:acm:*:*:certificate/*", CERTIFICATE, True),
        ("arn:aws:acm:*", CERTIFICATE, True),  # a star crosses colons and slashes
        ("arn:aws:acm:*", "*", False),
        (CERTIFICATE, f"arn:aws:acm:eu-west-1:{A}:certificate/*", False),
        ("arn:aws:acm:*/????", CERTIFICATE, True),
        ("arn:aws:acm:*/???", CERTIFICATE, False),
    ],
)
def test_resources(pattern: str, resource: str, expected: bool) -> None:
    assert _concerns(statement(resource=pattern), "acm:DescribeCertificate", resource) is expected


def test_negated_elements() -> None:
    everything_else = {"Effect": "Allow", "NotAction": ["iam:*", "ACM:Delete*"], "Resource": "arn:aws:acm:*"}
    assert _concerns(everything_else, "acm:DescribeCertificate", CERTIFICATE)
    assert not _concerns(everything_else, "acm:DeleteCertificate", CERTIFICATE)
    assert not _concerns(everything_else, "kms:Sign", "arn:aws:kms:eu-west-1:1:key/x")
    elsewhere = {"Effect": "Deny", "Action": "*", "NotResource": [CERTIFICATE, "arn:aws:kms:*"]}
    assert not _concerns(elsewhere, "acm:DescribeCertificate", CERTIFICATE)
    assert _concerns(elsewhere, "acm:DescribeCertificate", CERTIFICATE + "x")


def test_variables_in_resources() -> None:
    home = statement(resource="arn:aws:s3:::bucket/home/${aws:username}/*")
    mine = "arn:aws:s3:::bucket/home/alice/x"
    assert _concerns(home, "s3:GetObject", mine, {"aws:username": "alice"})
    assert not _concerns(home, "s3:GetObject", mine, {"aws:username": "*"})
    assert not _concerns(home, "s3:GetObject", mine)
    assert _concerns({**home, "Resource": "*", "Action": "s3:*"}, "s3:GetObject", mine)
    # an unresolved variable matches no resource, so everything is "not" it
    elsewhere = {"Effect": "Deny", "Action": "*", "NotResource": home["Resource"]}
    assert _concerns(elsewhere, "s3:GetObject", mine)
    starred = statement(resource="arn:aws:acm:eu-west-1:1:certificate/${*}")
    assert _concerns(starred, "acm:X", "arn:aws:acm:eu-west-1:1:certificate/*")
    assert not _concerns(starred, "acm:X", "arn:aws:acm:eu-west-1:1:certificate/abc")


def test_the_old_version_has_no_variables_in_resources() -> None:
    old = compiled({"Statement": statement(resource="arn:aws:s3:::b/${aws:username}")})
    context = Context({"aws:username": "alice"})
    assert old.decide(Request(ANYBODY, "s3:GetObject", "arn:aws:s3:::b/alice", context)).effect is None
    assert old.decide(Request(ANYBODY, "s3:GetObject", "arn:aws:s3:::b/${aws:username}", context)).effect is not None


def test_a_pattern_made_to_be_slow_is_not() -> None:
    """`(a*)` thirty times takes a backtracking matcher longer than the universe lasts."""
    assert not matcher(tokens_of("a*" * 300 + "b"))("a" * 3000)
    assert not matcher(tokens_of("*?a" * 100 + "b"))("a" * 3000)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("ab*ba", "aba", False),  # head and tail may not share a character
        ("ab*ba", "abba", True),
        ("a?*?a", "axa", False),
        ("a?*?a", "axxa", True),
        ("a*b*b", "ab", False),
        ("*a*a*", "a", False),
        ("", "", True),
        ("", "a", False),
        ("**", "", True),
        ("?", "", False),
        ("a*b", "a\nb", True),
    ],
)
def test_wildcards(pattern: str, text: str, expected: bool) -> None:
    assert matcher(tokens_of(pattern))(text) is expected


@pytest.mark.parametrize(
    ("element", "caller", "reach"),
    [
        ("*", ANYBODY, Reach.DIRECT),
        ({"AWS": "*"}, SERVICE, Reach.DIRECT),
        ({"AWS": A}, USER, Reach.ACCOUNT),
        ({"AWS": f"arn:aws:iam::{A}:root"}, SESSION, Reach.ACCOUNT),
        ({"AWS": f"arn:aws:iam::{A}:root"}, ROOT, Reach.ACCOUNT),
        ({"AWS": A}, STRANGER, Reach.NONE),
        ({"AWS": A}, ANYBODY, Reach.NONE),
        ({"AWS": A}, PROVIDER, Reach.NONE),
        ({"AWS": USER.arn}, USER, Reach.DIRECT),
        ({"AWS": [USER.arn, STRANGER.arn]}, STRANGER, Reach.DIRECT),
        ({"AWS": USER.unique_id}, USER, Reach.DIRECT),
        ({"AWS": ROLE}, SESSION, Reach.ROLE),
        ({"AWS": SESSION.unique_id}, SESSION, Reach.ROLE),
        ({"AWS": SESSION.arn}, SESSION, Reach.DIRECT),
        ({"AWS": SESSION.arn}, OTHER_SESSION, Reach.NONE),
        ({"AWS": [A, ROLE]}, SESSION, Reach.ROLE),
        ({"AWS": FEDERATED.arn}, FEDERATED, Reach.DIRECT),
        ({"Service": "acm.amazonaws.com"}, SERVICE, Reach.DIRECT),
        ({"Service": ["ram.amazonaws.com"]}, SERVICE, Reach.NONE),
        ({"AWS": A, "Service": "acm.amazonaws.com"}, SERVICE, Reach.DIRECT),
        ({"Federated": PROVIDER.arn}, PROVIDER, Reach.DIRECT),
        ({"Federated": "accounts.google.com"}, PROVIDER, Reach.NONE),
    ],
)
def test_principals(element: Any, caller: Principal, reach: Reach) -> None:
    read = policy(statement(Principal=element), kind=PolicyKind.RESOURCE)
    assert read.decide(Request(caller, "a:B", "*")).reach is reach


def test_the_closest_name_counts_whatever_the_order() -> None:
    entries = [statement(Principal={"AWS": name}, Sid=name[-1]) for name in (A, ROLE, SESSION.arn)]
    for order in (entries, entries[::-1], [entries[1], entries[2], entries[0]]):
        read = policy(*order, kind=PolicyKind.RESOURCE)
        found = read.decide(Request(SESSION, "a:B", "*"))
        assert (found.reach, found.sid) == (Reach.DIRECT, "d")
        assert read.decide(Request(OTHER_SESSION, "a:B", "*")).reach is Reach.ROLE


@pytest.mark.parametrize(
    ("element", "caller", "denied"),
    [
        # AWS: without the account, the account that holds the user may be denied, and the user with it
        ({"AWS": USER.arn}, USER, True),
        ({"AWS": A}, USER, True),
        ({"AWS": [USER.arn, A]}, USER, False),
        ({"AWS": [USER.arn, f"arn:aws:iam::{A}:root"]}, SESSION, True),
        ({"AWS": [ROLE, A]}, SESSION, True),
        ({"AWS": [ROLE, SESSION.arn, A]}, SESSION, False),
        ({"AWS": [ROLE, SESSION.arn, A]}, OTHER_SESSION, True),
        ({"AWS": A}, ROOT, False),
        ({"Service": "acm.amazonaws.com"}, SERVICE, False),
        ({"AWS": A}, SERVICE, True),
        ({"AWS": A}, ANYBODY, True),
        ("*", ANYBODY, False),
    ],
)
def test_not_principal_denies_all_but_those_fully_named(element: Any, caller: Principal, denied: bool) -> None:
    entry = {"Effect": "Deny", "Action": "*", "Resource": "*", "NotPrincipal": element}
    read = policy(entry, kind=PolicyKind.RESOURCE)
    assert (read.decide(Request(caller, "a:B", "*")).effect is Effect.DENY) is denied


def test_not_principal_allows_nobody_who_is_half_named() -> None:
    entry = {"Effect": "Allow", "Action": "*", "Resource": "*", "NotPrincipal": {"AWS": A}}
    read = policy(entry, kind=PolicyKind.RESOURCE)
    assert read.decide(Request(USER, "a:B", "*")).effect is None
    assert read.decide(Request(STRANGER, "a:B", "*")).effect is Effect.ALLOW


def test_the_statement_that_decides() -> None:
    read = policy(
        statement("Allow", "acm:*", Sid="First"),
        statement("Allow", "*"),
        statement("Deny", "acm:Delete*", Sid="NoDelete"),
        name="p",
    )
    asked = Request(USER, "acm:DeleteCertificate", CERTIFICATE)
    assert read.decide(asked) == Decision(Effect.DENY, 2, "NoDelete", Reach.DIRECT)
    assert [each.index for each in read.matching(asked)] == [0, 1, 2]
    assert read.decide(Request(USER, "acm:GetCertificate", CERTIFICATE)).sid == "First"
    assert read.decide(Request(USER, "kms:Sign", "*")).index == 1


def test_the_keys_that_a_policy_asks_for() -> None:
    entry = statement(Condition={"StringLike": {"AWS:UserName": "a"}, "Null": {"aws:TagKeys": True}})
    assert policy(entry).condition_keys() == {"aws:username", "aws:tagkeys"}
    text = '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'
    assert compile_policy(parse_policy(text, PolicyKind.IDENTITY), "n").condition_keys() == set()
