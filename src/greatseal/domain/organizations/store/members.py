"""The tables of members and of requests for accounts."""

from datetime import datetime

from sqlalchemy import Row, delete, insert, select, update

from greatseal.domain.organizations.model import Creation, CreationState, JoinedMethod, Member
from greatseal.domain.organizations.store.tables import creation, member
from greatseal.storage import Tx


def add(tx: Tx, new: Member) -> bool:
    """False when the account is in an organization already."""
    row = {
        "account": new.account,
        "organization_id": new.organization_id,
        "parent_id": new.parent_id,
        "joined": new.joined.value,
        "joined_at": new.joined_at,
        "closed_at": new.closed_at,
    }
    return tx.insert_once(member, row)


def find(tx: Tx, account: str) -> Member | None:
    """The account's membership, in whatever organization."""
    row = tx.first(select(member).where(member.c.account == account))
    return None if row is None else _member(row)


def listing(
    tx: Tx, organization_id: str, *, parent_id: str | None = None, after: str = "", limit: int | None = None
) -> list[Member]:
    """Members of an organization, or those right below one parent, by account id."""
    query = select(member).where(member.c.organization_id == organization_id, member.c.account > after)
    if parent_id is not None:
        query = query.where(member.c.parent_id == parent_id)
    return [_member(row) for row in tx.all(query.order_by(member.c.account).limit(limit))]


def move(tx: Tx, account: str, parent_id: str) -> None:
    """Puts an account below another parent."""
    tx.execute(update(member).where(member.c.account == account).values(parent_id=parent_id))


def close(tx: Tx, account: str, at: datetime) -> None:
    """Notes that an account was closed."""
    tx.execute(update(member).where(member.c.account == account).values(closed_at=at))


def remove(tx: Tx, account: str) -> None:
    """Takes an account out of its organization."""
    tx.execute(delete(member).where(member.c.account == account))


def add_creation(tx: Tx, organization_id: str, new: Creation) -> None:
    """One more request for an account."""
    row = {
        "organization_id": organization_id,
        "id": new.id,
        "account_name": new.account_name,
        "state": new.state.value,
        "requested_at": new.requested_at,
        "completed_at": new.completed_at,
        "account": new.account,
        "failure": new.failure,
    }
    tx.execute(insert(creation), row)


def find_creation(tx: Tx, organization_id: str, creation_id: str) -> Creation | None:
    """One request for an account."""
    query = select(creation).where(creation.c.organization_id == organization_id, creation.c.id == creation_id)
    row = tx.first(query)
    return None if row is None else _creation(row)


def creations(
    tx: Tx, organization_id: str, states: frozenset[CreationState], *, after: str, limit: int
) -> list[Creation]:
    """Requests for accounts by id, of these states or, when none is named, of all."""
    query = select(creation).where(creation.c.organization_id == organization_id, creation.c.id > after)
    if states:
        query = query.where(creation.c.state.in_([state.value for state in states]))
    return [_creation(row) for row in tx.all(query.order_by(creation.c.id).limit(limit))]


def _member(row: Row[tuple[object, ...]]) -> Member:
    joined = JoinedMethod(row.joined)
    return Member(row.account, row.organization_id, row.parent_id, joined, row.joined_at, row.closed_at)


def _creation(row: Row[tuple[object, ...]]) -> Creation:
    return Creation(
        id=row.id,
        account_name=row.account_name,
        state=CreationState(row.state),
        requested_at=row.requested_at,
        completed_at=row.completed_at,
        account=row.account,
        failure=row.failure,
    )
