"""Connections, whose secrets are sealed, and API destinations."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, select

from greatseal.domain.events.model import BusKey, Connection, Destination
from greatseal.domain.events.store import listing
from greatseal.domain.events.store.tables import event_connection, event_destination, owned
from greatseal.storage import Tx
from greatseal.storage.sealed import SealedColumn


def identity(arn: str) -> str:
    """What the sealed secrets of a connection are bound to."""
    return f"event-connection/{arn}"


SEALED = SealedColumn(event_connection, "arn", "sealed_secrets", identity)


def find(tx: Tx, key: BusKey) -> Connection | None:
    """The connection with a name."""
    row = listing.named(tx, event_connection, key)
    return None if row is None else _connection(row)


def at(tx: Tx, arn: str) -> Connection | None:
    """The connection with this ARN."""
    row = tx.first(select(event_connection).where(event_connection.c.arn == arn))
    return None if row is None else _connection(row)


def sealed(tx: Tx, arn: str) -> bytes | None:
    """The sealed secrets of a connection; None when it is gone or was deauthorized."""
    found: bytes | None = tx.scalar(select(event_connection.c.sealed_secrets).where(event_connection.c.arn == arn))
    return found


def add(tx: Tx, key: BusKey, connection: Connection, secrets: bytes) -> bool:
    """Adds a connection; False when its name is taken."""
    values = {
        "arn": connection.arn,
        **owned(key),
        "description": connection.description,
        "authorization": connection.authorization,
        "public": dict(connection.public),
        "sealed_secrets": secrets,
        "authorized": True,
        "authorized_at": connection.authorized_at,
        "created_at": connection.created_at,
        "modified_at": connection.modified_at,
    }
    return listing.add(tx, event_connection, values)


def change(tx: Tx, arn: str, values: Mapping[str, Any]) -> None:
    """Changes columns of a connection."""
    listing.change(tx, event_connection, arn, values)


def remove(tx: Tx, arn: str) -> None:
    """Removes a connection."""
    listing.remove(tx, event_connection, arn)


def page(tx: Tx, key: BusKey, *, prefix: str, after: str, limit: int, equal: Mapping[str, object]) -> list[Connection]:
    """Connections of an account and region by name."""
    rows = listing.page(tx, event_connection, key, prefix=prefix, after=after, limit=limit, equal=equal)
    return [_connection(row) for row in rows]


def find_destination(tx: Tx, key: BusKey) -> Destination | None:
    """The API destination with a name."""
    row = listing.named(tx, event_destination, key)
    return None if row is None else _destination(row)


def destination_at(tx: Tx, arn: str) -> Destination | None:
    """The API destination with this ARN."""
    row = tx.first(select(event_destination).where(event_destination.c.arn == arn))
    return None if row is None else _destination(row)


def all_destinations(tx: Tx) -> list[tuple[Destination, bool]]:
    """All API destinations, each with whether its connection can be used."""
    query = select(event_destination, event_connection.c.authorized).join(
        event_connection, event_connection.c.arn == event_destination.c.connection_arn, isouter=True
    )
    return [(_destination(row), bool(row.authorized)) for row in tx.all(query)]


def add_destination(tx: Tx, key: BusKey, destination: Destination) -> bool:
    """Adds an API destination; False when its name is taken."""
    values = {
        "arn": destination.arn,
        **owned(key),
        "description": destination.description,
        "connection_arn": destination.connection_arn,
        "endpoint": destination.endpoint,
        "method": destination.method,
        "rate": destination.rate,
        "created_at": destination.created_at,
        "modified_at": destination.modified_at,
    }
    return listing.add(tx, event_destination, values)


def change_destination(tx: Tx, arn: str, values: Mapping[str, Any]) -> None:
    """Changes columns of an API destination."""
    listing.change(tx, event_destination, arn, values)


def remove_destination(tx: Tx, arn: str) -> None:
    """Removes an API destination."""
    listing.remove(tx, event_destination, arn)


def page_of_destinations(
    tx: Tx, key: BusKey, *, prefix: str, after: str, limit: int, equal: Mapping[str, object]
) -> list[Destination]:
    """API destinations of an account and region by name."""
    rows = listing.page(tx, event_destination, key, prefix=prefix, after=after, limit=limit, equal=equal)
    return [_destination(row) for row in rows]


def _connection(row: Row[Any]) -> Connection:
    return Connection(
        arn=row.arn,
        name=row.name,
        authorization=row.authorization,
        public=row.public,
        created_at=row.created_at,
        modified_at=row.modified_at,
        description=row.description,
        authorized=row.authorized,
        authorized_at=row.authorized_at,
    )


def _destination(row: Row[Any]) -> Destination:
    return Destination(
        arn=row.arn,
        name=row.name,
        connection_arn=row.connection_arn,
        endpoint=row.endpoint,
        method=row.method,
        created_at=row.created_at,
        modified_at=row.modified_at,
        description=row.description,
        rate=row.rate,
    )
