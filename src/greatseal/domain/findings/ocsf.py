"""Findings as events of the Open Cybersecurity Schema Framework: Detection Finding, class 2004 (OCSF 1.3). Pure.

What the schema requires of the class is always there: activity_id, category_uid, class_uid, finding_info (title, uid),
metadata (product, version), severity_id, time and type_uid; with the cloud profile also cloud.provider.
"""

from datetime import datetime
from typing import Any

from greatseal import __version__
from greatseal.domain.findings.model import Finding, instant

VERSION = "1.3.0"
CATEGORY, CLASS = 2, 2004
_SEVERITIES = {"INFORMATIONAL": 1, "LOW": 2, "MEDIUM": 3, "HIGH": 4, "CRITICAL": 5}
_SEVERITY_NAMES = ("Unknown", "Informational", "Low", "Medium", "High", "Critical")
# New, In Progress, Suppressed, Resolved of the schema.
_STATUSES = {
    "NEW": (1, "New"),
    "NOTIFIED": (2, "In Progress"),
    "SUPPRESSED": (3, "Suppressed"),
    "RESOLVED": (4, "Resolved"),
}
_ACTIVITIES = {1: "Create", 2: "Update", 3: "Close"}


def event(found: Finding) -> dict[str, Any]:
    """One finding as an event; times are milliseconds since 1970."""
    document = found.document
    activity = _activity(document)
    severity = _SEVERITIES.get(document["Severity"]["Label"], 0)
    status, status_name = _STATUSES.get(document.get("Workflow", {}).get("Status", "NEW"), (1, "New"))
    created, updated = instant(document["CreatedAt"]), found.updated_at
    made: dict[str, Any] = {
        "activity_id": activity,
        "activity_name": _ACTIVITIES[activity],
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Detection Finding",
        "type_uid": CLASS * 100 + activity,
        "type_name": f"Detection Finding: {_ACTIVITIES[activity]}",
        "severity_id": severity,
        "severity": _SEVERITY_NAMES[severity],
        "status_id": status,
        "status": status_name,
        "time": _milliseconds(updated),
        "message": document["Title"],
        "metadata": {
            "version": VERSION,
            "profiles": ["cloud"],
            "product": {
                "name": document.get("ProductName", "Default"),
                "vendor_name": document.get("CompanyName", "Personal"),
                "uid": document["ProductArn"],
                "version": __version__,
            },
        },
        "finding_info": {
            "uid": document["Id"],
            "title": document["Title"],
            "desc": document["Description"],
            "types": document.get("Types", []),
            "created_time": _milliseconds(created),
            "modified_time": _milliseconds(updated),
            "analytic": {"type_id": 1, "type": "Rule", "uid": document["GeneratorId"]},
        },
        "cloud": {
            "provider": "Greatseal",
            "region": found.identity.region,
            "account": {"uid": found.identity.account},
        },
        "resources": [_resource(each) for each in document["Resources"]],
    }
    advice = document.get("Remediation", {}).get("Recommendation", {})
    if "Text" in advice:
        made["remediation"] = {"desc": advice["Text"], "references": [advice["Url"]] if "Url" in advice else []}
    if "Confidence" in document:
        made["confidence_score"] = document["Confidence"]
    if "Note" in document:
        made["comment"] = document["Note"]["Text"]
    return made


def _activity(document: dict[str, Any]) -> int:
    """Create, update, or close once the finding is archived or resolved."""
    if document["RecordState"] == "ARCHIVED" or document.get("Workflow", {}).get("Status") == "RESOLVED":
        return 3
    return 1 if instant(document["CreatedAt"]) == instant(document["UpdatedAt"]) else 2


def _resource(given: dict[str, Any]) -> dict[str, Any]:
    made = {"uid": given["Id"], "type": given["Type"], "region": given.get("Region"), "data": given.get("Details")}
    made["cloud_partition"] = given.get("Partition")
    return {name: value for name, value in made.items() if value is not None}


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
