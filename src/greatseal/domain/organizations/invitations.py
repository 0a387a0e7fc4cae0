"""The verbs of handshakes: an organization invites an account, which accepts or declines."""

from collections.abc import Callable, Sequence

from greatseal.domain.access import Accounts
from greatseal.domain.audit import Audit
from greatseal.domain.organizations import gate, joining, paging
from greatseal.domain.organizations.model import (
    INVITATION_LIFE,
    Handshake,
    HandshakeState,
    Invitation,
    JoinedMethod,
    new_id,
)
from greatseal.domain.organizations.paging import Wanted
from greatseal.domain.organizations.refusals import (
    DuplicateHandshake,
    HandshakeAlreadyInState,
    HandshakeConstraint,
    HandshakeNotFound,
    InvalidHandshakeTransition,
    InvalidInput,
    NotPermitted,
)
from greatseal.domain.organizations.store import handshakes as store
from greatseal.domain.organizations.store import organizations
from greatseal.domain.tags import Tag, Tags
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.pages import Page, PageTokens
from greatseal.storage import Storage, Tx


class Invitations:
    """Invites accounts of this installation, and keeps what became of it."""

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

    def invite(
        self,
        caller: Caller,
        *,
        account: str | None = None,
        email: str | None = None,
        notes: str | None = None,
        tags: Sequence[Tag] = (),
    ) -> Invitation:
        """Invites an account by its id or its address.

        Raises InvalidInput when there is no such account, HandshakeConstraint and DuplicateHandshake.
        """

        def work(tx: Tx) -> Invitation:
            organization = gate.managed(tx, caller)
            invited = self._invited(tx, account, email)
            _require_free(tx, invited)
            now = self._clock.now()
            for other in store.of_account(tx, invited, now):
                if other.organization.id == organization.id and other.state(now) is HandshakeState.OPEN:
                    raise DuplicateHandshake
            new = Handshake(
                id=new_id(self._entropy, "h-", 32),
                organization=organization,
                account=invited,
                by_email=email,
                notes=notes,
                tags=tuple((tag.key, tag.value or "") for tag in tags),
                requested_at=now,
                expires_at=now + INVITATION_LIFE,
            )
            store.add(tx, new)
            self._audit.record(tx, caller, organization.arn(caller.partition, new.id))
            return self._seen(tx, new)

        return self._storage.transact(work)

    def accept(self, caller: Caller, handshake_id: str) -> Invitation:
        """The invited account joins. Raises HandshakeNotFound, HandshakeConstraint and as `_require_open`."""

        def join(tx: Tx, found: Handshake) -> None:
            _require_free(tx, caller.account)
            joining.enter(tx, found.organization, caller.account, JoinedMethod.INVITED, self._clock.now())
            arn = found.organization.arn(caller.partition, caller.account)
            self._tags.add(tx, arn, [Tag(key, value) for key, value in found.tags])

        return self._decide(caller, handshake_id, HandshakeState.ACCEPTED, _require_invited, join)

    def decline(self, caller: Caller, handshake_id: str) -> Invitation:
        """The invited account does not join."""
        return self._decide(caller, handshake_id, HandshakeState.DECLINED, _require_invited)

    def cancel(self, caller: Caller, handshake_id: str) -> Invitation:
        """The organization takes its invitation back. Raises NotPermitted for the invited account."""
        return self._decide(caller, handshake_id, HandshakeState.CANCELED, _require_inviter)

    def describe(self, caller: Caller, handshake_id: str) -> Invitation:
        """A handshake of which the caller's account is a party. Raises HandshakeNotFound."""
        return self._storage.read(lambda tx: self._seen(tx, self._load(tx, caller, handshake_id)))

    def received(self, caller: Caller, wanted: Wanted) -> Page[Invitation]:
        """The invitations of the caller's account, also of those that are in no organization."""

        def work(tx: Tx) -> Page[Invitation]:
            def fetch(after: str, limit: int) -> list[Invitation]:
                found = store.of_account(tx, caller.account, self._clock.now(), after=after, limit=limit)
                return [self._seen(tx, each) for each in found]

            return paging.cut(self._tokens, caller, wanted, fetch, lambda item: item.handshake.id)

        return self._storage.read(work)

    def sent(self, caller: Caller, wanted: Wanted) -> Page[Invitation]:
        """The invitations of the organization."""

        def work(tx: Tx) -> Page[Invitation]:
            organization = gate.readable(tx, caller)

            def fetch(after: str, limit: int) -> list[Invitation]:
                found = store.of_organization(tx, organization.id, self._clock.now(), after=after, limit=limit)
                return [self._seen(tx, each) for each in found]

            return paging.cut(self._tokens, caller, wanted, fetch, lambda item: item.handshake.id)

        return self._storage.read(work)

    def _decide(
        self,
        caller: Caller,
        handshake_id: str,
        decided: HandshakeState,
        require_party: Callable[[Caller, Handshake], None],
        act: Callable[[Tx, Handshake], None] = lambda tx, found: None,
    ) -> Invitation:
        def work(tx: Tx) -> Invitation:
            found = self._load(tx, caller, handshake_id)
            require_party(caller, found)
            now = self._clock.now()
            _require_open(found.state(now), decided)
            act(tx, found)
            store.decide(tx, handshake_id, decided, now)
            self._audit.record(tx, caller, found.organization.arn(caller.partition, handshake_id))
            return self._seen(tx, self._load(tx, caller, handshake_id))

        return self._storage.transact(work)

    def _load(self, tx: Tx, caller: Caller, handshake_id: str) -> Handshake:
        found = store.find(tx, handshake_id, self._clock.now())
        if found is None or caller.account not in (found.account, found.organization.management_account):
            raise HandshakeNotFound
        return found

    def _seen(self, tx: Tx, found: Handshake) -> Invitation:
        inviter = self._accounts.find(tx, found.organization.management_account)
        return Invitation(found, found.state(self._clock.now()), inviter.name, inviter.email)

    def _invited(self, tx: Tx, account: str | None, email: str | None) -> str:
        if account is not None and self._accounts.exists(tx, account):
            return account
        if email is not None:
            for each in self._accounts.listing(tx):
                if each.email.lower() == email.lower():
                    return each.id
            raise InvalidInput("INVALID_EMAIL_ADDRESS_TARGET", "No account has the email address that you specified.")
        raise InvalidInput("INVALID_PARTY_TYPE_TARGET", "The party that you specified is not an account.")


def _require_free(tx: Tx, account: str) -> None:
    if organizations.of_account(tx, account) is not None:
        raise HandshakeConstraint(
            "ALREADY_IN_AN_ORGANIZATION", "The invited account is already a member of an organization."
        )


def _require_invited(caller: Caller, found: Handshake) -> None:
    if caller.account != found.account:
        raise NotPermitted


def _require_inviter(caller: Caller, found: Handshake) -> None:
    if caller.account != found.organization.management_account:
        raise NotPermitted


def _require_open(state: HandshakeState, wanted: HandshakeState) -> None:
    """Raises HandshakeAlreadyInState and InvalidHandshakeTransition."""
    if state is wanted:
        raise HandshakeAlreadyInState
    if state is not HandshakeState.OPEN:
        raise InvalidHandshakeTransition
