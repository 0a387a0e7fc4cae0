"""Findings for tests of the Security Hub door."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError
from sqlalchemy import select

from greatseal.storage.schema import outbox
from greatseal.testing import Installation

ACCOUNT, REGION = "111122223333", "us-east-1"
PRODUCT = f"arn:aws:securityhub:{REGION}:{ACCOUNT}:product/{ACCOUNT}/default"


def finding(id: str = "f-1", **more: Any) -> dict[str, Any]:
    """A finding that adheres to the format; `more` replaces members, None takes them away."""
    made: dict[str, Any] = {
        "SchemaVersion": "2018-10-08",
        "Id": id,
        "ProductArn": PRODUCT,
        "GeneratorId": "test",
        "AwsAccountId": ACCOUNT,
        "Types": ["Unusual Behaviors"],
        "CreatedAt": "2026-01-15T12:00:00Z",
        "UpdatedAt": "2026-01-15T12:00:00Z",
        "Severity": {"Normalized": 60},
        "Title": "Something",
        "Description": "Something happened.",
        "Resources": [{"Type": "Other", "Id": "arn:aws:acm:us-east-1:111122223333:certificate/1"}],
    }
    made |= more
    return {name: value for name, value in made.items() if value is not None}


def put(hub: Any, *findings: dict[str, Any]) -> None:
    """Imports findings that must all be taken."""
    answer = hub.batch_import_findings(Findings=list(findings))
    assert (answer["SuccessCount"], answer["FailedFindings"]) == (len(findings), []), answer


def ids(hub: Any, sort: list[dict[str, str]] | None = None, **filters: Any) -> list[str]:
    """The ids that GetFindings answers with."""
    more = {"SortCriteria": sort} if sort else {}
    return [each["Id"] for each in hub.get_findings(Filters=filters, **more)["Findings"]]


def text(value: str, comparison: str = "EQUALS") -> list[dict[str, str]]:
    """A string filter of one value."""
    return [{"Value": value, "Comparison": comparison}]


def emitted(installation: Installation, detail_type: str) -> list[dict[str, Any]]:
    """The envelopes of a kind in the outbox, in their order."""
    rows = installation.rooms.storage.read(lambda tx: tx.all(select(outbox.c.payload).order_by(outbox.c.id)))
    return [row.payload for row in rows if row.payload.get("detail-type") == detail_type]


@contextmanager
def refused(code: str, text: str = "") -> Iterator[None]:
    """The block must be refused with this code and a text, under the status that the model has for it."""
    statuses = {"ResourceConflictException": 409, "AccessDeniedException": 403, "InvalidAccessException": 401}
    try:
        yield
    except ClientError as error:
        answer = error.response
        assert answer["Error"]["Code"] == code, answer
        assert text in answer["Error"]["Message"], answer
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == statuses.get(code, 400), answer
    else:
        raise AssertionError(f"not refused; {code} was expected")
