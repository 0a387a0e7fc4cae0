"""The verbs of member accounts: making, finding, moving, closing, and letting them go."""

from collections.abc import Sequence

from greatseal.domain.access import Accounts
from greatseal.domain.access.store import generation
from greatseal.domain.audit import Audit
from greatseal.domain.organizations import gate, joining, paging, targets
from greatseal.domain.organizations.model import (
    Creation,
    CreationState,
    Entry,
    JoinedMethod,
    Member,
    Organization,
    new_id,
)
from greatseal.domain.organizations.paging import Wanted
from greatseal.domain.organizations.refusals import (
    AccountClosed,
    AccountNotFound,
    ConstraintViolated,
    CreationNotFound,
    DestinationParentNotFound,
    DuplicateAccount,
    SourceParentNotFound,
)
from greatseal.domain.organizations.store import members as store
from greatseal.domain.organizations.tree import is_parent, require_parent
from greatseal.domain.tags import Tag, Tags
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import AlreadyExists
from greatseal.kernel.pages import Page, PageTokens
from greatseal.storage import Storage, Tx


class Members:
    """Makes, lists, moves, closes and removes the accounts of an organization."""

    def __init__(
        self,
        *,
        storage: Storage,
        accounts: Accounts,
        tags: Tags,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        tokens: PageTokens,
    ) -> None:
        self._storage = storage
        self._accounts = accounts
        self._tags = tags
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._tokens = tokens

    def create(self, caller: Caller, *, name: str, email: str, role_name: str, tags: Sequence[Tag]) -> Creation:
        """Makes an account with a role by which the management account enters it; what became of it.

        An address that is taken does not refuse the request: it makes it fail, which is read from the `Creation`.
        """

        def work(tx: Tx) -> Creation:
            organization = gate.managed(tx, caller)
            account, failure = None, None
            try:
                account = self._accounts.create(tx, name=name, email=email).id
            except AlreadyExists:
                failure = "EMAIL_ALREADY_EXISTS"
            now = self._clock.now()
            state = CreationState.FAILED if account is None else CreationState.SUCCEEDED
            made = Creation(new_id(self._entropy, "car-", 32), name, state, now, now, account, failure)
            store.add_creation(tx, organization.id, made)
            arns = [organization.arn(caller.partition)]
            if account is not None:
                joining.enter(tx, organization, account, JoinedMethod.CREATED, now)
                self._accounts.add_entry_role(tx, account, organization.management_account, name=role_name)
                arns.append(organization.arn(caller.partition, account))
                self._tags.add(tx, arns[-1], tags)
            told = {"id": made.id, "account_name": name, "state": state.value, "account_id": account}
            self._audit.record(tx, caller, *arns, response={"create_account_status": told})
            return made

        return self._storage.transact(work)

    def creation(self, caller: Caller, creation_id: str) -> Creation:
        """What became of a request for an account. Raises CreationNotFound."""

        def work(tx: Tx) -> Creation:
            found = store.find_creation(tx, gate.readable(tx, caller).id, creation_id)
            if found is None:
                raise CreationNotFound
            return found

        return self._storage.read(work)

    def creations(self, caller: Caller, states: frozenset[CreationState], wanted: Wanted) -> Page[Creation]:
        """Requests for accounts in one of these states; in any when none is named."""
        about = sorted(state.value for state in states)

        def work(tx: Tx) -> Page[Creation]:
            organization = gate.readable(tx, caller)

            def fetch(after: str, limit: int) -> list[Creation]:
                return store.creations(tx, organization.id, states, after=after, limit=limit)

            return paging.cut(self._tokens, caller, wanted, fetch, lambda item: item.id, *about)

        return self._storage.read(work)

    def describe(self, caller: Caller, account: str) -> tuple[Organization, Entry]:
        """One account. Raises AccountNotFound."""

        def work(tx: Tx) -> tuple[Organization, Entry]:
            organization = gate.readable(tx, caller)
            return organization, targets.entry(tx, self._accounts, require_member(tx, organization, account))

        return self._storage.read(work)

    def list(self, caller: Caller, wanted: Wanted, *, parent_id: str | None = None) -> tuple[Organization, Page[Entry]]:
        """The accounts of the organization, or those right below one parent. Raises ParentNotFound."""

        def work(tx: Tx) -> tuple[Organization, Page[Entry]]:
            organization = gate.readable(tx, caller)
            if parent_id is not None:
                require_parent(tx, organization, parent_id)

            def fetch(after: str, limit: int) -> Sequence[Entry]:
                found = store.listing(tx, organization.id, parent_id=parent_id, after=after, limit=limit)
                return [targets.entry(tx, self._accounts, each) for each in found]

            def key(entry: Entry) -> str:
                return entry.member.account

            return organization, paging.cut(self._tokens, caller, wanted, fetch, key, parent_id or "")

        return self._storage.read(work)

    def move(self, caller: Caller, account: str, *, source: str, destination: str) -> None:
        """Puts an account below another parent.

        Raises SourceParentNotFound, DestinationParentNotFound, AccountNotFound also for an account that is not
        right below `source`, and DuplicateAccount for one that is at its destination.
        """

        def work(tx: Tx) -> None:
            organization = gate.managed(tx, caller)
            member = require_member(tx, organization, account)
            if not is_parent(tx, organization, source):
                raise SourceParentNotFound
            if not is_parent(tx, organization, destination):
                raise DestinationParentNotFound
            if member.parent_id != source:
                raise AccountNotFound
            if source == destination:
                raise DuplicateAccount
            store.move(tx, account, destination)
            generation.raise_(tx)
            self._audit.record(tx, caller, organization.arn(caller.partition, account))

        self._storage.transact(work)

    def close(self, caller: Caller, account: str) -> None:
        """Closes an account: from now on it may do nothing. Raises ConstraintViolated and AccountClosed."""

        def work(tx: Tx) -> None:
            organization = gate.managed(tx, caller)
            gate.all_features(organization)
            member = require_member(tx, organization, account)
            if account == organization.management_account:
                raise ConstraintViolated("CANNOT_CLOSE_MANAGEMENT_ACCOUNT", "You cannot close the management account.")
            if member.closed_at is not None:
                raise AccountClosed
            store.close(tx, account, self._clock.now())
            generation.raise_(tx)
            self._audit.record(tx, caller, organization.arn(caller.partition, account))

        self._storage.transact(work)

    def remove(self, caller: Caller, account: str) -> None:
        """Takes an account out of the organization. Raises as `joining.leave`."""

        def work(tx: Tx) -> None:
            organization = gate.managed(tx, caller)
            self._let_go(tx, caller, organization, require_member(tx, organization, account))

        self._storage.transact(work)

    def leave(self, caller: Caller) -> None:
        """The caller's account leaves its organization. Raises as `joining.leave`."""

        def work(tx: Tx) -> None:
            organization = gate.joined(tx, caller)
            self._let_go(tx, caller, organization, require_member(tx, organization, caller.account))

        self._storage.transact(work)

    def _let_go(self, tx: Tx, caller: Caller, organization: Organization, member: Member) -> None:
        joining.leave(tx, self._tags, organization, member, caller.partition)
        self._audit.record(tx, caller, organization.arn(caller.partition, member.account))


def require_member(tx: Tx, organization: Organization, account: str) -> Member:
    """An account of this organization. Raises AccountNotFound."""
    found = store.find(tx, account)
    if found is None or found.organization_id != organization.id:
        raise AccountNotFound
    return found
