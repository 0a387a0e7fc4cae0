"""How blobs, instants and numbers look as JSON values and as text.

JSON has numbers and booleans; forms, queries, paths and headers have only text. `native` turns text into what
a JSON parser would have given, so that one walker (`shapes`) reads both and refuses both in the same words.
"""

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from enum import StrEnum

from greatseal.aws.protocol.models import Kind, Shape

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,309}(\.[0-9]{1,324})?([eE][+-]?[0-9]{1,3})?")
# RFC 3339; datetime.fromisoformat alone would also take weeks, bare dates and instants without a zone.
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_BOOLEANS = {"true": True, "false": False}


class TimeFormat(StrEnum):
    """The `timestampFormat` of the models."""

    ISO = "iso8601"
    HTTP = "rfc822"
    EPOCH = "unixTimestamp"


def read_time(value: object, form: TimeFormat) -> datetime | None:
    """The instant in UTC, or None for a value that is none."""
    try:
        if form is TimeFormat.EPOCH:
            if isinstance(value, bool) or not isinstance(value, int | float):
                return None
            return _EPOCH + timedelta(seconds=value)
        if not isinstance(value, str):
            return None
        if form is TimeFormat.ISO:
            return datetime.fromisoformat(value).astimezone(UTC) if _ISO.fullmatch(value) else None
        parsed = parsedate_to_datetime(value)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def write_time(value: datetime, form: TimeFormat, *, fraction: bool = True) -> str | float:
    """An aware instant; milliseconds where the format has them, unless `fraction` is off."""
    if form is TimeFormat.EPOCH:
        # acm.md 1, acm-pca.md 1
        return round(value.timestamp(), 3)
    value = value.astimezone(UTC)
    if form is TimeFormat.HTTP:
        return format_datetime(value.replace(microsecond=0), usegmt=True)
    precision = "milliseconds" if fraction and value.microsecond >= 1000 else "seconds"
    return value.replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def read_base64(value: object) -> bytes | None:
    """Strict base64 with padding; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None


class Spelling:
    """Blobs in base64 and instants in a default format, for JSON and for text alike."""

    def __init__(self, time: TimeFormat, *, fraction: bool = True) -> None:
        self._time = time
        self._fraction = fraction

    def read_blob(self, value: object) -> bytes | None:
        """Base64 text."""
        return read_base64(value)

    def read_timestamp(self, value: object, form: str | None) -> datetime | None:
        """In the shape's own format or the default one."""
        return read_time(value, TimeFormat(form) if form else self._time)

    def write_blob(self, value: bytes) -> object:
        """Base64 text."""
        return base64.b64encode(value).decode("ascii")

    def write_timestamp(self, value: datetime, form: str | None) -> object:
        """In the shape's own format or the default one."""
        return write_time(value, TimeFormat(form) if form else self._time, fraction=self._fraction)


def native(shape: Shape, text: str) -> object:
    """What a JSON parser would have given for this text; the text itself when it is not of the shape's kind."""
    match shape.kind:
        case Kind.INTEGER | Kind.LONG if _INTEGER.fullmatch(text):
            return int(text)
        case Kind.FLOAT | Kind.DOUBLE if _DECIMAL.fullmatch(text):
            return float(text)
        case Kind.BOOLEAN:
            return _BOOLEANS.get(text, text)
        case Kind.TIMESTAMP if shape.timestamp_format == TimeFormat.EPOCH and _DECIMAL.fullmatch(text):
            return float(text)
        case _:
            return text


def as_text(value: object) -> str:
    """A scalar of the wire tree as text: the opposite of `native`."""
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return repr(value)
        case _:
            return str(value)
