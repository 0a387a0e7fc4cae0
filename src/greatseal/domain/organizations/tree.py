"""The verbs of the tree: organizational units, and what is above and below what."""

from collections.abc import Sequence

from greatseal.domain.audit import Audit
from greatseal.domain.organizations import gate, paging
from greatseal.domain.organizations.model import (
    FULL_ACCESS,
    MAX_UNIT_DEPTH,
    Organization,
    TargetKind,
    Unit,
    UnitEntry,
    kind_of,
    new_id,
    path_of,
)
from greatseal.domain.organizations.paging import Wanted
from greatseal.domain.organizations.refusals import (
    ChildNotFound,
    ConstraintViolated,
    DuplicateUnit,
    ParentNotFound,
    UnitNotEmpty,
    UnitNotFound,
)
from greatseal.domain.organizations.store import members, policies, units
from greatseal.domain.tags import Tag, Tags
from greatseal.kernel.caller import Caller
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.pages import Page, PageTokens
from greatseal.storage import Storage, Tx


class Tree:
    """Makes, renames, lists and deletes units, and finds parents and children."""

    def __init__(self, *, storage: Storage, tags: Tags, audit: Audit, entropy: Entropy, tokens: PageTokens) -> None:
        self._storage = storage
        self._tags = tags
        self._audit = audit
        self._entropy = entropy
        self._tokens = tokens

    def create(self, caller: Caller, parent_id: str, name: str, tags: Sequence[Tag]) -> tuple[Organization, UnitEntry]:
        """A new unit below a root or unit. Raises ParentNotFound, DuplicateUnit and ConstraintViolated."""

        def work(tx: Tx) -> tuple[Organization, UnitEntry]:
            organization = gate.managed(tx, caller)
            require_parent(tx, organization, parent_id)
            # The root is the first of the line and no unit.
            if len(units.lineage(tx, organization.id, parent_id)) > MAX_UNIT_DEPTH:
                raise ConstraintViolated(
                    "OU_DEPTH_LIMIT_EXCEEDED", "You have reached the maximum number of levels of organizational units."
                )
            prefix = f"ou-{organization.root_id.removeprefix('r-')}-"
            new = Unit(new_id(self._entropy, prefix, 8), organization.id, parent_id, name)
            if not units.add(tx, new):
                raise DuplicateUnit
            if organization.service_control:
                policies.attach(tx, organization.id, FULL_ACCESS.id, new.id)
            arn = organization.arn(caller.partition, new.id)
            self._tags.add(tx, arn, tags)
            told = {"id": new.id, "arn": arn, "name": name}
            self._audit.record(tx, caller, arn, response={"organizational_unit": told})
            return organization, _entry(tx, new)

        return self._storage.transact(work)

    def rename(self, caller: Caller, unit_id: str, name: str | None) -> tuple[Organization, UnitEntry]:
        """Gives a unit another name, if any. Raises UnitNotFound and DuplicateUnit."""

        def work(tx: Tx) -> tuple[Organization, UnitEntry]:
            organization = gate.managed(tx, caller)
            unit = _require_unit(tx, organization, unit_id)
            if name is not None and name != unit.name:
                if units.named(tx, organization.id, unit.parent_id, name) is not None:
                    raise DuplicateUnit
                units.rename(tx, organization.id, unit_id, name)
            self._audit.record(tx, caller, organization.arn(caller.partition, unit_id))
            return organization, _entry(tx, _require_unit(tx, organization, unit_id))

        return self._storage.transact(work)

    def describe(self, caller: Caller, unit_id: str) -> tuple[Organization, UnitEntry]:
        """One unit. Raises UnitNotFound."""

        def work(tx: Tx) -> tuple[Organization, UnitEntry]:
            organization = gate.readable(tx, caller)
            return organization, _entry(tx, _require_unit(tx, organization, unit_id))

        return self._storage.read(work)

    def delete(self, caller: Caller, unit_id: str) -> None:
        """Removes an empty unit. Raises UnitNotFound and UnitNotEmpty."""

        def work(tx: Tx) -> None:
            organization = gate.managed(tx, caller)
            _require_unit(tx, organization, unit_id)
            accounts = members.listing(tx, organization.id, parent_id=unit_id, limit=1)
            if accounts or units.listing(tx, organization.id, parent_id=unit_id, limit=1):
                raise UnitNotEmpty
            units.remove(tx, organization.id, unit_id)
            policies.detach_all(tx, organization.id, unit_id)
            arn = organization.arn(caller.partition, unit_id)
            self._tags.remove_all(tx, arn)
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def units(self, caller: Caller, parent_id: str, wanted: Wanted) -> tuple[Organization, Page[UnitEntry]]:
        """The units right below a parent. Raises ParentNotFound."""

        def work(tx: Tx) -> tuple[Organization, Page[UnitEntry]]:
            organization = gate.readable(tx, caller)
            require_parent(tx, organization, parent_id)
            line = units.lineage(tx, organization.id, parent_id)

            def fetch(after: str, limit: int) -> list[UnitEntry]:
                found = units.listing(tx, organization.id, parent_id=parent_id, after=after, limit=limit)
                return [UnitEntry(unit, path_of(organization.id, (*line, unit.id))) for unit in found]

            page = paging.cut(self._tokens, caller, wanted, fetch, lambda entry: entry.unit.id, parent_id)
            return organization, page

        return self._storage.read(work)

    def children(self, caller: Caller, parent_id: str, kind: TargetKind, wanted: Wanted) -> Page[str]:
        """The ids of the units or accounts right below a parent. Raises ParentNotFound."""

        def work(tx: Tx) -> Page[str]:
            organization = gate.readable(tx, caller)
            require_parent(tx, organization, parent_id)

            def fetch(after: str, limit: int) -> list[str]:
                if kind is TargetKind.ACCOUNT:
                    accounts = members.listing(tx, organization.id, parent_id=parent_id, after=after, limit=limit)
                    return [each.account for each in accounts]
                below = units.listing(tx, organization.id, parent_id=parent_id, after=after, limit=limit)
                return [each.id for each in below]

            return paging.cut(self._tokens, caller, wanted, fetch, str, parent_id, kind.value)

        return self._storage.read(work)

    def parent(self, caller: Caller, child_id: str) -> str:
        """The id of the root or unit right above a unit or account. Raises ChildNotFound."""

        def work(tx: Tx) -> str:
            organization = gate.readable(tx, caller)
            if kind_of(child_id) is TargetKind.ACCOUNT:
                member = members.find(tx, child_id)
                if member is not None and member.organization_id == organization.id:
                    return member.parent_id
            elif (unit := units.find(tx, organization.id, child_id)) is not None:
                return unit.parent_id
            raise ChildNotFound

        return self._storage.read(work)


def is_parent(tx: Tx, organization: Organization, parent_id: str) -> bool:
    """Whether this is the root or a unit of the organization."""
    return parent_id == organization.root_id or units.find(tx, organization.id, parent_id) is not None


def require_parent(tx: Tx, organization: Organization, parent_id: str) -> None:
    """Raises ParentNotFound."""
    if not is_parent(tx, organization, parent_id):
        raise ParentNotFound


def _require_unit(tx: Tx, organization: Organization, unit_id: str) -> Unit:
    found = units.find(tx, organization.id, unit_id)
    if found is None:
        raise UnitNotFound
    return found


def _entry(tx: Tx, unit: Unit) -> UnitEntry:
    return UnitEntry(unit, path_of(unit.organization_id, units.lineage(tx, unit.organization_id, unit.id)))
