"""The verbs of permissions: an owner lets ACM renew with its CA."""

from collections.abc import Sequence

from greatseal.domain.audit import Audit
from greatseal.domain.authorities.model import require
from greatseal.domain.authorities.permission import ACM_PRINCIPAL, RENEWAL_ACTIONS, Permission, check_principal
from greatseal.domain.authorities.registry import Registry
from greatseal.domain.authorities.store import permissions as store
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import AlreadyExists, NotFound
from greatseal.kernel.pages import Page, PageTokens
from greatseal.storage import Storage, Tx


class Permissions:
    """Creates, deletes, lists and answers permissions."""

    def __init__(self, *, storage: Storage, registry: Registry, audit: Audit, clock: Clock, tokens: PageTokens) -> None:
        self._storage = storage
        self._registry = registry
        self._audit = audit
        self._clock = clock
        self._tokens = tokens

    def create(self, caller: Caller, arn: str, *, principal: str, source_account: str, actions: Sequence[str]) -> None:
        """Raises AlreadyExists for a second grant to the same principal; grants are not merged."""
        check_principal(principal)
        now = self._clock.now()
        new = Permission(principal, source_account, tuple(dict.fromkeys(actions)), now)

        def work(tx: Tx) -> None:
            authority = self._registry.load(tx, arn)
            require(authority, "permit", now)
            if not store.add(tx, authority.id, new):
                raise AlreadyExists(f"A permission for {principal} already exists on {arn}.")
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def delete(self, caller: Caller, arn: str, *, principal: str, source_account: str) -> None:
        """Raises NotFound when there is no such permission."""

        def work(tx: Tx) -> None:
            authority = self._registry.load(tx, arn)
            require(authority, "permit", self._clock.now())
            if not store.remove(tx, authority.id, principal, source_account):
                raise NotFound(f"Could not find a permission for {principal} on {arn}.")
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def list(self, caller: Caller, arn: str, *, limit: int, token: str | None) -> Page[Permission]:
        """The permissions of a CA, `limit` at a time."""
        scope = (caller.account, caller.region, "ListPermissions", arn)
        after = self._tokens.open(scope, token) if token is not None else None

        def work(tx: Tx) -> list[Permission]:
            authority = self._registry.load(tx, arn)
            require(authority, "permit", self._clock.now())
            return store.listing(tx, authority.id)

        found = self._storage.read(work)
        if after is not None:
            found = [p for p in found if (p.principal, p.source_account) > (str(after[0]), str(after[1]))]
        items = found[:limit]
        more = len(found) > limit
        return Page(
            tuple(items),
            self._tokens.issue(scope, [items[-1].principal, items[-1].source_account]) if more else None,
        )

    def allows_renewal(self, tx: Tx, authority_id: str, account: str) -> bool:
        """Whether ACM may issue and fetch on behalf of `account` (acm.md 9.4)."""
        return any(
            p.principal == ACM_PRINCIPAL and p.source_account == account and set(p.actions) >= RENEWAL_ACTIONS
            for p in store.listing(tx, authority_id)
        )
