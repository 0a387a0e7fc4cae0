"""The verbs of the room of deliveries."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from greatseal.domain.delivery import store
from greatseal.domain.delivery.model import Census, DeadLetter, Parcel, Undeliverable, Waiting
from greatseal.domain.delivery.ports import Carrier
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.storage import Storage, Tx, queue

DELIVER_JOB = "deliver"
"""The kind of the job of a lane; its key is the lane."""

DELIVERY_TOPIC = "delivery"
"""What `Storage.after_commit` hears when a lane has something to do."""

DEAD_LETTERS_KEPT = timedelta(days=30)

_BATCH = 50
_LANES_AT_ONCE = 500
_ERROR_LENGTH = 1000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a parcel is tried: until one of the two is used up."""

    attempts: int = 186
    """One, and as many retries as the real bus makes."""
    age: timedelta = timedelta(hours=24)
    first_delay: timedelta = timedelta(seconds=1)
    longest_delay: timedelta = timedelta(minutes=10)
    longest_wish: timedelta = timedelta(hours=1)
    """A receiver that asks to be left alone is left alone for so long at most."""
    turn: timedelta = timedelta(minutes=1)
    """A job works on its lane at most so long, and for the one parcel that it then carries; others have their turn."""


class Deliveries:
    """Takes parcels in a transaction and has them carried after it."""

    def __init__(
        self,
        *,
        storage: Storage,
        clock: Clock,
        entropy: Entropy,
        carriers: Mapping[str, Carrier],
        patience: Patience | None = None,
        on_death: Callable[[Tx, Parcel, str], None] | None = None,
        on_attempt: Callable[[str, str], None] | None = None,
    ) -> None:
        """`on_death` hears of a parcel that is given up, in the transaction that buries it.

        `on_attempt` hears the kind and the result of each attempt: `delivered`, `failed` or `dead`.
        """
        self._storage = storage
        self._clock = clock
        self._entropy = entropy
        self._carriers = dict(carriers)
        self._patience = patience or Patience()
        self._on_death = on_death
        self._on_attempt = on_attempt or (lambda kind, result: None)
        self._stopping = False

    def employ(self, kind: str, carrier: Carrier) -> None:
        """Has parcels of a kind carried by this carrier from now on."""
        self._carriers[kind] = carrier

    def carrier(self, kind: str) -> Carrier | None:
        """Who carries parcels of a kind now."""
        return self._carriers.get(kind)

    def stop(self) -> None:
        """Ends every turn after the parcel that is being carried, and begins no other: the process is about to end."""
        self._stopping = True

    def listen(self, on_attempt: Callable[[str, str], None]) -> None:
        """Lets somebody count attempts, as the constructor's `on_attempt`."""
        self._on_attempt = on_attempt

    def post(self, tx: Tx, parcels: Sequence[Parcel]) -> None:
        """Writes parcels in the transaction of what they tell of.

        A kind that nobody carries is no reason to undo that: the parcel becomes a dead letter, with its reason.
        Raises ValueError for a message id that is empty or longer than 128 characters.
        """
        for parcel in parcels:
            if not 0 < len(parcel.message_id) <= store.MESSAGE_ID_LENGTH:
                raise ValueError(f"a message id of {len(parcel.message_id)} characters")
        now = self._clock.now()
        store.add(tx, list(parcels), now)
        for lane in dict.fromkeys(parcel.lane for parcel in parcels):
            self._enqueue(tx, lane, now)

    def run(self, lane: str) -> None:
        """Carries what is due in a lane. A failure holds back the later parcels of its order key, and no others.

        A receiver that is down, though, is not asked again for each parcel: the lane rests.
        """
        rests = self._storage.read(lambda tx: store.rests_until(tx, lane))
        if rests is not None and self._is_ahead(rests):
            self._storage.transact(lambda tx: self._enqueue(tx, lane, rests))
            return
        turn = _Turn(self._clock.now() + self._patience.turn)
        place = 0
        while not self._ends(turn):
            batch = self._storage.read(partial(store.waiting, lane=lane, after=place, limit=_BATCH))
            if not batch:
                break
            place = batch[-1].id
            self._carry(batch, turn)
        self._go_on(lane, turn)

    def sweep(self) -> None:
        """Gives every lane with parcels its job, whatever became of the last one, and forgets old dead letters."""
        now = self._clock.now()
        while True:
            found = self._storage.read(lambda tx: store.abandoned(tx, DELIVER_JOB, _LANES_AT_ONCE))
            if not found:
                break
            self._storage.transact(partial(self._adopt, lanes=found))
        self._storage.transact(lambda tx: store.prune_dead(tx, before=now - DEAD_LETTERS_KEPT))

    def close(self, tx: Tx, lane: str) -> int:
        """Forgets what waits for a receiver that is no more; how many parcels that were."""
        return store.close(tx, lane)

    def census(self) -> Census:
        """How much waits, since when, and how many dead letters there are."""
        return self._storage.read(store.census)

    def dead(self, *, account: str | None = None, limit: int = 100) -> list[DeadLetter]:
        """Dead letters of an account, or of all, the newest first."""
        return self._storage.read(lambda tx: store.dead(tx, account=account, limit=limit))

    def replay(self, parcel_id: int) -> bool:
        """Tries a dead letter again, with fresh patience; False when there is none with this id."""

        def work(tx: Tx) -> bool:
            now = self._clock.now()
            lane = store.revive(tx, parcel_id, at=now)
            if lane is not None:
                self._enqueue(tx, lane, now)
            return lane is not None

        return self._storage.transact(work)

    def _enqueue(self, tx: Tx, lane: str, due: datetime) -> None:
        queue.enqueue(tx, kind=DELIVER_JOB, key=lane, payload={}, due=due)
        tx.announce(DELIVERY_TOPIC)

    def _adopt(self, tx: Tx, lanes: Sequence[tuple[str, datetime]]) -> None:
        for lane, due in lanes:
            queue.ensure(tx, kind=DELIVER_JOB, key=lane, payload={}, due=due)
        tx.announce(DELIVERY_TOPIC)

    def _go_on(self, lane: str, turn: "_Turn") -> None:
        """Has the lane worked on again when there is something left in it."""
        due, rests = self._storage.read(lambda tx: (store.next_due(tx, lane), store.rests_until(tx, lane)))
        if due is None:
            return
        # A lane whose oldest parcel waits for another must not be looked at without a pause.
        soonest = self._clock.now() + (self._patience.first_delay if turn.held else timedelta(0))
        if self._is_ahead(due):
            soonest = max(soonest, due)
        if rests is not None and self._is_ahead(rests):
            soonest = max(soonest, rests)
        self._storage.transact(lambda tx: self._enqueue(tx, lane, soonest))

    def _carry(self, batch: Sequence[Waiting], turn: "_Turn") -> None:
        done: list[int] = []
        try:
            for waiting in batch:
                if self._ends(turn):
                    break
                error = self._next(waiting, turn)
                if error is None:
                    done.append(waiting.id)
        finally:
            # What arrived is forgotten together; a crash before repeats it with the same ids.
            if done:
                self._storage.transact(lambda tx: store.arrived(tx, done))

    def _ends(self, turn: "_Turn") -> bool:
        turn.over = turn.over or self._stopping or self._clock.now() >= turn.until
        return turn.over

    def _next(self, waiting: Waiting, turn: "_Turn") -> "Undeliverable | _Left | None":
        """Carries a parcel unless it has to wait; None when it arrived."""
        key = waiting.parcel.order_key
        if turn.down is not None:
            # Nobody is asked any more: parcels that are too old go, and the first that has time left ends the turn.
            if self._is_old(waiting):
                self._failed(waiting, turn.down)
            else:
                turn.over = True
            return turn.down
        if key and key in turn.held:
            return _LEFT
        if self._is_ahead(waiting.due):
            if key:
                turn.held.add(key)
            return _LEFT
        error = self._attempt(waiting.parcel)
        if error is None:
            self._on_attempt(waiting.parcel.kind, "delivered")
            return None
        if not self._failed(waiting, error) and key:
            turn.held.add(key)
        if error.down:
            turn.down = error
        return error

    def _attempt(self, parcel: Parcel) -> Undeliverable | None:
        carrier = self._carriers.get(parcel.kind)
        if carrier is None:
            return Undeliverable(f"nobody carries parcels of the kind {parcel.kind}", final=True)
        try:
            carrier.carry(parcel)
        except Undeliverable as error:
            return error
        except Exception as error:  # noqa: BLE001 - a carrier may raise anything
            _log.exception("the carrier of %s failed", parcel.kind)
            return Undeliverable(f"{type(error).__name__}: {error}")
        return None

    def _failed(self, waiting: Waiting, error: Undeliverable) -> bool:
        """Writes down a failure; True when the parcel was given up."""
        now = self._clock.now()
        reason = (str(error) or "no reason")[:_ERROR_LENGTH]
        parcel = waiting.parcel
        if not (error.final or self._is_over(waiting)):
            self._on_attempt(parcel.kind, "failed")
            due = now + self._delay(waiting.attempts + 1, error)
            self._storage.transact(lambda tx: store.failed(tx, waiting.id, error=reason, due=due, lane_down=error.down))
            return False

        def work(tx: Tx) -> None:
            if store.bury(tx, waiting.id, error=reason, at=now) and self._on_death is not None:
                self._on_death(tx, parcel, reason)

        self._storage.transact(work)
        self._on_attempt(parcel.kind, "dead")
        _log.warning("a parcel for %s was given up: %s", parcel.lane, reason)
        return True

    def _delay(self, attempts: int, error: Undeliverable) -> timedelta:
        patience = self._patience
        delay = queue.backoff(attempts, self._entropy, first=patience.first_delay, cap=patience.longest_delay)
        return delay if error.retry_after is None else max(delay, min(error.retry_after, patience.longest_wish))

    def _is_ahead(self, until: datetime) -> bool:
        """Whether an instant is still to be waited for; one that is too far away is of a clock that was wrong."""
        now = self._clock.now()
        return now < until <= now + max(self._patience.longest_delay, self._patience.longest_wish)

    def _is_over(self, waiting: Waiting) -> bool:
        """Whether one more failure is the last."""
        attempts = self._patience.attempts
        wanted = waiting.parcel.address.get("retry_attempts")
        if wanted is not None:
            attempts = min(attempts, int(wanted) + 1)
        return waiting.attempts + 1 >= attempts or self._is_old(waiting)

    def _is_old(self, waiting: Waiting) -> bool:
        age = self._patience.age
        wanted = waiting.parcel.address.get("retry_seconds")
        if wanted is not None:
            age = min(age, timedelta(seconds=int(wanted)))
        return self._clock.now() - waiting.posted_at >= age


class _Left:
    """A parcel that was not touched."""


_LEFT = _Left()


class _Turn:
    """What one run of a lane has learnt."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        self.held: set[str] = set()
        """Order keys whose oldest parcel has to wait."""
        self.down: Undeliverable | None = None
        """Why the receiver is out of reach."""
        self.over = False
