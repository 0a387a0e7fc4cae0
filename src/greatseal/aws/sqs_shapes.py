"""Queues and messages between the wire of SQS and the room: attributes are texts there, numbers and values here."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from greatseal.domain.queues.directory import ATTRIBUTES
from greatseal.domain.queues.model import (
    LARGEST_MESSAGE,
    Attribute,
    Counts,
    NewMessage,
    Queue,
    Received,
    Redrive,
    RedriveAllowance,
    attributes_digest,
    body_digest,
)
from greatseal.domain.queues.refusals import InvalidAttributeName, InvalidAttributeValue
from greatseal.kernel.arn import Arn
from greatseal.kernel.errors import InvalidParameter

_DIGITS = re.compile(r"\d{1,9}")
_SSE = "messages are kept in the database of this installation; encrypt its disk"


def invalid(name: str, reason: str = "") -> InvalidAttributeValue:
    """The refusal of an attribute's value."""
    return InvalidAttributeValue(f"Invalid value for the parameter {name}." + (f" Reason: {reason}" if reason else ""))


def settings_of(attributes: Mapping[str, str]) -> tuple[dict[str, Any], str | None]:
    """Fields of the settings, and the policy, in the attributes of a request.

    Raises InvalidAttributeName and InvalidAttributeValue.
    """
    fields: dict[str, Any] = {}
    for name, text in attributes.items():
        if name == "Policy":
            continue
        if name in _UNENCRYPTED:
            if text not in _UNENCRYPTED[name]:
                raise invalid(name, _SSE)
            continue
        if name not in _READERS:
            raise InvalidAttributeName(f"Unknown Attribute {name}.")
        field, read = _READERS[name]
        fields[field] = read(name, text)
    return fields, attributes.get("Policy")


def check_names(names: Iterable[str]) -> None:
    """Raises InvalidAttributeName for one that neither queues nor messages have."""
    for name in names:
        if name not in _KNOWN:
            raise InvalidAttributeName(f"Unknown Attribute {name[:100]}.")


def attributes_of(queue: Queue, counts: Counts, policy: str | None) -> dict[str, str]:
    """All attributes of a queue as texts."""
    settings = queue.settings
    told = {
        "QueueArn": queue.arn,
        "ApproximateNumberOfMessages": str(counts.visible),
        "ApproximateNumberOfMessagesNotVisible": str(counts.in_flight),
        "ApproximateNumberOfMessagesDelayed": str(counts.delayed),
        "CreatedTimestamp": str(int(queue.created_at.timestamp())),
        "LastModifiedTimestamp": str(int(queue.modified_at.timestamp())),
        "VisibilityTimeout": str(settings.visibility),
        "MaximumMessageSize": str(settings.maximum_size),
        "MessageRetentionPeriod": str(settings.retention),
        "DelaySeconds": str(settings.delay),
        "ReceiveMessageWaitTimeSeconds": str(settings.wait),
        "SqsManagedSseEnabled": "false",
    }
    if policy is not None:
        told["Policy"] = policy
    if settings.redrive is not None:
        redrive = {"deadLetterTargetArn": settings.redrive.target_arn, "maxReceiveCount": settings.redrive.most}
        told["RedrivePolicy"] = json.dumps(redrive, separators=(",", ":"))
    if settings.allowance is not None:
        allowed: dict[str, Any] = {"redrivePermission": settings.allowance.permission}
        if settings.allowance.source_arns:
            allowed["sourceQueueArns"] = list(settings.allowance.source_arns)
        told["RedriveAllowPolicy"] = json.dumps(allowed, separators=(",", ":"))
    if settings.fifo:
        told |= {
            "FifoQueue": "true",
            "ContentBasedDeduplication": "true" if settings.content_deduplication else "false",
            "DeduplicationScope": settings.deduplication_scope,
            "FifoThroughputLimit": settings.throughput_limit,
        }
    return told


def message_of(p: Mapping[str, Any]) -> NewMessage:
    """The message in a request or in an entry of a batch. Raises InvalidParameter."""
    trace = (p.get("MessageSystemAttributes") or {}).get("AWSTraceHeader")
    return NewMessage(
        body=p["MessageBody"],
        attributes=attribute_values(p.get("MessageAttributes")),
        trace_header=None if trace is None else trace.get("StringValue"),
        delay=p.get("DelaySeconds"),
        group=p.get("MessageGroupId"),
        deduplication_id=p.get("MessageDeduplicationId"),
    )


def attribute_values(attributes: Mapping[str, Mapping[str, Any]] | None) -> dict[str, Attribute]:
    """The message attributes of a request. Raises InvalidParameter for one without a value."""
    found = {}
    for name, each in (attributes or {}).items():
        value = each.get("StringValue")
        if value is None:
            value = each.get("BinaryValue")
        if value is None or not each.get("DataType"):
            raise InvalidParameter(f"The message attribute '{name[:100]}' must contain a non-empty attribute value.")
        found[name] = Attribute(each["DataType"], value)
    return found


def sent_digests(message: NewMessage) -> dict[str, str]:
    """The sums by which a sender checks what arrived."""
    told = {"MD5OfMessageBody": body_digest(message.body)}
    digest = attributes_digest(message.attributes)
    if digest is not None:
        told["MD5OfMessageAttributes"] = digest
    if message.trace_header is not None:
        system = attributes_digest({"AWSTraceHeader": Attribute("String", message.trace_header)})
        told["MD5OfMessageSystemAttributes"] = system or ""
    return told


