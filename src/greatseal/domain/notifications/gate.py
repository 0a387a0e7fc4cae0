"""The gate by which services of this installation publish: rules of the event bus, and watchers."""

from greatseal.domain.access import Access, Question
from greatseal.domain.access.standing import of_service
from greatseal.domain.delivery import Parcel, Undeliverable
from greatseal.domain.notifications import checks
from greatseal.domain.notifications.model import Message
from greatseal.domain.notifications.ports import Signatory
from greatseal.domain.notifications.publishing import Publishing
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import AccessDenied, Refusal
from greatseal.kernel.ids import new_uuid
from greatseal.storage import Storage

EVENTS = "events.amazonaws.com"


def service_caller(
    topic_arn: str, operation: str, *, service: str, clock: Clock, entropy: Entropy, source_ip: str | None = None
) -> Caller:
    """Who acts when nobody signed, as the trail of the topic's account knows it."""
    _, _, _, region, account, _ = topic_arn.split(":", 5)
    return Caller(
        account=account,
        region=region,
        principal_arn="",
        access_key_id="",
        request_id=new_uuid(entropy),
        operation=f"sns:{operation}",
        at=clock.now(),
        source_ip=source_ip or service,
        user_agent=service,
        service_principal=service,
    )


class TopicGate:
    """Publishes for services, as far as the topic's own policy lets them. A `Carrier` of the kind `topic`."""

    def __init__(
        self,
        *,
        storage: Storage,
        access: Access,
        publishing: Publishing,
        signatory: Signatory,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._storage = storage
        self._access = access
        self._publishing = publishing
        self._signatory = signatory
        self._clock = clock
        self._entropy = entropy

    def publish(
        self,
        topic_arn: str,
        message: Message,
        *,
        service: str = EVENTS,
        source_arn: str,
        source_account: str,
    ) -> str:
        """Publishes what `service` says for `source_arn` (a rule); the message id. Never inside a transaction.

        Raises AccessDenied unless the policy of the topic allows it, NoSuchTopic and Invalid.
        """
        checks.check(message)
        caller = service_caller(topic_arn, "Publish", service=service, clock=self._clock, entropy=self._entropy)
        keys = {"aws:SourceArn": source_arn, "aws:SourceAccount": source_account}
        question = Question("sns:Publish", topic_arn, keys)
        if not self._access.verdict_for(of_service(service), caller, question).allowed:
            raise AccessDenied(
                f"Service: {service} is not authorized to perform: sns:Publish on resource: {topic_arn} because no "
                "resource-based policy allows the sns:Publish action"
            )
        seal = self._signatory.seal()
        return self._storage.transact(lambda tx: self._publishing.spread(tx, topic_arn, message, seal))

    def carry(self, parcel: Parcel) -> None:
        """As the port of deliveries has it. Addresses are `topic_arn`, and `rule_arn` or `service` with `source_arn`.

        What the topic or its policy refuses is final: it waits as a dead letter until somebody mends the cause.
        """
        address = parcel.address
        message = Message(
            body=parcel.body,
            subject=parcel.attributes.get("subject"),
            id=parcel.message_id,
            order_key=parcel.order_key,
        )
        try:
            self.publish(
                address["topic_arn"],
                message,
                service=address.get("service", EVENTS),
                source_arn=address.get("source_arn") or address.get("rule_arn", ""),
                source_account=parcel.account,
            )
        except Refusal as refusal:
            raise Undeliverable(refusal.message, final=True) from refusal
