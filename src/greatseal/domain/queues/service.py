"""The verbs of the queues room, gathered."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from greatseal.domain.access import Access, ResourcePolicies
from greatseal.domain.audit import Audit
from greatseal.domain.queues.directory import Directory
from greatseal.domain.queues.gate import QueueGate
from greatseal.domain.queues.model import DEDUPLICATION, Queue
from greatseal.domain.queues.receiving import Receiving
from greatseal.domain.queues.sending import Sending
from greatseal.domain.queues.store import deduplication, messages
from greatseal.domain.queues.store import queues as store
from greatseal.domain.queues.waiting import LongPolls
from greatseal.domain.tags import Tags
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.pages import PageTokens
from greatseal.storage import Storage, Tx

_SWEPT_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class QueueRoom:
    """Queues, those who send and receive, and the services that send."""

    directory: Directory
    sending: Sending
    receiving: Receiving
    gate: QueueGate
    polls: LongPolls
    storage: Storage
    clock: Clock

    @classmethod
    def over(
        cls,
        *,
        storage: Storage,
        access: Access,
        resource_policies: ResourcePolicies,
        tags: Tags,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        tokens: PageTokens,
        waiting: int = 0,
    ) -> "QueueRoom":
        """Builds the room. `waiting` receivers may wait for messages at a time; others hear at once of none."""
        polls = LongPolls(clock, places=waiting)
        sending = Sending(storage=storage, audit=audit, clock=clock, entropy=entropy, polls=polls)
        return cls(
            directory=Directory(
                storage=storage,
                resource_policies=resource_policies,
                tags=tags,
                audit=audit,
                clock=clock,
                tokens=tokens,
            ),
            sending=sending,
            receiving=Receiving(storage=storage, audit=audit, clock=clock, tokens=tokens, polls=polls),
            gate=QueueGate(storage=storage, access=access, sending=sending, clock=clock, entropy=entropy),
            polls=polls,
            storage=storage,
            clock=clock,
        )

    def sweep(self) -> int:
        """Deletes messages that are older than their queue keeps them; how many. They were out of reach before."""
        now, after, gone = self.clock.now(), "", 0
        while found := self.storage.read(partial(store.page, after=after, limit=_SWEPT_AT_ONCE)):
            gone += self.storage.transact(partial(_expire, queues=found, now=now))
            after = found[-1].arn
        self.storage.transact(lambda tx: deduplication.prune(tx, now - DEDUPLICATION))
        return gone


def _expire(tx: Tx, queues: list[Queue], now: datetime) -> int:
    return sum(messages.expire(tx, each.arn, now - timedelta(seconds=each.settings.retention)) for each in queues)
