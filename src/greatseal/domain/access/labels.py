"""Statements with a label, as queues and topics let their owners add and take away one by one. Pure.

A label is the `Sid` of the statement.
"""

import json
from collections.abc import Sequence
from typing import Any


def statements_of(document: str | None) -> list[dict[str, Any]]:
    """The statements of a policy that was accepted; none without one."""
    if document is None:
        return []
    found = json.loads(document)["Statement"]
    return found if isinstance(found, list) else [found]


def with_statement(
    document: str | None, *, policy_id: str, label: str, accounts: Sequence[str], actions: Sequence[str], resource: str
) -> str | None:
    """The policy with one more statement, that lets accounts (their root ARNs) do something; None for a taken label."""
    present = statements_of(document)
    if any(each.get("Sid") == label for each in present):
        return None
    new = {
        "Sid": label,
        "Effect": "Allow",
        "Principal": {"AWS": accounts[0] if len(accounts) == 1 else list(accounts)},
        "Action": actions[0] if len(actions) == 1 else list(actions),
        "Resource": resource,
    }
    frame = {"Version": "2012-10-17", "Id": policy_id} if document is None else json.loads(document)
    return json.dumps({**frame, "Statement": [*present, new]}, separators=(",", ":"))


def without_statement(document: str | None, label: str) -> tuple[bool, str | None]:
    """Whether there was a statement of this label, and the policy without it; None once nothing is left."""
    present = statements_of(document)
    kept = [each for each in present if each.get("Sid") != label]
    if len(kept) == len(present) or document is None:
        return False, document
    rest = json.dumps({**json.loads(document), "Statement": kept}, separators=(",", ":"))
    return True, rest if kept else None
