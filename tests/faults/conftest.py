"""The process that dies on request."""

from collections.abc import Callable, Iterator

import pytest

from faults import dying
from faults.striking import striker


@pytest.fixture(scope="module")
def die_at() -> Iterator[Callable[..., int]]:
    """Has a process work on a database and die; returns its exit code."""
    with striker(dying) as die:
        yield die
