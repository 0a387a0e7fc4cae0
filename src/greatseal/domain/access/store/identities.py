"""Users, groups and roles, and which users are in which groups."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, select, tuple_, update

from greatseal.domain.access.model import Identity, IdentityKind
from greatseal.domain.access.store.reading import identity_of
from greatseal.domain.access.store.tables import account, credential, group_member, identity
from greatseal.storage import Tx


def add(tx: Tx, new: Identity) -> bool:
    """False when the name is taken, in any case."""
    row = {
        "id": new.id,
        "account": new.account,
        "kind": new.kind.value,
        "name": new.name,
        "folded_name": new.name.lower(),
        "path": new.path,
        "created_at": new.created_at,
        "boundary_arn": new.boundary_arn,
        "trust_policy": new.trust_policy,
        "description": new.description,
        "max_session_seconds": new.max_session_seconds,
        "service_linked": new.service_linked,
    }
    return tx.insert_once(identity, row)


def change(tx: Tx, identity_id: str, **columns: object) -> None:
    """Sets columns; a new name also changes what it is found by."""
    if "name" in columns:
        columns["folded_name"] = str(columns["name"]).lower()
    tx.execute(update(identity).where(identity.c.id == identity_id).values(**columns))


def remove(tx: Tx, identity_id: str) -> None:
    """Removes the row; what hangs on it was removed before."""
    tx.execute(delete(identity).where(identity.c.id == identity_id))


def listing(tx: Tx, account_id: str, kind: IdentityKind, prefix: str, after: str | None, count: int) -> list[Identity]:
    """Identities below a path, by name; `after` is a folded name."""
    query = _below(select(identity).where(identity.c.account == account_id, identity.c.kind == kind.value), prefix)
    if after is not None:
        query = query.where(identity.c.folded_name > after)
    return [identity_of(row) for row in tx.all(query.order_by(identity.c.folded_name).limit(count))]


def all_kinds(
    tx: Tx, account_id: str, kinds: list[IdentityKind], after: tuple[str, str] | None, count: int
) -> list[Identity]:
    """Identities of several kinds, by kind and name; `after` is a kind's word and a folded name."""
    order = (identity.c.kind, identity.c.folded_name)
    query = select(identity).where(
        identity.c.account == account_id, identity.c.kind.in_([kind.value for kind in kinds])
    )
    if after is not None:
        query = query.where(tuple_(*order) > after)
    return [identity_of(row) for row in tx.all(query.order_by(*order).limit(count))]


def _below(query: Select[Any], prefix: str) -> Select[Any]:
    """LIKE would not tell upper from lower case on every database."""
    return query if prefix == "/" else query.where(func.substr(identity.c.path, 1, len(prefix)) == prefix)


def count(tx: Tx, account_id: str, kind: IdentityKind) -> int:
    """How many there are in the account."""
    query = select(func.count()).select_from(identity)
    return int(tx.scalar(query.where(identity.c.account == account_id, identity.c.kind == kind.value)))


def add_member(tx: Tx, group_id: str, user_id: str) -> None:
    """Nothing happens when the user is in the group already."""
    tx.insert_once(group_member, {"group_id": group_id, "user_id": user_id})


def remove_member(tx: Tx, group_id: str, user_id: str) -> bool:
    """Whether the user was in the group."""
    statement = delete(group_member).where(group_member.c.group_id == group_id, group_member.c.user_id == user_id)
    return tx.execute(statement).rowcount > 0


def members(tx: Tx, group_id: str, after: str | None, count: int) -> list[Identity]:
    """The users of a group, by name; `after` is a folded name."""
    query = select(identity).join(group_member, group_member.c.user_id == identity.c.id)
    query = query.where(group_member.c.group_id == group_id)
    if after is not None:
        query = query.where(identity.c.folded_name > after)
    return [identity_of(row) for row in tx.all(query.order_by(identity.c.folded_name).limit(count))]


def groups_of(tx: Tx, user_id: str) -> list[Identity]:
    """The groups of a user, by name. There are few."""
    query = select(identity).join(group_member, group_member.c.group_id == identity.c.id)
    rows = tx.all(query.where(group_member.c.user_id == user_id).order_by(identity.c.folded_name))
    return [identity_of(row) for row in rows]


def has_keys(tx: Tx, user_id: str) -> bool:
    """Whether the user has an access key, active or not."""
    return tx.first(select(credential.c.access_key_id).where(credential.c.owner_id == user_id)) is not None


def account_created_at(tx: Tx, account_id: str) -> datetime:
    """When the account was made."""
    made: datetime = tx.scalar(select(account.c.created_at).where(account.c.id == account_id))
    return made


def alias_owner(tx: Tx, alias: str) -> str | None:
    """The account that goes by this alias."""
    found: str | None = tx.scalar(select(account.c.id).where(account.c.alias == alias))
    return found


def alias_of(tx: Tx, account_id: str) -> str | None:
    """The alias of an account."""
    found: str | None = tx.scalar(select(account.c.alias).where(account.c.id == account_id))
    return found


def set_alias(tx: Tx, account_id: str, alias: str | None) -> None:
    """Sets or, with None, removes the alias."""
    tx.execute(update(account).where(account.c.id == account_id).values(alias=alias))
