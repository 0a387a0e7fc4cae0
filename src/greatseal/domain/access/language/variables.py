"""Policy variables: `${key}`, `${key, 'default'}` and the literal escapes `${*}` `${?}` `${$}` (iam.md 3).

They are read only in documents of version 2012-10-17, in resources after the fifth colon and in values of
String, Arn and Bool operators; everywhere else `${…}` is text. A variable stands for the value of a
single-valued key, in which a star is a star. Without a value and without a default the whole text that
contains it matches nothing; so a negated operator is true, and a Deny may fail to apply.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from greatseal.domain.access.language.context import Value
from greatseal.domain.access.language.wildcards import Token, Tokens, tokens_of

_ESCAPES = frozenset("*?$")
_OPENING = "${"
# Key, then an optional default in single quotes. Neither may hold a brace, so that the first one closes.
_INSIDE = re.compile(r"\s*([^\s{},'](?:[^{},']*[^\s{},'])?)\s*(?:,\s*'([^'{}]*)'\s*)?")


@dataclass(frozen=True, slots=True)
class Variable:
    """A reference to a context key; `key` is lower-cased, because names of keys have no case."""

    key: str
    default: str | None


Template = tuple[Token | Variable, ...]


def template_of(text: str) -> Template:
    """The tokens and variables of a text. Raises ValueError when a `${` is not a variable."""
    parts: list[Token | Variable] = []
    at = 0
    while (opening := text.find(_OPENING, at)) >= 0:
        parts += tokens_of(text[at:opening])
        closing = text.find("}", opening)
        if closing < 0:
            raise ValueError("a variable lacks its closing brace")
        parts.append(_variable(text[opening + len(_OPENING) : closing]))
        at = closing + 1
    parts += tokens_of(text[at:])
    return tuple(parts)


def _variable(inside: str) -> str | Variable:
    if inside in _ESCAPES:
        return inside
    found = _INSIDE.fullmatch(inside)
    if found is None:
        raise ValueError("a variable is written ${key} or ${key, 'default'}")
    return Variable(found[1].lower(), found[2])


def resource_template(text: str) -> Template:
    """As `template_of`, for a resource. Raises ValueError also for a variable before the fifth colon (iam.md 3)."""
    head, tail = _at_fifth_colon(text)
    if _OPENING in head:
        raise ValueError("a variable may stand only after the fifth colon of an ARN")
    return (*tokens_of(head), *template_of(tail))


def _at_fifth_colon(text: str) -> tuple[str, str]:
    parts = text.split(":", 5)
    tail = parts[5] if len(parts) == 6 else ""
    return text[: len(text) - len(tail)], tail


def fixed(template: Template) -> Tokens | None:
    """The tokens of a template without variables; None when it has some."""
    tokens = tuple(part for part in template if not isinstance(part, Variable))
    return tokens if len(tokens) == len(template) else None


def resolve(template: Template, context: Mapping[str, Value]) -> Tokens | None:
    """The template with the values of this request; None when a variable has none.

    `context` has lower-cased keys. A multivalued key has no one value, so it counts as absent.
    """
    tokens: list[Token] = []
    for part in template:
        if not isinstance(part, Variable):
            tokens.append(part)
            continue
        value = context.get(part.key)
        text = value if isinstance(value, str) else part.default
        if text is None:
            return None
        tokens.append(text)
    return tuple(tokens)
