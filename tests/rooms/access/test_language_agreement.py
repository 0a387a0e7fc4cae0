"""The compiled language and a slow, independent reading of the rules agree on generated policies."""

import json
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from greatseal.domain.access.language import MalformedPolicy, PolicyKind, compile_policy, evaluate, parse_policy
from greatseal.domain.access.language.wildcards import matcher, tokens_of
from rooms.access.asking import circumstances, compiled, request
from rooms.access.generated import documents, questions, worlds
from rooms.access.plain import ANY, STAR, Asked, World, decide, like, marks, verdict

QUICK = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(documents("identity"), questions())
def test_one_policy_without_principals(document: Any, asked: Asked) -> None:
    _same_decision(document, asked, PolicyKind.IDENTITY)


@QUICK
@given(documents("resource"), questions())
def test_one_policy_with_principals(document: Any, asked: Asked) -> None:
    _same_decision(document, asked, PolicyKind.RESOURCE)


def _same_decision(document: Any, asked: Asked, kind: PolicyKind) -> None:
    decision = compiled(document, kind).decide(request(asked))
    effect, reach = decide(document, asked)
    assert (decision.effect.value if decision.effect else "") == effect
    if effect == "Allow":
        assert decision.reach == reach


@QUICK
@given(worlds(), questions())
def test_all_policies_around_a_request(world: World, asked: Asked) -> None:
    found = evaluate(circumstances(world, asked.who), request(asked))
    assert (found.allowed, found.kind.name.lower(), found.explicit) == verdict(world, asked)


@QUICK
@given(st.text("ab?*", max_size=8), st.text("ab?*", max_size=10))
def test_wildcards(pattern: str, text: str) -> None:
    assert matcher(tokens_of(pattern))(text) == like(marks(pattern), text)


@QUICK
@given(st.lists(st.sampled_from(["a", "ab", "*", STAR, STAR, ANY]), max_size=6), st.text("ab*", max_size=10))
def test_wildcards_beside_literal_stars(tokens: list[Any], text: str) -> None:
    flat = [mark for token in tokens for mark in (token if isinstance(token, str) else [token])]
    wild = {id(STAR): tokens_of("*")[0], id(ANY): tokens_of("?")[0]}
    assert matcher([wild.get(id(token), token) for token in tokens])(text) == like(flat, text)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just("*")),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "Version",
                    "Id",
                    "Statement",
                    "Effect",
                    "Action",
                    "Resource",
                    "Principal",
                    "NotPrincipal",
                    "Condition",
                    "Sid",
                    "AWS",
                    "StringLike",
                    "Null",
                    "IpAddress",
                    "aws:x",
                    "x",
                ]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@QUICK
@given(JSON, st.sampled_from(PolicyKind))
def test_any_json_is_a_policy_or_malformed(tree: Any, kind: PolicyKind) -> None:
    _parse_or_refuse(json.dumps(tree), kind)


@QUICK
@given(documents("resource"), st.data())
def test_a_policy_with_one_wrong_value_is_a_policy_or_malformed(document: Any, data: st.DataObject) -> None:
    paths = list(_paths(document))
    holder, key = data.draw(st.sampled_from(paths))
    holder[key] = data.draw(JSON)
    _parse_or_refuse(json.dumps(document), data.draw(st.sampled_from(PolicyKind)))


@QUICK
@given(st.text(max_size=40), st.sampled_from(PolicyKind))
def test_any_text_is_a_policy_or_malformed(text: str, kind: PolicyKind) -> None:
    _parse_or_refuse(text, kind)


def _parse_or_refuse(text: str, kind: PolicyKind) -> None:
    """Nothing but MalformedPolicy may come out, and what parses must compile."""
    with suppress(MalformedPolicy):
        compile_policy(parse_policy(text, kind))


def _paths(tree: Any) -> list[tuple[Any, Any]]:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [found for key, value in list(items) for found in [(tree, key), *_paths(value)]]
