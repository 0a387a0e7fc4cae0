"""Requests that are answered in a group: what one of them waits for, all of them wait for.

Whatever is about to wait for another machine or a device says so first, with `waits`. In a group that ends the attempt,
and the request is answered alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_grouped: ContextVar[bool] = ContextVar("grouped", default=False)


class Waits(Exception):
    """The request cannot be answered in a group. Nothing was done yet."""


@contextmanager
def grouped() -> Iterator[None]:
    """What runs inside must not wait."""
    token = _grouped.set(True)
    try:
        yield
    finally:
        _grouped.reset(token)


def waits() -> None:
    """Called by whatever is about to wait. Raises Waits in a group."""
    if _grouped.get():
        raise Waits
