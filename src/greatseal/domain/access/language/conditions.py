"""Conditions compiled into functions of a request's context: sets, negation and missing keys (iam.md 4).

| key | positive | negated | …IfExists | ForAllValues | ForAnyValue | Null true |
|---|---|---|---|---|---|---|
| absent or empty | false | true | true | true | false | true |
| one value | matches one | matches none | as without | as without | as without | false |
| several values | one matches one | none matches one | as without | each | one | false |

A negated operator under a set prefix asks of each value whether it differs from *all* that the policy lists.
"""

from collections.abc import Callable, Mapping
from functools import partial

from greatseal.domain.access.language.context import Value
from greatseal.domain.access.language.document import Condition, Quantifier
from greatseal.domain.access.language.match import first_of
from greatseal.domain.access.language.operators import NULL, OPERATORS, Operator
from greatseal.domain.access.language.variables import Template, fixed, resolve, template_of
from greatseal.domain.access.language.wildcards import Matcher, Tokens, tokens_of

Folded = Mapping[str, Value]
"""A context with lower-cased keys."""
Check = Callable[[Folded], bool]


def compile_condition(condition: Condition, *, variables: bool) -> Check:
    """A function that says whether the condition holds; `variables` as `Policy.has_variables`."""
    key = condition.key.lower()
    if condition.operator == NULL:
        return _null(key, condition.values)
    operator, quantifier = OPERATORS[condition.operator], condition.quantifier
    templates = [condition_template(value, operator, variables=variables) for value in condition.values]
    matches = operator.build(tuple(tokens for tokens in map(fixed, templates) if tokens is not None))
    dynamic = tuple(template for template in templates if fixed(template) is None)
    every = quantifier is Quantifier.ALL or (quantifier is None and operator.negated)
    absent = condition.if_exists or (operator.negated if quantifier is None else quantifier is Quantifier.ALL)
    ask = partial(_check, key, negated=operator.negated, every=every, absent=absent)
    if not dynamic:
        return ask(matches)
    return lambda context: ask(first_of([matches, operator.build(_resolved(dynamic, context))]))(context)


def _null(key: str, values: tuple[str, ...]) -> Check:
    wanted = frozenset(value.lower() == "true" for value in values)
    return lambda context: (context.get(key, ()) == ()) in wanted


def _check(key: str, matches: Matcher, *, negated: bool, every: bool, absent: bool) -> Check:
    """`matches` says whether a value is one of the policy's; `every` whether all values must pass, or one."""

    def holds(context: Folded) -> bool:
        value = context.get(key)
        if isinstance(value, str):
            return matches(value) is not negated
        if not value:
            return absent
        for each in value:
            if (matches(each) is not negated) is not every:
                return not every
        return every

    return holds


def condition_template(value: str, operator: Operator, *, variables: bool) -> Template:
    """The template of a value, or its plain tokens where variables have no meaning.

    Raises ValueError as `template_of`.
    """
    return template_of(value) if variables and operator.has_variables else tokens_of(value)


def _resolved(templates: tuple[Template, ...], context: Folded) -> tuple[Tokens, ...]:
    return tuple(tokens for tokens in (resolve(each, context) for each in templates) if tokens is not None)
