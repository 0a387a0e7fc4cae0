"""The verbs of connections and API destinations. What is secret in a connection is sealed and never shown again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from greatseal.crypto.wrap import Sealer
from greatseal.domain.events import refusals
from greatseal.domain.events.desk import Desk, Wanted, own, page
from greatseal.domain.events.model import BusKey, Connection, Destination
from greatseal.domain.events.store import connections as store
from greatseal.domain.events.store.tables import changed
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import NotFound
from greatseal.kernel.ids import new_uuid
from greatseal.kernel.pages import Page
from greatseal.kernel.secret import Secret
from greatseal.storage import Tx


@dataclass(frozen=True, slots=True)
class Credentials:
    """How a receiver recognises us; `public` is shown again, `secret` never."""

    authorization: str
    """BASIC or API_KEY."""
    public: Mapping[str, Any]
    secret: Mapping[str, str] = field(repr=False)
    """`user` and `password`, or `name` and `value`; header parameters as `header:NAME`, of the query `query:NAME`,
    of the body `body:NAME`."""


class Connections:
    """Makes, changes, shows and deletes connections."""

    def __init__(self, desk: Desk, sealer: Sealer) -> None:
        self._desk = desk
        self._sealer = sealer

    def create(self, caller: Caller, name: str, credentials: Credentials, description: str | None) -> Connection:
        """Raises AlreadyExists."""
        key, now = own(caller, name), self._desk.clock.now()
        connection = Connection(
            arn=_arn(key, "connection", new_uuid(self._desk.entropy)),
            name=name,
            authorization=credentials.authorization,
            public=credentials.public,
            created_at=now,
            modified_at=now,
            description=description,
            authorized_at=now,
        )
        sealed = self._seal(connection.arn, credentials.secret)

        def work(tx: Tx) -> None:
            if not store.add(tx, key, connection, sealed):
                raise refusals.exists("Connection", name)
            self._record(tx, caller, connection.arn, "AUTHORIZED")

        self._desk.storage.transact(work)
        return connection

    def find(self, key: BusKey) -> Connection:
        """The connection. Raises NotFound."""
        return self._desk.storage.read(lambda tx: _connection(tx, key))

    def update(self, caller: Caller, name: str, credentials: Credentials | None, description: str | None) -> Connection:
        """Changes the description, or the credentials as a whole, or both. Raises NotFound."""
        key, now = own(caller, name), self._desk.clock.now()

        def work(tx: Tx) -> Connection:
            connection = _connection(tx, key)
            values: dict[str, Any] = {"modified_at": now}
            if description is not None:
                values["description"] = description
            if credentials is not None:
                values |= {
                    "authorization": credentials.authorization,
                    "public": dict(credentials.public),
                    "sealed_secrets": self._seal(connection.arn, credentials.secret),
                    "authorized": True,
                    "authorized_at": now,
                }
            store.change(tx, connection.arn, values)
            found = _connection(tx, key)
            self._record(tx, caller, connection.arn, "AUTHORIZED" if found.authorized else "DEAUTHORIZED")
            return found

        return self._desk.storage.transact(work)

    def deauthorize(self, caller: Caller, name: str) -> Connection:
        """Forgets the secrets of a connection; its API destinations are called no more. Raises NotFound."""
        key, now = own(caller, name), self._desk.clock.now()

        def work(tx: Tx) -> Connection:
            connection = _connection(tx, key)
            store.change(tx, connection.arn, {"sealed_secrets": None, "authorized": False, "modified_at": now})
            self._record(tx, caller, connection.arn, "DEAUTHORIZING")
            return _connection(tx, key)

        return self._desk.storage.transact(work)

    def delete(self, caller: Caller, name: str) -> Connection:
        """Deletes a connection with its secrets. Raises NotFound."""
        key = own(caller, name)

        def work(tx: Tx) -> Connection:
            connection = _connection(tx, key)
            store.remove(tx, connection.arn)
            self._record(tx, caller, connection.arn, "DELETING")
            return connection

        return self._desk.storage.transact(work)

    def page(self, caller: Caller, wanted: Wanted, *, authorized: bool | None) -> Page[Connection]:
        """The caller's connections by name."""
        key = own(caller, "")
        equal = {} if authorized is None else {"authorized": authorized}

        def load(tx: Tx, after: str, limit: int) -> list[Connection]:
            return store.page(tx, key, prefix=wanted.prefix, after=after, limit=limit, equal=equal)

        scope = ("ListConnections", caller.account, caller.region, str(authorized))
        return page(self._desk, scope, wanted, load, lambda connection: connection.name)

    def secrets(self, address: Mapping[str, str]) -> Mapping[str, str]:
        """What the carrier of a webhook needs besides the address of a parcel (see `Credentials.secret`).

        Empty when the address names no connection. Raises NotFound when the connection is gone or deauthorized.
        """
        arn = address.get("connection_arn")
        if arn is None:
            return {}
        sealed = self._desk.storage.read(lambda tx: store.sealed(tx, arn))
        if sealed is None:
            raise NotFound(f"Connection {arn} does not exist or is not authorized.")
        found: Mapping[str, str] = json.loads(self._sealer.open(store.identity(arn), sealed).reveal())
        return found

    def _seal(self, arn: str, secret: Mapping[str, str]) -> bytes:
        return self._sealer.seal(store.identity(arn), Secret(json.dumps(dict(secret)).encode()))

    def _record(self, tx: Tx, caller: Caller, arn: str, state: str) -> None:
        changed(tx)
        self._desk.audit.record(tx, caller, arn, response={"connection_arn": arn, "connection_state": state})


