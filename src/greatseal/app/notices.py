"""Queues and topics with what they need from elsewhere: deliveries, addresses of this installation, a seal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from greatseal.app.bus import Carriers, Nobody
from greatseal.app.notice_seal import NoticeSeal
from greatseal.domain.access import Access
from greatseal.domain.delivery import Carrier, Deliveries, Parcel
from greatseal.domain.events import Desk
from greatseal.domain.events.targets import QUEUE, TOPIC
from greatseal.domain.keys import Keys
from greatseal.domain.notifications import NotificationRoom
from greatseal.domain.notifications.gate import service_caller
from greatseal.domain.notifications.letters import SERVICE
from greatseal.domain.notifications.links import Links
from greatseal.domain.notifications.model import EMAIL
from greatseal.domain.queues import QueueRoom
from greatseal.kernel.caller import Caller
from greatseal.kernel.entropy import Entropy
from greatseal.storage import Tx
from greatseal.work.schedule import Recurring


@dataclass(slots=True)
class Addresses:
    """Where this installation is reached from outside; what is bound to port 0 is known once it listens."""

    api: str
    """The AWS wire, without a slash at the end."""
    plain: str
    """The plain listener, likewise."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What is built after these rooms, and asked for when it is needed."""

    keys: Callable[[], Keys]
    deliveries: Callable[[], Deliveries]

    def post(self, tx: Tx, parcels: Sequence[Parcel]) -> None:
        """As `notifications.ports.Post`."""
        self.deliveries().post(tx, parcels)

    def close(self, tx: Tx, lane: str) -> int:
        """As `notifications.ports.Post`."""
        return self.deliveries().close(tx, lane)


@dataclass(frozen=True, slots=True)
class Notices:
    """The rooms of queues and of topics."""

    queues: QueueRoom
    topics: NotificationRoom
    seal: NoticeSeal
    addresses: Addresses
    entropy: Entropy

    def joined(self, carriers: Carriers | None) -> Carriers:
        """The carriers of the settings, with those that these rooms are."""
        given = carriers or Carriers()
        own: dict[str, Carrier] = {QUEUE: self.queues.gate, TOPIC: self.topics.gate}
        return Carriers({EMAIL: Nobody(EMAIL), **given.by_kind, **own}, given.channels)

    def outsider(self, topic_arn: str, operation: str, source_ip: str) -> Caller:
        """Who acts on a topic without a signature, as the trail of its account knows it."""
        return service_caller(
            topic_arn,
            operation,
            service=SERVICE,
            clock=self.queues.clock,
            entropy=self.entropy,
            source_ip=source_ip or None,
        )

    def recurring(self) -> list[Recurring]:
        """What the clock's door does every so often."""
        return [
            Recurring("expire-messages", timedelta(minutes=10), lambda: _discard(self.queues.sweep())),
            Recurring("expire-subscriptions", timedelta(hours=1), lambda: _discard(self.topics.subscriptions.sweep())),
        ]


def build_notices(
    desk: Desk, elsewhere: Elsewhere, *, access: Access, account: str, addresses: Addresses, waiting: int
) -> Notices:
    """Builds the rooms. `account` is the installation's own; `waiting` receivers may wait for messages at a time."""
    links = Links(tokens=desk.tokens, base=lambda: addresses.plain, secure=lambda: addresses.api)
    seal = NoticeSeal(
        storage=desk.storage,
        keys=elsewhere.keys,
        account=account,
        links=links,
        clock=desk.clock,
        entropy=desk.entropy,
    )
    queues = QueueRoom.over(
        storage=desk.storage,
        access=access,
        resource_policies=desk.policies,
        tags=desk.tags,
        audit=desk.audit,
        clock=desk.clock,
        entropy=desk.entropy,
        tokens=desk.tokens,
        waiting=waiting,
    )
    topics = NotificationRoom.over(
        storage=desk.storage,
        access=access,
        resource_policies=desk.policies,
        post=elsewhere,
        signatory=seal,
        links=links,
        tags=desk.tags,
        audit=desk.audit,
        clock=desk.clock,
        entropy=desk.entropy,
        tokens=desk.tokens,
    )
    return Notices(queues, topics, seal, addresses, desk.entropy)


def _discard(_: object) -> None:
    """Recurring tasks return nothing."""
