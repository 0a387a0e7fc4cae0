"""The verbs on keys as things: made, found, described, switched, tagged, and deleted after a while (kms.md 10, 11)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from greatseal.crypto import material as cryptographic
from greatseal.crypto.key_specs import KeySpec
from greatseal.domain.access import Access, Question
from greatseal.domain.audit import INTERNAL, Audit
from greatseal.domain.events import Event, Events
from greatseal.domain.keys.managed.external import ExternalKeys
from greatseal.domain.keys.managed.model import (
    KeyName,
    KeyState,
    ManagedKey,
    Material,
    MaterialState,
    Origin,
    RegionRole,
    read_name,
    require_material,
    require_present,
)
from greatseal.domain.keys.managed.policies import KeyPolicies
from greatseal.domain.keys.managed.refusals import KeyInvalidState, KeyNotFound
from greatseal.domain.keys.managed.store import aliases, grants, keys, materials
from greatseal.domain.keys.model import NewKey, NewSecret, Purpose, StoreRefuses
from greatseal.domain.keys.service import Keys
from greatseal.domain.tags import Tag, Tags
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import TooManyTags, ValidationFailed
from greatseal.kernel.ids import new_uuid
from greatseal.kernel.pages import Page, PageTokens
from greatseal.storage import Storage, Tx

SHORTEST_WINDOW, LONGEST_WINDOW = 7, 30
"""Days between ScheduleKeyDeletion and the end; 30 when nothing is said."""


@dataclass(frozen=True, slots=True)
class KeyOrder:
    """What CreateKey asks for."""

    spec: KeySpec = KeySpec.SYMMETRIC_DEFAULT
    usage: str | None = None
    origin: Origin = Origin.AWS_KMS
    description: str = ""
    policy: str | None = None
    bypass_lockout_check: bool = False
    tags: tuple[Tag, ...] = ()
    multi_region: bool = False
    store_id: str | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a `KeyId` of a request stands for."""

    name: KeyName
    key: ManagedKey | None
    """None when there is no such key; whether the caller may know that is the door's question."""

    @property
    def arn(self) -> str:
        """The ARN of the key; of what was asked for when there is none."""
        return str(self.name.arn) if self.key is None else self.key.arn

    @property
    def alias(self) -> str | None:
        """The alias that the request used, for `kms:RequestAlias`."""
        return self.name.arn.resource if self.name.is_alias else None


