"""Policies that are written into a user, a group or a role."""

from greatseal.domain.access.identities import rules
from greatseal.domain.access.identities.registrar import Registrar, partition
from greatseal.domain.access.language import PolicyKind
from greatseal.domain.access.model import IdentityKind
from greatseal.domain.access.store import policies as store
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import NotFound
from greatseal.kernel.pages import Page
from greatseal.storage import Tx


class InlinePolicies:
    """Puts, reads, lists and deletes inline policies."""

    def __init__(self, registrar: Registrar) -> None:
        self._registrar = registrar

    def put(self, caller: Caller, kind: IdentityKind, owner: str, name: str, document: str) -> None:
        """Raises NotFound, InvalidPolicy, LimitExceeded for all of them together, InvalidState."""
        registrar = self._registrar
        rules.check_document(document, PolicyKind.IDENTITY)

        def work(tx: Tx) -> None:
            found = registrar.find_own(tx, caller, kind, owner)
            rules.check_inline(found, ({**store.inline_of(tx, found.id), name: document}).values())
            store.put_inline(tx, found.id, name, document)
            registrar.changed(tx, caller, found.arn(partition(caller)), policy=name)

        registrar.storage.transact(work)

    def get(self, caller: Caller, kind: IdentityKind, owner: str, name: str) -> str:
        """The document. Raises NotFound."""
        registrar = self._registrar

        def work(tx: Tx) -> str:
            found = registrar.find(tx, caller, kind, owner)
            document = store.inline_of(tx, found.id).get(name)
            if document is None:
                raise _missing(kind, name)
            return document

        return registrar.storage.read(work)

    def names(self, caller: Caller, kind: IdentityKind, owner: str, limit: int, marker: str | None) -> Page[str]:
        """The names, in order. Raises NotFound."""
        registrar = self._registrar

        def fetch(tx: Tx) -> list[str]:
            return list(store.inline_of(tx, registrar.find(tx, caller, kind, owner).id))

        return registrar.numbered(caller, ("ListInline", kind.value, owner.lower()), limit, marker, fetch)

    def delete(self, caller: Caller, kind: IdentityKind, owner: str, name: str) -> None:
        """Raises NotFound, InvalidState."""
        registrar = self._registrar

        def work(tx: Tx) -> None:
            found = registrar.find_own(tx, caller, kind, owner)
            if not store.remove_inline(tx, found.id, name):
                raise _missing(kind, name)
            registrar.changed(tx, caller, found.arn(partition(caller)), policy=name)

        registrar.storage.transact(work)


def _missing(kind: IdentityKind, name: str) -> NotFound:
    return NotFound(f"The {kind.value} policy with name {name} cannot be found.")
