"""Strategies for documents, contexts and worlds out of few words, so that policies and requests often meet."""

from typing import Any

from hypothesis import strategies as st

from rooms.access.plain import Asked, Who, World

A, B = "111122223333", "444455556666"
ROLE, SESSION = f"arn:aws:iam::{A}:role/team/R", f"arn:aws:sts::{A}:assumed-role/R/s"
USER, FEDERATED = f"arn:aws:iam::{A}:user/alice", f"arn:aws:sts::{A}:federated-user/bob"
ROOT, PROVIDER = f"arn:aws:iam::{A}:root", f"arn:aws:iam::{A}:oidc-provider/id.example.com"

CALLERS = [
    Who("root", ROOT, A),
    Who("user", USER, A),
    Who("assumed role", SESSION, A, ROLE),
    Who("assumed role", SESSION, A, ROLE, linked=True),
    Who("federated user", FEDERATED, A),
    Who("web identity", PROVIDER),
    Who("service", "acm.amazonaws.com"),
    Who("anonymous", "anonymous"),
]
ACTIONS = ["acm:RequestCertificate", "acm:DeleteCertificate", "kms:Sign"]
RESOURCES = [f"arn:aws:acm:eu-west-1:{A}:certificate/abc", f"arn:aws:acm:eu-west-1:{B}:certificate/*", "*"]

TEXTS = [
    "a",
    "A",
    "a*",
    "?",
    "$",
    "*.example.com",
    "www.example.com",
    "",
    ROLE,
    RESOURCES[0],
    "arn:aws:iam::1:role:x/y",
]
KEYS = ["aws:one", "aws:Two", "aws:RequestTag/Team", "aws:many"]
PATTERNS = [
    *TEXTS,
    "*",
    "a?",
    "${*}.*",
    "${?}",
    "${$}",
    "${aws:one}",
    "${AWS:two}*",
    "x${aws:many}",
    "${aws:requesttag/team, 'a'}",
    "${aws:Absent, ''}",
    "*.example.*",
]
ARNS = [
    ROLE,
    "arn:aws:iam::*:role/*",
    "arn:*:iam::*:*",
    "arn:aws:*:role/team/R:*:x",
    "arn:aws:iam::${aws:Two}:role/*",
    "${aws:one}",
    "arn:aws:a?m:*:*:certificate/${*}",
]
NUMBERS = ["1", "2", "2.0", "-3", "1e1", "007"]
DATES = [
    "2026-01-01T00:00:00Z",
    "2026-01-01T01:00:00+01:00",
    "2026",
    "1767225600",
    "2025-12-31",
    "2026-06-01T12:30:00.5Z",
]
ADDRESSES = ["203.0.113.7", "203.0.113.0/24", "2001:db8::/32", "2001:db8::1", "0.0.0.0/0"]
BINARIES = ["YQ==", "YWI=", ""]

