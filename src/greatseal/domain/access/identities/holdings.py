"""An account as a whole: its alias, its numbers, and everything in it at once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from greatseal.domain.access import managed, naming
from greatseal.domain.access.identities import rules
from greatseal.domain.access.identities.library import Library, Used, versions_of
from greatseal.domain.access.identities.registrar import After, Registrar, partition
from greatseal.domain.access.language import LIMITS
from greatseal.domain.access.model import Identity, IdentityKind
from greatseal.domain.access.policy_model import PolicyVersion
from greatseal.domain.access.store import credentials, identities, policies, providers
from greatseal.domain.tags import Tag
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import AlreadyExists, NotFound
from greatseal.kernel.pages import Page
from greatseal.storage import Tx

LOCAL_POLICY = "LocalManagedPolicy"
AWS_POLICY = "AWSManagedPolicy"


@dataclass(frozen=True, slots=True)
class Detail:
    """An identity with all that hangs on it, or a managed policy with all its versions."""

    identity: Identity | None = None
    shown_trust: str | None = None
    inline: Mapping[str, str] = field(default_factory=dict)
    attached: Sequence[str] = ()
    groups: Sequence[str] = ()
    tags: tuple[Tag, ...] = ()
    used: Used | None = None
    versions: Sequence[PolicyVersion] = ()


class Holdings:
    """Reads whole accounts, and keeps their aliases."""

    def __init__(self, registrar: Registrar, library: Library) -> None:
        self._registrar = registrar
        self._library = library

    def created_at(self, caller: Caller) -> datetime:
        """When the caller's account was made."""
        return self._registrar.storage.read(lambda tx: identities.account_created_at(tx, caller.account))

    def alias(self, caller: Caller) -> str | None:
        """The alias of the caller's account."""
        return self._registrar.storage.read(lambda tx: identities.alias_of(tx, caller.account))

    def set_alias(self, caller: Caller, alias: str) -> None:
        """Replaces the alias. Raises AlreadyExists when another account has it."""
        registrar = self._registrar

        def work(tx: Tx) -> None:
            if identities.alias_owner(tx, alias) not in (None, caller.account):
                raise AlreadyExists(f"The account alias {alias} already exists.")
            identities.set_alias(tx, caller.account, alias)
            registrar.audit.record(tx, caller, alias=alias)

        registrar.storage.transact(work)

    def remove_alias(self, caller: Caller, alias: str) -> None:
        """Raises NotFound unless the account has this alias."""
        registrar = self._registrar

        def work(tx: Tx) -> None:
            if identities.alias_of(tx, caller.account) != alias:
                raise NotFound(f"The account alias {alias} cannot be found.")
            identities.set_alias(tx, caller.account, None)
            registrar.audit.record(tx, caller, alias=alias)

        registrar.storage.transact(work)

    def summary(self, caller: Caller) -> Mapping[str, int]:
        """What there is and how much there may be, under IAM's names."""
        account = caller.account

        def work(tx: Tx) -> dict[str, int]:
            mine = policies.listing(tx, account, None, None)
            found: dict[str, int] = {
                "Policies": len(mine),
                "PolicyVersionsInUse": sum(len(policies.versions(tx, each)) for each in mine),
                "Providers": len(providers.listing(tx, account)),
                "AccountAccessKeysPresent": int(bool(credentials.of_owner(tx, account))),
            }
            for kind in IdentityKind:
                found[rules.plural(kind)] = identities.count(tx, account, kind)
            return found

        return {**_QUOTAS, **self._registrar.storage.read(work)}

    def details(self, caller: Caller, wanted: Collection[str], limit: int, marker: str | None) -> Page[Detail]:
        """Groups, roles and users, then managed policies. `wanted` are words of kinds; none means all."""
        kinds = [kind for kind in IdentityKind if not wanted or kind.value.title() in wanted]

        def fetch(tx: Tx, after: After, count: int) -> list[Detail]:
            found: list[Detail] = []
            if kinds and (after is None or after[0] != _POLICY):
                last = (after[0], after[1]) if after else None
                carriers = identities.all_kinds(tx, caller.account, kinds, last, count)
                found = [self._identity(tx, caller, each) for each in carriers]
                after = None
            if len(found) < count:
                found += self._policies(tx, caller, wanted, after, count - len(found))
            return found

        listing = ("GetAccountAuthorizationDetails", *sorted(wanted))
        return self._registrar.page(caller, listing, limit, marker, fetch, _key)

    def _identity(self, tx: Tx, caller: Caller, found: Identity) -> Detail:
        in_groups = found.kind is IdentityKind.USER
        return Detail(
            identity=found,
            shown_trust=None if found.trust_policy is None else naming.unpin(tx, found.trust_policy, partition(caller)),
            inline=policies.inline_of(tx, found.id),
            attached=policies.attached_to(tx, found.id),
            groups=[each.name for each in identities.groups_of(tx, found.id)] if in_groups else (),
            tags=self._registrar.tags.of(tx, found.arn(partition(caller))),
        )

    def _policies(self, tx: Tx, caller: Caller, wanted: Collection[str], after: After, count: int) -> list[Detail]:
        found: list[Used] = []
        if not wanted or AWS_POLICY in wanted:
            shared = self._library.used(tx, caller, managed.listing(partition(caller)))
            # All of them only when asked for; otherwise those that the account uses.
            found += [each for each in shared if wanted or each.attachments or each.boundaries]
        if not wanted or LOCAL_POLICY in wanted:
            found += self._library.used(tx, caller, policies.listing(tx, caller.account, None, None))
        found.sort(key=lambda each: each.policy.id)
        rest = [each for each in found if after is None or each.policy.id > after[1]]
        return [Detail(used=each, versions=versions_of(tx, each.policy)) for each in rest[:count]]


_POLICY = "~policy"
"""Sorts after the words of all kinds."""


def _key(each: Detail) -> tuple[str, ...]:
    if each.identity is not None:
        return each.identity.kind.value, each.identity.name.lower()
    assert each.used is not None
    return _POLICY, each.used.policy.id


_QUOTAS: Mapping[str, int] = {
    "UsersQuota": rules.PER_ACCOUNT[IdentityKind.USER],
    "GroupsQuota": rules.PER_ACCOUNT[IdentityKind.GROUP],
    "RolesQuota": rules.PER_ACCOUNT[IdentityKind.ROLE],
    "PoliciesQuota": rules.POLICIES_PER_ACCOUNT,
    "GroupsPerUserQuota": rules.GROUPS_PER_USER,
    "AccessKeysPerUserQuota": rules.KEYS_PER_USER,
    "AttachedPoliciesPerUserQuota": rules.ATTACHED_PER_IDENTITY,
    "AttachedPoliciesPerGroupQuota": rules.ATTACHED_PER_IDENTITY,
    "AttachedPoliciesPerRoleQuota": rules.ATTACHED_PER_IDENTITY,
    "VersionsPerPolicyQuota": rules.VERSIONS_PER_POLICY,
    "PolicySizeQuota": LIMITS["managed policy"],
    "UserPolicySizeQuota": LIMITS["inline user policy"],
    "GroupPolicySizeQuota": LIMITS["inline group policy"],
    "RolePolicySizeQuota": LIMITS["inline role policy"],
    "AssumeRolePolicySizeQuota": LIMITS["trust policy"],
    # There are no passwords and no second factors here.
    "AccountMFAEnabled": 0,
    "AccountPasswordPresent": 0,
    "MFADevices": 0,
    "MFADevicesInUse": 0,
}
