"""The policies that AWS keeps for everybody (`arn:aws:iam::aws:policy/…`): the same documents in every account."""

import json
from collections.abc import Mapping

_PREFIX = "arn:aws:iam::aws:policy/"
ADMINISTRATOR = f"{_PREFIX}AdministratorAccess"

DOCUMENTS: Mapping[str, str] = {
    "AdministratorAccess": json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    ),
}
"""By what follows the prefix: the name, with a path before it where there is one."""


def document_of(arn: str) -> str | None:
    """The document, or None when AWS has no such policy."""
    return DOCUMENTS.get(arn.removeprefix(_PREFIX)) if arn.startswith(_PREFIX) else None
