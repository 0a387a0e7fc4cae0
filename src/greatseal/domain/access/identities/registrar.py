"""What the verbs of this package share: finding by name, recording a change, and pages."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from greatseal.domain.access.identities import rules
from greatseal.domain.access.model import Identity, IdentityKind
from greatseal.domain.access.store import generation, reading
from greatseal.domain.audit import Audit
from greatseal.domain.tags import Tags
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import InvalidToken, NotFound
from greatseal.kernel.pages import Page, PageTokens
from greatseal.storage import Storage, Tx

T = TypeVar("T")
After = tuple[str, ...] | None
"""The sort key of the last item of the page before."""


def partition(caller: Caller) -> str:
    """The partition of the caller's principal: global services are signed for whatever region a client has."""
    return Arn.parse(caller.principal_arn).partition


@dataclass(frozen=True, slots=True)
class Registrar:
    """The collaborators of every verb, and the few steps that each of them takes."""

    storage: Storage
    tags: Tags
    audit: Audit
    clock: Clock
    entropy: Entropy
    tokens: PageTokens

    def find(self, tx: Tx, caller: Caller, kind: IdentityKind, name: str) -> Identity:
        """The identity of the caller's account with this name, in any case. Raises NotFound."""
        found = reading.identity_by_name(tx, caller.account, kind, name)
        if found is None:
            raise NotFound(f"The {kind.value} with name {name} cannot be found.")
        return found

    def find_own(self, tx: Tx, caller: Caller, kind: IdentityKind, name: str) -> Identity:
        """As `find`, for a change. Raises InvalidState for a role that belongs to a service."""
        found = self.find(tx, caller, kind, name)
        rules.check_changeable(found)
        return found

    def changed(
        self, tx: Tx, caller: Caller, *arns: str, response: Mapping[str, object] | None = None, **detail: str
    ) -> None:
        """Ends a change: every node forgets what it knew, and the trail has a record. `response` as `Audit.record`."""
        generation.raise_(tx)
        self.audit.record(tx, caller, *arns, response=response, **detail)

    def page(
        self,
        caller: Caller,
        listing: tuple[str, ...],
        limit: int,
        marker: str | None,
        fetch: Callable[[Tx, After, int], Sequence[T]],
        key: Callable[[T], tuple[str, ...]],
    ) -> Page[T]:
        """One page of a listing; `fetch` gives up to so many items whose `key` comes after another one.

        Raises InvalidToken for a marker of another listing, and what `fetch` raises.
        """
        scope = (caller.account, *listing)
        after = None if marker is None else _texts(self.tokens.open(scope, marker))
        found = self.storage.read(lambda tx: fetch(tx, after, limit + 1))
        items = tuple(found[:limit])
        return Page(items, self.tokens.issue(scope, list(key(items[-1]))) if len(found) > limit else None)

    def numbered(
        self,
        caller: Caller,
        listing: tuple[str, ...],
        limit: int,
        marker: str | None,
        fetch: Callable[[Tx], Sequence[T]],
    ) -> Page[T]:
        """One page of a short listing that is read as a whole; the marker is the number of items handed out."""

        def rest(tx: Tx, after: After, count: int) -> list[tuple[int, T]]:
            start = int(after[0]) if after else 0
            return list(enumerate(fetch(tx), 1))[start : start + count]

        page = self.page(caller, listing, limit, marker, rest, lambda item: (str(item[0]),))
        return Page(tuple(item for _, item in page.items), page.next_token)


def _texts(position: list[str | int]) -> tuple[str, ...]:
    if not all(isinstance(part, str) for part in position):
        raise InvalidToken("The pagination token is not valid.")
    return tuple(str(part) for part in position)
