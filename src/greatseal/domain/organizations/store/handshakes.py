"""The table of handshakes."""

from datetime import datetime

from sqlalchemy import Row, insert, or_, select, update

from greatseal.domain.organizations.model import HANDSHAKE_MEMORY, Handshake, HandshakeState
from greatseal.domain.organizations.store.organizations import organization_of
from greatseal.domain.organizations.store.tables import handshake, organization
from greatseal.storage import Tx

_OWN = [column.label(f"handshake_{column.name}") for column in handshake.c]


def add(tx: Tx, new: Handshake) -> None:
    """One more handshake."""
    row = {
        "id": new.id,
        "organization_id": new.organization.id,
        "account": new.account,
        "by_email": new.by_email,
        "notes": new.notes,
        "tags": new.tags,
        "requested_at": new.requested_at,
        "expires_at": new.expires_at,
        "decided": None,
        "decided_at": None,
    }
    tx.execute(insert(handshake), row)


def find(tx: Tx, handshake_id: str, now: datetime) -> Handshake | None:
    """One handshake, unless it came to its end long ago."""
    found = _select(tx, now, handshake.c.id == handshake_id)
    return found[0] if found else None


def of_account(tx: Tx, account: str, now: datetime, *, after: str = "", limit: int | None = None) -> list[Handshake]:
    """The handshakes that invite an account, by id."""
    return _select(tx, now, handshake.c.account == account, handshake.c.id > after, limit=limit)


def of_organization(
    tx: Tx, organization_id: str, now: datetime, *, after: str = "", limit: int | None = None
) -> list[Handshake]:
    """The handshakes of an organization, by id."""
    here = (handshake.c.organization_id == organization_id, handshake.c.id > after)
    return _select(tx, now, *here, limit=limit)


def decide(tx: Tx, handshake_id: str, state: HandshakeState, at: datetime) -> None:
    """Brings a handshake to its end."""
    here = update(handshake).where(handshake.c.id == handshake_id)
    tx.execute(here.values(decided=state.value, decided_at=at))


def _select(tx: Tx, now: datetime, *where: object, limit: int | None = None) -> list[Handshake]:
    forgotten = now - HANDSHAKE_MEMORY
    recent = or_(
        handshake.c.decided_at > forgotten, handshake.c.decided_at.is_(None) & (handshake.c.expires_at > forgotten)
    )
    query = select(organization, *_OWN).join(handshake, handshake.c.organization_id == organization.c.id)
    return [_handshake(row) for row in tx.all(query.where(recent, *where).order_by(handshake.c.id).limit(limit))]  # type: ignore[arg-type]


def _handshake(row: Row[tuple[object, ...]]) -> Handshake:
    return Handshake(
        id=row.handshake_id,
        organization=organization_of(row),
        account=row.handshake_account,
        by_email=row.handshake_by_email,
        notes=row.handshake_notes,
        tags=tuple((key, value) for key, value in row.handshake_tags),
        requested_at=row.handshake_requested_at,
        expires_at=row.handshake_expires_at,
        decided=HandshakeState(row.handshake_decided) if row.handshake_decided else None,
    )
