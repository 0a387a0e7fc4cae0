"""What the service checks about a finding besides its model: owner, format, lengths and times, in its own wording."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from greatseal.domain.findings.model import SCHEMA_VERSION, Document, instant

MAX_BYTES = 240 * 1024
_LENGTHS = (
    ("Id", 512),
    ("GeneratorId", 512),
    ("Title", 256),
    ("Description", 1024),
    ("ProductArn", 256),
    ("ProductName", 128),
    ("CompanyName", 128),
    ("Note.Text", 512),
    ("Remediation.Recommendation.Text", 512),
)
_INSTANTS = ("CreatedAt", "UpdatedAt", "FirstObservedAt", "LastObservedAt")
_MAPS = (("ProductFields", 2048), ("UserDefinedFields", 1024))
_ITEMS = (("Types", 50), ("Resources", 32), ("RelatedFindings", 10))
_NAMESPACES = (
    "Effects",
    "Sensitive Data Identifications",
    "Software and Configuration Checks",
    "TTPs",
    "Unusual Behaviors",
)
_TYPE = re.compile(r"[^/]+(/[^/]+){0,2}")
_PRODUCT = re.compile(r"arn:(aws[a-z-]*):securityhub:([a-z0-9-]+):([0-9]{12})?:product/([^/]+)/([^/]+)", re.ASCII)


def refusal(document: Document, *, account: str, region: str) -> str | None:
    """Why a finding is not taken, as one sentence with every violation; None when it is."""
    if len(msgspec.json.encode(document)) > MAX_BYTES:
        return f"Finding exceeds the maximum size of {MAX_BYTES // 1024} KB."
    if document["AwsAccountId"] != account:
        return f"Finding does not belong to the account of the caller. data.AwsAccountId should be '{account}'."
    problems = list(_problems(document, account, region))
    return f"Finding does not adhere to Amazon Finding Format. {', '.join(problems)}." if problems else None


def _problems(document: Document, account: str, region: str) -> Iterator[str]:
    if document["SchemaVersion"] != SCHEMA_VERSION:
        yield "data.SchemaVersion should be equal to one of the allowed values"
    product = _PRODUCT.fullmatch(document["ProductArn"])
    # The default product of an account, or one of a company, which has no account of its own.
    foreign = product is None or product[2] != region or (product[3] or account) != account
    if foreign or (product is not None and product[5] == "default" and product[4] != account):
        yield "data.ProductArn should be a product that the caller may import findings for"
    if "Severity" not in document and "Severity" not in document.get("FindingProviderFields", {}):
        yield "data should have required property 'Severity'"
    elif not document.get("Severity", {"-": 0}):
        yield "data.Severity should NOT have fewer than 1 properties"
    yield from _lengths(document)
    yield from _counts(document)
    yield from _times(document)
    for number, name in enumerate(document.get("Types", ())):
        if not _TYPE.fullmatch(name) or name.partition("/")[0] not in _NAMESPACES:
            yield f"data.Types[{number}] should match format namespace/category/classifier"
    normalized = document.get("Severity", {}).get("Normalized")
    for name, number in (("Severity.Normalized", normalized), *((n, document.get(n)) for n in _SCALES)):
        if number is not None and not 0 <= number <= 100:
            yield f"data.{name} should be >= 0 and <= 100"


_SCALES = ("Confidence", "Criticality")


def _lengths(document: Document) -> Iterator[str]:
    for path, most in _LENGTHS:
        value: Any = document
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None and len(value) > most:
            yield f"data.{path} should NOT be longer than {most} characters"
        elif value is not None and not value.strip():
            yield f"data.{path} should NOT be shorter than 1 characters"


def _counts(document: Document) -> Iterator[str]:
    for name, most in _ITEMS:
        if len(document.get(name, ())) > most:
            yield f"data.{name} should NOT have more than {most} items"
    if not document["Resources"]:
        yield "data.Resources should NOT have fewer than 1 items"
    for name, longest in _MAPS:
        fields = document.get(name, {})
        if len(fields) > 50:
            yield f"data.{name} should NOT have more than 50 properties"
        for key, value in fields.items():
            if len(key) > 128 or len(value) > longest:
                yield f"data.{name} should NOT have keys longer than 128 or values longer than {longest} characters"
                break


def _times(document: Document) -> Iterator[str]:
    for name in _INSTANTS:
        if name in document:
            try:
                instant(document[name])
            except ValueError:
                yield f'data.{name} should match format "date-time"'
