"""The policies that AWS keeps for everybody (`arn:aws:iam::aws:policy/…`): the same documents in every account."""

import base64
import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from greatseal.domain.access.managed_table import ROWS, Row
from greatseal.domain.access.policy_model import AWS, ManagedPolicy, PolicyVersion

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"

_ARN = re.compile(r"arn:(aws[a-z-]*):iam::aws:policy(/.+)")
# When AWS published the first of them.
_SINCE = datetime(2015, 2, 6, 18, 40, tzinfo=UTC)


def _policy(row: Row) -> ManagedPolicy:
    path, name, description, version, _ = row
    # An id must never change, so it follows from the name.
    digest = base64.b32encode(hashlib.sha256(f"{path}{name}".encode()).digest()).decode("ascii")
    arn = f"arn:aws:iam::aws:policy{path}{name}"
    return ManagedPolicy(arn, f"ANPA{digest[:17]}", AWS, name, path, description, version, _SINCE, _SINCE)


_POLICIES: Mapping[str, ManagedPolicy] = {f"{row[0]}{row[1]}": _policy(row) for row in ROWS}
_DOCUMENTS: Mapping[str, str] = {
    f"{row[0]}{row[1]}": json.dumps({"Version": "2012-10-17", "Statement": list(row[4])}, separators=(",", ":"))
    for row in ROWS
}


def document_of(arn: str) -> str | None:
    """The document, or None when AWS has no such policy."""
    found = _ARN.fullmatch(arn)
    return _DOCUMENTS.get(found[2]) if found else None


def find(arn: str) -> ManagedPolicy | None:
    """The policy with this ARN, of any partition; None when AWS has no such policy."""
    found = _ARN.fullmatch(arn)
    policy = _POLICIES.get(found[2]) if found else None
    return None if policy is None else dataclasses.replace(policy, arn=arn)


def version_of(policy: ManagedPolicy) -> PolicyVersion:
    """The one version that there is."""
    return PolicyVersion(
        policy.default_version, _DOCUMENTS[f"{policy.path}{policy.name}"], policy.created_at, is_default=True
    )


def listing(partition: str) -> Sequence[ManagedPolicy]:
    """All of them, by name without regard to case."""
    found = sorted(_POLICIES.values(), key=lambda policy: policy.name.lower())
    return [dataclasses.replace(each, arn=each.arn.replace("arn:aws:", f"arn:{partition}:", 1)) for each in found]