BASES = {
    "String": ["StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"],
    "Like": ["StringLike", "StringNotLike"],
    "Arn": ["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"],
    "Numeric": [f"Numeric{x}" for x in ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan")],
    "Date": [f"Date{x}" for x in ("Equals", "NotEquals", "LessThan", "GreaterThan", "GreaterThanEquals")],
    "Bool": ["Bool"],
    "Binary": ["BinaryEquals"],
    "Ip": ["IpAddress", "NotIpAddress"],
}
VALUES = {
    "String": PATTERNS,
    "Like": PATTERNS,
    "Arn": ARNS,
    "Numeric": NUMBERS,
    "Date": DATES,
    "Bool": ["true", "FALSE", "${aws:one}"],
    "Binary": BINARIES,
    "Ip": ADDRESSES,
}
FIXED = {family: [value for value in values if "${" not in value] for family, values in VALUES.items()}
FIXED["Arn"] = [value for value in FIXED["Arn"] if value.count(":") >= 5]
GIVEN = [*TEXTS, *NUMBERS, *DATES, "203.0.113.9", "2001:db8::9", "true", "False", *BINARIES, "no", "111122223333"]


def some(values: list[Any]) -> st.SearchStrategy[Any]:
    """One value, bare or in a list, or several."""
    one = st.sampled_from(values)
    return st.one_of(one, st.lists(one, min_size=1, max_size=3))


@st.composite
def conditions(draw: st.DrawFn, version: str) -> dict[str, dict[str, Any]]:
    made: dict[str, dict[str, Any]] = {}
    for _ in range(draw(st.integers(0, 2))):
        if draw(st.integers(0, 7)) == 0:
            made["Null"] = {draw(st.sampled_from(KEYS)): draw(some(["true", "false", True]))}
            continue
        family = draw(st.sampled_from(sorted(BASES)))
        prefix = draw(st.sampled_from(["", "", "ForAllValues:", "ForAnyValue:"]))
        operator = prefix + draw(st.sampled_from(BASES[family])) + draw(st.sampled_from(["", "", "IfExists"]))
        values = VALUES[family] if version == "2012-10-17" else FIXED[family]
        made[operator] = {draw(st.sampled_from(KEYS)): draw(some(values))}
    return made


def principals() -> st.SearchStrategy[Any]:
    aws = some([A, ROOT, ROLE, SESSION, USER, FEDERATED, B, "*"])
    others = st.fixed_dictionaries(
        {},
        optional={
            "AWS": aws,
            "Service": some(["acm.amazonaws.com", "ram.amazonaws.com", "*"]),
            "Federated": some([PROVIDER, "accounts.google.com"]),
        },
    ).filter(bool)
    return st.one_of(st.just("*"), aws.map(lambda names: {"AWS": names}), others)


@st.composite
def statements(draw: st.DrawFn, version: str, kind: str) -> dict[str, Any]:
    made: dict[str, Any] = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"]))}
    patterns = ["*", "acm:*", "ACM:request*", *ACTIONS, "kms:Sig?", "acm:DeleteCertificate "]
    made[draw(st.sampled_from(["Action", "Action", "NotAction"]))] = draw(some(patterns))
    places = ["*", *RESOURCES[:2], "arn:aws:acm:*", f"arn:aws:acm:*:{A}:*", "arn:aws:acm:*/ab?"]
    if version == "2012-10-17":
        places += ["arn:aws:acm:eu-west-1:*:certificate/${aws:one}", "arn:aws:acm:eu-west-1:*:certificate/${*}"]
    made[draw(st.sampled_from(["Resource", "Resource", "NotResource"]))] = draw(some(places))
    if kind == "resource":
        made[draw(st.sampled_from(["Principal", "Principal", "NotPrincipal"]))] = draw(principals())
    if draw(st.booleans()):
        made["Condition"] = draw(conditions(version))
    return made


@st.composite
def documents(draw: st.DrawFn, kind: str = "identity") -> dict[str, Any]:
    version = draw(st.sampled_from(["2012-10-17"] * 3 + ["2008-10-17"]))
    if kind == "scp":
        version = "2012-10-17"
    made = draw(st.lists(statements(version, kind), min_size=1, max_size=3))
    return {"Version": version, "Statement": made[0] if len(made) == 1 and draw(st.booleans()) else made}


EVERYTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


def usually_open(kind: str) -> st.SearchStrategy[Any]:
    """Half of the time a policy that allows all, or few worlds would let anybody in."""
    return st.one_of(st.just(EVERYTHING), documents(kind))


@st.composite
def contexts(draw: st.DrawFn) -> dict[str, str | tuple[str, ...]]:
    made: dict[str, str | tuple[str, ...]] = {}
    for key in ("AWS:One", "aws:two", "aws:requesttag/team"):
        if draw(st.booleans()):
            made[key] = draw(st.sampled_from(GIVEN))
    if draw(st.booleans()):
        made["aws:Many"] = tuple(draw(st.lists(st.sampled_from(GIVEN), max_size=3)))
    return made


@st.composite
def questions(draw: st.DrawFn) -> Asked:
    return Asked(
        draw(st.sampled_from(CALLERS)),
        draw(st.sampled_from(ACTIONS)),
        draw(st.sampled_from(RESOURCES)),
        draw(contexts()),
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    resource = draw(st.one_of(st.none(), documents("resource")))
    return World(
        owner=draw(st.sampled_from(["", A, A, B])),
        identity=draw(st.lists(usually_open("identity"), max_size=2)),
        boundary=draw(st.one_of(st.none(), usually_open("identity"))),
        session=draw(st.one_of(st.none(), st.lists(usually_open("identity"), max_size=2))),
        resource=resource,
        authoritative=draw(st.booleans()),
        scps=draw(st.lists(st.lists(usually_open("scp"), max_size=2), max_size=2)),
        management=draw(st.integers(0, 4)) == 0,
    )
