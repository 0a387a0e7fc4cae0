"""Pages of listings that are ordered by one text: an id or a name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from greatseal.kernel.caller import Caller
from greatseal.kernel.pages import Page, PageTokens

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which page of a listing: at most `limit` items, from where `token` points to."""

    limit: int
    token: str | None = None


def cut(
    tokens: PageTokens,
    caller: Caller,
    wanted: Wanted,
    fetch: Callable[[str, int], Sequence[T]],
    key: Callable[[T], str],
    *about: str,
) -> Page[T]:
    """One page. `fetch(after, limit)` reads items whose `key` is above `after`, in the key's order.

    The token belongs to the caller's account, the operation and what the listing is `about`. Raises InvalidToken.
    """
    scope = (caller.account, caller.operation, *about)
    after = "" if wanted.token is None else str(tokens.open(scope, wanted.token)[0])
    found = fetch(after, wanted.limit + 1)
    items = tuple(found[: wanted.limit])
    return Page(items, tokens.issue(scope, [key(items[-1])]) if len(found) > wanted.limit else None)
