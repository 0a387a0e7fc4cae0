"""Credentials: access keys of users and of root principals."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, delete, insert, select, update

from greatseal.domain.access.store.tables import credential, identity
from greatseal.storage import Tx


@dataclass(frozen=True, slots=True)
class StoredCredential:
    """A row of the table, and the name and path of the user behind it (empty for a root principal)."""

    access_key_id: str
    account: str
    owner_id: str
    active: bool
    sealed_secret: bytes
    created_at: datetime
    user_name: str
    user_path: str


def find(tx: Tx, access_key_id: str) -> StoredCredential | None:
    """One credential."""
    row = tx.first(_rows().where(credential.c.access_key_id == access_key_id))
    return None if row is None else _stored(row)


def of_owner(tx: Tx, owner_id: str) -> list[StoredCredential]:
    """The credentials of a user, or of an account's root by the account id; oldest first."""
    query = _rows().where(credential.c.owner_id == owner_id)
    order = (credential.c.created_at, credential.c.access_key_id)
    return [_stored(row) for row in tx.all(query.order_by(*order))]


def _stored(row: Row[Any]) -> StoredCredential:
    return StoredCredential(*tuple(row))


def _rows() -> Select[Any]:
    c = credential.c
    return select(
        c.access_key_id,
        c.account,
        c.owner_id,
        c.active,
        c.sealed_secret,
        c.created_at,
        identity.c.name,
        identity.c.path,
    ).select_from(credential.outerjoin(identity, and_(identity.c.id == c.owner_id)))


def add(tx: Tx, row: Mapping[str, object]) -> None:
    """A new row of the table."""
    tx.execute(insert(credential), row)


def remove(tx: Tx, access_key_id: str) -> bool:
    """Whether there was such a credential."""
    return tx.execute(delete(credential).where(credential.c.access_key_id == access_key_id)).rowcount > 0


def set_active(tx: Tx, access_key_id: str, active: bool) -> None:
    """Switches a credential on or off."""
    tx.execute(update(credential).where(credential.c.access_key_id == access_key_id).values(active=active))
