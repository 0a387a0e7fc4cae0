"""JSON as event patterns see it: numbers keep the text that they were written with (workflows.md 15)."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

DEEPEST = 100
"""So deeply a JSON text may nest: whoever walks it has a stack that ends."""


class NotJson(ValueError):
    """Text that is not JSON, or that nests too deeply."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number in its own spelling, so that what is passed on is what was sent."""

    text: str

    @property
    def value(self) -> float:
        """The number itself, for comparisons."""
        return float(self.text)


def read(text: str) -> object:
    """The tree of a JSON text, with `Number` for numbers. Raises NotJson, also for a member that is given twice."""
    return _tree(text, _strictly)


def read_event(text: str) -> object:
    """As `read`, for events: the last of two equal members counts, as it does for most who will read the event."""
    return _tree(text, dict)


def write(tree: object) -> str:
    """The text of a tree, in one line and in ASCII."""
    match tree:
        case Number():
            return tree.text
        case dict():
            return "{" + ",".join(f"{json.dumps(name)}:{write(inner)}" for name, inner in tree.items()) + "}"
        case list():
            return "[" + ",".join(map(write, tree)) + "]"
        case _:
            return json.dumps(tree)


def depth_of(tree: object, *, limit: int = DEEPEST) -> int:
    """How deeply a tree nests; stops counting at `limit`."""
    level, depth = [tree], 0
    while level and depth < limit:
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each if isinstance(each, list) else ())
        ]
        depth += 1
    return depth


def _tree(text: str, members: Callable[[list[tuple[str, object]]], dict[str, object]]) -> object:
    try:
        tree: object = json.loads(
            text, parse_int=Number, parse_float=Number, parse_constant=_no_constant, object_pairs_hook=members
        )
    except RecursionError:
        raise NotJson("the JSON nests too deeply") from None
    except ValueError as error:
        raise NotJson(str(error)) from None
    # Counted first, because nearly every text has too few brackets to nest so deeply.
    if text.count("{") + text.count("[") >= DEEPEST and depth_of(tree) >= DEEPEST:
        raise NotJson("the JSON nests too deeply")
    return tree


def _strictly(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member is given twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
