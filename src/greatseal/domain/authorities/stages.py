"""Work on several things, one stage after the other instead of one thing after the other.

The processor has the code and the tables of a stage at hand when the next thing comes; between two stages of one thing
so much else runs (OpenSSL, above all) that it has forgotten them. That is a fifth of what steps 1 and 2 cost.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")


def stage(things: Sequence[S | Exception], step: Callable[[S], T]) -> list[T | Exception]:
    """What `step` makes of each, or raises for it. An exception among `things` is passed on: it has ended earlier."""
    made: list[T | Exception] = []
    for each in things:
        if isinstance(each, Exception):
            made.append(each)
            continue
        try:
            made.append(step(each))
        except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
            made.append(error)
    return made
