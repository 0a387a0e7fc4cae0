"""Managed policies: those of the caller's account, and those that everybody has."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from greatseal.domain.access import managed
from greatseal.domain.access.identities import rules
from greatseal.domain.access.identities.registrar import After, Registrar, partition
from greatseal.domain.access.model import Identity
from greatseal.domain.access.policy_model import AWS, ManagedPolicy, PolicyVersion
from greatseal.domain.access.store import policies as store
from greatseal.domain.tags import Tag
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import AccessDenied, AlreadyExists, LimitExceeded, NotFound, ResourceInUse
from greatseal.kernel.ids import new_principal_id
from greatseal.kernel.pages import Page
from greatseal.storage import Tx


class Scope(Enum):
    """Whose managed policies are listed."""

    ALL = "All"
    AWS = "AWS"
    LOCAL = "Local"


class Usage(Enum):
    """What a managed policy is used for."""

    PERMISSIONS = "PermissionsPolicy"
    BOUNDARY = "PermissionsBoundary"


@dataclass(frozen=True, slots=True)
class Used:
    """A managed policy, how often the account uses it, and its tags."""

    policy: ManagedPolicy
    attachments: int = 0
    boundaries: int = 0
    tags: tuple[Tag, ...] = ()


def visible(tx: Tx, caller: Caller, arn: str) -> ManagedPolicy | None:
    """The policy, when it is the account's own or everybody's. Raises InvalidArn."""
    parsed = rules.policy_arn(arn)
    if parsed.partition != partition(caller):
        return None
    if parsed.account == AWS:
        return managed.find(arn)
    return store.find(tx, arn) if parsed.account == caller.account else None


def attachable(tx: Tx, caller: Caller, arn: str, said: str = "") -> ManagedPolicy:
    """The policy, to be attached. Raises NotFound in the words of attaching; `said` is what it is called there."""
    found = visible(tx, caller, arn)
    if found is None:
        raise NotFound(f"{said or f'Policy {arn}'} does not exist or is not attachable.")
    return found


def known(tx: Tx, caller: Caller, arn: str) -> ManagedPolicy:
    """The policy, to be read. Raises NotFound and InvalidArn."""
    found = visible(tx, caller, arn)
    if found is None:
        raise NotFound(f"Policy {arn} was not found.")
    return found


def own(tx: Tx, caller: Caller, arn: str) -> ManagedPolicy:
    """The policy, to be changed. Raises AccessDenied for everybody's policies, and as `known`."""
    if rules.policy_arn(arn).account == AWS:
        raise AccessDenied(
            f"User: {caller.principal_arn} is not authorized to perform: {caller.operation} on resource: {arn}"
            f" because no resource-based policy allows the {caller.operation} action"
        )
    return known(tx, caller, arn)


def versions_of(tx: Tx, policy: ManagedPolicy) -> Sequence[PolicyVersion]:
    """Newest first."""
    return [managed.version_of(policy)] if policy.account == AWS else store.versions(tx, policy)


def version_number(version_id: str) -> int:
    """3 for `v3`; the model has checked the form."""
    return int(version_id[1:].partition(".")[0])


