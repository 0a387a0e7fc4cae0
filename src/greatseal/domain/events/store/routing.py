"""What routers share: whose turn it is, and how far the audit trail was read."""

from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update

from greatseal.domain.events.store.tables import event_cursor, event_router
from greatseal.storage import Tx

_TRAIL = "audit trail"


def take_turn(tx: Tx, owner: str, now: datetime, turn: timedelta) -> bool:
    """Whether it is this router's turn, which it has from now on for that long; False while another's lasts.

    A turn that lasts implausibly long was written by a clock that was wrong.
    """
    row = tx.first(select(event_router))
    if row is None:
        tx.execute(insert(event_router), {"id": 1, "owner": owner, "until": now + turn})
        return True
    if row.owner != owner and now < row.until <= now + turn * 2:
        return False
    if row.owner != owner or row.until < now + turn / 2 or row.until > now + turn * 2:
        tx.execute(update(event_router).values(owner=owner, until=now + turn))
    return True


def place(tx: Tx) -> int | None:
    """The last record of the audit trail that was read; None while nobody wants any."""
    found: int | None = tx.scalar(select(event_cursor.c.place).where(event_cursor.c.name == _TRAIL))
    return found


def start(tx: Tx, place: int) -> bool:
    """Reads the trail from behind this record on; False when it is being read already."""
    return tx.insert_once(event_cursor, {"name": _TRAIL, "place": place})


def move(tx: Tx, old: int, new: int) -> bool:
    """Notes how far the trail was read; False when another router did."""
    where = (event_cursor.c.name == _TRAIL, event_cursor.c.place == old)
    return tx.execute(update(event_cursor).where(*where).values(place=new)).rowcount == 1


def stop(tx: Tx) -> None:
    """Reads the trail no longer."""
    tx.execute(delete(event_cursor).where(event_cursor.c.name == _TRAIL))
