"""What the clock does to keys: deletions, expiries, rotations, and import parameters that nobody used."""

from functools import partial

from greatseal.domain.events import Events
from greatseal.domain.keys.managed.directory import Directory, internal, key_event
from greatseal.domain.keys.managed.imports import KeyImports
from greatseal.domain.keys.managed.model import KeyState, ManagedKey
from greatseal.domain.keys.managed.rotation import Rotation
from greatseal.domain.keys.managed.store import imports, keys
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.ids import new_uuid
from greatseal.storage import Storage, Tx


class Upkeep:
    """Each key in a transaction of its own, checked again in it, so that any number of nodes may run this."""

    def __init__(
        self,
        *,
        storage: Storage,
        directory: Directory,
        imports: KeyImports,
        rotation: Rotation,
        events: Events,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._storage = storage
        self._directory = directory
        self._imports = imports
        self._rotation = rotation
        self._events = events
        self._clock = clock
        self._entropy = entropy

    def run(self, limit: int = 100) -> int:
        """Does what is due, for at most `limit` keys; how many keys that were."""
        due = self._storage.read(lambda tx: keys.due(tx, self._clock.now(), limit))
        for arn in due:
            self._storage.transact(partial(self._end, arn))
            self._rotation.automatic(arn, self._rotator)
        stale = self._storage.read(lambda tx: imports.expired(tx, self._clock.now(), limit))
        for arn in stale:
            self._storage.transact(partial(self._forget, arn))
        return len(due)

    def _end(self, arn: str, tx: Tx) -> None:
        now = self._clock.now()
        key = keys.find(tx, arn)
        if key is None:
            return
        if key.state is KeyState.PENDING_DELETION and key.deletion_at is not None and key.deletion_at <= now:
            self._imports.forget(tx, arn)
            self._directory.destroy(tx, key)
        elif key.valid_to is not None and key.valid_to <= now:
            self._imports.expire(tx, key, now)
            self._events.emit(tx, key_event(key, "KMS Imported Key Material Expiration"))

    def _forget(self, arn: str, tx: Tx) -> None:
        found = imports.find(tx, arn)
        if found is not None and found.valid_to <= self._clock.now():
            self._imports.forget(tx, arn)

    def _rotator(self, key: ManagedKey) -> Caller:
        return internal(key, "kms:RotateKey", self._clock.now(), new_uuid(self._entropy))
