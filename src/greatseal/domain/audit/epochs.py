"""Epochs of the log: a database that was put back from a backup goes on under another origin.

Whoever kept a checkpoint from after the backup holds a signature over records that are gone. Were the log to go on
under its name, it would sign another tree of the same size. So the log of that origin ends where the backup ends, and a
new one begins with all of its records.
"""

from dataclasses import dataclass

import msgspec

from greatseal.domain.audit.seal import Seals
from greatseal.storage import Tx, installation, restored

_FACT = "audit-epochs"
_KIND = "epochs"


@dataclass(frozen=True, slots=True)
class Epoch:
    """A log that ended: its origin, and how many records it had that its successor goes on with."""

    origin: str
    size: int


class _Sealed(msgspec.Struct, frozen=True):
    epochs: bytes
    seal: bytes


def awaited(tx: Tx) -> bool:
    """Whether the log may not be extended or signed before a new epoch has begun."""
    return restored.found(tx) is not None


def end(tx: Tx, seals: Seals, epoch: Epoch) -> None:
    """Notes that a log ended."""
    past = [[each.origin, each.size] for each in (*ended(tx, seals), epoch)]
    encoded = msgspec.json.encode(past)
    installation.replace(tx, _FACT, msgspec.json.encode(_Sealed(encoded, seals.of(_KIND, encoded))))


def ended(tx: Tx, seals: Seals) -> tuple[Epoch, ...]:
    """The logs that ended, the first one first. Raises ValueError when the note was not written by us."""
    value = installation.recall(tx, _FACT)
    if value is None:
        return ()
    sealed = msgspec.json.decode(value, type=_Sealed)
    if not seals.holds(sealed.seal, _KIND, sealed.epochs):
        raise ValueError("what is known of earlier logs was not written by this installation")
    return tuple(Epoch(origin, size) for origin, size in msgspec.json.decode(sealed.epochs, type=list[tuple[str, int]]))
