"""The verbs that trust anchors, profiles and CRLs share: find, list, change, enable, delete, tag (iam.md 11.1)."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Generic, TypeVar

from greatseal.domain.anywhere.model import SERVICE, R, check_alias, not_found, resource_arn
from greatseal.domain.anywhere.store import resources as store
from greatseal.domain.anywhere.store.resources import Kind
from greatseal.domain.audit import Audit
from greatseal.domain.tags import Tag, Tags
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import AlreadyExists, InvalidArgument
from greatseal.kernel.ids import new_uuid
from greatseal.kernel.pages import Page, PageTokens
from greatseal.storage import Storage, Tx

T = TypeVar("T")

DEFAULT_PAGE = 100
LARGEST_PAGE = 1000


class Shelf(Generic[R]):
    """The resources of one kind."""

    def __init__(
        self,
        *,
        kind: Kind[R],
        storage: Storage,
        tags: Tags,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        tokens: PageTokens,
    ) -> None:
        self._kind = kind
        self._storage = storage
        self._tags = tags
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._tokens = tokens

    @property
    def kind(self) -> str:
        """The word of the kind in ARNs, for instance `trust-anchor`."""
        return self._kind.word

    def locate(self, caller: Caller, identifier: str) -> str:
        """The ARN that policies speak of: identifiers are ids, ARNs, or ARNs of aliases.

        An alias that nobody has is returned as it is, for the answer after authorization. Raises NotFound for an ARN
        of another kind.
        """
        if not identifier.startswith("arn:"):
            return resource_arn(self.kind, caller.account, caller.region, caller.partition, identifier)
        arn = Arn.parse(identifier)
        kind, _, rest = arn.resource.partition("/")
        if kind == "alias" and (alias := rest.removeprefix(f"{self.kind}/")) != rest:
            found = self._storage.read(lambda tx: store.by_alias(tx, self._kind, arn.account, arn.region, alias))
            return found.arn if found is not None else identifier
        if kind != self.kind:
            raise not_found(identifier)
        return identifier

    def load(self, tx: Tx, caller: Caller, arn: str) -> R:
        """The caller's resource with this ARN. Raises NotFound, also for another region's."""
        found = store.find(tx, self._kind, arn.rpartition("/")[2])
        if found is None or found.arn != arn or (found.account, found.region) != (caller.account, caller.region):
            raise not_found(arn)
        return found

    def get(self, caller: Caller, arn: str) -> R:
        """As `load`, in a transaction of its own."""
        return self._storage.read(lambda tx: self.load(tx, caller, arn))

    def at(self, arn: str) -> R | None:
        """The resource with exactly this ARN, whoever asks."""
        found = self._storage.read(lambda tx: store.find(tx, self._kind, arn.rpartition("/")[2]))
        return found if found is not None and found.arn == arn else None

    def list(self, caller: Caller, *, limit: int | None, token: str | None) -> Page[R]:
        """The caller's resources in its region, oldest first. Raises InvalidArgument and InvalidToken."""
        return listing(
            caller,
            self._tokens,
            f"List:{self.kind}",
            lambda after, count: self._storage.read(
                lambda tx: store.listing(tx, self._kind, caller.account, caller.region, after=after, limit=count)
            ),
            lambda item: [item.created_at.isoformat(), item.id],
            limit=limit,
            token=token,
        )

    def create(
        self, caller: Caller, make: Callable[[str, str, datetime], R], *, alias: str | None, tags: Sequence[Tag]
    ) -> R:
        """Stores what `make` makes of a new id, its ARN and the time. Raises InvalidArgument and AlreadyExists."""
        id = new_uuid(self._entropy)
        arn = resource_arn(self.kind, caller.account, caller.region, caller.partition, id)
        new = replace(make(id, arn, self._clock.now()), alias=check_alias(alias or ""))

        def work(tx: Tx) -> R:
            self._claim_alias(tx, new)
            store.add(tx, self._kind, new)
            self._tags.add(tx, arn, tags)
            # What is made is a trustAnchor, a profile or a crl, each with an ARN named after it.
            word = self.kind.replace("-", "_")
            self._audit.record(tx, caller, arn, response={word: {f"{word}_id": id, f"{word}_arn": arn}})
            return new

        return self._storage.transact(work)

    def change(
        self, caller: Caller, arn: str, change: Callable[[R], R], *, alias: str | None = None
    ) -> tuple[R, str | None]:
        """The resource after a change, and the alias that it gave up. None keeps the alias, an empty one removes it.

        Raises NotFound, InvalidArgument, AlreadyExists and what `change` raises.
        """

        def work(tx: Tx) -> tuple[R, str | None]:
            before = self.load(tx, caller, arn)
            after = replace(change(before), updated_at=self._clock.now())
            if alias is not None:
                after = replace(after, alias=check_alias(alias))
                if after.alias != before.alias:
                    self._claim_alias(tx, after)
            store.save(tx, self._kind, after)
            self._audit.record(tx, caller, arn)
            return after, before.alias if after.alias != before.alias else None

        return self._storage.transact(work)

    def set_enabled(self, caller: Caller, arn: str, enabled: bool) -> R:
        """Enables or disables; the same again is no error. Raises NotFound."""
        return self.change(caller, arn, lambda item: replace(item, enabled=enabled))[0]

    def delete(self, caller: Caller, arn: str) -> R:
        """Removes the resource and its tags; what it was. Raises NotFound."""

        def work(tx: Tx) -> R:
            found = self.load(tx, caller, arn)
            store.remove(tx, self._kind, found.id)
            self._tags.remove_all(tx, arn)
            self._audit.record(tx, caller, arn)
            return found

        return self._storage.transact(work)

    def _claim_alias(self, tx: Tx, item: R) -> None:
        if item.alias is None:
            return
        if store.by_alias(tx, self._kind, item.account, item.region, item.alias) is not None:
            raise AlreadyExists(f"The alias name {item.alias} is in use by another resource of the same type.")


def listing(
    caller: Caller,
    tokens: PageTokens,
    name: str,
    read: Callable[[tuple[datetime, str] | None, int], Sequence[T]],
    position: Callable[[T], list[str | int]],
    *,
    limit: int | None,
    token: str | None,
) -> Page[T]:
    """A page of what `read` reads after a position, bound to the caller's account and region."""
    size = DEFAULT_PAGE if limit is None else limit
    if not 1 <= size <= LARGEST_PAGE:
        raise InvalidArgument(f"pageSize must be between 1 and {LARGEST_PAGE}.")
    scope = (caller.account, caller.region, SERVICE, name)
    after = None
    if token is not None:
        at, last = tokens.open(scope, token)
        after = (datetime.fromisoformat(str(at)), str(last))
    found = read(after, size + 1)
    items = tuple(found[:size])
    return Page(items, tokens.issue(scope, position(items[-1])) if len(found) > size else None)
