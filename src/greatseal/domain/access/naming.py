"""Names of users and roles in policies that are kept: ids inside, ARNs outside (iam.md 3).

A policy speaks of the user or role that it named when it was saved. Kept as ids, it does not come to speak of
another one that is given the same name later; read back after the first is gone, it shows the id.
"""

import json
import re
from collections.abc import Callable

from greatseal.domain.access.language import MalformedPolicy
from greatseal.domain.access.model import IdentityKind
from greatseal.domain.access.store import reading
from greatseal.kernel.arn import Arn
from greatseal.storage import Tx

_UNIQUE_ID = re.compile(r"A(?:IDA|ROA)[A-Z0-9]{17}")


def pin(tx: Tx, document: str) -> str:
    """The document with ids instead of the ARNs of users and roles. It must have been parsed before.

    Raises MalformedPolicy when it names one that does not exist.
    """

    def to_id(name: str) -> str:
        try:
            arn = Arn.parse(name)
        except ValueError:
            return name
        kind, _, path = arn.resource.partition("/")
        if arn.service != "iam" or kind not in ("user", "role"):
            return name
        found = reading.identity_by_name(tx, arn.account, IdentityKind(kind), path.rpartition("/")[2])
        if found is None or found.arn(arn.partition) != name:
            raise MalformedPolicy("", f'Invalid principal in policy: "AWS":"{name}"')
        return found.id

    return _rewritten(document, to_id)


def unpin(tx: Tx, document: str, partition: str) -> str:
    """The document with ARNs of a partition again, as far as their users and roles still exist."""

    def to_arn(name: str) -> str:
        if not _UNIQUE_ID.fullmatch(name):
            return name
        found = reading.identity_by_id(tx, name)
        return name if found is None else found.arn(partition)

    return _rewritten(document, to_arn)


def _rewritten(document: str, rename: Callable[[str], str]) -> str:
    """The same text when no name changes."""
    tree = json.loads(document)
    changed = False
    statements = tree["Statement"] if isinstance(tree["Statement"], list) else [tree["Statement"]]
    for statement in statements:
        for element in ("Principal", "NotPrincipal"):
            principals = statement.get(element)
            if not isinstance(principals, dict) or "AWS" not in principals:
                continue
            names = principals["AWS"]
            renamed = [rename(name) for name in names] if isinstance(names, list) else rename(names)
            if renamed != names:
                principals["AWS"], changed = renamed, True
    return json.dumps(tree, separators=(",", ":")) if changed else document
