"""Tags of the resources that are named by ARN: managed policies and identity providers. Case counts in their keys."""

from collections.abc import Callable, Sequence

from greatseal.domain.access.identities.library import known, own
from greatseal.domain.access.identities.registrar import Registrar
from greatseal.domain.access.store import providers
from greatseal.domain.tags import Tag
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import NotFound
from greatseal.kernel.pages import Page
from greatseal.storage import Tx

Exists = Callable[[Tx, Caller, str], None]
"""Raises NotFound unless the caller may tag what has this ARN."""


def policy(tx: Tx, caller: Caller, arn: str) -> None:
    """Raises NotFound unless it is a managed policy of the account, AccessDenied for everybody's."""
    own(tx, caller, arn)


def readable_policy(tx: Tx, caller: Caller, arn: str) -> None:
    """Raises NotFound unless the account sees such a managed policy."""
    known(tx, caller, arn)


def provider(tx: Tx, caller: Caller, arn: str) -> None:
    """Raises NotFound unless it is an identity provider of the account."""
    found = providers.find(tx, arn)
    if found is None or found.account != caller.account:
        raise NotFound(f"OpenIDConnect Provider not found for arn {arn}")


class Tagging:
    """Sets, removes and lists tags."""

    def __init__(self, registrar: Registrar) -> None:
        self._registrar = registrar

    def add(self, caller: Caller, arn: str, tags: Sequence[Tag], exists: Exists) -> None:
        """Raises InvalidTag, TooManyTags, and what `exists` raises."""

        def work(tx: Tx) -> None:
            exists(tx, caller, arn)
            self._registrar.tags.add(tx, arn, tags)
            self._registrar.changed(tx, caller, arn)

        self._registrar.storage.transact(work)

    def remove(self, caller: Caller, arn: str, keys: Sequence[str], exists: Exists) -> None:
        """Unknown keys are no error. Raises what `exists` raises."""

        def work(tx: Tx) -> None:
            exists(tx, caller, arn)
            self._registrar.tags.remove(tx, arn, [Tag(key) for key in dict.fromkeys(keys)])
            self._registrar.changed(tx, caller, arn)

        self._registrar.storage.transact(work)

    def listing(self, caller: Caller, arn: str, limit: int, marker: str | None, exists: Exists) -> Page[Tag]:
        """The tags, by key. Raises what `exists` raises."""

        def fetch(tx: Tx) -> Sequence[Tag]:
            exists(tx, caller, arn)
            return self._registrar.tags.of(tx, arn)

        return self._registrar.numbered(caller, ("ListTags", arn), limit, marker, fetch)

    def of(self, arn: str) -> tuple[Tag, ...]:
        """The tags of a resource, by key."""
        return self._registrar.storage.read(lambda tx: self._registrar.tags.of(tx, arn))
