"""The tables of the timestamp authority: its keys, and the serial of the last token."""

from sqlalchemy import BigInteger, Column, Integer, String, Table, and_, delete, func, insert, select, update

from greatseal.domain.authorities.issued import JournalState, certificate_arn
from greatseal.domain.authorities.store.journal import issued_certificate
from greatseal.domain.revocation.store import revocation
from greatseal.domain.timestamping.model import StampKey
from greatseal.storage import Tx
from greatseal.storage.schema import metadata

# What a key's certificate says is in the journal, under the CA and the serial: there is no second copy.
timestamp_key = Table(
    "timestamp_key",
    metadata,
    # As the primary key it lets one of two nodes make the next key.
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("authority_arn", String(256), nullable=False),
    Column("authority_id", String(36), nullable=False),
    Column("serial", String(40), nullable=False),
    Column("key_id", String(36), nullable=False),
)
# One row: the serial of the last token of all nodes, and how many there were.
timestamp_serial = Table(
    "timestamp_serial",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
    Column("tokens", BigInteger, nullable=False),
)
_ROW = 1

_KEYS = (
    select(
        timestamp_key.c.number,
        timestamp_key.c.key_id,
        timestamp_key.c.authority_arn,
        timestamp_key.c.serial,
        issued_certificate.c.state,
        issued_certificate.c.prepared_at,
        issued_certificate.c.not_after,
        issued_certificate.c.certificate,
        issued_certificate.c.issuer_certificate_id,
        revocation.c.revoked_at,
    )
    .select_from(
        timestamp_key.join(
            issued_certificate,
            and_(
                issued_certificate.c.authority_id == timestamp_key.c.authority_id,
                issued_certificate.c.serial == timestamp_key.c.serial,
            ),
        ).outerjoin(
            revocation,
            and_(
                revocation.c.authority_id == timestamp_key.c.authority_id,
                revocation.c.serial == timestamp_key.c.serial,
            ),
        )
    )
    .order_by(timestamp_key.c.number.desc())
)


def keys(tx: Tx) -> list[StampKey]:
    """Every key that was not destroyed, newest first."""
    return [
        StampKey(
            number=row.number,
            key_id=row.key_id,
            authority_arn=row.authority_arn,
            certificate_arn=certificate_arn(row.authority_arn, row.serial),
            state=JournalState(row.state),
            prepared_at=row.prepared_at,
            not_after=row.not_after,
            certificate=row.certificate,
            issuer_certificate_id=row.issuer_certificate_id,
            revoked=row.revoked_at is not None,
        )
        for row in tx.all(_KEYS)
    ]


def add_key(tx: Tx, *, authority_arn: str, authority_id: str, serial: str, key_id: str) -> bool:
    """Takes the next number for a key. False when another node has just taken it."""
    last = tx.scalar(select(func.max(timestamp_key.c.number)))
    row = {
        "number": (last or 0) + 1,
        "authority_arn": authority_arn,
        "authority_id": authority_id,
        "serial": serial,
        "key_id": key_id,
    }
    return tx.insert_once(timestamp_key, row)


def remove_key(tx: Tx, number: int) -> None:
    """Forgets a key; its certificate stays in the journal."""
    tx.execute(delete(timestamp_key).where(timestamp_key.c.number == number))


def last_serial(tx: Tx) -> int:
    """The serial of the last token; 0 when there was none."""
    return int(tx.scalar(select(timestamp_serial.c.last).where(timestamp_serial.c.id == _ROW)) or 0)


def take_serial(tx: Tx, serial: int) -> None:
    """The serial is that of the last token now. Of two transactions that take one, the database runs one again."""
    taken = update(timestamp_serial).where(timestamp_serial.c.id == _ROW)
    if not tx.execute(taken.values(last=serial, tokens=timestamp_serial.c.tokens + 1)).rowcount:
        tx.execute(insert(timestamp_serial), {"id": _ROW, "last": serial, "tokens": 1})


def tokens(tx: Tx) -> int:
    """How many tokens there were."""
    return int(tx.scalar(select(timestamp_serial.c.tokens).where(timestamp_serial.c.id == _ROW)) or 0)
