"""What may be published and subscribed. Pure."""

import json
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from greatseal.domain.notifications.model import LARGEST_MESSAGE, Attribute, Message, Protocol
from greatseal.domain.notifications.refusals import Invalid
from greatseal.kernel.arn import Arn

_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")
# RFC 5321 limits; quoted local parts are not taken.
_MAIL = re.compile(r"[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]{1,64}@[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]{1,253}")
_SUBJECT = re.compile(r"[!-~][ -~]{0,99}")
_ATTRIBUTE = re.compile(r"(?!.*\.\.)[A-Za-z0-9_-](?:[A-Za-z0-9_.-]{0,254}[A-Za-z0-9_-])?")
_TYPE = re.compile(r"(String\.Array|String|Number|Binary)(?:\.[A-Za-z0-9_.-]{1,240})?")


def check_name(name: str) -> None:
    """Raises Invalid for a name that topics cannot have."""
    if name.endswith(".fifo"):
        raise Invalid("Topic Name: FIFO topics are not offered here; subscribers of one standard topic see no order")
    if not _NAME.fullmatch(name):
        raise Invalid("Topic Name")


def protocol_of(word: str) -> Protocol:
    """Raises Invalid for ways that do not exist here."""
    try:
        return Protocol(word)
    except ValueError:
        if word in ("sms", "lambda", "application", "firehose"):
            raise Invalid(f"Protocol Reason: {word} endpoints are not available here") from None
        raise Invalid(f"Amazon SNS does not support this protocol string: {word[:50]}") from None


def check_endpoint(protocol: Protocol, endpoint: str) -> None:
    """Raises Invalid for an endpoint that is not one of this protocol."""
    match protocol:
        case Protocol.EMAIL | Protocol.EMAIL_JSON:
            if not _MAIL.fullmatch(endpoint) or len(endpoint) > 254:
                raise Invalid("Email address")
        case Protocol.SQS:
            try:
                arn = Arn.parse(endpoint)
            except ValueError:
                raise Invalid("SQS endpoint ARN") from None
            if arn.service != "sqs" or not arn.account or ":" in arn.resource:
                raise Invalid("SQS endpoint ARN")
            if arn.resource.endswith(".fifo"):
                raise Invalid("Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics")
        case Protocol.HTTP | Protocol.HTTPS:
            _check_url(endpoint, protocol.value)


def check(message: Message) -> None:
    """Raises Invalid for what cannot be published."""
    if not message.body:
        raise Invalid("Empty message")
    if message.subject is not None and not _SUBJECT.fullmatch(message.subject):
        raise Invalid("Subject")
    for name, attribute in message.attributes.items():
        _check_attribute(name, attribute)
    if size_of(message) > LARGEST_MESSAGE:
        raise Invalid("Message too long")


def size_of(message: Message) -> int:
    """Octets of the largest text, and of the names, types and values of the attributes."""
    attributes = sum(
        len(name.encode())
        + len(each.type.encode())
        + len(each.value if isinstance(each.value, bytes) else each.value.encode())
        for name, each in message.attributes.items()
    )
    return max(len(text.encode()) for text in (message.body, *message.by_protocol.values())) + attributes


def texts_of(structured: str) -> tuple[str, Mapping[str, str]]:
    """The default text and those for single protocols, in a message with the structure `json`. Raises Invalid."""
    try:
        found = json.loads(structured)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Invalid("Message Structure - JSON message body failed to parse")
    if not isinstance(found.get("default"), str):
        raise Invalid("Message Structure - No default entry in JSON message body")
    known = {protocol.value for protocol in Protocol}
    return found["default"], {name: text for name, text in found.items() if name in known and isinstance(text, str)}


def mailbox_of(address: str) -> str:
    """One name for all spellings of a mailbox that come to the same person: no capitals, no `+tag`."""
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"


def _check_url(url: str, scheme: str) -> None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise Invalid("Endpoint") from None
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > 2048 or not parts.hostname:
        raise Invalid("Endpoint")
    if parts.scheme != scheme:
        raise Invalid("Endpoint must match the specified protocol")
    if parts.username is not None or parts.password is not None:
        raise Invalid(
            "Endpoint Reason: user and password in a URL are not taken; the document's signature is the proof"
        )


def _check_attribute(name: str, attribute: Attribute) -> None:
    found = _TYPE.fullmatch(attribute.type)
    if not _ATTRIBUTE.fullmatch(name) or name.lower().startswith(("aws.", "amazon.")):
        raise Invalid(f"Message attribute name '{name[:100]}'")
    if found is None:
        raise Invalid(
            f"The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes "
            "is Binary, Number, and String."
        )
    if isinstance(attribute.value, bytes) != (found[1] == "Binary") or not attribute.value:
        raise Invalid(f"The message attribute '{name}' must contain a non-empty value of its type.")
    if isinstance(attribute.value, bytes):
        return
    if found[1] == "Number":
        try:
            float(attribute.value)
        except ValueError:
            raise Invalid(f"Could not cast message attribute '{name}' value to number.") from None
    if found[1] == "String.Array":
        _check_array(name, attribute.value)


def _check_array(name: str, text: str) -> None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or any(isinstance(each, dict | list) for each in found):
        raise Invalid(f"The message attribute '{name}' must be a JSON array of texts, numbers, true, false or null.")
