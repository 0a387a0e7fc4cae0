"""Where the statements of a policy stand in its text. Pure."""

import json
import re
from functools import lru_cache

Position = tuple[int, int]
"""Line and column, both from 1."""
Span = tuple[Position, Position]
"""The first and the last character."""

_SPACE = re.compile(r"[ \t\r\n]*")
_decoder = json.JSONDecoder()


@lru_cache(maxsize=256)
def statement_spans(text: str) -> tuple[Span, ...]:
    """The spans of the statements of a document that was parsed before, in its order."""
    at = _after_space(text, text.index("{") + 1)
    while text[at] != "}":
        key, at = _decoder.raw_decode(text, at)
        at = _after_space(text, _after_space(text, at) + 1)
        if key == "Statement":
            return tuple(_span(text, start, end) for start, end in _elements(text, at))
        _, at = _decoder.raw_decode(text, at)
        at = _after_comma(text, at)
    return ()


def _elements(text: str, at: int) -> list[tuple[int, int]]:
    """Start and end of the value at this place, or of its items when it is a list."""
    if text[at] != "[":
        return [(at, _decoder.raw_decode(text, at)[1])]
    found = []
    at = _after_space(text, at + 1)
    while text[at] != "]":
        _, end = _decoder.raw_decode(text, at)
        found.append((at, end))
        at = _after_comma(text, end)
    return found


def _after_comma(text: str, at: int) -> int:
    at = _after_space(text, at)
    return _after_space(text, at + 1) if text[at] == "," else at


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()


def _span(text: str, start: int, end: int) -> Span:
    return _position(text, start), _position(text, end - 1)


def _position(text: str, at: int) -> Position:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
