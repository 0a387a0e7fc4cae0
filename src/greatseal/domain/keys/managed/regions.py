"""Multi-Region keys: ReplicateKey and UpdatePrimaryRegion (kms.md 10).

The keys of a family share id, material, spec, usage, origin and rotation; state, policy, tags, aliases, grants and
description are each key's own.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from msgspec import structs

from greatseal.domain.access import Question
from greatseal.domain.audit import Audit
from greatseal.domain.keys.managed.directory import Directory
from greatseal.domain.keys.managed.model import (
    KeyState,
    ManagedKey,
    Origin,
    RegionRole,
    require_usable,
)
from greatseal.domain.keys.managed.policies import KeyPolicies
from greatseal.domain.keys.managed.refusals import AliasExists, KeyNotFound, UnsupportedOnKey
from greatseal.domain.keys.managed.store import keys, materials
from greatseal.domain.tags import Tag, Tags
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import ValidationFailed
from greatseal.storage import Storage, Tx


@dataclass(frozen=True, slots=True)
class ReplicaOrder:
    """What ReplicateKey asks for."""

    region: str
    policy: str | None = None
    bypass_lockout_check: bool = False
    description: str = ""
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True, slots=True)
class Replicated:
    """A new replica and the policy that it has."""

    key: ManagedKey
    policy: str


class Regions:
    """Spreads multi-Region keys over regions."""

    def __init__(
        self,
        *,
        storage: Storage,
        directory: Directory,
        policies: KeyPolicies,
        tags: Tags,
        audit: Audit,
        clock: Clock,
        is_enabled: Callable[[str], bool] = lambda region: True,
    ) -> None:
        self._storage = storage
        self._directory = directory
        self._policies = policies
        self._tags = tags
        self._audit = audit
        self._clock = clock
        self._is_enabled = is_enabled

    def replicate(self, caller: Caller, primary: ManagedKey, order: ReplicaOrder) -> Replicated:
        """A replica in another region. Raises UnsupportedOnKey, AliasExists, InvalidPolicy and ValidationFailed."""
        _require_primary(primary)
        if order.region == primary.region or not self._is_enabled(order.region):
            raise ValidationFailed(f"Region {order.region} is not valid for a replica of {primary.arn}.")
        there = structs.replace(caller, region=order.region)
        arn = str(there.arn("kms", f"key/{primary.id}"))
        policy = self._policies.check(
            there, Question("kms:PutKeyPolicy", arn), order.policy, bypass=order.bypass_lockout_check
        )

        def work(tx: Tx) -> ManagedKey:
            now = self._clock.now()
            source = self._directory.load(tx, primary.arn)
            _require_primary(source)
            require_usable(source, now)
            if keys.find(tx, arn) is not None:
                raise AliasExists(f"A key with the ARN {arn} already exists")
            imported = source.origin is Origin.EXTERNAL
            new = replace(
                source,
                arn=arn,
                state=KeyState.PENDING_IMPORT if imported else KeyState.ENABLED,
                created_at=now,
                description=order.description,
                region_role=RegionRole.REPLICA,
                rotation_days=None,
                next_rotation_at=None,
                valid_to=None,
            )
            keys.add(tx, new)
            for each in materials.of_key(tx, source.arn):
                # Imported material is brought to each region by its owner, and must be the same (kms.md 10).
                copy = replace(each, key_arn=arn, secret_id=None if imported else each.secret_id, valid_to=None)
                materials.add(tx, copy, digest=materials.digest_of(tx, source.arn, each.id))
            self._policies.write(tx, arn, policy)
            self._tags.add(tx, arn, order.tags)
            self._audit.record(tx, caller, source.arn)
            self._audit.record(tx, there, arn)
            return new

        return Replicated(self._storage.transact(work), policy)

    def make_primary(self, caller: Caller, primary: ManagedKey, region: str) -> None:
        """Swaps the roles of a primary and its replica in a region. Raises KeyNotFound and UnsupportedOnKey."""
        _require_primary(primary)
        wanted = Arn.parse(primary.arn)
        arn = str(Arn(wanted.partition, "kms", region, wanted.account, wanted.resource))

        def work(tx: Tx) -> None:
            now = self._clock.now()
            old = self._directory.load(tx, primary.arn)
            _require_primary(old)
            new = keys.find(tx, arn)
            if new is None:
                raise KeyNotFound(f"Key '{arn}' does not exist")
            if new.arn == old.arn:
                raise ValidationFailed(f"{region} is the primary region of {old.arn} already.")
            require_usable(old, now)
            require_usable(new, now)
            days = old.rotation_days
            for each in keys.family(tx, old.family_arn):
                leads = each.arn == new.arn
                keys.save(
                    tx,
                    replace(
                        each,
                        region_role=RegionRole.PRIMARY if leads else RegionRole.REPLICA,
                        primary_region=region,
                        rotation_days=days if leads else None,
                        next_rotation_at=(old.next_rotation_at or now + timedelta(days=days))
                        if leads and days is not None
                        else None,
                    ),
                )
            self._audit.record(tx, caller, old.arn, new.arn)

        self._storage.transact(work)


def _require_primary(key: ManagedKey) -> None:
    if key.region_role is not RegionRole.PRIMARY:
        raise UnsupportedOnKey(f"{key.arn} is not a multi-region primary key.")
