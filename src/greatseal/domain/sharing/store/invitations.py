"""The table of invitations."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Row, String, Table, Text, delete, insert, select, update

from greatseal.domain.sharing.model import Invitation, InvitationStatus
from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

share_invitation = Table(
    "share_invitation",
    metadata,
    Column("arn", Text, primary_key=True),
    Column("share_arn", Text, nullable=False),
    Column("share_name", Text, nullable=False),
    Column("region", String(32), nullable=False),
    Column("sender", String(12), nullable=False),
    Column("receiver", String(12), nullable=False),
    Column("receiver_arn", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("at", utc_timestamp(), nullable=False),
    Index("ix_share_invitation_receiver", "receiver", "region", "arn"),
    Index("ix_share_invitation_share", "share_arn"),
)
_table = share_invitation


def add(tx: Tx, new: Invitation) -> None:
    """Stores a new invitation."""
    row = {
        "arn": new.arn,
        "share_arn": new.share_arn,
        "share_name": new.share_name,
        "region": new.region,
        "sender": new.sender,
        "receiver": new.receiver,
        "receiver_arn": new.receiver_arn,
        "status": new.status.value,
        "at": new.at,
    }
    tx.execute(insert(_table), row)


def answer(tx: Tx, arn: str, status: InvitationStatus) -> None:
    """Stores what was answered."""
    tx.execute(update(_table).where(_table.c.arn == arn).values(status=status.value))


def withdraw(tx: Tx, share_arn: str, principal: str | None = None) -> None:
    """Removes the open invitations of a share, or those to one principal of it."""
    for row in tx.all(select(_table).where(_table.c.share_arn == share_arn)):
        found = _load(row)
        if found.status is InvitationStatus.PENDING and principal in (None, found.principal):
            tx.execute(delete(_table).where(_table.c.arn == found.arn))


def find(tx: Tx, arn: str) -> Invitation | None:
    """The invitation with this ARN."""
    row = tx.first(select(_table).where(_table.c.arn == arn))
    return None if row is None else _load(row)


def listing(
    tx: Tx,
    *,
    receiver: str,
    region: str,
    arns: Collection[str] | None,
    shares: Collection[str] | None,
    after: str,
    limit: int,
) -> list[Invitation]:
    """The invitations that an account received, by ARN."""
    query = select(_table).where(_table.c.receiver == receiver, _table.c.region == region, _table.c.arn > after)
    if arns is not None:
        query = query.where(_table.c.arn.in_(arns))
    if shares is not None:
        query = query.where(_table.c.share_arn.in_(shares))
    return [_load(row) for row in tx.all(query.order_by(_table.c.arn).limit(limit))]


def forget(tx: Tx, before: datetime) -> None:
    """Removes invitations that were sent before this time."""
    tx.execute(delete(_table).where(_table.c.at <= before))


def _load(row: Row[Any]) -> Invitation:
    return Invitation(
        arn=row.arn,
        share_arn=row.share_arn,
        share_name=row.share_name,
        region=row.region,
        sender=row.sender,
        receiver=row.receiver,
        receiver_arn=row.receiver_arn,
        status=InvitationStatus(row.status),
        at=row.at,
    )
