"""How long a step took and within which other: what the middle of the house tells whoever traces it, if anybody does.

The strata below the doors know no tracing library. They hold a `Spans` or None; None costs one comparison.
"""

from contextlib import AbstractContextManager
from typing import Protocol


class Spans(Protocol):
    """Opens spans."""

    def __call__(self, name: str, /, **attributes: str | int) -> AbstractContextManager[object]:
        """A span that lasts as long as the context. Attributes never hold secrets, names of subjects or bodies."""
        ...
