"""Rotation: a key gets new material and keeps the old for decryption (kms.md 10, 11)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from greatseal.crypto.key_specs import KeySpec
from greatseal.domain.audit import Audit
from greatseal.domain.events import Events
from greatseal.domain.keys.managed.directory import Directory, key_event
from greatseal.domain.keys.managed.model import (
    KeyState,
    ManagedKey,
    Material,
    MaterialState,
    Origin,
    RegionRole,
    RotationType,
    require_origin,
    require_present,
    require_usable,
)
from greatseal.domain.keys.managed.refusals import UnsupportedOnKey
from greatseal.domain.keys.managed.store import keys, materials
from greatseal.domain.keys.model import NewKey, NewSecret, Purpose
from greatseal.domain.keys.service import Keys
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import InvalidState, LimitExceeded
from greatseal.kernel.pages import Page, PageTokens
from greatseal.storage import Storage, Tx

DEFAULT_DAYS = 365
MOST_ON_DEMAND = 25
"""Rotations on demand in the life of a key."""


@dataclass(frozen=True, slots=True)
class RotationStatus:
    """Whether and when a key is rotated by itself."""

    days: int | None
    next_at: datetime | None


class Rotation:
    """Gives symmetric keys new material, by the clock or on demand."""

    def __init__(
        self,
        *,
        storage: Storage,
        directory: Directory,
        keys: Keys,
        events: Events,
        audit: Audit,
        clock: Clock,
        tokens: PageTokens,
    ) -> None:
        self._storage = storage
        self._directory = directory
        self._keys = keys
        self._events = events
        self._audit = audit
        self._clock = clock
        self._tokens = tokens

    def enable(self, caller: Caller, arn: str, days: int | None) -> None:
        """Rotates every `days` from now on, 365 unless said. Raises UnsupportedOnKey, KeyDisabled, KeyInvalidState."""
        period = days or DEFAULT_DAYS

        def change(key: ManagedKey) -> ManagedKey:
            return replace(key, rotation_days=period, next_rotation_at=self._clock.now() + timedelta(days=period))

        self._change(caller, arn, change)

    def disable(self, caller: Caller, arn: str) -> None:
        """Ends automatic rotation. Raises as `enable`."""
        self._change(caller, arn, lambda key: replace(key, rotation_days=None, next_rotation_at=None))

    def status(self, key: ManagedKey) -> RotationStatus:
        """For a replica that of its primary. Raises UnsupportedOnKey and KeyInvalidState."""
        _require_symmetric(key)
        require_present(key, self._clock.now())
        ruling = key
        if key.region_role is RegionRole.REPLICA:
            ruling = next(k for k in self._directory.replicas(key) if k.region_role is RegionRole.PRIMARY)
        return RotationStatus(ruling.rotation_days, ruling.next_rotation_at)

    def history(
        self, caller: Caller, key: ManagedKey, *, everything: bool, limit: int, marker: str | None
    ) -> Page[Material]:
        """The materials that rotations made, oldest first; `everything` adds the first and those that wait."""
        _require_symmetric(key)
        scope = (caller.account, caller.region, "ListKeyRotations", key.arn, str(everything))
        start = int(self._tokens.open(scope, marker)[0]) if marker is not None else 0
        every = self._storage.read(lambda tx: materials.of_key(tx, key.arn))
        found = [self._shown(key, each) for each in every if everything or each.rotation is not None]
        token = self._tokens.issue(scope, [start + limit]) if len(found) > start + limit else None
        return Page(tuple(found[start : start + limit]), token)

    def _shown(self, key: ManagedKey, material: Material) -> Material:
        if material.state is not MaterialState.PENDING_ROTATION or key.region_role is None:
            return material
        regions = self._directory.replicas(key)
        there = self._storage.read(lambda tx: [materials.find(tx, each.arn, material.id) for each in regions])
        ready = all(each is not None and each.secret_id is not None for each in there)
        return material if ready else replace(material, state=MaterialState.PENDING_REPLICAS)

    def on_demand(self, caller: Caller, arn: str) -> None:
        """Rotates now: to fresh material, or to imported material that waits for it. Raises LimitExceeded and kin."""
        key = self._storage.read(lambda tx: self._directory.load(tx, arn))
        self._require_rotatable(key, Origin.AWS_KMS, Origin.EXTERNAL)
        fresh = self._directory.new_material(arn, key.spec, key.usage) if key.origin is Origin.AWS_KMS else None

        def work(tx: Tx) -> None:
            current = self._directory.load(tx, arn)
            self._require_rotatable(current, Origin.AWS_KMS, Origin.EXTERNAL)
            done = [m for m in materials.of_key(tx, arn) if m.rotation is RotationType.ON_DEMAND]
            if len(done) >= MOST_ON_DEMAND:
                raise LimitExceeded(f"A key can be rotated on demand at most {MOST_ON_DEMAND} times.")
            if fresh is not None:
                self._turn(tx, current, fresh, RotationType.ON_DEMAND)
            else:
                self._turn_imported(tx, current)
            self._audit.record(tx, caller, arn, response={"key_id": arn})

        self._storage.transact(work)

    def automatic(self, arn: str, caller: Callable[[ManagedKey], Caller]) -> None:
        """Rotates a key whose time has come; nothing when another node did, or it is disabled."""
        key = self._storage.read(lambda tx: keys.find(tx, arn))
        if key is None or not self._is_due(key):
            return
        fresh = self._directory.new_material(arn, key.spec, key.usage)

        def work(tx: Tx) -> None:
            current = keys.find(tx, arn)
            if current is None or not self._is_due(current):
                return
            self._turn(tx, current, fresh, RotationType.AUTOMATIC)
            self._audit.record(tx, caller(current), arn)

        self._storage.transact(work)

    def _is_due(self, key: ManagedKey) -> bool:
        """A disabled key is rotated once it is enabled again."""
        due = key.next_rotation_at is not None and key.next_rotation_at <= self._clock.now()
        return due and key.state is KeyState.ENABLED

    def _turn(self, tx: Tx, key: ManagedKey, fresh: tuple[Material, NewKey | NewSecret], why: RotationType) -> None:
        """Every replica gets the new material in the same transaction, so that no region lags behind."""
        made, secret = fresh
        now = self._clock.now()
        self._keys.add(tx, secret, account=key.account, purpose=Purpose.KMS)
        for member in keys.family(tx, key.family_arn):
            new = replace(made, key_arn=member.arn, rotated_at=now, rotation=why, created_at=now)
            _retire_current(tx, member.arn)
            materials.add(tx, new)
            keys.save(tx, _moved_on(member, new, now))
            self._events.emit(tx, key_event(member, "KMS CMK Rotation"))

    def _turn_imported(self, tx: Tx, key: ManagedKey) -> None:
        now = self._clock.now()
        waiting = next((m for m in materials.of_key(tx, key.arn) if m.state is MaterialState.PENDING_ROTATION), None)
        if waiting is None:
            raise InvalidState(f"{key.arn} has no key material that is pending rotation.")
        for member in keys.family(tx, key.family_arn):
            there = materials.find(tx, member.arn, waiting.id)
            if there is None or not _is_there(there, now):
                raise InvalidState(f"{member.arn} has no key material that is pending rotation.")
            _retire_current(tx, member.arn)
            new = replace(there, state=MaterialState.CURRENT, rotated_at=now, rotation=RotationType.ON_DEMAND)
            materials.save(tx, new)
            expiries = [each for each in (member.valid_to, new.valid_to) if each is not None]
            keys.save(tx, replace(member, material=new.id, valid_to=min(expiries) if expiries else None))
            self._events.emit(tx, key_event(member, "KMS CMK Rotation"))

    def _change(self, caller: Caller, arn: str, change: Callable[[ManagedKey], ManagedKey]) -> None:
        def work(tx: Tx) -> None:
            key = self._directory.load(tx, arn)
            self._require_rotatable(key, Origin.AWS_KMS)
            keys.save(tx, change(key))
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def _require_rotatable(self, key: ManagedKey, *origins: Origin) -> None:
        _require_symmetric(key)
        require_usable(key, self._clock.now())
        require_origin(key, *origins)
        if key.region_role is RegionRole.REPLICA:
            raise UnsupportedOnKey(f"{key.arn} is not a multi-region primary key.")


def _require_symmetric(key: ManagedKey) -> None:
    if key.spec is not KeySpec.SYMMETRIC_DEFAULT or key.origin is Origin.EXTERNAL_KEY_STORE:
        raise UnsupportedOnKey("")


def _is_there(material: Material, now: datetime) -> bool:
    """Imported material that waits may have expired before anybody swept it away."""
    return material.secret_id is not None and (material.valid_to is None or material.valid_to > now)


def _moved_on(key: ManagedKey, new: Material, now: datetime) -> ManagedKey:
    """With its new material. A rotation on demand leaves the schedule as it is."""
    if new.rotation is RotationType.ON_DEMAND or key.rotation_days is None:
        return replace(key, material=new.id)
    return replace(key, material=new.id, next_rotation_at=now + timedelta(days=key.rotation_days))


def _retire_current(tx: Tx, key_arn: str) -> None:
    for each in materials.of_key(tx, key_arn):
        if each.state is MaterialState.CURRENT:
            materials.save(tx, replace(each, state=MaterialState.NON_CURRENT))
