"""The verbs of service control policies: their texts, and what they are attached to."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NoReturn

from greatseal.domain.access import Accounts
from greatseal.domain.access.language import LIMITS, MalformedPolicy, PolicyKind, PolicyTooLarge, parse_policy
from greatseal.domain.access.store import generation
from greatseal.domain.audit import Audit
from greatseal.domain.organizations import gate, paging, targets
from greatseal.domain.organizations.model import (
    FULL_ACCESS,
    MAX_ATTACHED,
    ControlPolicy,
    FeatureSet,
    Organization,
    Target,
    new_id,
)
from greatseal.domain.organizations.paging import Wanted
from greatseal.domain.organizations.refusals import (
    ConstraintViolated,
    DuplicateAttachment,
    DuplicatePolicy,
    EffectivePolicyNotFound,
    InvalidInput,
    PolicyInUse,
    PolicyNotAttached,
    PolicyNotFound,
    PolicyTypeNotAvailable,
    PolicyTypeNotEnabled,
)
from greatseal.domain.organizations.store import policies as store
from greatseal.domain.tags import Tag, Tags
from greatseal.kernel.caller import Caller
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import InvalidPolicy
from greatseal.kernel.pages import Page, PageTokens
from greatseal.storage import Storage, Tx


class Policies:
    """Makes, changes, lists and deletes service control policies, and attaches them."""

    def __init__(
        self,
        *,
        storage: Storage,
        accounts: Accounts,
        tags: Tags,
        audit: Audit,
        entropy: Entropy,
        tokens: PageTokens,
    ) -> None:
        self._storage = storage
        self._accounts = accounts
        self._tags = tags
        self._audit = audit
        self._entropy = entropy
        self._tokens = tokens

    def create(
        self, caller: Caller, *, name: str, description: str, content: str, tags: Sequence[Tag]
    ) -> tuple[Organization, ControlPolicy]:
        """A new policy, attached nowhere.

        Raises PolicyTypeNotAvailable, InvalidPolicy, ConstraintViolated for one that is too large, DuplicatePolicy.
        """

        def work(tx: Tx) -> tuple[Organization, ControlPolicy]:
            organization = gate.managed(tx, caller)
            if organization.feature_set is not FeatureSet.ALL:
                raise PolicyTypeNotAvailable
            _check(content)
            new = ControlPolicy(new_id(self._entropy, "p-", 8), name, description, content)
            if name == FULL_ACCESS.name or not store.add(tx, organization.id, new):
                raise DuplicatePolicy
            arn = organization.arn(caller.partition, new.id)
            self._tags.add(tx, arn, tags)
            told = {"id": new.id, "arn": arn, "name": name, "type": "SERVICE_CONTROL_POLICY"}
            self._audit.record(tx, caller, arn, response={"policy": {"policy_summary": told}})
            return organization, new

        return self._storage.transact(work)

    def update(
        self,
        caller: Caller,
        policy_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
        content: str | None = None,
    ) -> tuple[Organization, ControlPolicy]:
        """Changes what is given. Raises PolicyNotFound, InvalidInput for AWS's own, and as `create`."""

        def work(tx: Tx) -> tuple[Organization, ControlPolicy]:
            organization = gate.managed(tx, caller)
            found = _require_own(tx, organization, policy_id)
            if name is not None and name != found.name and store.named(tx, organization.id, name) is not None:
                raise DuplicatePolicy
            if content is not None:
                _check(content)
            changed = replace(
                found,
                name=found.name if name is None else name,
                description=found.description if description is None else description,
                content=found.content if content is None else content,
            )
            store.change(tx, organization.id, changed)
            generation.raise_(tx)
            self._audit.record(tx, caller, organization.arn(caller.partition, policy_id))
            return organization, changed

        return self._storage.transact(work)

    def describe(self, caller: Caller, policy_id: str) -> tuple[Organization, ControlPolicy]:
        """One policy. Raises PolicyNotFound."""

        def work(tx: Tx) -> tuple[Organization, ControlPolicy]:
            organization = gate.readable(tx, caller)
            return organization, _require(tx, organization, policy_id)

        return self._storage.read(work)

    def delete(self, caller: Caller, policy_id: str) -> None:
        """Removes a policy that is attached nowhere. Raises PolicyNotFound, InvalidInput and PolicyInUse."""

        def work(tx: Tx) -> None:
            organization = gate.managed(tx, caller)
            _require_own(tx, organization, policy_id)
            if store.targets(tx, organization.id, policy_id, limit=1):
                raise PolicyInUse
            store.remove(tx, organization.id, policy_id)
            arn = organization.arn(caller.partition, policy_id)
            self._tags.remove_all(tx, arn)
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def list(self, caller: Caller, wanted: Wanted) -> tuple[Organization, Page[ControlPolicy]]:
        """AWS's own policy, then those of the organization."""

        def work(tx: Tx) -> tuple[Organization, Page[ControlPolicy]]:
            organization = gate.readable(tx, caller)

            def fetch(after: str, limit: int) -> Sequence[ControlPolicy]:
                if not after:
                    return [FULL_ACCESS, *store.listing(tx, organization.id, limit=limit - 1)]
                own = "" if after == FULL_ACCESS.id else after
                return store.listing(tx, organization.id, after=own, limit=limit)

            return organization, paging.cut(self._tokens, caller, wanted, fetch, lambda policy: policy.id)

        return self._storage.read(work)

    def attach(self, caller: Caller, policy_id: str, target_id: str) -> None:
        """Attaches a policy to a root, unit or account.

        Raises PolicyNotFound, TargetNotFound, PolicyTypeNotEnabled, DuplicateAttachment, and ConstraintViolated when
        the target carries as many as it may.
        """

        def work(tx: Tx) -> None:
            organization, present = self._both(tx, caller, policy_id, target_id)
            if not organization.service_control:
                raise PolicyTypeNotEnabled
            if policy_id in present:
                raise DuplicateAttachment
            if len(present) >= MAX_ATTACHED:
                raise ConstraintViolated(
                    "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
                    "You have attached the maximum number of policies to the specified target.",
                )
            store.attach(tx, organization.id, policy_id, target_id)
            self._record(tx, caller, organization, policy_id, target_id)

        self._storage.transact(work)

    def detach(self, caller: Caller, policy_id: str, target_id: str) -> None:
        """Detaches a policy. Raises PolicyNotFound, TargetNotFound, PolicyNotAttached, and ConstraintViolated for the
        last one: without any, nothing would be allowed.
        """

        def work(tx: Tx) -> None:
            organization, present = self._both(tx, caller, policy_id, target_id)
            if policy_id not in present:
                raise PolicyNotAttached
            if len(present) == 1:
                raise ConstraintViolated(
                    "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
                    "You cannot remove the last policy attached to the specified target. You must have at least one "
                    "attached at all times.",
                )
            store.detach(tx, organization.id, policy_id, target_id)
            self._record(tx, caller, organization, policy_id, target_id)

        self._storage.transact(work)

    def of_target(self, caller: Caller, target_id: str, wanted: Wanted) -> tuple[Organization, Page[ControlPolicy]]:
        """What is attached to a target itself, not what reaches it from above. Raises TargetNotFound."""

        def work(tx: Tx) -> tuple[Organization, Page[ControlPolicy]]:
            organization = gate.readable(tx, caller)
            targets.find(tx, self._accounts, organization, target_id)
            present = store.attached(tx, organization.id, [target_id])[target_id]

            def fetch(after: str, limit: int) -> Sequence[ControlPolicy]:
                return [policy for policy in present if policy.id > after][:limit]

            return organization, paging.cut(self._tokens, caller, wanted, fetch, lambda policy: policy.id, target_id)

        return self._storage.read(work)

    def targets(self, caller: Caller, policy_id: str, wanted: Wanted) -> tuple[Organization, Page[Target]]:
        """What a policy is attached to. Raises PolicyNotFound."""

        def work(tx: Tx) -> tuple[Organization, Page[Target]]:
            organization = gate.readable(tx, caller)
            _require(tx, organization, policy_id)

            def fetch(after: str, limit: int) -> Sequence[Target]:
                found = store.targets(tx, organization.id, policy_id, after=after, limit=limit)
                return [targets.find(tx, self._accounts, organization, each) for each in found]

            return organization, paging.cut(self._tokens, caller, wanted, fetch, lambda target: target.id, policy_id)

        return self._storage.read(work)

    def refuse_effective(self, caller: Caller, target_id: str) -> NoReturn:
        """Always a refusal: EffectivePolicyNotFound, after what is wrong with the target.

        A member may ask about its own account; otherwise it is the organization's readers.
        """

        def work(tx: Tx) -> NoReturn:
            own = target_id == caller.account
            organization = gate.joined(tx, caller) if own else gate.readable(tx, caller)
            targets.find(tx, self._accounts, organization, target_id)
            raise EffectivePolicyNotFound

        self._storage.read(work)

    def _both(self, tx: Tx, caller: Caller, policy_id: str, target_id: str) -> tuple[Organization, set[str]]:
        """The organization, and the ids of what is attached to the target."""
        organization = gate.managed(tx, caller)
        _require(tx, organization, policy_id)
        targets.find(tx, self._accounts, organization, target_id)
        present = store.attached(tx, organization.id, [target_id])[target_id]
        return organization, {policy.id for policy in present}

    def _record(self, tx: Tx, caller: Caller, organization: Organization, policy_id: str, target_id: str) -> None:
        generation.raise_(tx)
        arns = [organization.arn(caller.partition, each) for each in (policy_id, target_id)]
        self._audit.record(tx, caller, *arns)


def _check(content: str) -> None:
    """Raises ConstraintViolated above the size, and InvalidPolicy with the place of what is outside the grammar."""
    try:
        parse_policy(content, PolicyKind.SCP, limit=LIMITS["service control policy"])
    except PolicyTooLarge:
        raise ConstraintViolated(
            "POLICY_CONTENT_LIMIT_EXCEEDED",
            f"The policy is larger than the maximum size of {LIMITS['service control policy']} characters.",
        ) from None
    except MalformedPolicy as error:
        raise InvalidPolicy(f"The provided policy document does not meet the requirements: {error}") from None


def _require(tx: Tx, organization: Organization, policy_id: str) -> ControlPolicy:
    found = store.find(tx, organization.id, policy_id)
    if found is None:
        raise PolicyNotFound
    return found


def _require_own(tx: Tx, organization: Organization, policy_id: str) -> ControlPolicy:
    found = _require(tx, organization, policy_id)
    if found.aws_managed:
        raise InvalidInput("IMMUTABLE_POLICY", "You specified a policy that is managed by AWS and can't be modified.")
    return found
