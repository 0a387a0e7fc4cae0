"""Event patterns: which events a rule, an archive or a subscription wants (workflows.md 15). Pure.

A pattern is compiled once. Nested objects are joined by AND, the elements of an array by OR; `$or` is multiplied out,
so that what is left are paths with tests. An array in the event matches when one of its elements does, and what a
pattern asks of an array of objects must be met by one of them. A path is absent when no object of the event has it.
Dots in names count as nesting, on both sides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from greatseal.domain.events.operators import InvalidPattern, Leaf, leaf_of
from greatseal.domain.events.tokens import NotJson, depth_of, read

__all__ = ["InvalidPattern", "Pattern", "compile_pattern", "nested"]

_Path = tuple[str, ...]
_Rule = dict[_Path, Leaf]

_ABSENT = object()
_DEEPEST = 30
_MOST_COMBINATIONS = 1000
# Names that would make an object of `$or` look like a match expression.
_RESERVED = frozenset(
    {"exactly", "prefix", "suffix", "anything-but", "numeric", "exists", "cidr", "equals-ignore-case", "wildcard"}
)


@dataclass(slots=True)
class _Node:
    """What a pattern asks at one place of an event."""

    leaf: Leaf | None = None
    members: dict[str, "_Node"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern. Called with an event, as `tokens.read_event` gives it, it says whether that is wanted."""

    alternatives: tuple[_Node, ...]

    def __call__(self, event: Mapping[str, object]) -> bool:
        """Whether the event is wanted."""
        return any(_met(each, event, None) for each in self.alternatives)

    def literals(self, name: str) -> frozenset[str] | None:
        """The texts that a member at the top must be one of; None when a pattern does not say so plainly."""
        texts: set[str] = set()
        for each in self.alternatives:
            node = each.members.get(name)
            if node is None or node.leaf is None or node.leaf.texts is None:
                return None
            texts |= node.leaf.texts
        return frozenset(texts)

    def may_want(self, name: str, text: str) -> bool:
        """Whether an event with this text as a member at the top can be wanted at all."""
        leaves = (each.members.get(name, _Node()).leaf for each in self.alternatives)
        return any(leaf is None or leaf.accepts(text) for leaf in leaves)


@lru_cache(maxsize=4096)
def compile_pattern(text: str) -> Pattern:
    """The pattern in this text. Raises InvalidPattern."""
    try:
        tree = read(text)
    except NotJson as error:
        raise InvalidPattern(str(error)) from None
    if not isinstance(tree, dict):
        raise InvalidPattern("Filter is not an object")
    if depth_of(tree, limit=_DEEPEST) >= _DEEPEST:
        raise InvalidPattern("the pattern nests too deeply")
    return Pattern(tuple(_node(rule) for rule in _read(tree, (), [{}], inside_or=False)))


def nested(event: Mapping[str, object]) -> Mapping[str, object]:
    """The event with dots in names as nesting. Two values for one path become an array of both."""
    try:
        return _nested(event) if _has_dots(event) else event
    except RecursionError:
        # Names of hundreds of dots, side by side: deeper than any pattern reaches.
        return event


def _read(pattern: Mapping[str, object], path: _Path, rules: list[_Rule], *, inside_or: bool) -> list[_Rule]:
    """The rules with what a pattern adds to each of them; `$or` makes several of one."""
    if not pattern:
        raise InvalidPattern("Empty objects are not allowed")
    for name, wanted in pattern.items():
        if name == "$or":
            rules = _fork(wanted, path, rules)
            continue
        if inside_or and name in _RESERVED:
            raise InvalidPattern(f"{name} is Ruler reserved fieldName which cannot be used inside $or.")
        place = (*path, *name.split("."))
        if len(place) >= _DEEPEST:
            raise InvalidPattern("the pattern nests too deeply")
        if isinstance(wanted, dict):
            rules = _read(wanted, place, rules, inside_or=inside_or)
        elif isinstance(wanted, list):
            leaf = leaf_of(wanted)
            rules = [{**rule, place: leaf} for rule in rules]
        else:
            raise InvalidPattern(f'"{name}" must be an object or an array')
    return rules