class Library:
    """Makes, versions, finds and lists managed policies."""

    def __init__(self, registrar: Registrar) -> None:
        self._registrar = registrar

    def create(
        self, caller: Caller, *, name: str, path: str, description: str, document: str, tags: tuple[Tag, ...]
    ) -> Used:
        """Raises AlreadyExists for the same name below any path, LimitExceeded, InvalidPolicy, InvalidTag."""
        registrar = self._registrar
        rules.check_managed(document)
        made_id = new_principal_id(registrar.entropy, "ANPA")
        arn = str(Arn(partition(caller), "iam", "", caller.account, f"policy{path}{name}"))

        def work(tx: Tx) -> Used:
            if len(store.listing(tx, caller.account, None, None)) >= rules.POLICIES_PER_ACCOUNT:
                raise rules.over("PoliciesPerAccount", rules.POLICIES_PER_ACCOUNT)
            now = registrar.clock.now()
            new = ManagedPolicy(arn, made_id, caller.account, name, path, description, 1, now, now)
            if not store.add(tx, new, document):
                raise AlreadyExists(f"A policy called {name} already exists. Duplicate names are not allowed.")
            registrar.tags.add(tx, arn, tags)
            told = {"policy_name": name, "policy_id": made_id, "arn": arn, "path": path, "create_date": now}
            registrar.changed(tx, caller, arn, response={"policy": told})
            return Used(new, tags=tags)

        return registrar.storage.transact(work)

    def get(self, caller: Caller, arn: str) -> Used:
        """Raises NotFound and InvalidArn."""

        def work(tx: Tx) -> Used:
            found = self._used(tx, caller, [known(tx, caller, arn)])[0]
            return replace(found, tags=self._registrar.tags.of(tx, arn))

        return self._registrar.storage.read(work)

    def listing(
        self,
        caller: Caller,
        *,
        scope: Scope,
        only_attached: bool,
        prefix: str,
        usage: Usage | None,
        limit: int,
        marker: str | None,
    ) -> Page[Used]:
        """Everybody's policies, then the account's own, each by name."""

        def wanted(each: Used) -> bool:
            used = {Usage.PERMISSIONS: each.attachments, Usage.BOUNDARY: each.boundaries}
            number = used[usage] if usage else each.attachments + each.boundaries
            return each.policy.path.startswith(prefix) and (not (only_attached or usage) or number > 0)

        def fetch(tx: Tx, after: After, count: int) -> Sequence[Used]:
            shared = [] if scope is Scope.LOCAL else managed.listing(partition(caller))
            mine = [] if scope is Scope.AWS else store.listing(tx, caller.account, None, None)
            rest = [each for each in (*shared, *mine) if after is None or _key(each) > after]
            return [each for each in self._used(tx, caller, rest) if wanted(each)][:count]

        listing = ("ListPolicies", scope.value, str(only_attached), prefix, usage.value if usage else "")
        return self._registrar.page(caller, listing, limit, marker, fetch, lambda each: _key(each.policy))

    def _used(self, tx: Tx, caller: Caller, found: Sequence[ManagedPolicy]) -> Sequence[Used]:
        arns = [each.arn for each in found]
        attachments = store.attachment_counts(tx, caller.account, arns)
        boundaries = store.boundary_counts(tx, caller.account, arns)
        return [Used(each, attachments.get(each.arn, 0), boundaries.get(each.arn, 0)) for each in found]

    def used(self, tx: Tx, caller: Caller, found: Sequence[ManagedPolicy]) -> Sequence[Used]:
        """How often the account uses each of these policies."""
        return self._used(tx, caller, found)

    def delete(self, caller: Caller, arn: str) -> None:
        """Raises ResourceInUse while it is attached, bounds somebody or has several versions."""
        registrar = self._registrar

        def work(tx: Tx) -> None:
            found = own(tx, caller, arn)
            if store.carriers(tx, caller.account, arn, attached=True, boundary=True, count=1):
                raise ResourceInUse("Cannot delete a policy attached to entities.")
            if len(store.versions(tx, found)) > 1:
                raise ResourceInUse(
                    "This policy has more than one version. Before you delete a policy, you must delete the policy's"
                    " versions. The default version is deleted with the policy."
                )
            store.remove(tx, arn)
            registrar.tags.remove_all(tx, arn)
            registrar.changed(tx, caller, arn)

        registrar.storage.transact(work)

    def carriers(
        self,
        caller: Caller,
        arn: str,
        *,
        kind: str | None,
        prefix: str,
        usage: Usage | None,
        limit: int,
        marker: str | None,
    ) -> Page[Identity]:
        """The users, groups and roles that use a policy; `kind` is the word of one kind. Raises NotFound."""

        def fetch(tx: Tx, after: After, count: int) -> list[Identity]:
            known(tx, caller, arn)
            found: list[Identity] = []
            last = (after[0], after[1]) if after else None
            while len(found) < count:
                step = store.carriers(
                    tx,
                    caller.account,
                    arn,
                    attached=usage is not Usage.BOUNDARY,
                    boundary=usage is not Usage.PERMISSIONS,
                    after=last,
                    count=count,
                )
                found += [e for e in step if e.path.startswith(prefix) and kind in (None, e.kind.value)]
                if len(step) < count:
                    break
                last = (step[-1].kind.value, step[-1].name.lower())
            return found[:count]

        listing = ("ListEntitiesForPolicy", arn, kind or "", prefix, usage.value if usage else "")
        return self._registrar.page(
            caller, listing, limit, marker, fetch, lambda each: (each.kind.value, each.name.lower())
        )

    # -- versions ----------------------------------------------------------------------------------------------

    def add_version(self, caller: Caller, arn: str, document: str, *, make_default: bool) -> PolicyVersion:
        """Raises NotFound, LimitExceeded, InvalidPolicy."""
        registrar = self._registrar
        rules.check_managed(document)

        def work(tx: Tx) -> PolicyVersion:
            found = own(tx, caller, arn)
            if len(store.versions(tx, found)) >= rules.VERSIONS_PER_POLICY:
                raise LimitExceeded(
                    f"A managed policy can have up to {rules.VERSIONS_PER_POLICY} versions. Before you create a new"
                    " version, you must delete an existing version."
                )
            now = registrar.clock.now()
            number = store.add_version(tx, arn, document, now)
            if make_default:
                store.set_default(tx, arn, number, now)
            registrar.changed(tx, caller, arn, version=f"v{number}")
            return PolicyVersion(number, document, now, make_default)

        return registrar.storage.transact(work)

    def version(self, caller: Caller, arn: str, version_id: str) -> PolicyVersion:
        """Raises NotFound."""
        return self._registrar.storage.read(lambda tx: _version(tx, known(tx, caller, arn), version_id))

    def versions(self, caller: Caller, arn: str, limit: int, marker: str | None) -> Page[PolicyVersion]:
        """Newest first. Raises NotFound."""
        return self._registrar.numbered(
            caller,
            ("ListPolicyVersions", arn),
            limit,
            marker,
            lambda tx: versions_of(tx, known(tx, caller, arn)),
        )

    def set_default(self, caller: Caller, arn: str, version_id: str) -> None:
        """Puts a version into force. Raises NotFound."""
        registrar = self._registrar

        def work(tx: Tx) -> None:
            wanted = _version(tx, own(tx, caller, arn), version_id)
            store.set_default(tx, arn, wanted.number, registrar.clock.now())
            registrar.changed(tx, caller, arn, version=version_id)

        registrar.storage.transact(work)

    def remove_version(self, caller: Caller, arn: str, version_id: str) -> None:
        """Raises NotFound, and ResourceInUse for the default version."""
        registrar = self._registrar

        def work(tx: Tx) -> None:
            wanted = _version(tx, own(tx, caller, arn), version_id)
            if wanted.is_default:
                raise ResourceInUse("Cannot delete the default version of a policy.")
            store.remove_version(tx, arn, wanted.number, registrar.clock.now())
            registrar.changed(tx, caller, arn, version=version_id)

        registrar.storage.transact(work)


def _version(tx: Tx, policy: ManagedPolicy, version_id: str) -> PolicyVersion:
    for each in versions_of(tx, policy):
        if each.number == version_number(version_id):
            return each
    raise NotFound(f"Policy {policy.arn} version {version_id} does not exist or is not attachable.")


def _key(policy: ManagedPolicy) -> tuple[str, ...]:
    """`a` for everybody's, `b` for the account's own."""
    return "a" if policy.account == AWS else "b", policy.name.lower()
