"""The verbs of buses and of the policies on them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from greatseal.domain.access.language import size_of
from greatseal.domain.events import refusals
from greatseal.domain.events.desk import Desk, Wanted, bus_of, check_quota, own, page
from greatseal.domain.events.model import DEFAULT_BUS, Bus, BusKey
from greatseal.domain.events.store import buses as store
from greatseal.domain.events.store.tables import changed
from greatseal.domain.tags import Tag
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import NotFound, ValidationFailed
from greatseal.kernel.pages import Page
from greatseal.storage import Tx

MOST_BUSES = 100
LONGEST_POLICY = 10_240
_VERSION = "2012-10-17"


@dataclass(frozen=True, slots=True)
class Statement:
    """A permission: who may do what to the bus, under at most one condition."""

    id: str
    principal: str
    """An account, or `*`."""
    action: str
    condition: tuple[str, str, str] | None = None
    """Operator, key, value."""


class Buses:
    """Makes, changes, shows and deletes buses. That of the services is always there."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def find(self, key: BusKey) -> tuple[Bus, str | None]:
        """A bus and its policy. Raises NotFound."""
        return self._desk.storage.read(lambda tx: (bus_of(tx, key), self._desk.policies.document(tx, key.arn)))

    def page(self, caller: Caller, wanted: Wanted) -> Page[tuple[Bus, str | None]]:
        """The caller's buses by name, with their policies."""
        key = own(caller, DEFAULT_BUS)
        policies = self._desk.policies

        def load(tx: Tx, after: str, limit: int) -> list[tuple[Bus, str | None]]:
            found = store.page(tx, key, prefix=wanted.prefix, after=after, limit=limit)
            if DEFAULT_BUS not in (bus.name for bus in found):
                default = store.find(tx, key)
                if default is not None and after < DEFAULT_BUS and DEFAULT_BUS.startswith(wanted.prefix):
                    found = sorted([*found, default], key=lambda bus: bus.name)[:limit]
            return [(bus, policies.document(tx, bus.arn)) for bus in found]

        scope = ("ListEventBuses", caller.account, caller.region)
        return page(self._desk, scope, wanted, load, lambda item: item[0].name)

    def create(
        self, caller: Caller, name: str, *, description: str | None, dead_letter_arn: str | None, tags: Sequence[Tag]
    ) -> Bus:
        """Makes a bus. Raises AlreadyExists, LimitExceeded, InvalidTag."""
        key, now = own(caller, name), self._desk.clock.now()
        if "/" in name:
            raise refusals.invalid("Name", "only buses of partners have a slash in their names.")

        def work(tx: Tx) -> Bus:
            if store.find(tx, key) is not None:
                raise refusals.exists("Event bus", name)
            check_quota(store.count(tx, key) + 1, MOST_BUSES)
            values = {"description": description, "dead_letter_arn": dead_letter_arn}
            if not store.add(tx, key, {**values, "created_at": now, "modified_at": now}):
                raise refusals.exists("Event bus", name)
            self._desk.tags.add(tx, key.arn, tags)
            changed(tx)
            self._desk.audit.record(tx, caller, key.arn, response={"event_bus_arn": key.arn})
            return bus_of(tx, key)

        return self._desk.storage.transact(work)

    def update(self, caller: Caller, key: BusKey, *, description: str | None, dead_letter_arn: str | None) -> Bus:
        """Changes a bus; what is not given is taken away. Raises NotFound."""
        now = self._desk.clock.now()

        def work(tx: Tx) -> Bus:
            bus_of(tx, key)
            values = {"description": description, "dead_letter_arn": dead_letter_arn, "modified_at": now}
            if not store.change(tx, key, values):
                store.add(tx, key, {**values, "created_at": now})
            changed(tx)
            self._desk.audit.record(tx, caller, key.arn)
            return bus_of(tx, key)

        return self._desk.storage.transact(work)

    def delete(self, caller: Caller, name: str) -> None:
        """Deletes a bus without rules; one that is not there is no error. Raises ValidationFailed."""
        key = own(caller, name)
        if name == DEFAULT_BUS:
            raise ValidationFailed("Cannot delete event bus default.")

        def work(tx: Tx) -> None:
            if store.has_rules(tx, key):
                raise ValidationFailed("Event bus can't be deleted since it has rules.")
            if store.remove(tx, key):
                self._desk.policies.remove(tx, key.arn)
                self._desk.tags.remove_all(tx, key.arn)
                changed(tx)
            self._desk.audit.record(tx, caller, key.arn)

        self._desk.storage.transact(work)

    def permit(self, caller: Caller, key: BusKey, statement: Statement) -> None:
        """Adds a permission, in place of the one with its id. Raises NotFound, PolicyTooLong, InvalidPolicy."""
        added = _statement(statement, key)

        def work(tx: Tx) -> None:
            bus_of(tx, key)
            document = self._desk.policies.document(tx, key.arn)
            others = [each for each in _statements(document) if each.get("Sid") != statement.id]
            self._put(tx, key, json.dumps({"Version": _VERSION, "Statement": [*others, added]}))
            self._desk.audit.record(tx, caller, key.arn)

        self._desk.storage.transact(work)

    def put_policy(self, caller: Caller, key: BusKey, document: str) -> None:
        """Sets the whole policy. Raises NotFound, PolicyTooLong, InvalidPolicy."""

        def work(tx: Tx) -> None:
            bus_of(tx, key)
            self._put(tx, key, document)
            self._desk.audit.record(tx, caller, key.arn)

        self._desk.storage.transact(work)

    def forbid(self, caller: Caller, key: BusKey, statement_id: str | None) -> None:
        """Takes a permission away, or with None all of them. Raises NotFound."""

        def work(tx: Tx) -> None:
            bus_of(tx, key)
            document = self._desk.policies.document(tx, key.arn)
            statements = _statements(document)
            others = [] if statement_id is None else [each for each in statements if each.get("Sid") != statement_id]
            if statement_id is not None and len(others) == len(statements):
                raise NotFound("Statement with the provided id does not exist.")
            if others:
                self._put(tx, key, json.dumps({"Version": _VERSION, "Statement": others}))
            else:
                self._desk.policies.remove(tx, key.arn)
            self._desk.audit.record(tx, caller, key.arn)

        self._desk.storage.transact(work)

    def _put(self, tx: Tx, key: BusKey, document: str) -> None:
        if size_of(document) > LONGEST_POLICY:
            raise refusals.PolicyTooLong(f"The policy of an event bus has at most {LONGEST_POLICY} characters.")
        self._desk.policies.put(tx, key.arn, document)


def _statements(document: str | None) -> list[dict[str, Any]]:
    found = [] if document is None else json.loads(document)["Statement"]
    return found if isinstance(found, list) else [found]


def _statement(given: Statement, key: BusKey) -> Mapping[str, object]:
    root = str(Arn(key.partition, "iam", "", given.principal, "root"))
    made: dict[str, object] = {
        "Sid": given.id,
        "Effect": "Allow",
        "Principal": "*" if given.principal == "*" else {"AWS": root},
        "Action": given.action,
        "Resource": key.arn,
    }
    if given.condition is not None:
        operator, name, value = given.condition
        made["Condition"] = {operator: {name: value}}
    return made
