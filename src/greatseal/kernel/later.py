"""Results that are made together: what a function hands back when others may be waiting for the same kind of work.

Nothing is done until somebody settles it, so that it can be thrown away and asked for anew.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

W = TypeVar("W")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, eq=False)
class Later(Generic[W, R]):
    """One piece of work among others of its kind."""

    work: W
    together: Callable[[Sequence[W]], Sequence[R | Exception]]
    """Does the work of all and gives, in their order, what came of each or what is raised for it."""
    then: Callable[[R], Any]
    """Makes of what came of it what was asked for."""
    is_recorded: Callable[[R], bool] = lambda done: False
    """Whether what came of it was recorded in the audit trail when it was done."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of a `Later`."""

    result: Any
    is_recorded: bool


def settle(pieces: Sequence[Later[Any, Any]]) -> list[Settled | Exception]:
    """Does the work of all, that of one kind together; in their order what came of each, or what is raised for it."""
    kinds: dict[Callable[[Sequence[Any]], Sequence[Any]], list[int]] = {}
    for position, piece in enumerate(pieces):
        kinds.setdefault(piece.together, []).append(position)
    found: dict[int, Settled | Exception] = {}
    for together, positions in kinds.items():
        try:
            done = together([pieces[position].work for position in positions])
        except Exception as error:  # noqa: BLE001 - it belongs to each of those who asked
            done = [error] * len(positions)
        for position, each in zip(positions, done, strict=True):
            piece = pieces[position]
            found[position] = (
                each if isinstance(each, Exception) else Settled(piece.then(each), piece.is_recorded(each))
            )
    return [found[position] for position in range(len(pieces))]
