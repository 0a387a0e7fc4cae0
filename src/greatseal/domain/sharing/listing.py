"""The verbs that list shares, and what and who is in them, for owners and for receivers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from greatseal.domain.sharing.attaching import Attachments
from greatseal.domain.sharing.model import (
    Association,
    AssociationFilter,
    AssociationStatus,
    AssociationType,
    FeatureSet,
    Share,
    ShareFilter,
    ShareStatus,
    check_share_arn,
    share_not_found,
)
from greatseal.domain.sharing.principals import grantees
from greatseal.domain.sharing.store import associations
from greatseal.domain.sharing.store import shares as store
from greatseal.domain.tags import Tag, Tags
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.pages import Page, PageTokens
from greatseal.storage import Storage, Tx

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shown:
    """A share with its tags, as its owner sees it; receivers see no tags."""

    share: Share
    tags: tuple[Tag, ...] = ()
    external: bool = False
    """Whether its owner is outside of the caller's organization."""


@dataclass(frozen=True, slots=True)
class SharedResource:
    """A resource of a share."""

    association: Association
    available: bool


class Listings:
    """`own` asks for what the caller's account shares, otherwise for what is shared with it."""

    def __init__(
        self, *, storage: Storage, attachments: Attachments, tags: Tags, clock: Clock, tokens: PageTokens
    ) -> None:
        self._storage = storage
        self._attachments = attachments
        self._tags = tags
        self._clock = clock
        self._tokens = tokens

    def shares(
        self,
        caller: Caller,
        *,
        own: bool,
        arns: Sequence[str] | None,
        wanted: ShareFilter,
        tags: Mapping[str, tuple[str, ...]],
        limit: int,
        token: str | None,
    ) -> Page[Shown]:
        """Shares by ARN. `tags` are keys that a share must have, with the values allowed; no values allow any.

        A page may be short and still have a successor. Raises NotFound for a named share that is not there.
        """
        _check(arns)

        def work(tx: Tx, after: list[str | int]) -> list[Shown]:
            visible = self._visible(tx, caller, own, arns)
            found = store.listing(
                tx,
                owner=(caller.account, caller.region) if own else None,
                arns=visible,
                wanted=wanted,
                after=str(after[0]),
                limit=limit + 1,
            )
            if own:
                return [Shown(each, self._tags.of(tx, each.arn)) for each in found]
            return [Shown(each, external=self._is_outside(tx, caller, each.account)) for each in found]

        def position(last: Shown) -> list[str | int]:
            return [last.share.arn]

        page = self._page(caller, repr((own, arns, wanted, tags)), limit, token, [""], work, position)
        return Page(tuple(each for each in page.items if _carries(each.tags, tags)), page.next_token)

    def associations(
        self, caller: Caller, type: AssociationType, wanted: AssociationFilter, *, limit: int, token: str | None
    ) -> Page[Association]:
        """The associations of the caller's own shares, by share and entity. Raises NotFound for an unknown share."""
        _check(wanted.shares)
        return self._associations(caller, True, type, wanted, limit, token, lambda tx, found: found)

    def resources(
        self,
        caller: Caller,
        *,
        own: bool,
        wanted: AssociationFilter,
        principal: str | None,
        limit: int,
        token: str | None,
    ) -> Page[SharedResource]:
        """What is shared, by share and ARN; with `principal` only what is shared with that principal."""
        _check(wanted.shares)

        def shown(tx: Tx, found: list[Association]) -> list[SharedResource]:
            return [SharedResource(each, self._attachments.available(tx, each.entity)) for each in found]

        def narrowed(tx: Tx) -> AssociationFilter:
            if principal is None:
                return wanted
            with_it = associations.listing(
                tx,
                type=AssociationType.PRINCIPAL,
                owner=(caller.account, caller.region) if own else None,
                wanted=AssociationFilter(wanted.shares, (principal,), AssociationStatus.ASSOCIATED),
                now=self._clock.now(),
            )
            return AssociationFilter(tuple(each.share_arn for each in with_it), wanted.entities, wanted.status)

        return self._associations(
            caller, own, AssociationType.RESOURCE, wanted, limit, token, shown, narrowed, f"{principal}"
        )

    def principals(
        self,
        caller: Caller,
        *,
        wanted: AssociationFilter,
        resource: str | None,
        limit: int,
        token: str | None,
    ) -> Page[Association]:
        """With whom the caller shares, by share and principal; with `resource` only those who share that one."""
        _check(wanted.shares)

        def narrowed(tx: Tx) -> AssociationFilter:
            if resource is None:
                return wanted
            found = {each.share_arn for each in associations.live_resources(tx, resource)}
            found &= set(wanted.shares) if wanted.shares is not None else found
            return AssociationFilter(tuple(sorted(found)), wanted.entities, wanted.status)

        return self._associations(
            caller,
            True,
            AssociationType.PRINCIPAL,
            wanted,
            limit,
            token,
            lambda tx, found: found,
            narrowed,
            f"{resource}",
        )

    def shared_with(self, caller: Caller) -> list[str]:
        """The ARNs of the CAs of other accounts that the caller's account may use, each once."""

        def work(tx: Tx) -> list[str]:
            shares = tuple(self._received(tx, caller))
            found = associations.listing(
                tx,
                type=AssociationType.RESOURCE,
                owner=None,
                wanted=AssociationFilter(shares, None, AssociationStatus.ASSOCIATED),
                now=self._clock.now(),
            )
            return sorted({each.entity for each in found})

        return self._storage.read(work)

    def _associations(
        self,
        caller: Caller,
        own: bool,
        type: AssociationType,
        wanted: AssociationFilter,
        limit: int,
        token: str | None,
        shown: Callable[[Tx, list[Association]], Sequence[T]],
        narrowed: Callable[[Tx], AssociationFilter] | None = None,
        scope: str = "",
    ) -> Page[T]:
        last: list[Association] = []

        def work(tx: Tx, after: list[str | int]) -> Sequence[T]:
            asked = narrowed(tx) if narrowed is not None else wanted
            visible = self._visible(tx, caller, own, wanted.shares)
            if visible is not None and asked.shares is not None:
                visible = tuple(each for each in asked.shares if each in visible)
            found = associations.listing(
                tx,
                type=type,
                owner=(caller.account, caller.region) if own else None,
                wanted=AssociationFilter(asked.shares if visible is None else visible, asked.entities, asked.status),
                now=self._clock.now(),
                after=(str(after[0]), str(after[1])),
                limit=limit + 1,
            )
            last[:] = found[limit - 1 : limit]
            return shown(tx, found)

        def position(_: T) -> list[str | int]:
            return [last[0].share_arn, last[0].entity]

        return self._page(caller, repr((own, type, wanted, scope)), limit, token, ["", ""], work, position)

    def _page(
        self,
        caller: Caller,
        filters: str,
        limit: int,
        token: str | None,
        start: list[str | int],
        work: Callable[[Tx, list[str | int]], Sequence[T]],
        position: Callable[[T], list[str | int]],
    ) -> Page[T]:
        scope = (caller.account, caller.region, caller.operation, filters)
        after = self._tokens.open(scope, token) if token is not None else start
        found = self._storage.read(lambda tx: work(tx, after))
        items = tuple(found[:limit])
        return Page(items, self._tokens.issue(scope, position(items[-1])) if len(found) > limit else None)

    def _visible(self, tx: Tx, caller: Caller, own: bool, arns: Sequence[str] | None) -> tuple[str, ...] | None:
        """The shares that the caller sees among the named ones; None for all of its own."""
        if own:
            for arn in arns or ():
                found = store.find(tx, arn)
                if found is None or (found.account, found.region) != (caller.account, caller.region):
                    raise share_not_found(arn)
            return None if arns is None else tuple(arns)
        received = self._received(tx, caller)
        for arn in arns or ():
            if arn not in received:
                raise share_not_found(arn)
        return tuple(received if arns is None else arns)

    def _is_outside(self, tx: Tx, caller: Caller, account: str) -> bool:
        found = [self._attachments.membership(tx, each) for each in (caller.account, account)]
        return None in found or len({each.organization_id for each in found if each}) > 1

    def _received(self, tx: Tx, caller: Caller) -> set[str]:
        """The shares of other accounts that are in effect for the caller's account.

        The conditions of statements again: who is let in through an organization must be in it, and so must the owner.
        """
        membership = self._attachments.membership(tx, caller.account)
        own = membership.organization_id if membership else ""
        found: set[str] = set()
        for each in associations.granted(tx, grantees(caller.account, membership), caller.region):
            share = store.find(tx, each.share_arn)
            if share is None or share.account == caller.account or share.status is not ShareStatus.ACTIVE:
                continue
            if each.organization and each.organization != own:
                continue
            if each.organization and share.feature_set is FeatureSet.STANDARD:
                owners = self._attachments.membership(tx, share.account)
                if owners is None or owners.organization_id != each.organization:
                    continue
            found.add(share.arn)
        return found


def _check(arns: Sequence[str] | None) -> None:
    for arn in arns or ():
        check_share_arn(arn)


def _carries(tags: Sequence[Tag], wanted: Mapping[str, tuple[str, ...]]) -> bool:
    present = {tag.key: tag.value or "" for tag in tags}
    return all(key in present and (not values or present[key] in values) for key, values in wanted.items())