class Directory:
    """Keys as things. Every verb that changes one reads it again in its own transaction."""

    def __init__(
        self,
        *,
        storage: Storage,
        access: Access,
        keys: Keys,
        external: ExternalKeys,
        policies: KeyPolicies,
        tags: Tags,
        events: Events,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        tokens: PageTokens,
    ) -> None:
        self._storage = storage
        self._access = access
        self._keys = keys
        self._external = external
        self._policies = policies
        self._tags = tags
        self._events = events
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._tokens = tokens

    def create(self, caller: Caller, order: KeyOrder) -> ManagedKey:
        """A new key with its material; without, when that is to be imported. Raises ValidationFailed, InvalidPolicy.

        One in an external key store has material of its own beside the external key; raises as `ExternalKeys.admit`.
        """
        usage = checked_usage(order.spec, order.usage)
        name = f"mrk-{self._entropy.token_bytes(16).hex()}" if order.multi_region else new_uuid(self._entropy)
        arn = str(caller.arn("kms", f"key/{name}"))
        policy = self._policies.check(
            caller, Question("kms:PutKeyPolicy", arn), order.policy, bypass=order.bypass_lockout_check
        )
        self._admit(caller, order, usage)
        made = None if order.origin is Origin.EXTERNAL else self.new_material(arn, order.spec, usage)
        now = self._clock.now()
        new = ManagedKey(
            arn=arn,
            spec=order.spec,
            usage=usage,
            origin=order.origin,
            state=KeyState.PENDING_IMPORT if made is None else KeyState.ENABLED,
            created_at=now,
            description=order.description,
            material=None if made is None else made[0].id,
            region_role=RegionRole.PRIMARY if order.multi_region else None,
            primary_region=caller.region if order.multi_region else None,
            store_id=order.store_id,
            external_id=order.external_id,
        )

        def work(tx: Tx) -> None:
            if order.store_id is not None and order.external_id is not None:
                self._external.claim(tx, caller, order.store_id, order.external_id)
            keys.add(tx, new)
            if made is not None:
                self._keys.add(tx, made[1], account=caller.account, purpose=Purpose.KMS)
                materials.add(tx, made[0])
            self._policies.write(tx, arn, policy)
            self._tags.add(tx, arn, order.tags)
            self._audit.record(tx, caller, arn, response={"key_metadata": recorded(new)})

        self._storage.transact(work)
        return new

    def _admit(self, caller: Caller, order: KeyOrder, usage: str) -> None:
        store_id, key_id = order.store_id, order.external_id
        if order.origin is Origin.EXTERNAL_KEY_STORE:
            self._external.admit(
                caller, order.spec, usage, multi_region=order.multi_region, store_id=store_id, key_id=key_id
            )
        elif store_id is not None or key_id is not None:
            raise ValidationFailed("CustomKeyStoreId and XksKeyId are valid with the origin EXTERNAL_KEY_STORE only.")

    def new_material(self, key_arn: str, spec: KeySpec, usage: str) -> tuple[Material, NewKey | NewSecret]:
        """Fresh material for a key, sealed, and the row that will name it. Never inside of a transaction."""
        secret: NewKey | NewSecret
        # Key stores sign and do nothing else; keys that decrypt, authenticate or agree are sealed in the database.
        signs = usage == "SIGN_VERIFY"
        if signs and spec.key_algorithm is None and self._keys.store_for(Purpose.KMS):
            raise StoreRefuses(f"The key store of KMS keys does not hold {spec.name} keys.")
        if spec.key_algorithm is not None:
            secret = self._keys.generate(spec.key_algorithm, Purpose.KMS if signs else Purpose.CERTIFICATE)
            spki: bytes | None = secret.spki
        else:
            made = cryptographic.generate(spec, self._entropy.token_bytes)
            secret, spki = self._keys.seal(made.secret), made.spki
        return (
            Material(
                id=self._entropy.token_bytes(32).hex(),
                key_arn=key_arn,
                state=MaterialState.CURRENT,
                created_at=self._clock.now(),
                secret_id=secret.id,
                spki=spki,
            ),
            secret,
        )

    def find(self, caller: Caller, given: str, *, aliases_too: bool = True) -> Found:
        """What a `KeyId` names. Raises KeyNotFound for what cannot be a name, and for an alias that is not there."""
        name = read_name(
            given, partition=caller.partition, region=caller.region, account=caller.account, aliases=aliases_too
        )

        def work(tx: Tx) -> Found:
            arn = str(name.arn)
            if name.is_alias:
                alias = aliases.find(tx, arn)
                if alias is None:
                    if name.arn.account == caller.account:
                        raise KeyNotFound(f"Alias {arn} is not found.")
                    return Found(name, None)
                arn = alias.target_arn
            return Found(name, self._as_told(tx, keys.find(tx, arn)))

        # Whatever changes a key, an alias or the connection of a store raises the generation (their stores do).
        return self._access.remembered(("kms", str(name.arn)), lambda: self._storage.read(work))

    def _as_told(self, tx: Tx, key: ManagedKey | None) -> ManagedKey | None:
        """A key whose store is not connected is unavailable; its own state comes back with the connection."""
        if key is None or key.store_id is None or key.state not in (KeyState.ENABLED, KeyState.DISABLED):
            return key
        if self._external.is_reachable(tx, key.store_id):
            return key
        return replace(key, state=KeyState.UNAVAILABLE)

    def aliases_of(self, arn: str) -> tuple[str, ...]:
        """The alias names of a key, for `kms:ResourceAliases`."""
        return tuple(Arn.parse(each).resource for each in self._storage.read(lambda tx: aliases.names(tx, arn)))

    def replicas(self, key: ManagedKey) -> list[ManagedKey]:
        """A multi-Region key and all its replicas, by region."""
        return self._storage.read(lambda tx: keys.family(tx, key.family_arn))

    def list(self, caller: Caller, *, limit: int, marker: str | None) -> Page[ManagedKey]:
        """The keys of the caller's account and region, those that wait for their deletion included."""
        scope = (caller.account, caller.region, "ListKeys")
        after = str(self._tokens.open(scope, marker)[0]) if marker is not None else ""
        found = self._storage.read(
            lambda tx: keys.listing(tx, caller.account, caller.region, after=after, limit=limit + 1)
        )
        token = self._tokens.issue(scope, [found[limit - 1].arn]) if len(found) > limit else None
        return Page(tuple(found[:limit]), token)

    def describe_as(self, caller: Caller, arn: str, description: str) -> None:
        """Sets the description. Raises KeyInvalidState for a key that is pending deletion."""
        self._change(caller, arn, lambda key: replace(_present(key, self._clock.now()), description=description))

    def enable(self, caller: Caller, arn: str) -> None:
        """Lets the key work. Raises KeyInvalidState."""
        self._change(caller, arn, lambda key: self._switched(key, KeyState.ENABLED))

    def disable(self, caller: Caller, arn: str) -> None:
        """Stops all work of the key. Raises KeyInvalidState."""
        self._change(caller, arn, lambda key: self._switched(key, KeyState.DISABLED))

    def schedule_deletion(self, caller: Caller, arn: str, days: int | None) -> ManagedKey:
        """Ends the key after `days`; a primary with replicas waits until they are gone. Raises ValidationFailed."""
        window = LONGEST_WINDOW if days is None else days
        if not SHORTEST_WINDOW <= window <= LONGEST_WINDOW:
            raise ValidationFailed(
                f"PendingWindowInDays must be between {SHORTEST_WINDOW} and {LONGEST_WINDOW}, inclusive."
            )

        def work(tx: Tx) -> ManagedKey:
            now = self._clock.now()
            key = _present(self.load(tx, arn), now)
            alone = key.region_role is not RegionRole.PRIMARY or len(keys.family(tx, key.family_arn)) == 1
            changed = replace(
                key,
                state=KeyState.PENDING_DELETION if alone else KeyState.PENDING_REPLICA_DELETION,
                deletion_at=now + timedelta(days=window) if alone else None,
                pending_days=window,
                next_rotation_at=None,
            )
            keys.save(tx, changed)
            told = {"key_id": arn, "key_state": changed.state.value, "deletion_date": changed.deletion_at}
            self._audit.record(tx, caller, arn, response=told)
            return changed

        return self._storage.transact(work)

    def cancel_deletion(self, caller: Caller, arn: str) -> None:
        """Keeps the key, disabled; one without its material waits for it. Raises KeyInvalidState for other keys."""

        def work(tx: Tx) -> None:
            key = self.load(tx, arn)
            if key.state not in (KeyState.PENDING_DELETION, KeyState.PENDING_REPLICA_DELETION):
                raise KeyInvalidState(f"{key.arn} is not pending deletion.")
            needed = [m for m in materials.of_key(tx, arn) if m.state is not MaterialState.PENDING_ROTATION]
            complete = key.origin is not Origin.EXTERNAL or (needed and all(m.secret_id for m in needed))
            state = KeyState.DISABLED if complete else KeyState.PENDING_IMPORT
            resumed = None
            if key.rotation_days is not None and key.region_role is not RegionRole.REPLICA:
                resumed = self._clock.now() + timedelta(days=key.rotation_days)
            kept = replace(key, state=state, deletion_at=None, pending_days=None, next_rotation_at=resumed)
            keys.save(tx, kept)
            self._audit.record(tx, caller, arn, response={"key_id": arn})

        self._storage.transact(work)

    def policy(self, arn: str) -> str:
        """The key's policy."""
        return self._storage.read(lambda tx: self._policies.read(tx, arn))

    def put_policy(self, caller: Caller, question: Question, document: str, *, bypass: bool) -> None:
        """Replaces the policy of the key that `question` (PutKeyPolicy) is about. Raises InvalidPolicy and kin."""
        checked = self._policies.check(caller, question, document, bypass=bypass)

        def work(tx: Tx) -> None:
            self.load(tx, question.resource)
            self._policies.write(tx, question.resource, checked)
            self._audit.record(tx, caller, question.resource)

        self._storage.transact(work)

    def tag(self, caller: Caller, arn: str, tags: Sequence[Tag]) -> None:
        """Adds and overwrites tags. Raises TooManyTags and KeyInvalidState."""

        def work(tx: Tx) -> None:
            require_present(self.load(tx, arn), self._clock.now())
            try:
                self._tags.add(tx, arn, tags)
            except TooManyTags:
                raise TooManyTags("Too many tags") from None
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def untag(self, caller: Caller, arn: str, names: Sequence[str]) -> None:
        """Removes tags by key; unknown ones are no error. Raises KeyInvalidState."""

        def work(tx: Tx) -> None:
            require_present(self.load(tx, arn), self._clock.now())
            self._tags.remove(tx, arn, [Tag(name, None) for name in dict.fromkeys(names)])
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def tags_of(self, arn: str) -> tuple[Tag, ...]:
        """The tags of a key, by name."""
        return self._storage.read(lambda tx: self._tags.of(tx, arn))

    def load(self, tx: Tx, arn: str) -> ManagedKey:
        """The key as it is in this transaction. Raises KeyNotFound."""
        found = keys.find(tx, arn)
        if found is None:
            raise KeyNotFound(f"Key '{arn}' does not exist")
        return found

    def drop_secret(self, tx: Tx, secret_id: str | None) -> None:
        """Destroys a secret once no key, here or in another region, has it as material."""
        if secret_id is not None and not materials.uses(tx, secret_id):
            self._keys.destroy(tx, secret_id)

    def destroy(self, tx: Tx, key: ManagedKey) -> None:
        """Ends a key for good: material, aliases, grants, tags and policy go with it."""
        for each in materials.of_key(tx, key.arn):
            materials.remove(tx, key.arn, each.id)
            self.drop_secret(tx, each.secret_id)
        aliases.remove_of(tx, key.arn)
        grants.remove_of(tx, key.arn)
        self._tags.remove_all(tx, key.arn)
        self._policies.remove(tx, key.arn)
        keys.remove(tx, key.arn)
        self._release_primary(tx, key)
        self._audit.record(tx, internal(key, "kms:DeleteKey", self._clock.now(), new_uuid(self._entropy)), key.arn)
        self._events.emit(tx, key_event(key, "KMS CMK Deletion"))

    def _release_primary(self, tx: Tx, gone: ManagedKey) -> None:
        """The window of a primary that waits for its replicas begins when the last of them is gone (kms.md 10)."""
        if gone.region_role is not RegionRole.REPLICA:
            return
        left = keys.family(tx, gone.family_arn)
        if len(left) == 1 and left[0].state is KeyState.PENDING_REPLICA_DELETION:
            window = timedelta(days=left[0].pending_days or LONGEST_WINDOW)
            ends = self._clock.now() + window
            keys.save(tx, replace(left[0], state=KeyState.PENDING_DELETION, deletion_at=ends))

    def _switched(self, key: ManagedKey, state: KeyState) -> ManagedKey:
        now = self._clock.now()
        require_present(key, now)
        require_material(key, now)
        return replace(key, state=state)

    def _change(self, caller: Caller, arn: str, change: Callable[[ManagedKey], ManagedKey]) -> None:
        def work(tx: Tx) -> None:
            keys.save(tx, change(self.load(tx, arn)))
            self._audit.record(tx, caller, arn, response={"key_id": arn})

        self._storage.transact(work)


