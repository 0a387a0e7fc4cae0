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


class UnknownPrincipal(MalformedPolicy):
    """A policy names a user or role that does not exist."""


def pin(tx: Tx, document: str) -> str:
    """The document with ids instead of the ARNs of users and roles. It must have been parsed before.

    Raises UnknownPrincipal when it names one that does not exist.
    """
    return _rewritten(document, lambda name: pin_name(tx, name))


def unpin(tx: Tx, document: str, partition: str) -> str:
    """The document with ARNs of a partition again, as far as their users and roles still exist."""
    return _rewritten(document, lambda name: unpin_name(tx, name, partition))


def pin_name(tx: Tx, name: str) -> str:
    """The unique id of the user or role with this ARN; any other name as it is. Raises UnknownPrincipal."""
    try:
        arn = Arn.parse(name)
    except ValueError:
        return name
    kind, _, path = arn.resource.partition("/")
    if arn.service != "iam" or kind not in ("user", "role"):
        return name
    found = reading.identity_by_name(tx, arn.account, IdentityKind(kind), path.rpartition("/")[2])
    if found is None or found.arn(arn.partition) != name:
        raise UnknownPrincipal("", f'Invalid principal in policy: "AWS":"{name}"')
    return found.id


def unpin_name(tx: Tx, name: str, partition: str) -> str:
    """The ARN of the user or role with this unique id, while it exists; any other name as it is."""
    if not _UNIQUE_ID.fullmatch(name):
        return name
    found = reading.identity_by_id(tx, name)
    return name if found is None else found.arn(partition)


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
