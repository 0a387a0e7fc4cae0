"""Which users are in which groups."""

from greatseal.domain.access.identities import rules
from greatseal.domain.access.identities.registrar import After, Registrar, partition
from greatseal.domain.access.model import Identity, IdentityKind
from greatseal.domain.access.store import identities as store
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import NotFound
from greatseal.kernel.pages import Page
from greatseal.storage import Tx


class Memberships:
    """Adds users to groups, removes them and lists both."""

    def __init__(self, registrar: Registrar) -> None:
        self._registrar = registrar

    def add(self, caller: Caller, group: str, user: str) -> None:
        """Nothing changes for a user who is in the group already. Raises NotFound, LimitExceeded."""
        registrar = self._registrar

        def work(tx: Tx) -> None:
            to = registrar.find(tx, caller, IdentityKind.GROUP, group)
            who = registrar.find(tx, caller, IdentityKind.USER, user)
            present = [each.id for each in store.groups_of(tx, who.id)]
            if to.id not in present and len(present) >= rules.GROUPS_PER_USER:
                raise rules.over("GroupsPerUser", rules.GROUPS_PER_USER)
            store.add_member(tx, to.id, who.id)
            registrar.changed(tx, caller, to.arn(partition(caller)), who.arn(partition(caller)))

        registrar.storage.transact(work)

    def remove(self, caller: Caller, group: str, user: str) -> None:
        """Raises NotFound also for a user who is not in the group."""
        registrar = self._registrar

        def work(tx: Tx) -> None:
            to = registrar.find(tx, caller, IdentityKind.GROUP, group)
            who = registrar.find(tx, caller, IdentityKind.USER, user)
            if not store.remove_member(tx, to.id, who.id):
                raise NotFound(f"User {user} not in group {group}")
            registrar.changed(tx, caller, to.arn(partition(caller)), who.arn(partition(caller)))

        registrar.storage.transact(work)

    def members(self, caller: Caller, group: str, limit: int, marker: str | None) -> tuple[Identity, Page[Identity]]:
        """The group and its users, by name. Raises NotFound."""
        registrar = self._registrar
        found = registrar.storage.read(lambda tx: registrar.find(tx, caller, IdentityKind.GROUP, group))

        def fetch(tx: Tx, after: After, count: int) -> list[Identity]:
            return store.members(tx, found.id, after[0] if after else None, count)

        key = ("GetGroup", found.id)
        return found, registrar.page(caller, key, limit, marker, fetch, lambda each: (each.name.lower(),))

    def groups_of(self, caller: Caller, user: str, limit: int, marker: str | None) -> Page[Identity]:
        """The groups of a user, by name. Raises NotFound."""
        registrar = self._registrar

        def fetch(tx: Tx) -> list[Identity]:
            return store.groups_of(tx, registrar.find(tx, caller, IdentityKind.USER, user).id)

        return registrar.numbered(caller, ("ListGroupsForUser", user.lower()), limit, marker, fetch)
