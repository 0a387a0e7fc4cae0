"""Policies that hang on resources: one table for every kind of resource that has one.

A policy has parts. One is the owner's own (its name is empty); others belong to whoever shares the resource and are
named after that, so that a share that ends takes its statements along and nothing else.
"""

import json
from collections.abc import Sequence
from functools import lru_cache

from greatseal.domain.access import naming
from greatseal.domain.access.language import MalformedPolicy, PolicyKind, parse_policy
from greatseal.domain.access.store import generation, reading
from greatseal.domain.access.store import resource_policies as store
from greatseal.kernel.arn import Arn
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import InvalidPolicy
from greatseal.storage import Tx

OWN = ""


class UnknownPrincipals(InvalidPolicy):
    """A resource policy names a user or role that does not exist."""


class ResourcePolicies:
    """Keeps and hands out the policies of resources. Every verb joins the caller's transaction."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock

    def put(self, tx: Tx, resource_arn: str, document: str, *, part: str = OWN, limit: int | None = None) -> None:
        """Sets one part. Raises InvalidPolicy for a document outside the grammar or with an unknown principal."""
        try:
            parse_policy(document, kind_of(resource_arn), limit=limit)
            pinned = naming.pin(tx, document)
        except naming.UnknownPrincipal as error:
            raise UnknownPrincipals(str(error)) from None
        except MalformedPolicy as error:
            raise InvalidPolicy(str(error)) from None
        store.put(tx, resource_arn, part, pinned, self._clock.now())
        generation.raise_(tx)

    def remove(self, tx: Tx, resource_arn: str, *, part: str | None = None) -> bool:
        """Removes one part, or with None all of them; whether there was any."""
        removed = store.remove(tx, resource_arn, part)
        if removed:
            generation.raise_(tx)
        return removed

    def document(self, tx: Tx, resource_arn: str) -> str | None:
        """The whole policy as its owner reads it: the statements of all parts; None when there is none."""
        merged = merge(reading.resource_documents(tx, resource_arn))
        return None if merged is None else naming.unpin(tx, merged, Arn.parse(resource_arn).partition)

    def parts(self, tx: Tx, resource_arn: str) -> dict[str, str]:
        """The documents by part."""
        partition = Arn.parse(resource_arn).partition
        return {part: naming.unpin(tx, document, partition) for part, document in store.parts(tx, resource_arn)}


def kind_of(resource_arn: str) -> PolicyKind:
    """The kind of policy that a resource has."""
    return PolicyKind.KEY if resource_arn.split(":", 3)[2] == "kms" else PolicyKind.RESOURCE


def merge(documents: Sequence[str]) -> str | None:
    """One document with the statements of all; None for none. A single one keeps its text."""
    if len(documents) < 2:
        return documents[0] if documents else None
    return _merged(tuple(documents))


@lru_cache(maxsize=256)
def _merged(documents: tuple[str, ...]) -> str:
    statements: list[object] = []
    for document in documents:
        found = json.loads(document)["Statement"]
        statements += found if isinstance(found, list) else [found]
    # The oldest version among them would turn variables into text; parts that we write have none.
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
