"""The verbs of the organization as a whole: its making and end, its root and its policy types."""

from typing import NoReturn

from greatseal.domain.access import Account, Accounts
from greatseal.domain.access.store import generation
from greatseal.domain.audit import Audit
from greatseal.domain.organizations import gate, joining
from greatseal.domain.organizations.model import (
    FULL_ACCESS,
    FeatureSet,
    JoinedMethod,
    Organization,
    new_id,
)
from greatseal.domain.organizations.refusals import (
    AlreadyInOrganization,
    OrganizationNotEmpty,
    PolicyTypeAlreadyEnabled,
    PolicyTypeNotAvailable,
    PolicyTypeNotEnabled,
    RootNotFound,
)
from greatseal.domain.organizations.store import members, policies, units
from greatseal.domain.organizations.store import organizations as store
from greatseal.domain.tags import Tags
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.storage import Storage, Tx


class Foundation:
    """Makes, describes and deletes organizations, and switches service control on and off."""

    def __init__(
        self, *, storage: Storage, accounts: Accounts, tags: Tags, audit: Audit, clock: Clock, entropy: Entropy
    ) -> None:
        self._storage = storage
        self._accounts = accounts
        self._tags = tags
        self._audit = audit
        self._clock = clock
        self._entropy = entropy

    def create(self, caller: Caller, feature_set: FeatureSet) -> tuple[Organization, Account]:
        """A new organization with the caller's account as its management account. Raises AlreadyInOrganization."""
        now = self._clock.now()
        new = Organization(
            id=new_id(self._entropy, "o-", 10),
            management_account=caller.account,
            feature_set=feature_set,
            root_id=new_id(self._entropy, "r-", 4),
            service_control=False,
        )

        def work(tx: Tx) -> Account:
            if store.of_account(tx, caller.account) is not None:
                raise AlreadyInOrganization
            account = self._accounts.find(tx, caller.account)
            store.add(tx, new, now)
            joining.enter(tx, new, caller.account, JoinedMethod.INVITED, now)
            arn = new.arn(caller.partition)
            told = {"id": new.id, "arn": arn, "feature_set": feature_set.value}
            self._audit.record(tx, caller, arn, response={"organization": told})
            return account

        return new, self._storage.transact(work)

    def describe(self, caller: Caller) -> tuple[Organization, Account]:
        """The caller's organization and its management account; every member may ask. Raises NotInUse."""

        def work(tx: Tx) -> tuple[Organization, Account]:
            found = gate.joined(tx, caller)
            return found, self._accounts.find(tx, found.management_account)

        return self._storage.read(work)

    def root(self, caller: Caller) -> Organization:
        """The organization, for whoever may read it: it has one root. Raises NotInUse and NotPermitted."""
        return self._storage.read(lambda tx: gate.readable(tx, caller))

    def delete(self, caller: Caller) -> None:
        """Ends the organization with its units and policies. Raises OrganizationNotEmpty while it has members."""

        def work(tx: Tx) -> None:
            found = gate.managed(tx, caller)
            if len(members.listing(tx, found.id, limit=2)) > 1:
                raise OrganizationNotEmpty
            things = [found.root_id, caller.account]
            things += [unit.id for unit in units.listing(tx, found.id)]
            things += [policy.id for policy in policies.listing(tx, found.id)]
            for thing in things:
                self._tags.remove_all(tx, found.arn(caller.partition, thing))
            store.remove(tx, found.id)
            generation.raise_(tx)
            self._audit.record(tx, caller, found.arn(caller.partition))

        self._storage.transact(work)

    def enable_service_control(self, caller: Caller, root_id: str) -> Organization:
        """Makes service control policies count; at first everything is allowed everywhere (iam.md 10).

        Raises RootNotFound, PolicyTypeNotAvailable and PolicyTypeAlreadyEnabled.
        """

        def work(tx: Tx) -> Organization:
            found = _with_root(tx, caller, root_id)
            if found.feature_set is not FeatureSet.ALL:
                raise PolicyTypeNotAvailable
            if found.service_control:
                raise PolicyTypeAlreadyEnabled
            targets = [found.root_id]
            targets += [unit.id for unit in units.listing(tx, found.id)]
            targets += [member.account for member in members.listing(tx, found.id)]
            for target in targets:
                policies.attach(tx, found.id, FULL_ACCESS.id, target)
            return self._switch(tx, caller, found, enabled=True)

        return self._storage.transact(work)

    def disable_service_control(self, caller: Caller, root_id: str) -> Organization:
        """Detaches every service control policy. Raises RootNotFound and PolicyTypeNotEnabled."""

        def work(tx: Tx) -> Organization:
            found = _with_root(tx, caller, root_id)
            if not found.service_control:
                raise PolicyTypeNotEnabled
            policies.detach_all(tx, found.id)
            return self._switch(tx, caller, found, enabled=False)

        return self._storage.transact(work)

    def refuse_policy_type(self, caller: Caller, root_id: str, *, enable: bool) -> NoReturn:
        """The answer for a type other than service control, which no organization has: always a refusal."""

        def work(tx: Tx) -> NoReturn:
            _with_root(tx, caller, root_id)
            raise PolicyTypeNotAvailable if enable else PolicyTypeNotEnabled

        self._storage.read(work)

    def _switch(self, tx: Tx, caller: Caller, found: Organization, *, enabled: bool) -> Organization:
        store.set_service_control(tx, found.id, enabled=enabled)
        generation.raise_(tx)
        self._audit.record(tx, caller, found.arn(caller.partition, found.root_id))
        return gate.managed(tx, caller)


def _with_root(tx: Tx, caller: Caller, root_id: str) -> Organization:
    found = gate.managed(tx, caller)
    if found.root_id != root_id:
        raise RootNotFound
    return found
