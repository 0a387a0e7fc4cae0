"""The gate by which services of this installation put messages into queues: rules of the event bus, and topics."""

import json

from greatseal.domain.access import Access, Question
from greatseal.domain.access.standing import of_service
from greatseal.domain.delivery import Parcel, Undeliverable
from greatseal.domain.queues import contents
from greatseal.domain.queues.directory import load
from greatseal.domain.queues.model import Attribute, NewMessage, Sent, attributes_in
from greatseal.domain.queues.sending import Sending
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import AccessDenied, Refusal
from greatseal.kernel.ids import new_uuid
from greatseal.storage import Storage, Tx

EVENTS = "events.amazonaws.com"


class QueueGate:
    """Sends for services, as far as the queue's own policy lets them. A `Carrier` of the kind `queue`."""

    def __init__(self, *, storage: Storage, access: Access, sending: Sending, clock: Clock, entropy: Entropy) -> None:
        self._storage = storage
        self._access = access
        self._sending = sending
        self._clock = clock
        self._entropy = entropy

    def send(
        self,
        queue_arn: str,
        message: NewMessage,
        *,
        service: str = EVENTS,
        source_arn: str,
        source_account: str,
    ) -> Sent:
        """Stores a message that `service` sends for `source_arn` (a rule, a topic).

        Raises AccessDenied unless the policy of the queue allows it, NoSuchQueue, and as `contents.check`.
        """
        arn = Arn.parse(queue_arn)
        caller = Caller(
            account=arn.account,
            region=arn.region,
            principal_arn="",
            access_key_id="",
            request_id=new_uuid(self._entropy),
            operation="sqs:SendMessage",
            at=self._clock.now(),
            source_ip=service,
            user_agent=service,
            service_principal=service,
        )
        keys = {"aws:SourceArn": source_arn, "aws:SourceAccount": source_account}
        question = Question("sqs:SendMessage", queue_arn, keys)
        if not self._access.verdict_for(of_service(service), caller, question).allowed:
            raise AccessDenied(
                f"Service: {service} is not authorized to perform: sqs:SendMessage on resource: {queue_arn} because no "
                "resource-based policy allows the sqs:SendMessage action"
            )

        def work(tx: Tx) -> Sent:
            queue = load(tx, queue_arn)
            contents.check(message, queue.settings)
            return self._sending.put(tx, queue, message, sender_id=service)

        return self._storage.transact(work)

    def carry(self, parcel: Parcel) -> None:
        """As the port of deliveries has it. Addresses are `queue_arn`, and `rule_arn` or `service` with `source_arn`;
        `attributes` has those of the message with their types.

        What the queue or its policy refuses is final: it waits as a dead letter until somebody mends the cause.
        """
        address = parcel.address
        source_arn = address.get("source_arn") or address.get("rule_arn", "")
        ordered = address["queue_arn"].endswith(".fifo")
        attributes = {name: Attribute("String", text) for name, text in parcel.attributes.items() if text}
        if "attributes" in address:
            attributes |= attributes_in(json.loads(address["attributes"]))
        message = NewMessage(
            body=parcel.body,
            attributes=attributes,
            id=parcel.message_id,
            group=address.get("group_id"),
            # A parcel that is carried twice arrives once.
            deduplication_id=parcel.message_id if ordered else None,
        )
        try:
            self.send(
                address["queue_arn"],
                message,
                service=address.get("service", EVENTS),
                source_arn=source_arn,
                source_account=parcel.account,
            )
        except Refusal as refusal:
            raise Undeliverable(refusal.message, final=True) from refusal
