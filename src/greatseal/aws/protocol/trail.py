"""Requests and answers as the audit trail keeps them: JSON in CloudTrail's spelling, secrets hidden (acm.md 12)."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from greatseal.aws.protocol.models import Kind, Shape

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"

_SECRETS = frozenset({"SessionToken", "WebIdentityToken", "SAMLAssertion"})
"""Members that are as good as a password, though not every model says so."""

_LETTERS = {
    "sns": _SECRETS | {"Message", "MessageAttributes", "Subject", "Token"},
    "sqs": _SECRETS | {"Body", "MessageAttributes", "MessageBody"},
}
"""By service: what people and programs write to each other, beside the secrets."""


WITHOUT_BLOBS = frozenset({"kms"})
"""Services of whose calls no octets are kept: messages, plaintexts, ciphertexts, signatures (kms.md 18)."""


def elements(service: str, shape: Shape | None, parameters: Mapping[str, Any]) -> str:
    """Parameters or results as JSON: lower camel names, blobs in base64, sensitive values replaced by `HIDDEN`.

    Timestamps are RFC 3339 with seconds, as CloudTrail's own `eventTime`.
    """
    if service in WITHOUT_BLOBS and shape is not None:
        parameters = {k: v for k, v in parameters.items() if shape.members[k].shape.kind is not Kind.BLOB}
    tree = {} if shape is None else _tree(shape, parameters, _LETTERS.get(service, _SECRETS))
    return msgspec.json.encode(tree).decode("utf-8")


def _tree(shape: Shape, value: Any, hidden: frozenset[str]) -> object:
    if shape.sensitive:
        return HIDDEN
    match value:
        case dict() if shape.members:
            return {
                shape.members[name].path: HIDDEN if name in hidden else _tree(shape.members[name].shape, item, hidden)
                for name, item in value.items()
                # The content of an object is not told: it may be as large as it likes.
                if item is not None and not shape.members[name].streaming
            }
        case dict() if shape.element is not None:
            return {key: _tree(shape.element, item, hidden) for key, item in value.items()}
        case list() | tuple() if shape.element is not None:
            return [_tree(shape.element, item, hidden) for item in value]
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case _:
            return value