def received(found: Received, system: Iterable[str], names: Iterable[str]) -> dict[str, Any]:
    """A message as its receiver reads it, with those attributes that it asked for."""
    told: dict[str, Any] = {
        "MessageId": found.message_id,
        "ReceiptHandle": found.handle,
        "MD5OfBody": body_digest(found.body),
        "Body": found.body,
    }
    wanted = frozenset(system)
    about = {name: text for name, text in _about(found).items() if "All" in wanted or name in wanted}
    if about:
        told["Attributes"] = about
    attributes = _chosen(found.attributes, tuple(names))
    if attributes:
        told["MessageAttributes"] = {
            name: {"DataType": each.type, "BinaryValue" if isinstance(each.value, bytes) else "StringValue": each.value}
            for name, each in attributes.items()
        }
        told["MD5OfMessageAttributes"] = attributes_digest(attributes)
    return told


def _about(found: Received) -> dict[str, str]:
    known = {
        "SenderId": found.sender_id,
        "SentTimestamp": _millis(found.sent_at),
        "ApproximateReceiveCount": str(found.receptions),
        "ApproximateFirstReceiveTimestamp": _millis(found.first_received_at),
        "SequenceNumber": found.sequence,
        "MessageDeduplicationId": found.deduplication_id,
        "MessageGroupId": found.group,
        "AWSTraceHeader": found.trace_header,
        "DeadLetterQueueSourceArn": found.dead_source_arn,
    }
    return {name: text for name, text in known.items() if text is not None}


def _chosen(attributes: Mapping[str, Attribute], names: tuple[str, ...]) -> dict[str, Attribute]:
    """`All` and `.*` are everything, `name.*` what begins so."""
    if {"All", ".*"} & set(names):
        return dict(attributes)
    beginnings = tuple(name[:-2] for name in names if name.endswith(".*"))
    return {
        name: each for name, each in attributes.items() if name in names or (beginnings and name.startswith(beginnings))
    }


def _millis(at: datetime) -> str:
    return str(int(at.timestamp() * 1000))


def _number(least: int, most: int) -> Callable[[str, str], int]:
    def read(name: str, text: str) -> int:
        if not _DIGITS.fullmatch(text) or not least <= int(text) <= most:
            raise invalid(name)
        return int(text)

    return read


def _choice(*words: str) -> Callable[[str, str], str]:
    def read(name: str, text: str) -> str:
        if text not in words:
            raise invalid(name)
        return text

    return read


def _flag(name: str, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise invalid(name)
    return text.lower() == "true"


def _ordered(name: str, text: str) -> bool:
    """A standard queue says nothing, not `false`."""
    if not _flag(name, text):
        raise invalid(name, "FifoQueue can only be true.")
    return True


def _object(name: str, text: str, members: frozenset[str]) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not found.keys() <= members:
        raise invalid(name, "Amazon SQS can't create the redrive policy, as it is in an unsupported format.")
    return found


def _redrive(name: str, text: str) -> Redrive | None:
    """An empty text removes it."""
    if not text:
        return None
    found = _object(name, text, frozenset({"deadLetterTargetArn", "maxReceiveCount"}))
    target, most = found.get("deadLetterTargetArn"), str(found.get("maxReceiveCount", 10))
    if not isinstance(target, str) or not _is_queue_arn(target):
        raise invalid(name, "Redrive policy does not contain mandatory attribute: deadLetterTargetArn.")
    if not _DIGITS.fullmatch(most) or not 1 <= int(most) <= 1000:
        raise invalid(name, "Invalid value for maxReceiveCount: it must be an integer between 1 and 1000.")
    return Redrive(target, int(most))


def _allowance(name: str, text: str) -> RedriveAllowance | None:
    if not text:
        return None
    found = _object(name, text, frozenset({"redrivePermission", "sourceQueueArns"}))
    permission, arns = found.get("redrivePermission", "allowAll"), found.get("sourceQueueArns", [])
    named = isinstance(arns, list) and len(arns) <= 10 and all(isinstance(a, str) and _is_queue_arn(a) for a in arns)
    if permission not in ("allowAll", "denyAll", "byQueue") or not named or bool(arns) != (permission == "byQueue"):
        raise invalid(name)
    return RedriveAllowance(permission, tuple(arns))


def _is_queue_arn(text: str) -> bool:
    try:
        return Arn.parse(text).service == "sqs"
    except ValueError:
        return False


_UNENCRYPTED: Mapping[str, tuple[str, ...]] = {
    "KmsMasterKeyId": ("",),
    "SqsManagedSseEnabled": ("false",),
    # Means nothing without a key; 300 is what the service has when nobody says anything.
    "KmsDataKeyReusePeriodSeconds": ("300",),
}
_KINDS: Mapping[str, Callable[[str, str], Any]] = {
    "delay": _number(0, 900),
    "maximum_size": _number(1024, LARGEST_MESSAGE),
    "retention": _number(60, 1_209_600),
    "wait": _number(0, 20),
    "visibility": _number(0, 43_200),
    "redrive": _redrive,
    "allowance": _allowance,
    "fifo": _ordered,
    "content_deduplication": _flag,
    "deduplication_scope": _choice("queue", "messageGroup"),
    "throughput_limit": _choice("perQueue", "perMessageGroupId"),
}
_KNOWN = frozenset(
    {
        "All",
        "ApproximateFirstReceiveTimestamp",
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesDelayed",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateReceiveCount",
        "AWSTraceHeader",
        "CreatedTimestamp",
        "DeadLetterQueueSourceArn",
        "LastModifiedTimestamp",
        "MessageDeduplicationId",
        "MessageGroupId",
        "Policy",
        "QueueArn",
        "SenderId",
        "SentTimestamp",
        "SequenceNumber",
        *_UNENCRYPTED,
        *ATTRIBUTES.values(),
    }
)
_READERS = {name: (field, _KINDS[field]) for field, name in ATTRIBUTES.items()}
