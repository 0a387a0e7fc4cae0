"""What a finding is and how one changes, as functions of values. A finding is its ASFF document."""

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from greatseal.kernel.errors import Refusal

Document = dict[str, Any]
"""A finding in the AWS Security Finding Format, spelled as on the wire."""

SCHEMA_VERSION = "2018-10-08"
_CUSTOMERS = ("Note", "UserDefinedFields", "VerificationState", "Workflow", "WorkflowState")
"""Members that only BatchUpdateFindings changes once the finding exists."""

OVERRIDABLE = ("Confidence", "Criticality", "RelatedFindings", "Severity", "Types")
"""Members that a product reports and a person may overrule; the product's own word stays in FindingProviderFields."""

_LABELS = (("CRITICAL", 90), ("HIGH", 70), ("MEDIUM", 40), ("LOW", 1), ("INFORMATIONAL", 0))
_INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):?(\d\d))", re.ASCII
)


class NotSubscribed(Refusal):
    """The account has switched the hub off in this region."""


class AlreadySubscribed(Refusal):
    """The account has the hub already."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes a finding the same: one account and region hold it once."""

    account: str
    region: str
    product_arn: str
    id: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A stored finding. `overruled` names the members whose value a person has set."""

    identity: Identity
    document: Document
    overruled: frozenset[str] = frozenset()
    updated_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    """UpdatedAt of the document as an instant."""


def label_of(normalized: int) -> str:
    """The label of a normalized severity, 0 to 100."""
    return next(label for label, least in _LABELS if normalized >= least)


def normalized_of(label: str) -> int:
    """The least normalized severity of a label."""
    return dict(_LABELS)[label]


def severity(given: Mapping[str, Any]) -> Document:
    """A severity with both label and number; the label counts when they disagree."""
    made = dict(given)
    number = made.get("Normalized")
    if "Label" not in made:
        made["Label"] = label_of(number) if number is not None else "INFORMATIONAL"
    if number is None or label_of(number) != made["Label"]:
        made["Normalized"] = normalized_of(made["Label"])
    return made


def instant(text: str) -> datetime:
    """An ISO 8601 instant with a zone. Raises ValueError."""
    found = _INSTANT.fullmatch(text)
    if found is None:
        raise ValueError(f"not an ISO 8601 instant: {text!r}")
    fraction = (found[7] or "")[:6].ljust(6, "0")
    zone = f"{found[8]}{found[9]}:{found[10]}" if found[8] else "+00:00"
    plain = "-".join(found.group(1, 2, 3)) + "T" + ":".join(found.group(4, 5, 6))
    try:
        return datetime.fromisoformat(f"{plain}.{fraction}{zone}").astimezone(UTC)
    except OverflowError:
        raise ValueError(f"not an instant that can be kept: {text!r}") from None


def written(at: datetime) -> str:
    """An instant as findings of this service write it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def imported(identity: Identity, given: Document, before: Finding | None, now: datetime) -> Finding:
    """A finding as its product reports it, merged with what was stored (given has passed `asff.problems`)."""
    document = deepcopy(given)
    own = dict(document.get("FindingProviderFields", {}))
    if "Severity" in document:
        document["Severity"] = severity(document["Severity"])
    for name in OVERRIDABLE:
        if name in own:
            document[name] = severity(own[name]) if name == "Severity" else deepcopy(own[name])
        elif name in document:
            own[name] = _provided(document[name]) if name == "Severity" else deepcopy(document[name])
    document.setdefault("Severity", severity({}))
    document["FindingProviderFields"] = own
    document |= {
        "Region": identity.region,
        "CompanyName": document.get("CompanyName", "Personal"),
        "ProductName": document.get("ProductName", "Default"),
        "RecordState": document.get("RecordState", "ACTIVE"),
        "ProcessedAt": written(now),
    }
    document["ProductFields"] = {
        **document.get("ProductFields", {}),
        "aws/securityhub/FindingId": f"{identity.product_arn}/{identity.id}",
        "aws/securityhub/ProductName": document["ProductName"],
        "aws/securityhub/CompanyName": document["CompanyName"],
    }
    if before is None:
        document.setdefault("WorkflowState", "NEW")
        document.setdefault("Workflow", {"Status": "NEW"})
    else:
        _keep(document, before)
    return Finding(identity, document, before.overruled if before else frozenset(), instant(document["UpdatedAt"]))


def _provided(given: Mapping[str, Any]) -> Document:
    """A severity as FindingProviderFields have it."""
    own = {"Label": given["Label"]}
    original = given.get("Original", given.get("Product"))
    return own if original is None else {**own, "Original": str(original)}


def _keep(document: Document, before: Finding) -> None:
    """What an update by the product does not change."""
    old = before.document
    for name in _CUSTOMERS:
        document.pop(name, None)
        if name in old:
            document[name] = deepcopy(old[name])
    for name in before.overruled:
        document[name] = deepcopy(old[name])
    reopened = old.get("RecordState") == "ARCHIVED" and document["RecordState"] == "ACTIVE"
    failed = _compliance(old) == "PASSED" and _compliance(document) in ("FAILED", "WARNING", "NOT_AVAILABLE")
    if document.get("Workflow", {}).get("Status") == "RESOLVED" and (reopened or failed):
        document["Workflow"] = {"Status": "NEW"}


def _compliance(document: Document) -> str | None:
    status: str | None = document.get("Compliance", {}).get("Status")
    return status


def changed(found: Finding, change: Mapping[str, Any], now: datetime) -> Finding:
    """A finding after a person said something about it: members of BatchUpdateFindings, or a RecordState."""
    document = deepcopy(found.document)
    for name, value in change.items():
        if name == "Note":
            document["Note"] = {**value, "UpdatedAt": written(now)}
        elif name == "Severity":
            # A number alone decides the label anew, and the other way round.
            kept = {k: v for k, v in document.get("Severity", {}).items() if k not in ("Label", "Normalized")}
            document["Severity"] = severity({**kept, **value})
        elif name == "Workflow":
            document["Workflow"] = {**document.get("Workflow", {}), **value}
        else:
            document[name] = deepcopy(value)
    # UpdatedAt stays: it is the product's word, and its next one must not be older than a person's.
    document["ProcessedAt"] = written(now)
    overruled = found.overruled | {name for name in change if name in OVERRIDABLE}
    return Finding(found.identity, document, overruled, found.updated_at)