def _fork(wanted: object, path: _Path, rules: list[_Rule]) -> list[_Rule]:
    if not isinstance(wanted, list):
        raise InvalidPattern("It must be an Array followed with $or.")
    forked: list[_Rule] = []
    for each in wanted:
        if not isinstance(each, dict):
            raise InvalidPattern("Only JSON object is allowed in array of $or relationship.")
        forked += _read(each, path, rules, inside_or=True)
        if len(forked) > _MOST_COMBINATIONS:
            raise InvalidPattern(f"the $or relationships make more than {_MOST_COMBINATIONS} combinations")
    if len(wanted) < 2:
        raise InvalidPattern("There must have at least 2 Objects in $or relationship.")
    return forked


def _node(rule: _Rule) -> _Node:
    root = _Node()
    for path, leaf in rule.items():
        node = root
        for name in path:
            node = node.members.setdefault(name, _Node())
        node.leaf = leaf
    return root


@dataclass(slots=True)
class _Around:
    """All objects at one path. What was asked of them once is remembered: an array may hold thousands."""

    objects: list[Mapping[str, object]]
    _filled: dict[str, bool] = field(default_factory=dict)
    _inner: dict[str, "_Around"] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Whether any of them has a value with this name, other than objects."""
        if name not in self._filled:
            self._filled[name] = any(_scalars(each.get(name, _ABSENT)) for each in self.objects)
        return self._filled[name]

    def inside(self, name: str) -> "_Around":
        """The objects with this name in all of them."""
        if name not in self._inner:
            self._inner[name] = _Around([one for each in self.objects for one in _objects(each.get(name))])
        return self._inner[name]


def _met(node: _Node, found: Mapping[str, object], everywhere: _Around | None) -> bool:
    """Whether an object meets a node. `everywhere` are all objects at this path, when there are more than this one."""
    for name, member in node.members.items():
        value = found.get(name, _ABSENT)
        if member.leaf is not None and not _leaf_met(member.leaf, name, value, everywhere):
            return False
        if member.members and not _inside(member, name, value, everywhere):
            return False
    return True


def _leaf_met(leaf: Leaf, name: str, value: object, everywhere: _Around | None) -> bool:
    if not isinstance(value, dict | list) and value is not _ABSENT:
        return leaf.accepts(value)
    scalars = _scalars(value)
    if scalars:
        return any(map(leaf.accepts, scalars))
    return leaf.absent and (everywhere is None or not everywhere.has(name))


def _inside(member: _Node, name: str, value: object, everywhere: _Around | None) -> bool:
    objects = _objects(value)
    all_of_them = _Around(objects) if everywhere is None else everywhere.inside(name)
    around = all_of_them if len(all_of_them.objects) > 1 or not objects else None
    # What is not there can still meet a pattern that asks for nothing else.
    return any(_met(member, each, around) for each in objects or ({},))


def _scalars(value: object) -> list[object]:
    if isinstance(value, list):
        return [inner for each in value for inner in _scalars(each)]
    return [] if value is _ABSENT or isinstance(value, dict) else [value]


def _objects(value: object) -> list[Mapping[str, object]]:
    if isinstance(value, list):
        return [inner for each in value for inner in _objects(each)]
    return [value] if isinstance(value, dict) else []


def _has_dots(value: object) -> bool:
    if isinstance(value, dict):
        return any("." in name or _has_dots(inner) for name, inner in value.items())
    return isinstance(value, list) and any(map(_has_dots, value))


def _nested(found: Mapping[str, object]) -> dict[str, object]:
    made: dict[str, object] = {}
    for name, value in found.items():
        inner = _nested_value(value)
        first, *rest = name.split(".")
        for part in reversed(rest):
            inner = {part: inner}
        made[first] = _joined(made[first], inner) if first in made else inner
    return made


def _nested_value(value: object) -> object:
    if isinstance(value, dict):
        return _nested(value)
    return [_nested_value(each) for each in value] if isinstance(value, list) else value


def _joined(one: object, other: object) -> object:
    """Both values in one, which is `one` where that can hold more: everything here was made by `_nested`."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name, value in other.items():
            one[name] = _joined(one[name], value) if name in one else value
        return one
    if isinstance(one, list):
        one.append(other)
        return one
    return [one, other]
