"""Receiving messages, keeping them from others, and deleting them."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from greatseal.domain.audit import Audit
from greatseal.domain.queues.directory import load
from greatseal.domain.queues.model import LONGEST_INVISIBLE, Queue, Received, sequence_of
from greatseal.domain.queues.refusals import InvalidHandle, NotInFlight
from greatseal.domain.queues.store import messages
from greatseal.domain.queues.store import queues as store
from greatseal.domain.queues.store.messages import Stored
from greatseal.domain.queues.waiting import LongPolls
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import InvalidParameter, InvalidToken, Refusal
from greatseal.kernel.pages import PageTokens
from greatseal.storage import Storage, Tx


class Receiving:
    """Hands messages out, each to one receiver at a time."""

    def __init__(self, *, storage: Storage, audit: Audit, clock: Clock, tokens: PageTokens, polls: LongPolls) -> None:
        self._storage = storage
        self._audit = audit
        self._clock = clock
        self._tokens = tokens
        self._polls = polls

    def receive(self, arn: str, *, limit: int, visibility: int | None, wait: int | None) -> list[Received]:
        """Up to `limit` messages, which others do not see for `visibility` seconds; waits `wait` seconds for the first.

        None stands for what the queue says. Raises NoSuchQueue.
        """
        queue = self._storage.read(lambda tx: load(tx, arn))
        patience = queue.settings.wait if wait is None else wait
        return self._polls.until_found(arn, patience, lambda: self._attempt(arn, limit, visibility))

    def delete(self, caller: Caller, arn: str, handle: str) -> None:
        """Deletes a message for good. One that is gone, or that somebody else received since, is no error.

        Raises NoSuchQueue, InvalidHandle, and InvalidParameter when an ordered queue has given the message back.
        """

        def work(tx: Tx) -> None:
            self._delete(tx, load(tx, arn), handle)
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def delete_batch(self, caller: Caller, arn: str, handles: Sequence[str]) -> list[Refusal | None]:
        """As `delete` for several; for each why it was refused, if it was. Raises NoSuchQueue."""

        def work(tx: Tx) -> list[Refusal | None]:
            queue = load(tx, arn)
            outcomes = [_outcome(partial(self._delete, tx, queue, handle)) for handle in handles]
            self._audit.record(tx, caller, arn)
            return outcomes

        return self._storage.transact(work)

    def keep(self, caller: Caller, arn: str, handle: str, seconds: int) -> None:
        """Keeps a received message from others for so many seconds from now; 0 gives it back.

        Raises NoSuchQueue, InvalidHandle, NotInFlight and InvalidParameter.
        """

        def work(tx: Tx) -> None:
            load(tx, arn)
            self._keep(tx, arn, handle, seconds)
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def keep_batch(self, caller: Caller, arn: str, entries: Sequence[tuple[str, int]]) -> list[Refusal | None]:
        """As `keep` for several handles with their seconds. Raises NoSuchQueue."""

        def work(tx: Tx) -> list[Refusal | None]:
            load(tx, arn)
            outcomes = [_outcome(partial(self._keep, tx, arn, handle, seconds)) for handle, seconds in entries]
            self._audit.record(tx, caller, arn)
            return outcomes

        return self._storage.transact(work)

    def _attempt(self, arn: str, limit: int, visibility: int | None) -> list[Received]:
        def look(tx: Tx) -> bool:
            queue = load(tx, arn)
            return bool(_visible(tx, queue, self._clock.now(), 1, lock=False))

        # Who waits looks every second: without this, each look would take its turn among the writers.
        if not self._storage.read(look):
            return []
        found = self._storage.transact(lambda tx: self._take(tx, load(tx, arn), limit, visibility))
        return [self._received(arn, each, ordered) for each, ordered in found]

    def _take(self, tx: Tx, queue: Queue, limit: int, visibility: int | None) -> list[tuple[Stored, bool]]:
        now = self._clock.now()
        seconds = queue.settings.visibility if visibility is None else visibility
        redrive = queue.settings.redrive
        target = store.find(tx, redrive.target_arn) if redrive else None
        taken: list[tuple[Stored, bool]] = []
        while len(taken) < limit:
            # What is in hands already is not seen again, unless for a visibility of nothing.
            wanted = limit - len(taken)
            found = [
                each for each in _visible(tx, queue, now, limit, lock=True) if all(each.id != t.id for t, _ in taken)
            ]
            if not found:
                break
            for each in found[:wanted]:
                if redrive and target and target.arn != queue.arn and each.receptions >= redrive.most:
                    messages.give_up(
                        tx, each, source_arn=queue.arn, target_arn=target.arn, now=now, ordered=queue.settings.fifo
                    )
                    tx.on_commit(lambda: self._polls.ring(target.arn))
                    continue
                messages.received(tx, each, now=now, visible_at=now + timedelta(seconds=seconds))
                taken.append((each, queue.settings.fifo))
        return taken

    def _received(self, arn: str, found: Stored, ordered: bool) -> Received:
        reception = found.receptions + 1
        return Received(
            handle=self._tokens.issue(_scope(arn), [found.id, reception]),
            message_id=found.message_id,
            body=found.body,
            attributes=found.attributes,
            sender_id=found.sender_id,
            sent_at=found.sent_at,
            first_received_at=found.first_received_at or self._clock.now(),
            receptions=reception,
            trace_header=found.trace_header,
            group=found.group,
            deduplication_id=found.deduplication_id,
            sequence=sequence_of(found.id) if ordered else None,
            dead_source_arn=found.dead_source_arn,
        )

    def _delete(self, tx: Tx, queue: Queue, handle: str) -> None:
        number, reception = self._opened(queue.arn, handle)
        found = messages.find(tx, queue.arn, number)
        if found is None:
            return
        if queue.settings.fifo and found.visible_at <= self._clock.now():
            raise InvalidParameter(
                f"Value {handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."
            )
        if found.receptions == reception:
            messages.remove(tx, number)

    def _keep(self, tx: Tx, arn: str, handle: str, seconds: int) -> None:
        number, reception = self._opened(arn, handle)
        if not 0 <= seconds <= LONGEST_INVISIBLE.total_seconds():
            raise InvalidParameter(
                f"Value {seconds} for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout must be an "
                "integer between 0 and 43200."
            )
        now = self._clock.now()
        found = messages.find(tx, arn, number)
        if found is None or found.receptions != reception:
            raise InvalidParameter(
                f"Value {handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not "
                "available for visibility timeout change."
            )
        if found.visible_at <= now:
            raise NotInFlight
        until = now + timedelta(seconds=seconds)
        if found.received_at is not None and until - found.received_at > LONGEST_INVISIBLE:
            raise InvalidParameter(
                f"Value {seconds} for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the "
                "message is beyond the limit [43200 seconds]."
            )
        messages.show_at(tx, number, until)
        if seconds == 0:
            tx.on_commit(lambda: self._polls.ring(arn))

    def _opened(self, arn: str, handle: str) -> tuple[int, int]:
        try:
            number, reception = self._tokens.open(_scope(arn), handle)
        except (InvalidToken, ValueError):
            raise InvalidHandle(handle) from None
        return int(number), int(reception)


def _outcome(act: Callable[[], None]) -> Refusal | None:
    """Why one of several was refused; the others go on."""
    try:
        act()
    except Refusal as refusal:
        return refusal
    return None


def _visible(tx: Tx, queue: Queue, now: datetime, limit: int, *, lock: bool) -> list[Stored]:
    oldest = now - timedelta(seconds=queue.settings.retention)
    return messages.visible(
        tx, queue.arn, now=now, not_before=oldest, ordered=queue.settings.fifo, limit=limit, lock=lock
    )


def _scope(arn: str) -> tuple[str, ...]:
    return ("receipt", arn)
