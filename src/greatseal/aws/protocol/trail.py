"""A request as the audit trail keeps it: JSON in CloudTrail's spelling, secrets hidden (acm.md 12)."""

import base64
from datetime import UTC, datetime
from typing import Any

import msgspec

from greatseal.aws.protocol.models import Shape

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"


def request_parameters(shape: Shape | None, parameters: dict[str, Any]) -> str:
    """The parameters as JSON: lower camel names, blobs in base64, sensitive values replaced by `HIDDEN`.

    Timestamps are RFC 3339 with seconds, as CloudTrail's own `eventTime`.
    """
    tree = {} if shape is None else _tree(shape, parameters)
    return msgspec.json.encode(tree).decode("utf-8")


def _tree(shape: Shape, value: Any) -> object:
    if shape.sensitive:
        return HIDDEN
    match value:
        case dict() if shape.members:
            return {shape.members[name].path: _tree(shape.members[name].shape, item) for name, item in value.items()}
        case dict() if shape.element is not None:
            return {key: _tree(shape.element, item) for key, item in value.items()}
        case list() if shape.element is not None:
            return [_tree(shape.element, item) for item in value]
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case _:
            return value
