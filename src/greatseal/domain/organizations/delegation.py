"""The verbs of services that work with the organization, and of the accounts that administrate them."""

from datetime import datetime

from greatseal.domain.access import Accounts
from greatseal.domain.audit import Audit
from greatseal.domain.organizations import gate, paging, targets
from greatseal.domain.organizations.members import require_member
from greatseal.domain.organizations.model import Entry, Organization, is_service
from greatseal.domain.organizations.paging import Wanted
from greatseal.domain.organizations.refusals import (
    AlreadyRegistered,
    ConstraintViolated,
    InvalidInput,
    NotRegistered,
)
from greatseal.domain.organizations.store import services as store
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.pages import Page, PageTokens
from greatseal.storage import Storage, Tx


class Delegation:
    """Trusts services, and registers delegated administrators for them."""

    def __init__(self, *, storage: Storage, accounts: Accounts, audit: Audit, clock: Clock, tokens: PageTokens) -> None:
        self._storage = storage
        self._accounts = accounts
        self._audit = audit
        self._clock = clock
        self._tokens = tokens

    def enable(self, caller: Caller, service: str) -> None:
        """Trusts a service; once more changes nothing. Raises InvalidInput and ConstraintViolated."""
        _require_service(service)

        def work(tx: Tx) -> None:
            organization = gate.managed(tx, caller)
            gate.all_features(organization)
            store.enable(tx, organization.id, service, self._clock.now())
            self._audit.record(tx, caller, organization.arn(caller.partition), service=service)

        self._storage.transact(work)

    def disable(self, caller: Caller, service: str) -> None:
        """Ends the trust. Raises InvalidInput, and ConstraintViolated while accounts administrate the service."""
        _require_service(service)

        def work(tx: Tx) -> None:
            organization = gate.managed(tx, caller)
            if store.delegates(tx, organization.id, service, after="", limit=1):
                raise ConstraintViolated(
                    "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE",
                    "You must deregister the delegated administrators of the service first.",
                )
            store.disable(tx, organization.id, service)
            self._audit.record(tx, caller, organization.arn(caller.partition), service=service)

        self._storage.transact(work)

    def enabled(self, caller: Caller, wanted: Wanted) -> Page[tuple[str, datetime]]:
        """The trusted services, and since when."""

        def work(tx: Tx) -> Page[tuple[str, datetime]]:
            organization = gate.readable(tx, caller)

            def fetch(after: str, limit: int) -> list[tuple[str, datetime]]:
                return store.enabled(tx, organization.id, after=after, limit=limit)

            return paging.cut(self._tokens, caller, wanted, fetch, lambda item: item[0])

        return self._storage.read(work)

    def register(self, caller: Caller, account: str, service: str) -> None:
        """Lets an account administrate a trusted service; it may then read the organization.

        Raises AccountNotFound, InvalidInput, ConstraintViolated and AlreadyRegistered.
        """
        _require_service(service)

        def work(tx: Tx) -> None:
            organization = gate.managed(tx, caller)
            gate.all_features(organization)
            member = require_member(tx, organization, account)
            if account == organization.management_account:
                raise ConstraintViolated(
                    "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR",
                    "You cannot register master account/yourself as delegated administrator for your organization.",
                )
            if member.closed_at is not None:
                raise ConstraintViolated(
                    "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR",
                    "You cannot register a suspended account as a delegated administrator.",
                )
            if not store.is_enabled(tx, organization.id, service):
                raise ConstraintViolated(
                    "SERVICE_ACCESS_NOT_ENABLED",
                    "You attempted to register a delegated administrator before you enabled service access.",
                )
            if not store.register(tx, organization.id, account, service, self._clock.now()):
                raise AlreadyRegistered
            self._audit.record(tx, caller, organization.arn(caller.partition, account), service=service)

        self._storage.transact(work)

    def deregister(self, caller: Caller, account: str, service: str) -> None:
        """Ends it. Raises AccountNotFound, InvalidInput and NotRegistered."""
        _require_service(service)

        def work(tx: Tx) -> None:
            organization = gate.managed(tx, caller)
            require_member(tx, organization, account)
            if not store.deregister(tx, organization.id, account, service):
                raise NotRegistered
            self._audit.record(tx, caller, organization.arn(caller.partition, account), service=service)

        self._storage.transact(work)

    def administrators(
        self, caller: Caller, service: str | None, wanted: Wanted
    ) -> tuple[Organization, Page[tuple[Entry, datetime]]]:
        """The accounts that administrate this service, or any, and since when."""

        def work(tx: Tx) -> tuple[Organization, Page[tuple[Entry, datetime]]]:
            organization = gate.readable(tx, caller)

            def fetch(after: str, limit: int) -> list[tuple[Entry, datetime]]:
                found = store.delegates(tx, organization.id, service, after=after, limit=limit)
                return [
                    (targets.entry(tx, self._accounts, require_member(tx, organization, account)), since)
                    for account, since in found
                ]

            def key(item: tuple[Entry, datetime]) -> str:
                return item[0].member.account

            return organization, paging.cut(self._tokens, caller, wanted, fetch, key, service or "")

        return self._storage.read(work)

    def services(self, caller: Caller, account: str, wanted: Wanted) -> Page[tuple[str, datetime]]:
        """The services that an account administrates. Raises AccountNotFound and NotRegistered."""

        def work(tx: Tx) -> Page[tuple[str, datetime]]:
            organization = gate.readable(tx, caller)
            require_member(tx, organization, account)
            if not store.is_delegate(tx, organization.id, account):
                raise NotRegistered

            def fetch(after: str, limit: int) -> list[tuple[str, datetime]]:
                return store.delegated(tx, organization.id, account, after=after, limit=limit)

            return paging.cut(self._tokens, caller, wanted, fetch, lambda item: item[0], account)

        return self._storage.read(work)


def _require_service(service: str) -> None:
    if not is_service(service):
        raise InvalidInput("UNRECOGNIZED_SERVICE_PRINCIPAL", "You specified an unrecognized service principal.")
