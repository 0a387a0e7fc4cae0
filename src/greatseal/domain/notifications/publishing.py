"""Publishing: one message in, one parcel for each subscription that wants it, in one transaction."""

from collections.abc import Sequence

from greatseal.domain.audit import Audit
from greatseal.domain.notifications import checks, filters
from greatseal.domain.notifications.letters import Letters
from greatseal.domain.notifications.links import Links
from greatseal.domain.notifications.model import LARGEST_MESSAGE, Message
from greatseal.domain.notifications.ports import Post, Seal, Signatory
from greatseal.domain.notifications.refusals import BatchTooLong
from greatseal.domain.notifications.store import subscriptions
from greatseal.domain.notifications.topics import load
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import Refusal
from greatseal.kernel.ids import new_uuid
from greatseal.storage import Storage, Tx


class Publishing:
    """Publishes to topics. What was taken is delivered, at least once."""

    def __init__(
        self,
        *,
        storage: Storage,
        post: Post,
        signatory: Signatory,
        links: Links,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._storage = storage
        self._post = post
        self._signatory = signatory
        self._links = links
        self._audit = audit
        self._clock = clock
        self._entropy = entropy

    def publish(self, caller: Caller, topic_arn: str, message: Message) -> str:
        """The id of the message. Raises NoSuchTopic and Invalid."""
        checks.check(message)
        seal = self._signatory.seal()

        def work(tx: Tx) -> str:
            message_id = self.spread(tx, topic_arn, message, seal)
            self._audit.record(tx, caller, topic_arn)
            return message_id

        return self._storage.transact(work)

    def publish_batch(self, caller: Caller, topic_arn: str, batch: Sequence[Message]) -> list[str | Refusal]:
        """For each message its id, or why it was refused. Raises NoSuchTopic and BatchTooLong."""
        if sum(map(checks.size_of, batch)) > LARGEST_MESSAGE:
            raise BatchTooLong
        seal = self._signatory.seal()

        def work(tx: Tx) -> list[str | Refusal]:
            load(tx, topic_arn)
            outcomes = [self._try(tx, topic_arn, message, seal) for message in batch]
            self._audit.record(tx, caller, topic_arn)
            return outcomes

        return self._storage.transact(work)

    def spread(self, tx: Tx, topic_arn: str, message: Message, seal: Seal) -> str:
        """Posts a message that was checked to whoever wants it; its id. Raises NoSuchTopic."""
        topic = load(tx, topic_arn)
        message_id = message.id or new_uuid(self._entropy)
        letters = Letters(topic, message, message_id, self._clock.now(), self._links, seal)
        self._post.post(
            tx,
            [
                letters.to(each)
                for each in subscriptions.confirmed(tx, topic_arn)
                if filters.wants(each.options, each.protocol, message)
            ],
        )
        return message_id

    def _try(self, tx: Tx, topic_arn: str, message: Message, seal: Seal) -> str | Refusal:
        try:
            checks.check(message)
        except Refusal as refusal:
            return refusal
        return self.spread(tx, topic_arn, message, seal)