def checked_usage(spec: KeySpec, usage: str | None) -> str:
    """The usage of a new key. Raises ValidationFailed (kms.md 3)."""
    if usage is None:
        if spec is not KeySpec.SYMMETRIC_DEFAULT:
            raise ValidationFailed(
                "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."
            )
        return spec.usages[0]
    if usage not in spec.usages:
        raise ValidationFailed(f"KeyUsage {usage} is not compatible with KeySpec {spec.name}")
    return usage


def internal(key: ManagedKey, operation: str, at: datetime, request_id: str) -> Caller:
    """The service itself, which acts on a key by the clock (kms.md 18)."""
    return Caller(
        account=key.account,
        region=key.region,
        principal_arn="",
        access_key_id="",
        request_id=request_id,
        operation=operation,
        at=at,
        service_principal=INTERNAL,
    )


def key_event(key: ManagedKey, detail_type: str) -> Event:
    """An event of the source `aws.kms` (kms.md 18)."""
    return Event("aws.kms", detail_type, key.account, key.region, (key.arn,), {"key-id": key.id})


def recorded(key: ManagedKey) -> dict[str, object]:
    """The metadata of a new key, as the trail keeps it."""
    return {
        "AWSAccountId": key.account,
        "arn": key.arn,
        "creation_date": key.created_at,
        "description": key.description,
        "key_id": key.id,
        "key_spec": key.spec.name,
        "key_state": key.state.value,
        "key_usage": key.usage,
        "origin": key.origin.value,
        "multi_region": key.region_role is not None,
    }


def _present(key: ManagedKey, now: datetime) -> ManagedKey:
    require_present(key, now)
    return key
