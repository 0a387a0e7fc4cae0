"""Which key-encryption keys an installation has, and the change from one to the next (docs/keys.md, "A new KEK").

While a change is under way, each of the two keys is in the database, sealed under the other: whoever holds one of them
opens everything. So any node, whatever it was started with, learns the other key when it meets it.
"""

import json
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import digest

from greatseal.crypto.wrap import CannotOpen, Keyring, Sealer, key_fingerprint, prefix_under
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import Conflict
from greatseal.kernel.secret import Secret
from greatseal.storage import Storage, Tx, installation
from greatseal.storage.errors import StorageError
from greatseal.storage.sealed import SealedColumn

FINGERPRINT = "kek-fingerprint"
RETIRED = "kek-retired"
TOKEN = "kek-token"  # noqa: S105 - the name of a row
_CHANGE = "kek-change"
_SECRET = "installation-secret"  # noqa: S105 - the name of a row
_LINK = "kek-link/"
_BATCH = 100
# By then every node seals under the new key: it looks every second.
GRACE = timedelta(minutes=5)

log = logging.getLogger(__name__)

Recorder = Callable[[Tx, str, dict[str, str]], None]
"""Writes an audit record of an act (`operation`, details) in the transaction that does it."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change that is under way. The keys are named by their fingerprints."""

    before: str
    after: str
    started_at: datetime
    source: str
    """What holds the new key, in words."""


def under_way(tx: Tx) -> Change | None:
    """The change that was begun and is not finished."""
    value = installation.recall(tx, _CHANGE)
    if value is None:
        return None
    kept = json.loads(value)
    return Change(kept["before"], kept["after"], datetime.fromisoformat(kept["started_at"]), kept["source"])


def opens(tx: Tx, fingerprint: str) -> bool:
    """Whether the key with this fingerprint opens this installation now. True when nothing was ever sealed."""
    known = installation.recall(tx, FINGERPRINT)
    change = under_way(tx)
    return known in (None, fingerprint.encode()) or (change is not None and change.before == fingerprint)


def keyring(storage: Storage, kek: Secret) -> Keyring:
    """Every key that `kek` leads to. Raises CannotOpen when a link between them was altered."""
    ring = Keyring(kek)
    ring.learn = lambda fingerprint: _asked(storage, ring, fingerprint)
    refresh(storage, ring)
    return ring


def refresh(storage: Storage, ring: Keyring) -> None:
    """Seals under the key that the installation uses now, and forgets a key that was retired.

    Raises CannotOpen, and nothing is sealed from then on, when the change went by without this process.
    """
    known, change = storage.read(lambda tx: (installation.recall(tx, FINGERPRINT), under_way(tx)))
    if known is not None and known.decode() != ring.current:
        found = ring.find(known.decode())
        if found is None:
            ring.retire()
            raise CannotOpen("the key-encryption key of this process is not that of the installation any more")
        ring.use(found)
    if change is None:
        if len(ring.known()) > 1:
            ring.forget_others()
    else:
        ring.find(change.before)


def installation_secret(storage: Storage, ring: Keyring) -> Secret:
    """What audit seals and page tokens are derived from: of the first key-encryption key, and kept when that changes.

    Raises CannotOpen when it was altered.
    """
    sealed = storage.read(lambda tx: installation.recall(tx, _SECRET))
    return _first(ring) if sealed is None else ring.open(_SECRET, sealed)


