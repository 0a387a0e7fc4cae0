"""The verbs of owners: make, change and delete shares, and say with whom and what they share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from greatseal.domain.audit import Audit
from greatseal.domain.sharing.attaching import Attachments, Wanted
from greatseal.domain.sharing.model import (
    INVITATIONS_KEPT,
    MAX_SHARES,
    SHOWN_AFTER_END,
    Association,
    AssociationStatus,
    AssociationType,
    Share,
    ShareStatus,
    check_resource,
    require_standard,
    share_not_found,
)
from greatseal.domain.sharing.permissions import DEFAULT
from greatseal.domain.sharing.principals import parse
from greatseal.domain.sharing.store import associations, invitations
from greatseal.domain.sharing.store import shares as store
from greatseal.domain.sharing.tokens import claim
from greatseal.domain.tags import Tag, Tags
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import InvalidParameter, InvalidRequest, InvalidState, LimitExceeded
from greatseal.kernel.ids import new_uuid
from greatseal.storage import Storage, Tx

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NewShare:
    """What CreateResourceShare asks for."""

    name: str
    resources: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()
    permission: str = DEFAULT.name
    """The name of a managed permission."""
    allow_external: bool = True
    tags: tuple[Tag, ...] = ()


class Shares:
    """Every verb takes the client token that makes it safe to repeat, or None."""

    def __init__(
        self,
        *,
        storage: Storage,
        attachments: Attachments,
        tags: Tags,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._storage = storage
        self._attachments = attachments
        self._tags = tags
        self._audit = audit
        self._clock = clock
        self._entropy = entropy

    def find(self, arn: str) -> Share | None:
        """The share with this ARN, whoever owns it; None when there is none or it was deleted."""
        found = self._storage.read(lambda tx: store.find(tx, arn))
        return found if found is not None and found.status is ShareStatus.ACTIVE else None

    def resources(self, arn: str) -> list[str]:
        """The ARNs of what the share is about now."""
        present = self._storage.read(lambda tx: associations.of_share(tx, arn, AssociationType.RESOURCE))
        return [each.entity for each in present if each.status is AssociationStatus.ASSOCIATED]

    def create(self, caller: Caller, new: NewShare, token: str | None) -> tuple[Share, tuple[Tag, ...]]:
        """The new share and its tags. Raises what `associate` raises, and LimitExceeded."""
        wanted = self._wanted(caller, new.resources, new.principals)
        now = self._clock.now()
        arn = str(caller.arn("ram", f"resource-share/{new_uuid(self._entropy)}"))
        share = Share(
            arn=arn,
            account=caller.account,
            region=caller.region,
            name=new.name,
            allow_external=new.allow_external,
            permission=new.permission,
            created_at=now,
            updated_at=now,
        )

        def work(tx: Tx) -> tuple[Share, tuple[Tag, ...]]:
            earlier = claim(tx, caller, token, arn, now)
            if earlier is not None:
                return _load(tx, earlier), self._tags.of(tx, earlier)
            if store.count(tx, caller.account, caller.region) >= MAX_SHARES:
                raise LimitExceeded(f"You have reached the limit of {MAX_SHARES} resource shares.")
            store.add(tx, share)
            self._tags.add(tx, arn, new.tags)
            self._attachments.attach(tx, share, wanted, now)
            told = {"resource_share_arn": arn, "name": new.name, "owning_account_id": caller.account}
            self._audit.record(tx, caller, arn, *new.resources, response={"resource_share": told})
            return share, self._tags.of(tx, arn)

        return self._storage.transact(work)

    def update(
        self, caller: Caller, arn: str, *, name: str | None, allow_external: bool | None, token: str | None
    ) -> Share:
        """Renames a share, or opens or closes it for outsiders. Raises InvalidRequest while it has some."""

        def work(tx: Tx, share: Share) -> Share:
            if allow_external is False and any(each.external for each in self._parties(tx, share)):
                raise InvalidRequest(
                    "The resource share is shared with principals outside of your organization. "
                    "Disassociate them before you forbid external principals."
                )
            allowed = share.allow_external if allow_external is None else allow_external
            changed = replace(share, name=name or share.name, allow_external=allowed, updated_at=self._clock.now())
            store.save(tx, changed)
            return changed

        return self._change(caller, arn, token, work, lambda tx, share: share)

    def delete(self, caller: Caller, arn: str, token: str | None) -> None:
        """Ends a share. What was issued stays valid."""

        def work(tx: Tx, share: Share) -> None:
            self._attachments.close(tx, share, self._clock.now())
            self._tags.remove_all(tx, arn)

        self._change(caller, arn, token, work, lambda tx, share: None)

    def associate(
        self, caller: Caller, arn: str, resources: Sequence[str], principals: Sequence[str], token: str | None
    ) -> list[Association]:
        """Adds resources and principals.

        Raises InvalidArn and NotFound for resources, InvalidParameter for principals, and InvalidRequest for
        outsiders of a share that is closed to them.
        """
        wanted = self._wanted(caller, resources, principals)

        def work(tx: Tx, share: Share) -> list[Association]:
            return self._attachments.attach(tx, share, wanted, self._clock.now())

        return self._change(caller, arn, token, work, lambda tx, share: _named(tx, arn, resources, principals))

    def disassociate(
        self, caller: Caller, arn: str, resources: Sequence[str], principals: Sequence[str], token: str | None
    ) -> list[Association]:
        """Removes resources and principals. Raises NotFound for what is not there."""

        def work(tx: Tx, share: Share) -> list[Association]:
            return self._attachments.detach(tx, share, resources, principals, self._clock.now())

        return self._change(caller, arn, token, work, lambda tx, share: _named(tx, arn, resources, principals))

    def set_permission(self, caller: Caller, arn: str, permission: str, *, replaces: bool, token: str | None) -> None:
        """Gives a share its managed permission (a name). Raises InvalidParameter unless it may replace another."""

        def work(tx: Tx, share: Share) -> None:
            if share.permission not in ("", permission) and not replaces:
                raise InvalidParameter(
                    "The resource share has a permission for this resource type. Replace it, or make another share."
                )
            changed = replace(share, permission=permission, updated_at=self._clock.now())
            store.save(tx, changed)
            self._attachments.grant(tx, changed)

        self._change(caller, arn, token, work, lambda tx, share: None)

    def drop_permission(self, caller: Caller, arn: str, permission: str, token: str | None) -> None:
        """Takes the permission from a share without resources. Raises InvalidParameter and InvalidState."""

        def work(tx: Tx, share: Share) -> None:
            if share.permission != permission:
                raise InvalidParameter("The permission is not associated with the resource share.")
            if any(
                each.status is AssociationStatus.ASSOCIATED
                for each in associations.of_share(tx, arn, AssociationType.RESOURCE)
            ):
                raise InvalidState("The permission cannot be removed while the share has resources of its type.")
            store.save(tx, replace(share, permission="", updated_at=self._clock.now()))

        self._change(caller, arn, token, work, lambda tx, share: None)

    def tag(self, caller: Caller, arn: str, tags: Sequence[Tag]) -> None:
        """Adds tags."""
        self._change(caller, arn, None, lambda tx, share: self._tags.add(tx, arn, tags), lambda tx, share: None)

    def untag(self, caller: Caller, arn: str, keys: Sequence[str]) -> None:
        """Removes tags; keys that are not there are no error."""
        tags = [Tag(key) for key in dict.fromkeys(keys)]
        self._change(caller, arn, None, lambda tx, share: self._tags.remove(tx, arn, tags), lambda tx, share: None)

    def sweep(self) -> int:
        """Takes CAs that are gone for good out of their shares, and forgets what ended. Returns how many CAs."""

        def work(tx: Tx) -> int:
            now = self._clock.now()
            gone = self._attachments.gone(tx)
            for arn in gone:
                self._attachments.release(tx, arn, now)
            before = now - SHOWN_AFTER_END
            ended = store.ended(tx, before)
            associations.forget(tx, before, ended)
            for arn in ended:
                store.forget(tx, arn)
            invitations.forget(tx, now - INVITATIONS_KEPT)
            return len(gone)

        return self._storage.transact(work)

    def _change(
        self,
        caller: Caller,
        arn: str,
        token: str | None,
        work: Callable[[Tx, Share], T],
        again: Callable[[Tx, Share], T],
    ) -> T:
        """Does `work` to a live share of the caller's, or answers a repetition with `again`."""

        def once(tx: Tx) -> T:
            now = self._clock.now()
            share = store.find(tx, arn)
            if share is None or (share.account, share.region) != (caller.account, caller.region):
                raise share_not_found(arn)
            if claim(tx, caller, token, arn, now) is not None:
                return again(tx, share)
            if share.status is not ShareStatus.ACTIVE:
                raise share_not_found(arn)
            require_standard(share)
            done = work(tx, share)
            self._audit.record(tx, caller, arn)
            return done

        return self._storage.transact(once)

    def _wanted(self, caller: Caller, resources: Sequence[str], principals: Sequence[str]) -> Wanted:
        for arn in resources:
            check_resource(caller, arn)
        for text in principals:
            parse(text)
        named = dict.fromkeys(principals)
        return Wanted(tuple(dict.fromkeys(resources)), tuple((text, new_uuid(self._entropy)) for text in named))

    def _parties(self, tx: Tx, share: Share) -> list[Association]:
        now = self._clock.now()
        live = (AssociationStatus.ASSOCIATING, AssociationStatus.ASSOCIATED)
        present = associations.of_share(tx, share.arn, AssociationType.PRINCIPAL)
        return [each for each in present if each.status_at(now) in live]


def _load(tx: Tx, arn: str) -> Share:
    found = store.find(tx, arn)
    if found is None:
        raise share_not_found(arn)
    return found


def _named(tx: Tx, arn: str, resources: Sequence[str], principals: Sequence[str]) -> list[Association]:
    """The associations of a share that a request names, as they are now."""
    wanted = {AssociationType.RESOURCE: resources, AssociationType.PRINCIPAL: principals}
    return [each for each in associations.of_share(tx, arn) if each.entity in wanted[each.type]]
