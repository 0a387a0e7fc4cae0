"""The bytes that a record is in the log: one canonical encoding, so that anybody can compute the leaf again.

Version 1 is a JSON object with exactly the members below, sorted, without white space, in UTF-8, nothing
escaped that need not be (RFC 8259 section 7). Its values are texts, booleans, null, one array of texts and one
object of texts; there are no numbers, whose spelling differs between programs. Python writes the same bytes with
`json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))`. The encoding is one line without
line breaks, and the blocking copies (`integrations.audit_sinks`) carry these very bytes. docs/audit.md rules it.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec

from greatseal.domain.audit.model import AuditRecord

VERSION = "greatseal-audit/1"
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
_TEXTS = (
    ("accessKeyId", "access_key_id"),
    ("account", "account"),
    ("eventId", "event_id"),
    ("eventName", "event_name"),
    ("eventSource", "event_source"),
    ("id", "id"),
    ("identity", "identity"),
    ("operation", "operation"),
    ("principalArn", "principal_arn"),
    ("region", "region"),
    ("requestId", "request_id"),
    ("requestParameters", "request_parameters"),
    ("sourceIp", "source_ip"),
    ("userAgent", "user_agent"),
)
_MAYBE_TEXTS = (
    ("errorCode", "error_code"),
    ("errorMessage", "error_message"),
    ("responseElements", "response_elements"),
    ("servicePrincipal", "service_principal"),
)


def encode(record: AuditRecord) -> bytes:
    """The canonical bytes of a record. Raises ValueError or TypeError for a record that no verb would have made."""
    for _, name in _TEXTS:
        _check(getattr(record, name), str)
    for _, name in _MAYBE_TEXTS:
        _check(getattr(record, name), str, type(None))
    _check(record.read_only, bool)
    for each in (*record.resources, *record.detail, *record.detail.values()):
        _check(each, str)
    members: dict[str, Any] = {key: getattr(record, name) for key, name in (*_TEXTS, *_MAYBE_TEXTS)}
    members["version"] = VERSION
    # As `_TIME` writes it, in a fifth of the time.
    members["at"] = record.at.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"
    members["readOnly"] = record.read_only
    members["resources"] = list(record.resources)
    members["detail"] = record.detail
    return msgspec.json.encode(members, order="sorted")


def decode(leaf: bytes) -> AuditRecord:
    """The record in a leaf. Raises ValueError for anything but the canonical bytes of one."""
    try:
        members = msgspec.json.decode(leaf)
        if members.pop("version") != VERSION:
            raise ValueError("the leaf is of another version")
        record = AuditRecord(
            at=datetime.strptime(members["at"], _TIME).replace(tzinfo=UTC),
            read_only=members["readOnly"],
            resources=tuple(members["resources"]),
            detail=members["detail"],
            **{name: members[key] for key, name in (*_TEXTS, *_MAYBE_TEXTS)},
        )
        if encode(record) != leaf:
            raise ValueError("the leaf is not in its canonical form")
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"the leaf does not hold a record: {error!r}") from None
    return record


def _check(value: object, *kinds: type) -> None:
    if type(value) not in kinds:
        raise TypeError(f"a record cannot hold {type(value).__name__} there")
