"""Buckets for tests: clients, refusals and the policies that workflows put on them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

SERVICE = "acm-pca.amazonaws.com"
ACTIONS = ("s3:PutObject", "s3:PutObjectAcl", "s3:GetBucketAcl", "s3:GetBucketLocation")


@contextmanager
def refused(status: int, code: str = "", text: str = "") -> Iterator[None]:
    """The client raises an error with this status and code, and this in its message."""
    try:
        yield
    except ClientError as error:
        answer = error.response
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == status, answer
        assert answer["Error"]["Code"] == (code or str(status)), answer
        assert text in answer["Error"]["Message"], answer
    else:
        raise AssertionError(f"not refused; {status} {code} was expected")


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def for_service(bucket: str, **conditions: str) -> str:
    """The policy of acm-pca.md 10.5."""
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": list(ACTIONS),
        "Resource": [f"arn:aws:s3:::{bucket}/*", f"arn:aws:s3:::{bucket}"],
    }
    if conditions:
        keys = {f"aws:{name}": value for name, value in conditions.items()}
        statement["Condition"] = {"StringEquals": keys}
    return policy(statement)


def for_everybody(bucket: str) -> str:
    return policy(
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    )
