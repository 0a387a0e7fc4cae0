"""How our own watchers write a finding. Pure."""

from datetime import datetime
from typing import Any

from greatseal.domain.findings.model import SCHEMA_VERSION, Document, severity, written
from greatseal.kernel.arn import Arn, partition_of


def default_product(account: str, region: str) -> str:
    """The product that an account imports its own findings for."""
    return str(Arn(partition_of(region), "securityhub", region, account, f"product/{account}/default"))


def finding(
    *,
    account: str,
    region: str,
    id: str,
    generator: str,
    at: datetime,
    types: list[str],
    normalized: int,
    title: str,
    description: str,
    advice: str,
    url: str,
    product: str,
    resource: str,
    details: dict[str, Any],
) -> Document:
    """A finding of ours. Titles and descriptions have bounds of their own (asff.py), which callers keep."""
    return {
        "SchemaVersion": SCHEMA_VERSION,
        "Id": id,
        "ProductArn": default_product(account, region),
        "GeneratorId": generator,
        "AwsAccountId": account,
        "Types": types,
        "CreatedAt": written(at),
        "UpdatedAt": written(at),
        "Severity": severity({"Normalized": normalized}),
        "Title": title,
        "Description": description,
        "Remediation": {"Recommendation": {"Text": advice, "Url": url}},
        "ProductFields": {"ProductName": product},
        "Resources": [
            {
                "Type": "Other",
                "Id": resource,
                "Partition": partition_of(region),
                "Region": region,
                "Details": {"Other": details},
            }
        ],
        "RecordState": "ACTIVE",
    }
