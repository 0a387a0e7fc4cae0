"""The table of marks: which certificate of a CA was revoked last. Whoever remembers what a CA said looks here.

The certificates of a CA fall into shares, each with a mark of its own, so that a revocation makes others forget
little, and revocations seldom wait for each other. A certificate is revoked once: a mark never comes back to
what it was.
"""

from sqlalchemy import Column, SmallInteger, String, Table, select, update

from greatseal.storage import Tx
from greatseal.storage.schema import metadata

CHANGED = "ocsp"
"""Announced in this process with every commit after which OCSP may say something else."""

revocation_mark = Table(
    "revocation_mark",
    metadata,
    Column("authority_id", String(36), primary_key=True),
    Column("share", SmallInteger, primary_key=True, autoincrement=False),
    Column("serial", String(40), nullable=False),
)


def share_of(serial: str) -> int:
    """The share that a certificate falls into: the last octet of its serial number, which is random."""
    return int(serial[-2:], 16)


def leave(tx: Tx, authority_id: str, serial: str) -> None:
    """Marks the share of a certificate that is revoked in this transaction."""
    mark, share = revocation_mark, share_of(serial)
    present = update(mark).where(mark.c.authority_id == authority_id, mark.c.share == share).values(serial=serial)
    if tx.execute(present).rowcount == 0:
        tx.insert_once(mark, {"authority_id": authority_id, "share": share, "serial": serial})
    tx.announce(CHANGED)


def of(tx: Tx, authority_id: str) -> dict[int, str]:
    """The marks of a CA by share."""
    mark = revocation_mark
    rows = tx.all(select(mark.c.share, mark.c.serial).where(mark.c.authority_id == authority_id))
    return {row.share: row.serial for row in rows}
