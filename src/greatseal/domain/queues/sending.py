"""Sending messages."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from greatseal.domain.audit import Audit
from greatseal.domain.queues import contents
from greatseal.domain.queues.directory import load
from greatseal.domain.queues.model import DEDUPLICATION, NewMessage, Queue, Sent, sequence_of, size_of
from greatseal.domain.queues.refusals import BatchTooLong
from greatseal.domain.queues.store import deduplication, messages
from greatseal.domain.queues.waiting import LongPolls
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import Refusal
from greatseal.kernel.ids import new_uuid
from greatseal.storage import Storage, Tx


class Sending:
    """Puts messages into queues: they are stored when the verb returns."""

    def __init__(self, *, storage: Storage, audit: Audit, clock: Clock, entropy: Entropy, polls: LongPolls) -> None:
        self._storage = storage
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._polls = polls

    def send(self, caller: Caller, arn: str, message: NewMessage) -> Sent:
        """One message. Raises NoSuchQueue and as `contents.check`."""

        def work(tx: Tx) -> Sent:
            queue = load(tx, arn)
            contents.check(message, queue.settings)
            sent = self.put(tx, queue, message, sender_id=caller.principal_id)
            self._audit.record(tx, caller, arn)
            return sent

        return self._storage.transact(work)

    def send_batch(self, caller: Caller, arn: str, batch: Sequence[NewMessage]) -> list[Sent | Refusal]:
        """Several messages; for each what became of it. Raises NoSuchQueue and BatchTooLong."""

        def work(tx: Tx) -> list[Sent | Refusal]:
            queue = load(tx, arn)
            total = sum(map(size_of, batch))
            if total > queue.settings.maximum_size:
                raise BatchTooLong(
                    f"Batch requests cannot be longer than {queue.settings.maximum_size} bytes. You have sent {total} "
                    "bytes."
                )
            outcomes = [self._try(tx, queue, message, caller.principal_id) for message in batch]
            self._audit.record(tx, caller, arn)
            return outcomes

        return self._storage.transact(work)

    def put(self, tx: Tx, queue: Queue, message: NewMessage, *, sender_id: str) -> Sent:
        """Stores a message that was checked, and wakes who waits for it; a repetition is told what it repeats."""
        now = self._clock.now()
        delay = queue.settings.delay if message.delay is None else message.delay
        key = _deduplication_key(queue, message)
        if key is not None:
            earlier = deduplication.find(tx, queue.arn, key, now - DEDUPLICATION)
            if earlier is not None:
                return Sent(earlier.message_id, earlier.sequence)
        message_id = message.id or new_uuid(self._entropy)
        number = messages.add(
            tx,
            queue.arn,
            message,
            message_id=message_id,
            sender_id=sender_id,
            at=now,
            visible_at=_shown_at(now, delay),
        )
        if key is not None:
            deduplication.remember(tx, queue.arn, key, deduplication.Earlier(message_id, sequence_of(number)), now)
        tx.on_commit(lambda: self._polls.ring(queue.arn))
        return Sent(message_id, sequence_of(number) if queue.settings.fifo else None)

    def _try(self, tx: Tx, queue: Queue, message: NewMessage, sender_id: str) -> Sent | Refusal:
        try:
            contents.check(message, queue.settings)
        except Refusal as refusal:
            return refusal
        return self.put(tx, queue, message, sender_id=sender_id)


def _shown_at(now: datetime, delay: int) -> datetime:
    return now + timedelta(seconds=delay)


def _deduplication_key(queue: Queue, message: NewMessage) -> str | None:
    """Under what a repetition is known; None in queues that take everything."""
    if not queue.settings.fifo:
        return None
    given = message.deduplication_id
    key = f"id {given}" if given is not None else f"id {hashlib.sha256(message.body.encode()).hexdigest()}"
    return f"{message.group} {key}" if queue.settings.deduplication_scope == "messageGroup" else key
