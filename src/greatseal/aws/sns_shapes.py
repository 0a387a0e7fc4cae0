"""Topics, subscriptions and messages between the wire of SNS and the room."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from greatseal.domain.notifications import checks
from greatseal.domain.notifications.model import Attribute, Message, Options, State, Subscription, Topic
from greatseal.domain.notifications.refusals import Invalid

_PLAIN_POLICY = {
    "http": {
        "defaultHealthyRetryPolicy": {
            "minDelayTarget": 1,
            "maxDelayTarget": 600,
            "numRetries": 185,
            "numMaxDelayRetries": 0,
            "numNoDelayRetries": 0,
            "numMinDelayRetries": 0,
            "backoffFunction": "exponential",
        },
        "disableSubscriptionOverrides": False,
        "defaultRequestPolicy": {"headerContentType": "text/plain; charset=UTF-8"},
    }
}
"""What deliveries do, in the words of the service."""


def topic_changes(name: str, text: str) -> dict[str, str]:
    """One attribute of a topic as an argument of `Topics.change`; nothing for one without an effect. Raises Invalid."""
    match name:
        case "DisplayName":
            if len(text) > 100 or not text.isprintable():
                raise Invalid("DisplayName")
            return {"display_name": text}
        case "Policy":
            return {"policy": text}
        case "DeliveryPolicy":
            _json_object(name, text)
            return {"delivery_policy": text}
        case "SignatureVersion":
            if text != "2":
                raise Invalid("SignatureVersion Reason: signatures here are of version 2, with SHA-256")
        case "TracingConfig":
            if text != "PassThrough":
                raise Invalid("TracingConfig Reason: nothing is traced here")
        case "KmsMasterKeyId":
            if text:
                raise Invalid("KmsMasterKeyId Reason: messages are kept in the database of this installation")
        case "FifoTopic":
            if text != "false":
                raise Invalid("FifoTopic Reason: FIFO topics are not offered here")
        case _:
            raise Invalid("AttributeName")
    return {}


def new_topic(attributes: Mapping[str, str]) -> dict[str, str]:
    """The attributes of CreateTopic. Raises Invalid."""
    found: dict[str, str] = {}
    for name, text in attributes.items():
        found |= topic_changes(name, text)
    return found


def topic_attributes(topic: Topic, counts: Mapping[State, int], policy: str) -> dict[str, str]:
    """All attributes of a topic as texts."""
    told = {
        "TopicArn": topic.arn,
        "Owner": topic.account,
        "Policy": policy,
        "DisplayName": topic.display_name,
        "SubscriptionsConfirmed": str(counts[State.CONFIRMED]),
        "SubscriptionsPending": str(counts[State.PENDING]),
        "SubscriptionsDeleted": str(counts[State.ENDED]),
        "EffectiveDeliveryPolicy": json.dumps(_PLAIN_POLICY, separators=(",", ":")),
        "SignatureVersion": "2",
    }
    if topic.delivery_policy is not None:
        told["DeliveryPolicy"] = topic.delivery_policy
    return told


def options_of(attributes: Mapping[str, str]) -> Options:
    """The attributes of Subscribe. Raises Invalid."""
    options = Options()
    # The scope decides what a policy may be, in whatever order they come.
    for name, text in sorted(attributes.items(), key=lambda item: item[0] != "FilterPolicyScope"):
        options = with_option(name, text)(options)
    return options


def with_option(name: str, text: str) -> Callable[[Options], Options]:
    """How one attribute changes the options of a subscription; an empty text removes it. Raises Invalid."""
    match name:
        case "FilterPolicy":
            policy = None if text in ("", "{}") else text
            return lambda options: replace(options, filter_policy=policy)
        case "FilterPolicyScope":
            if text not in ("MessageAttributes", "MessageBody"):
                raise Invalid(
                    f"FilterPolicyScope: Invalid value [{text[:50]}]. "
                    "Please use either MessageBody or MessageAttributes"
                )
            return lambda options: replace(options, filter_body=text == "MessageBody")
        case "RawMessageDelivery":
            if text.lower() not in ("true", "false"):
                raise Invalid(f"RawMessageDelivery Reason: Invalid value [{text[:50]}]. Must be true or false.")
            return lambda options: replace(options, raw=text.lower() == "true")
        case "RedrivePolicy":
            target = _redrive_target(text) if text else None
            return lambda options: replace(options, dead_letter_arn=target)
        case "DeliveryPolicy":
            if text:
                _json_object(name, text)
            return lambda options: replace(options, delivery_policy=text or None)
        case _:
            raise Invalid("AttributeName")


def subscription_attributes(item: Subscription) -> dict[str, str]:
    """All attributes of a subscription as texts."""
    options = item.options
    told = {
        "SubscriptionArn": item.arn,
        "TopicArn": item.topic_arn,
        "Owner": item.account,
        "Protocol": item.protocol.value,
        "Endpoint": item.endpoint,
        "RawMessageDelivery": _flag(options.raw),
        "PendingConfirmation": _flag(item.state is State.PENDING),
        "ConfirmationWasAuthenticated": _flag(item.authenticated),
        "SubscriptionPrincipal": item.principal,
    }
    if options.filter_policy is not None:
        told["FilterPolicy"] = options.filter_policy
        told["FilterPolicyScope"] = "MessageBody" if options.filter_body else "MessageAttributes"
    if options.dead_letter_arn is not None:
        told["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": options.dead_letter_arn}, separators=(",", ":"))
    if options.delivery_policy is not None:
        told["DeliveryPolicy"] = options.delivery_policy
    if item.protocol.value in ("http", "https"):
        effective = {"healthyRetryPolicy": _PLAIN_POLICY["http"]["defaultHealthyRetryPolicy"]}
        told["EffectiveDeliveryPolicy"] = json.dumps(effective, separators=(",", ":"))
    return told


def listed(item: Subscription) -> dict[str, str]:
    """A subscription in a list, which does not name one that nobody confirmed."""
    return {
        "SubscriptionArn": "PendingConfirmation" if item.state is State.PENDING else item.arn,
        "Owner": item.account,
        "Protocol": item.protocol.value,
        "Endpoint": item.endpoint,
        "TopicArn": item.topic_arn,
    }


def message_of(p: Mapping[str, Any]) -> Message:
    """The message in a request or in an entry of a batch. Raises Invalid."""
    body = p["Message"]
    others: Mapping[str, str] = {}
    structure = p.get("MessageStructure")
    if structure == "json":
        body, others = checks.texts_of(body)
    elif structure:
        raise Invalid("MessageStructure")
    if p.get("MessageDeduplicationId") is not None:
        raise Invalid(
            "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid "
            "for this topic type"
        )
    attributes = {
        name: Attribute(each.get("DataType") or "", _value(name, each))
        for name, each in (p.get("MessageAttributes") or {}).items()
    }
    return Message(body=body, subject=p.get("Subject"), attributes=attributes, by_protocol=others)


def _value(name: str, attribute: Mapping[str, Any]) -> str | bytes:
    text, octets = attribute.get("StringValue"), attribute.get("BinaryValue")
    if (text is None) == (octets is None):
        raise Invalid(f"The message attribute '{name[:100]}' must contain exactly one non-empty value.")
    found: str | bytes = text if text is not None else octets or b""
    return found


def _redrive_target(text: str) -> str:
    found = _json_object("RedrivePolicy", text)
    target = found.get("deadLetterTargetArn")
    if not isinstance(target, str) or len(found) != 1:
        raise Invalid("RedrivePolicy: must contain deadLetterTargetArn and nothing else")
    return target


def _json_object(name: str, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Invalid(f"{name}: failed to parse JSON")
    return found


def _flag(value: bool) -> str:
    return "true" if value else "false"
