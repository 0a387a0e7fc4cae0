"""What a process knows of its CAs without asking the database: whether an answer may be given once more.

A look at a CA costs one short read, however many certificates are asked about. An answer that was made from the
database rests on a `Ground`; while looks show the same ground, nothing that the answer says has changed.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from greatseal.domain.revocation.ocsp import store
from greatseal.domain.revocation.ocsp.model import Ground
from greatseal.domain.revocation.store import marks
from greatseal.kernel.clock import Clock
from greatseal.storage import Storage

LOOK_AGAIN_AFTER = timedelta(milliseconds=250)
TRUSTED_FOR = timedelta(milliseconds=500)
"""How long a revocation on one node may stay unknown to another one."""
_NO_TIME = timedelta()


@dataclass(slots=True)
class _Look:
    at: datetime
    certificate_id: str | None
    """None: the CA does not answer."""
    marks: Mapping[int, str]
    claimed: bool = False
    """Somebody was sent to look again."""


class Looks:
    """The latest look at each CA. Safe to share between threads."""

    def __init__(self, *, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._latest: dict[str, _Look] = {}
        self._changes = 0
        self._writing, self._looking = threading.Lock(), threading.Lock()
        storage.after_commit(marks.CHANGED, self._forget)

    def shows(self, ground: Ground, now: datetime) -> bool:
        """Whether the latest look is fresh and shows this ground. Never waits.

        Between the first and the second limit one caller is told no, so that it has the look renewed while
        the others go on.
        """
        look = self._latest.get(ground.authority_id)
        if look is None:
            return False
        age = now - look.at
        if age > LOOK_AGAIN_AFTER:
            if age > TRUSTED_FOR:
                return False
            if not look.claimed:
                look.claimed = True
                return False
        # A clock that was set back makes the age negative.
        return age >= _NO_TIME and _is_on(look, ground, now)

    def renew(self, ground: Ground) -> bool:
        """Looks again unless somebody just has; whether the ground is shown."""
        with self._looking:
            now = self._clock.now()
            look = self._latest.get(ground.authority_id)
            if look is None or not _NO_TIME <= now - look.at <= LOOK_AGAIN_AFTER:
                look = self._look(ground.authority_id, now)
        return _is_on(look, ground, now)

    def _look(self, authority_id: str, now: datetime) -> _Look:
        """`now` is before the read: the look is as old as its oldest part."""
        changes = self._changes
        certificate_id, found = self._storage.read(lambda tx: store.ground_of(tx, authority_id, now))
        look = _Look(now, certificate_id, found)
        with self._writing:
            # A commit of this process meanwhile: the look may be from before it.
            if changes == self._changes:
                self._latest[authority_id] = look
        return look

    def _forget(self) -> None:
        """What is committed here is in every answer from here on."""
        with self._writing:
            self._changes += 1
            self._latest.clear()


def _is_on(look: _Look, ground: Ground, now: datetime) -> bool:
    return (
        look.certificate_id is not None
        and look.certificate_id == ground.certificate_id
        and look.marks.get(ground.share) == ground.mark
        and ground.since <= now < ground.until
    )
