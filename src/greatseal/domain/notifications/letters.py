"""Parcels: a message, a question or a farewell on its way to one subscription. Pure."""

import json
from collections.abc import Mapping
from datetime import datetime

from greatseal.domain.delivery import Parcel
from greatseal.domain.notifications import documents
from greatseal.domain.notifications.encoding import written
from greatseal.domain.notifications.links import Links
from greatseal.domain.notifications.model import EMAIL, QUEUE, WEBHOOK, Message, Protocol, Subscription, Topic
from greatseal.domain.notifications.ports import Seal

SERVICE = "sns.amazonaws.com"
_KINDS = {
    Protocol.EMAIL: EMAIL,
    Protocol.EMAIL_JSON: EMAIL,
    Protocol.HTTP: WEBHOOK,
    Protocol.HTTPS: WEBHOOK,
    Protocol.SQS: QUEUE,
}


class Letters:
    """One message for all its subscriptions, signed once for each text."""

    def __init__(self, topic: Topic, message: Message, message_id: str, at: datetime, links: Links, seal: Seal) -> None:
        self._topic = topic
        self._message = message
        self._id = message_id
        self._at = at
        self._links = links
        self._seal = seal
        self._signatures: dict[bytes, str] = {}

    def to(self, subscription: Subscription) -> Parcel:
        """The parcel for one subscription."""
        message, protocol = self._message, subscription.protocol
        text = message.text_for(protocol)
        attributes: dict[str, str] = {}
        raw = subscription.options.raw and not protocol.is_mail
        more: dict[str, str] = {}
        if protocol is Protocol.EMAIL:
            url = None if subscription.guarded else self._links.unsubscribe(subscription.arn)
            body = documents.mail_text(text, url)
        elif raw:
            body = text
            if protocol is Protocol.SQS and message.attributes:
                more["attributes"] = json.dumps(written(message.attributes))
        else:
            body = documents.notification(
                topic_arn=self._topic.arn,
                message_id=self._id,
                text=text,
                subject=message.subject,
                attributes=message.attributes,
                at=self._at,
                unsubscribe_url=self._links.unsubscribe(subscription.arn),
                seal=self._seal,
                signatures=self._signatures,
            )
        if protocol.is_mail:
            attributes["subject"] = (
                message.subject or f"Notification from {self._topic.display_name or self._topic.name}"
            )
            attributes["sender_name"] = self._topic.display_name
            if not subscription.guarded:
                attributes["unsubscribe_url"] = self._links.one_click(subscription.arn)
        return Parcel(
            lane=subscription.lane,
            kind=_KINDS[protocol],
            address={**_address(subscription, "Notification", self._id, raw=raw), **more},
            body=body,
            message_id=self._id,
            order_key=message.order_key,
            attributes=attributes,
            account=self._topic.account,
        )


def question(
    topic: Topic, item: Subscription, token: str, message_id: str, at: datetime, links: Links, seal: Seal | None
) -> Parcel:
    """Asks an endpoint whether it wants to hear of a topic. `seal` for programs."""
    attributes: dict[str, str] = {}
    if item.protocol.is_mail:
        assert item.token_expires is not None
        subject, body, page = documents.confirmation_mail(topic, links.confirm_page(token), item.token_expires)
        attributes = {"subject": subject, "html": page}
    else:
        assert seal is not None
        url = links.subscribe_url(topic.arn, token)
        body = documents.confirmation(
            ended=False, subscription=item, message_id=message_id, token=token, url=url, at=at, seal=seal
        )
    return _about(item, "SubscriptionConfirmation", body, message_id, attributes)


def farewell(item: Subscription, token: str, message_id: str, at: datetime, links: Links, seal: Seal) -> Parcel:
    """Tells a program that its subscription has ended, and how to take that back."""
    url = links.subscribe_url(item.topic_arn, token)
    body = documents.confirmation(
        ended=True, subscription=item, message_id=message_id, token=token, url=url, at=at, seal=seal
    )
    return _about(item, "UnsubscribeConfirmation", body, message_id, {})


def _about(item: Subscription, kind: str, body: str, message_id: str, attributes: Mapping[str, str]) -> Parcel:
    return Parcel(
        # Not the lane of the messages: that one is closed when the subscription ends.
        lane=f"confirmation:{item.arn}",
        kind=_KINDS[item.protocol],
        address=_address(item, kind, message_id, raw=False),
        body=body,
        message_id=message_id,
        attributes=attributes,
        account=item.topic_arn.split(":")[4],
    )


def _address(item: Subscription, kind: str, message_id: str, *, raw: bool) -> dict[str, str]:
    address = {"service": SERVICE, "source_arn": item.topic_arn}
    if item.options.dead_letter_arn is not None:
        address["dead_letter_arn"] = item.options.dead_letter_arn
    match item.protocol:
        case Protocol.EMAIL | Protocol.EMAIL_JSON:
            address["to"] = item.endpoint
        case Protocol.SQS:
            address["queue_arn"] = item.endpoint
        case Protocol.HTTP | Protocol.HTTPS:
            headers = {
                "Content-Type": "text/plain; charset=UTF-8",
                "x-amz-sns-message-type": kind,
                "x-amz-sns-message-id": message_id,
                "x-amz-sns-topic-arn": item.topic_arn,
                "x-amz-sns-subscription-arn": item.arn,
                **({"x-amz-sns-rawdelivery": "true"} if raw else {}),
            }
            address |= {"url": item.endpoint, "method": "POST", "headers": json.dumps(headers)}
    return address
