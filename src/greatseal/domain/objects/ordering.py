"""Objects that only something newer may replace: revocation lists, whose numbers say which is newer."""

from collections.abc import Callable, Mapping

from greatseal.domain.objects.conditions import Conditions
from greatseal.domain.objects.refusals import PreconditionFailed

HEADER = "x-amz-meta-crl-number"
_ATTEMPTS = 5

Present = tuple[str, Mapping[str, str]]
"""The ETag of an object without quotation marks, and its headers in lower case."""


def replace_older(number: int, look: Callable[[], Present | None], write: Callable[[Conditions], object]) -> bool:
    """Writes unless a higher number is there; False then. `look` finds what is there, `write` replaces only that.

    `write` raises PreconditionFailed when somebody else was faster; then all begins anew. Raises OSError when that
    never ends.
    """
    for _ in range(_ATTEMPTS):
        present = look()
        if present is not None and _number(present[1]) > number:
            return False
        conditions = Conditions(if_none_match="*") if present is None else Conditions(if_match=f'"{present[0]}"')
        try:
            write(conditions)
        except PreconditionFailed:
            continue
        return True
    raise OSError(f"an object was replaced {_ATTEMPTS} times while it was being written")


def _number(headers: Mapping[str, str]) -> int:
    """The number of an object; of one that was not written here, less than any."""
    text = headers.get(HEADER, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 48 else -1
