"""The documents that programs receive, signed as those of the real service, and the mails that people read. Pure."""

import base64
import html
import json
from collections.abc import Mapping
from datetime import UTC, datetime

from greatseal.domain.notifications.model import Attribute, Subscription, Topic
from greatseal.domain.notifications.ports import Seal

_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
"""The members that the signature covers, in its order."""

_BUTTON = (
    '<!doctype html><html><head><meta charset="utf-8"><title>{subject}</title></head>'
    '<body style="margin:0;padding:24px;font-family:sans-serif;color:#1b1f24">'
    '<h1 style="font-size:18px;margin:0 0 16px">{subject}</h1>'
    "<p>Somebody asked that messages of this topic be sent to this address:</p>"
    '<p style="font-family:monospace">{topic}</p>'
    '<p><a href="{link}" style="display:inline-block;padding:10px 18px;background:#0b57d0;color:#fff;'
    'text-decoration:none;border-radius:4px">Confirm the subscription</a></p>'
    "<p>The link is good until {until}. If this was not you, do nothing: no message will come.</p></body></html>\n"
)


def timestamp(at: datetime) -> str:
    """`2026-01-15T12:00:00.000Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def string_to_sign(document: Mapping[str, object]) -> bytes:
    """The octets that the signature of a document is over."""
    names = _SIGNED[str(document["Type"])]
    return "".join(f"{name}\n{document[name]}\n" for name in names if name in document).encode()


def notification(
    *,
    topic_arn: str,
    message_id: str,
    text: str,
    subject: str | None,
    attributes: Mapping[str, Attribute],
    at: datetime,
    unsubscribe_url: str,
    seal: Seal,
    signatures: dict[bytes, str],
) -> str:
    """The document around a message. `signatures` keeps those made: subscribers differ in what is not signed."""
    document: dict[str, object] = {"Type": "Notification", "MessageId": message_id, "TopicArn": topic_arn}
    if subject is not None:
        document["Subject"] = subject
    document |= {"Message": text, "Timestamp": timestamp(at)}
    signed = _with_signature(document, seal, signatures)
    signed["UnsubscribeURL"] = unsubscribe_url
    if attributes:
        signed["MessageAttributes"] = {
            name: {
                "Type": each.type,
                "Value": base64.b64encode(each.value).decode() if isinstance(each.value, bytes) else each.value,
            }
            for name, each in attributes.items()
        }
    return _text(signed)


def confirmation(
    *, ended: bool, subscription: Subscription, message_id: str, token: str, url: str, at: datetime, seal: Seal
) -> str:
    """The document that asks whether a subscription is wanted, or tells that it has ended."""
    if ended:
        kind = "UnsubscribeConfirmation"
        message = (
            f"You have chosen to deactivate subscription {subscription.arn}.\nTo cancel this operation and restore the "
            "subscription, visit the SubscribeURL included in this message."
        )
    else:
        kind = "SubscriptionConfirmation"
        message = (
            f"You have chosen to subscribe to the topic {subscription.topic_arn}.\nTo confirm the subscription, visit "
            "the SubscribeURL included in this message."
        )
    document: dict[str, object] = {
        "Type": kind,
        "MessageId": message_id,
        "Token": token,
        "TopicArn": subscription.topic_arn,
        "Message": message,
        "SubscribeURL": url,
        "Timestamp": timestamp(at),
    }
    return _text(_with_signature(document, seal, {}))


def confirmation_mail(topic: Topic, link: str, expires: datetime) -> tuple[str, str, str]:
    """Subject, text and HTML of the mail that asks whether a subscription is wanted."""
    subject = f"Confirm your subscription to {topic.display_name or topic.name}"
    until = expires.strftime("%Y-%m-%d %H:%M UTC")
    text = (
        f"Somebody asked that messages of this topic be sent to this address:\n\n    {topic.arn}\n\n"
        f"To confirm, open this page and press its button:\n\n    {link}\n\n"
        f"The link is good until {until}. If this was not you, do nothing: no message will come.\n"
    )
    page = _BUTTON.format(
        subject=html.escape(subject), topic=html.escape(topic.arn), link=html.escape(link), until=until
    )
    return subject, text, page


def mail_text(text: str, unsubscribe_url: str | None) -> str:
    """What people read: JSON in lines of its own, and how to hear no more."""
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        tree = None
    if isinstance(tree, dict | list):
        text = json.dumps(tree, indent=2, ensure_ascii=False)
    foot = "" if unsubscribe_url is None else f"\n--\nTo receive no more of these mails, open:\n{unsubscribe_url}\n"
    return text.rstrip("\n") + "\n" + foot


def _with_signature(document: dict[str, object], seal: Seal, made: dict[bytes, str]) -> dict[str, object]:
    data = string_to_sign(document)
    if data not in made:
        made[data] = base64.b64encode(seal.sign(data)).decode()
    return {
        **document,
        "SignatureVersion": "2",
        "Signature": made[data],
        "SigningCertURL": seal.certificate_url,
    }


def _text(document: Mapping[str, object]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)
