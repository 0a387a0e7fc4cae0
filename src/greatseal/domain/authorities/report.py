"""What an audit report is and how its rows are written, as CSV and as JSON (acm-pca.md 11)."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from greatseal.domain.authorities.issued import JournalEntry
from greatseal.x509.certificate import read_holder

FIELDS = (
    "awsAccountId",
    "requestedByServicePrincipal",
    "certificateArn",
    "serial",
    "subject",
    "notBefore",
    "notAfter",
    "issuedAt",
    "revokedAt",
    "revocationReason",
    "templateArn",
)
"""The columns in their order."""

# Parts this large are worth a write each.
_PART = 256 * 1024


class ReportFormat(Enum):
    """The forms of a report; the value ends the name of the object."""

    JSON = "json"
    CSV = "csv"

    @property
    def content_type(self) -> str:
        """The media type of the object."""
        return "application/json" if self is ReportFormat.JSON else "text/csv"


class ReportStatus(Enum):
    """CREATING until the object is written, or cannot be."""

    CREATING = "CREATING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class AuditReport:
    """A report that was asked for; the object itself is in the owner's bucket."""

    id: str
    authority_id: str
    bucket: str
    key: str
    form: ReportFormat
    status: ReportStatus
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Revoked:
    """When and why a certificate was revoked."""

    at: datetime
    reason: str


Row = dict[str, str]


def row(entry: JournalEntry, revoked: Revoked | None) -> Row:
    """The row of an issued certificate, or of a precertificate that is none yet; what is absent is left out."""
    assert entry.in_the_world is not None
    assert entry.issued_at is not None
    not_before, not_after, subject = read_holder(entry.in_the_world)
    values = {
        "awsAccountId": entry.account,
        "requestedByServicePrincipal": entry.service_principal,
        "certificateArn": entry.arn,
        "serial": _pairs(entry.serial),
        "subject": subject.rfc2253(),
        "notBefore": _instant(not_before),
        "notAfter": _instant(not_after),
        "issuedAt": _instant(entry.issued_at),
        "revokedAt": _instant(revoked.at) if revoked else None,
        "revocationReason": revoked.reason if revoked else None,
        "templateArn": entry.template_arn,
    }
    return {name: value for name, value in values.items() if value is not None}


def written(form: ReportFormat, rows: Iterable[Row]) -> Iterator[bytes]:
    """The report in parts, made as the rows come, so that its length does not matter."""
    part = bytearray()
    for piece in _csv(rows) if form is ReportFormat.CSV else _json(rows):
        part += piece.encode()
        if len(part) >= _PART:
            yield bytes(part)
            part.clear()
    yield bytes(part)


def _csv(rows: Iterable[Row]) -> Iterator[str]:
    yield ",".join(FIELDS) + "\n"
    for each in rows:
        # Only the subject can hold a comma or a quotation mark; a line break in it is escaped already (RFC 2253).
        subject = each["subject"].replace('"', '""')
        yield ",".join(f'"{subject}"' if name == "subject" else each.get(name, "") for name in FIELDS) + "\n"


def _json(rows: Iterable[Row]) -> Iterator[str]:
    separator = "["
    for each in rows:
        yield separator + json.dumps(each, ensure_ascii=False, separators=(",", ":"))
        separator = ",\n"
    yield "]" if separator != "[" else "[]"


def _pairs(serial: str) -> str:
    """Hex pairs with colons, leading zeros kept."""
    even = serial if len(serial) % 2 == 0 else f"0{serial}"
    return ":".join(even[at : at + 2] for at in range(0, len(even), 2))


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
