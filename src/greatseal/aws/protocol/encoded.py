"""Percent-encoded names and values: forms and queries, taken apart strictly.

Two readers that disagree about a parameter are how a check is passed with one value and the act done with
another, so nothing is guessed: broken escapes, bytes outside UTF-8 and floods of parameters are refused.
"""

import re
from collections import Counter
from urllib.parse import unquote_to_bytes

from greatseal.aws.wire import serialization_error

MAX_PARAMETERS = 4096
"""Names in one request. The largest useful one (iam SimulateCustomPolicy) stays under a thousand."""

_BROKEN = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def decode(raw: bytes) -> str:
    """The text of a percent-encoded part. A plus sign is a plus sign. Raises WireError SerializationException."""
    if _BROKEN.search(raw):
        raise serialization_error("A percent sign is not followed by two hexadecimal digits.")
    try:
        return unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        raise serialization_error("The request is not valid UTF-8.") from None


def pairs(raw: bytes, *, plus_is_blank: bool) -> list[tuple[str, str]]:
    """Names and values in order.

    `plus_is_blank` is for form bodies only: SigV4 signs a plus sign in a query as one (iam.md 7), so it must not
    mean anything else there.
    """
    if raw.count(b"&") >= MAX_PARAMETERS:
        raise serialization_error(f"The request has more than {MAX_PARAMETERS} parameters.")
    if plus_is_blank:
        raw = raw.replace(b"+", b" ")
    found = []
    for part in raw.split(b"&"):
        if part:
            name, _, value = part.partition(b"=")
            found.append((decode(name), decode(value)))
    return found


def unique(found: list[tuple[str, str]]) -> dict[str, str]:
    """Names and values, where no name comes twice. Raises WireError SerializationException."""
    values = dict(found)
    if len(values) != len(found):
        twice = Counter(name for name, _ in found).most_common(1)[0][0]
        raise serialization_error(f"The parameter {twice[:128]} is given more than once.")
    return values
