"""Which messages may be sent. Pure."""

import re
from collections.abc import Mapping

from greatseal.domain.queues.model import MOST_ATTRIBUTES, Attribute, NewMessage, Settings, size_of
from greatseal.domain.queues.refusals import InvalidContents, MissingParameter
from greatseal.kernel.errors import InvalidParameter

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ALLOWED = "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
_NAME = re.compile(r"(?!.*\.\.)[A-Za-z0-9_-](?:[A-Za-z0-9_.-]{0,254}[A-Za-z0-9_-])?")
_RESERVED = ("aws.", "amazon.")
_TYPE = re.compile(r"(String|Number|Binary)(\..+)?", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")
# Ids of groups and of deduplication: letters, digits and punctuation.
_ID = re.compile(r"[!-~]{1,128}")
_LONGEST_DELAY = 900


def check(message: NewMessage, settings: Settings) -> None:
    """Raises InvalidParameter, MissingParameter or InvalidContents for a message that this queue does not take."""
    if not message.body:
        raise MissingParameter("The request must contain the parameter MessageBody.")
    _check_text(message.body)
    check_attributes(message.attributes)
    if size_of(message) > settings.maximum_size:
        raise InvalidParameter(
            f"One or more parameters are invalid. Reason: Message must be shorter than {settings.maximum_size} bytes."
        )
    _check_order(message, settings)
    if message.delay is not None and not 0 <= message.delay <= _LONGEST_DELAY:
        raise InvalidParameter(
            f"Value {message.delay} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= "
            f"{_LONGEST_DELAY}."
        )


def check_attributes(attributes: Mapping[str, Attribute]) -> None:
    """Raises InvalidParameter or InvalidContents."""
    if len(attributes) > MOST_ATTRIBUTES:
        raise InvalidParameter(f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [10].")
    for name, attribute in attributes.items():
        if not _NAME.fullmatch(name) or name.lower().startswith(_RESERVED):
            raise InvalidParameter(f"The message attribute name '{name[:100]}' is invalid.")
        found = _TYPE.fullmatch(attribute.type)
        if found is None or len(attribute.type) > 256:
            raise InvalidParameter(
                f"The message attribute '{name}' has an invalid message attribute type, the set of supported type "
                "prefixes is Binary, Number, and String."
            )
        if isinstance(attribute.value, bytes) != (found[1] == "Binary"):
            raise InvalidParameter(
                f"The message attribute '{name}' with type '{attribute.type}' must use field "
                f"'{'Binary' if found[1] == 'Binary' else 'String'}'."
            )
        if not attribute.value:
            raise InvalidParameter(f"Message (user) attribute '{name}' must contain a non-empty value.")
        if isinstance(attribute.value, str):
            _check_text(attribute.value)
            if found[1] == "Number" and not _NUMBER.fullmatch(attribute.value):
                raise InvalidParameter(f"Can't cast the value of message attribute '{name}' to a number.")


def _check_order(message: NewMessage, settings: Settings) -> None:
    for name, value in (("MessageGroupId", message.group), ("MessageDeduplicationId", message.deduplication_id)):
        if value is not None and not _ID.fullmatch(value):
            raise InvalidParameter(
                f"Value {value[:100]} for parameter {name} is invalid. Reason: {name} can only include alphanumeric "
                "and punctuation characters. 1 to 128 in length."
            )
    if not settings.fifo:
        if message.deduplication_id is not None:
            raise InvalidParameter(
                f"Value {message.deduplication_id} for parameter MessageDeduplicationId is invalid. Reason: The "
                "request includes a parameter that is not valid for this queue type."
            )
        return
    if message.group is None:
        raise MissingParameter("The request must contain the parameter MessageGroupId.")
    if message.deduplication_id is None and not settings.content_deduplication:
        raise InvalidParameter(
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
            "explicitly"
        )
    if message.delay is not None:
        raise InvalidParameter(
            f"Value {message.delay} for parameter DelaySeconds is invalid. Reason: The request include parameter that "
            "is not valid for this queue type."
        )


def _check_text(text: str) -> None:
    found = _FORBIDDEN.search(text)
    if found is not None:
        raise InvalidContents(
            f"Invalid binary character '#x{ord(found[0]):X}' was found in the message body, the set of allowed "
            f"characters is {_ALLOWED}"
        )
