"""SearchCertificates the slow and obvious way: over what Describe says, in Python (acm.md 17)."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

Detail = Mapping[str, Any]


def holds(statement: Mapping[str, Any], detail: Detail, summary: Mapping[str, Any]) -> bool:
    """Whether a FilterStatement holds for a certificate."""
    ((kind, value),) = statement.items()
    match kind:
        case "And":
            return all(holds(part, detail, summary) for part in value)
        case "Or":
            return any(holds(part, detail, summary) for part in value)
        case "Not":
            return not holds(value, detail, summary)
    ((kind, value),) = value.items()
    if kind == "CertificateArn":
        return bool(detail["CertificateArn"] == value)
    ((member, content),) = value.items()
    if kind == "AcmCertificateMetadataFilter":
        return metadata(detail, summary).get(member) == content
    return _attribute(member, content, detail)


def metadata(detail: Detail, summary: Mapping[str, Any]) -> dict[str, Any]:
    """What the metadata filters compare; absent where there is none."""
    requested = detail["Type"] != "IMPORTED"
    found = {
        "Status": detail["Status"],
        "RenewalStatus": detail.get("RenewalSummary", {}).get("RenewalStatus"),
        "Type": detail["Type"],
        "InUse": bool(detail["InUseBy"]),
        "Exported": summary["Exported"],
        "ExportOption": detail["Options"]["Export"],
        "ManagedBy": detail.get("ManagedBy"),
        "ValidationMethod": summary["ValidationMethod"] if requested else None,
        "CertificateKeyPairOrigin": detail["CertificateKeyPairOrigin"],
    }
    return {name: value for name, value in found.items() if value is not None}


def _attribute(member: str, content: Any, detail: Detail) -> bool:
    match member:
        case "Subject":
            return _text(content["CommonName"], common_names(detail)[:1])
        case "SubjectAlternativeName":
            return _text(content["DnsName"], detail["SubjectAlternativeNames"])
        case "ExtendedKeyUsage":
            return content in [each["Name"] for each in detail["ExtendedKeyUsages"]]
        case "KeyUsage":
            return content in [each["Name"] for each in detail["KeyUsages"]]
        case "KeyAlgorithm":
            return bool(detail["KeyAlgorithm"].replace("-", "_", 1) == content)
        case "SerialNumber":
            return bool(detail.get("Serial") == content)
    at = detail.get(member)
    if at is None:
        return False
    return bool(content.get("Start", at) <= at <= content.get("End", at))


def common_names(detail: Detail) -> list[str]:
    """The common names of the subject; the tests use none with a comma."""
    parts = detail["Subject"].split(",")
    return [part.removeprefix("CN=") for part in parts if part.startswith("CN=")]


def _text(content: Mapping[str, str], candidates: list[str]) -> bool:
    wanted = content["Value"].lower()
    if content["ComparisonOperator"] == "EQUALS":
        return any(candidate.lower() == wanted for candidate in candidates)
    return any(wanted in candidate.lower() for candidate in candidates)


# What each SortBy orders by; absent values come first.
SORT_KEYS = {
    "CREATED_AT": lambda d, s: d["CreatedAt"],
    "NOT_AFTER": lambda d, s: d.get("NotAfter"),
    "NOT_BEFORE": lambda d, s: d.get("NotBefore"),
    "ISSUED_AT": lambda d, s: d.get("IssuedAt"),
    "IMPORTED_AT": lambda d, s: d.get("ImportedAt"),
    "REVOKED_AT": lambda d, s: d.get("RevokedAt"),
    "EXPORTED": lambda d, s: s["Exported"],
    "CERTIFICATE_ARN": lambda d, s: d["CertificateArn"],
    "STATUS": lambda d, s: d["Status"],
    "TYPE": lambda d, s: d["Type"],
    "RENEWAL_ELIGIBILITY": lambda d, s: d["RenewalEligibility"],
    "CERTIFICATE_KEY_PAIR_ORIGIN": lambda d, s: d["CertificateKeyPairOrigin"],
    "RENEWAL_STATUS": lambda d, s: d.get("RenewalSummary", {}).get("RenewalStatus"),
}


def is_sorted(keys: list[Any], *, descending: bool) -> bool:
    """Whether the keys are in order, None being the least of all."""
    ranked = [(key is not None, key if key is not None else 0) for key in keys]
    if descending:
        ranked.reverse()
    return all(
        before[0] < after[0] or (before[0] == after[0] and (not before[0] or before[1] <= after[1]))
        for before, after in pairwise(ranked)
    )