class KekChange:
    """Begins, carries on and finishes a change of the key-encryption key. All of it may be repeated at any time."""

    def __init__(
        self,
        *,
        storage: Storage,
        sealer: Sealer,
        clock: Clock,
        columns: Sequence[SealedColumn],
        record: Recorder,
        configured: Callable[[], str],
    ) -> None:
        """`configured` tells the fingerprint of the key that this process would be started with now."""
        self._storage = storage
        self._sealer = sealer
        self._clock = clock
        self._columns = tuple(columns)
        self._record = record
        self._configured = configured

    def under_way(self) -> Change | None:
        """The change that was begun and is not finished."""
        return self._storage.read(under_way)

    def refresh(self) -> None:
        """What other processes have done to the keys is known here from now on."""
        refresh(self._storage, self._sealer.keyring)

    def begin(self, new: Secret, source: str, *, also: Callable[[Tx], None] = lambda _: None) -> Change:
        """From the commit on both keys open everything, and the new one seals.

        `also` writes what belongs to the new key (a salt, what a token sealed) in the same transaction. Raises
        Conflict when another change is not finished.
        """
        self.refresh()
        ring = self._sealer.keyring
        old, before, after = ring.key, ring.current, key_fingerprint(new)
        change = Change(before, after, self._clock.now(), source)
        secret = installation_secret(self._storage, ring)
        forward = self._sealer.seal(_LINK + after, new)
        successor = Sealer(Keyring(new), self._sealer.entropy)
        back, kept = successor.seal(_LINK + before, old), successor.seal(_SECRET, secret)

        def work(tx: Tx) -> None:
            found = under_way(tx)
            if found is not None:
                raise Conflict(f"a change to the key-encryption key {found.after} is under way: finish it first")
            if (installation.recall(tx, FINGERPRINT) or before.encode()) != before.encode() or before == after:
                raise Conflict(f"the key-encryption key {before} cannot be replaced by {after}")
            installation.replace(tx, _LINK + after, forward)
            installation.replace(tx, _LINK + before, back)
            installation.replace(tx, _SECRET, kept)
            installation.replace(tx, FINGERPRINT, after.encode())
            told = {"before": before, "after": after, "started_at": change.started_at.isoformat(), "source": source}
            installation.replace(tx, _CHANGE, json.dumps(told).encode())
            also(tx)
            self._record(tx, "BeginKekChange", {"before": before, "after": after, "source": source})

        self._storage.transact(work)
        ring.use(new)
        return change

    def reseal(self, progress: Callable[[int], None] = lambda _: None) -> int:
        """Seals everything under the new key, a batch a transaction; how many values it was."""
        total = 0
        for column in self._columns:
            after: str | None = ""
            while after is not None:
                after, done = self._batch(column, after)
                total += done
                progress(total)
        return total

    def finish(self) -> bool:
        """Retires the old key. False when it is too early for that.

        It is too early within `GRACE`, while a value is left that the old key opens, and as long as this process would
        be started with another key than the new one: what the settings name must open the installation.
        """
        change = self.under_way()
        if change is None:
            return True
        if self._clock.now() < change.started_at + GRACE or self._configured() != change.after:
            return False

        def work(tx: Tx) -> bool:
            if under_way(tx) != change:
                return False
            if any(self._opening(tx, column, change.after) for column in self._columns):
                return False
            for name in (_LINK + change.before, _LINK + change.after, _CHANGE):
                installation.forget(tx, name)
            installation.replace(tx, RETIRED, change.before.encode())
            self._record(tx, "FinishKekChange", {"before": change.before, "after": change.after})
            return True

        finished = self._storage.transact(work)
        if finished:
            self.refresh()
        return finished

    def carry_on(self) -> None:
        """What the clock's door does: carries a change on that somebody has begun."""
        self.refresh()
        if self.under_way() is not None:
            self.reseal()
            self.finish()

    def left(self) -> int:
        """How many values are not under the current key yet, up to a batch for each place."""
        prefix = prefix_under(self._sealer.keyring.current)
        return self._storage.read(lambda tx: sum(len(each.others(tx, prefix, "", _BATCH)) for each in self._columns))

    def _batch(self, column: SealedColumn, after: str) -> tuple[str | None, int]:
        prefix = prefix_under(self._sealer.keyring.current)

        def work(tx: Tx) -> tuple[str | None, int]:
            rows = column.others(tx, prefix, after, _BATCH)
            done = 0
            for key, sealed in rows:
                try:
                    secret = self._sealer.open(column.identity(key), sealed)
                except CannotOpen:
                    # Altered or damaged: it opens under no key, and is left as it is for whoever looks into it.
                    log.error("a sealed value of %s does not open: %s", column.table.name, key)
                    continue
                column.replace(tx, key, sealed, self._sealer.seal(column.identity(key), secret))
                done += 1
            return (rows[-1][0] if rows else None), done

        return self._storage.transact(work)

    def _opening(self, tx: Tx, column: SealedColumn, current: str) -> bool:
        """Whether a value is left that would be lost without the old key."""
        after = ""
        while rows := column.others(tx, prefix_under(current), after, _BATCH):
            for key, sealed in rows:
                try:
                    self._sealer.open(column.identity(key), sealed)
                except CannotOpen:
                    continue
                return True
            after = rows[-1][0]
        return False


def _first(ring: Keyring) -> Secret:
    return Secret(digest(ring.key.reveal(), b"installation secret", sha256))


def _asked(storage: Storage, ring: Keyring, fingerprint: str) -> Secret | None:
    """A key that the database has, sealed under one that is known.

    In a thread of its own, because whoever met the key may be inside of a transaction, and those do not nest.
    """
    with ThreadPoolExecutor(1) as thread:
        try:
            sealed = thread.submit(
                lambda: storage.read(lambda tx: installation.recall(tx, _LINK + fingerprint))
            ).result()
        except StorageError:
            return None
    if sealed is None:
        return None
    for kek in ring.known().values():
        try:
            found = Keyring(kek).open(_LINK + fingerprint, sealed)
        except CannotOpen:
            continue
        return found if key_fingerprint(found) == fingerprint else None
    return None
