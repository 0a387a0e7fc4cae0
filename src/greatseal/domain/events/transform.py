"""What a target is sent: the event, a part of it, a constant, or a template filled from it. Pure.

Values that go into a text between quotes are escaped, so that what was JSON before stays JSON whatever an event holds.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from greatseal.domain.events.tokens import Number, write

_STEP = re.compile(r"\.([A-Za-z0-9_\-/]+|\*)|\[([0-9]{1,6}|\*)\]|\['([^']+)'\]|\[\"([^\"]+)\"\]")
_PLACE = re.compile(r"<([A-Za-z0-9_.\-]+)>")
_MISSING = object()

RULE_ARN, RULE_NAME = "aws.events.rule-arn", "aws.events.rule-name"
INGESTION_TIME = "aws.events.event.ingestion-time"
EVENT, WHOLE_EVENT = "aws.events.event", "aws.events.event.json"
PREDEFINED = frozenset({RULE_ARN, RULE_NAME, INGESTION_TIME, EVENT, WHOLE_EVENT})
"""Variables that every template has."""


class InvalidPath(ValueError):
    """Text that is not one of the JSON paths that the bus understands."""


class InvalidTemplate(ValueError):
    """A template that cannot become JSON."""


class UnknownVariable(InvalidTemplate):
    """A template names a variable that nobody sets; the message is its name."""


@dataclass(frozen=True, slots=True)
class Transformer:
    """Variables by name with the paths of their values, and the template that uses them."""

    template: str
    paths: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """An event on its way to a target of a rule."""

    text: str
    tree: Mapping[str, object]
    rule_arn: str
    rule_name: str
    ingested: str
    """When the bus received it, ISO 8601."""

    def predefined(self, name: str) -> object:
        """The value of one of the PREDEFINED variables."""
        match name:
            case "aws.events.rule-arn":
                return self.rule_arn
            case "aws.events.rule-name":
                return self.rule_name
            case "aws.events.event.ingestion-time":
                return self.ingested
            case "aws.events.event.json":
                return self.tree
        # The service sends this one without its detail and with another name for its type.
        renamed = {("detailType" if key == "detail-type" else key): value for key, value in self.tree.items()}
        return {key: value for key, value in renamed.items() if key != "detail"}


def part_of(source: Source, path: str) -> str:
    """The JSON at a path; `null` where the event has nothing."""
    found = compile_path(path)(source.tree)
    return "null" if found is _MISSING else write(found)


def filled(source: Source, transformer: Transformer) -> str:
    """The template with the values of its variables."""
    pieces: list[str] = []
    for literal, name, quoted in compile_template(transformer.template):
        pieces.append(literal)
        if name:
            value = _value(source, transformer, name)
            pieces.append(_inside_quotes(value) if quoted else _bare(value))
    return "".join(pieces)


@lru_cache(maxsize=1024)
def compile_path(text: str) -> Callable[[object], object]:
    """The path `$.a.b[0].c[*]`. Raises InvalidPath."""
    if not text.startswith("$"):
        raise InvalidPath(text)
    steps: list[str | int | None] = []
    at = 1
    while at < len(text):
        step = _STEP.match(text, at)
        if step is None:
            raise InvalidPath(text)
        name, index, single, double = step.groups()
        if name == "*" or index == "*":
            steps.append(None)
        else:
            steps.append(int(index) if index is not None else name or single or double)
        at = step.end()
    return lambda tree: _follow(tree, steps)


def _follow(tree: object, steps: Sequence[str | int | None]) -> object:
    found = tree
    for number, step in enumerate(steps):
        if step is None:
            inner = list(found.values()) if isinstance(found, dict) else found if isinstance(found, list) else []
            several = [_follow(each, steps[number + 1 :]) for each in inner]
            return [each for each in several if each is not _MISSING] or _MISSING
        if isinstance(step, int):
            found = found[step] if isinstance(found, list) and step < len(found) else _MISSING
        else:
            found = found.get(step, _MISSING) if isinstance(found, dict) else _MISSING
    return found


@lru_cache(maxsize=1024)
def compile_template(text: str) -> tuple[tuple[str, str, bool], ...]:
    """Pieces (literal, variable behind it, whether the variable stands between quotes); the last variable is empty.

    Raises InvalidTemplate unless the template is JSON, or several JSON texts one behind the other, once its variables
    have values.
    """
    pieces: list[tuple[str, str, bool]] = []
    sample: list[str] = []
    at, quoted, scanned = 0, False, 0
    for place in _PLACE.finditer(text):
        quoted = _quoted(text, scanned, place.start(), quoted)
        scanned = place.end()
        literal = text[at : place.start()]
        at = place.end()
        pieces.append((literal, place[1], quoted))
        sample += [literal, "x" if quoted else "0"]
    pieces.append((text[at:], "", False))
    sample.append(text[at:])
    _check_json("".join(sample))
    return tuple(pieces)


def check_template(transformer: Transformer) -> None:
    """Raises InvalidTemplate, UnknownVariable and InvalidPath."""
    for path in transformer.paths.values():
        compile_path(path)
    for _, name, _ in compile_template(transformer.template):
        if name and name not in PREDEFINED and name not in transformer.paths:
            raise UnknownVariable(name)


def _quoted(text: str, start: int, end: int, quoted: bool) -> bool:
    """Whether a place is between quotes, given that `start` was or was not."""
    at = start
    while at < end:
        if quoted and text[at] == "\\":
            at += 1
        elif text[at] == '"':
            quoted = not quoted
        at += 1
    return quoted


def _check_json(text: str) -> None:
    """One or several JSON texts: people write one quoted line below the other."""
    decoder, at = json.JSONDecoder(strict=False), 0
    try:
        while at < len(text.rstrip()):
            at += len(text[at:]) - len(text[at:].lstrip())
            _, at = decoder.raw_decode(text, at)
    except (ValueError, RecursionError) as error:
        raise InvalidTemplate(str(error)) from None
    if not text.strip():
        raise InvalidTemplate("the template is empty")


def _value(source: Source, transformer: Transformer, name: str) -> object:
    if name in PREDEFINED:
        return source.predefined(name)
    return compile_path(transformer.paths[name])(source.tree)


def _bare(value: object) -> str:
    return '""' if value is _MISSING else write(value)


def _inside_quotes(value: object) -> str:
    if value is _MISSING:
        return ""
    if isinstance(value, str):
        return json.dumps(value)[1:-1]
    if isinstance(value, Number):
        return value.text
    return json.dumps(write(value))[1:-1]