class Destinations:
    """Makes, changes, shows and deletes API destinations."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def create(
        self,
        caller: Caller,
        name: str,
        *,
        connection_arn: str,
        endpoint: str,
        method: str,
        rate: int | None,
        description: str | None,
    ) -> tuple[Destination, bool]:
        """The destination, and whether its connection can be used. Raises AlreadyExists, NotFound, ValidationFailed."""
        key, now = own(caller, name), self._desk.clock.now()
        _check_endpoint(endpoint)
        made = Destination(
            arn=_arn(key, "api-destination", new_uuid(self._desk.entropy)),
            name=name,
            connection_arn=connection_arn,
            endpoint=endpoint,
            method=method,
            created_at=now,
            modified_at=now,
            description=description,
            rate=rate,
        )

        def work(tx: Tx) -> bool:
            connection = _own_connection(tx, caller, connection_arn, "Failed to create api-destination. ")
            if not store.add_destination(tx, key, made):
                raise refusals.exists("An api-destination", f"'{name}'")
            changed(tx)
            self._desk.audit.record(tx, caller, made.arn, response={"api_destination_arn": made.arn})
            return connection.authorized

        return made, self._desk.storage.transact(work)

    def find(self, key: BusKey) -> tuple[Destination, bool]:
        """The destination, and whether its connection can be used. Raises NotFound."""
        return self._desk.storage.read(lambda tx: _usable(tx, _destination(tx, key)))

    def update(self, caller: Caller, name: str, changes: Mapping[str, Any]) -> tuple[Destination, bool]:
        """Changes what is given. Raises NotFound, ValidationFailed."""
        key, now = own(caller, name), self._desk.clock.now()
        _check_endpoint(changes.get("endpoint"))

        def work(tx: Tx) -> tuple[Destination, bool]:
            found = _destination(tx, key)
            if "connection_arn" in changes:
                _own_connection(tx, caller, changes["connection_arn"], "Failed to update api-destination. ")
            store.change_destination(tx, found.arn, {**changes, "modified_at": now})
            changed(tx)
            self._desk.audit.record(tx, caller, found.arn, response={"api_destination_arn": found.arn})
            return _usable(tx, _destination(tx, key))

        return self._desk.storage.transact(work)

    def delete(self, caller: Caller, name: str) -> None:
        """Raises NotFound. What waits for the destination becomes dead letters."""
        key = own(caller, name)

        def work(tx: Tx) -> None:
            found = _destination(tx, key)
            store.remove_destination(tx, found.arn)
            changed(tx)
            self._desk.audit.record(tx, caller, found.arn)

        self._desk.storage.transact(work)

    def page(self, caller: Caller, wanted: Wanted, *, connection_arn: str | None) -> Page[tuple[Destination, bool]]:
        """The caller's destinations by name, each with whether its connection can be used."""
        key = own(caller, "")
        equal = {} if connection_arn is None else {"connection_arn": connection_arn}

        def load(tx: Tx, after: str, limit: int) -> list[tuple[Destination, bool]]:
            found = store.page_of_destinations(tx, key, prefix=wanted.prefix, after=after, limit=limit, equal=equal)
            return [_usable(tx, each) for each in found]

        scope = ("ListApiDestinations", caller.account, caller.region, connection_arn or "")
        return page(self._desk, scope, wanted, load, lambda item: item[0].name)


def _connection(tx: Tx, key: BusKey) -> Connection:
    found = store.find(tx, key)
    if found is None:
        raise refusals.no_connection(key.name)
    return found


def _own_connection(tx: Tx, caller: Caller, arn: str, before: str) -> Connection:
    found = store.at(tx, arn) if Arn.parse(arn).account == caller.account else None
    if found is None:
        raise NotFound(f"{before}{refusals.no_connection(arn).message}")
    return found


def _destination(tx: Tx, key: BusKey) -> Destination:
    found = store.find_destination(tx, key)
    if found is None:
        raise refusals.no_destination(key.name)
    return found


def _usable(tx: Tx, destination: Destination) -> tuple[Destination, bool]:
    connection = store.at(tx, destination.connection_arn)
    return destination, connection is not None and connection.authorized


def _check_endpoint(endpoint: str | None) -> None:
    if endpoint is not None and not endpoint.startswith("https://"):
        raise refusals.invalid("InvocationEndpoint", "the endpoint must be an HTTPS URL.")


def _arn(key: BusKey, kind: str, number: str) -> str:
    return str(Arn(key.partition, "events", key.region, key.account, f"{kind}/{key.name}/{number}"))
