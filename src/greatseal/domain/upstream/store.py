"""The tables of the room: accounts at CAs, orders there, challenges that are prepared, and renewal windows."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, LargeBinary, Row, String, Table, Text, delete, insert, select, update

from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

upstream_account = Table(
    "upstream_account",
    metadata,
    Column("directory", String(512), primary_key=True),
    Column("key_id", String(64), nullable=False),
    Column("url", Text()),
)

upstream_order = Table(
    "upstream_order",
    metadata,
    # `<certificate id>/<generation>`, as whoever orders names it.
    Column("token", String(96), primary_key=True),
    Column("subject", String(64), nullable=False),
    Column("directory", String(512), nullable=False),
    Column("csr", LargeBinary(), nullable=False),
    Column("url", Text()),
    # Nothing is asked before: the CA has said so.
    Column("not_before", utc_timestamp()),
    Column("failure", String(64)),
    Column("detail", Text(), nullable=False),
    Column("chain", Text()),
    Column("created_at", utc_timestamp(), nullable=False),
    Index("ix_upstream_order_subject", "subject", "created_at"),
)

upstream_challenge = Table(
    "upstream_challenge",
    metadata,
    # The authorization that it is a challenge of.
    Column("url", String(512), primary_key=True),
    Column("token", String(96), nullable=False),
    Column("kind", String(16), nullable=False),
    # DNS-01: zone, name and text of the record. HTTP-01: no zone, the name of the file and what is in it.
    Column("zone", String(253), nullable=False),
    Column("name", String(512), nullable=False),
    Column("content", Text(), nullable=False),
    Column("prepared_at", utc_timestamp(), nullable=False),
    Index("ix_upstream_challenge_token", "token"),
    Index("ix_upstream_challenge_name", "name"),
)

upstream_window = Table(
    "upstream_window",
    metadata,
    Column("certificate", String(128), primary_key=True),
    Column("renews_at", utc_timestamp()),
    Column("ask_again_at", utc_timestamp(), nullable=False),
)


def account(tx: Tx, directory: str) -> Row[Any] | None:
    """The account at a CA."""
    return tx.first(select(upstream_account).where(upstream_account.c.directory == directory))


def add_account(tx: Tx, directory: str, key_id: str) -> bool:
    """Keeps the key of an account before anybody hears of it; False when there is one."""
    return tx.insert_once(upstream_account, {"directory": directory, "key_id": key_id, "url": None})


def know_account(tx: Tx, directory: str, url: str | None) -> None:
    """Keeps where the account is; None when the CA does not know it any more."""
    tx.execute(update(upstream_account).where(upstream_account.c.directory == directory).values(url=url))


def order(tx: Tx, token: str) -> Row[Any] | None:
    """The order with this token."""
    return tx.first(select(upstream_order).where(upstream_order.c.token == token))


def add_order(tx: Tx, token: str, directory: str, csr: bytes, now: datetime) -> None:
    """Keeps an order before the CA hears of it; one that is there stays."""
    subject = token.partition("/")[0]
    values = {"token": token, "subject": subject, "directory": directory, "csr": csr, "detail": "", "created_at": now}
    tx.insert_once(upstream_order, values)


def change_order(tx: Tx, token: str, **values: Any) -> None:
    """Changes columns of an order."""
    tx.execute(update(upstream_order).where(upstream_order.c.token == token).values(values))


def place(tx: Tx, token: str, url: str) -> bool:
    """Keeps where the order is; False when another run was faster, whose order counts."""
    mine = (upstream_order.c.token == token, upstream_order.c.url.is_(None))
    return tx.execute(update(upstream_order).where(*mine).values(url=url)).rowcount == 1


def last_chain(tx: Tx, subject: str) -> str | None:
    """The latest certificate (PEM, with its chain) that was ordered for a subject."""
    columns = upstream_order.c
    query = select(columns.chain).where(columns.subject == subject, columns.chain.is_not(None))
    found: str | None = tx.scalar(query.order_by(columns.created_at.desc()).limit(1))
    return found


def add_challenge(tx: Tx, **values: Any) -> None:
    """Keeps what a challenge is answered with, before it is anywhere; one that is there stays."""
    tx.insert_once(upstream_challenge, values)


def challenge(tx: Tx, url: str) -> Row[Any] | None:
    """What the challenge of an authorization is answered with."""
    return tx.first(select(upstream_challenge).where(upstream_challenge.c.url == url))


def file(tx: Tx, name: str) -> str | None:
    """What is in the file of an HTTP-01 challenge."""
    columns = upstream_challenge.c
    query = select(columns.content).where(columns.name == name, columns.kind == "http-01")
    found: str | None = tx.scalar(query.limit(1))
    return found


def challenges(tx: Tx, token: str) -> list[Row[Any]]:
    """All that was prepared for an order."""
    return list(tx.all(select(upstream_challenge).where(upstream_challenge.c.token == token)))


def forget_challenge(tx: Tx, url: str) -> None:
    """Forgets a challenge whose answer is nowhere any more."""
    tx.execute(delete(upstream_challenge).where(upstream_challenge.c.url == url))


def window(tx: Tx, certificate: str) -> Row[Any] | None:
    """What is known of a renewal window."""
    return tx.first(select(upstream_window).where(upstream_window.c.certificate == certificate))


def know_window(tx: Tx, certificate: str, renews_at: datetime | None, ask_again_at: datetime) -> None:
    """Keeps a renewal window."""
    values = {"certificate": certificate, "renews_at": renews_at, "ask_again_at": ask_again_at}
    tx.execute(delete(upstream_window).where(upstream_window.c.certificate == certificate))
    tx.execute(insert(upstream_window).values(values))
