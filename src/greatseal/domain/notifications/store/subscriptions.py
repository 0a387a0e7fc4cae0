"""The tables of subscriptions, and of the mails that asked for confirmation."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Row,
    Select,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from greatseal.domain.notifications.model import Options, Protocol, State, Subscription
from greatseal.storage import Tx
from greatseal.storage.schema import json_text, metadata, row_id, utc_timestamp

subscription = Table(
    "subscription",
    metadata,
    Column("arn", Text, primary_key=True),
    Column("topic_arn", Text, nullable=False),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("principal", Text, nullable=False),
    Column("protocol", String(16), nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", utc_timestamp(), nullable=False),
    Column("options", json_text(), nullable=False),
    Column("token_digest", String(64)),
    Column("token_expires", utc_timestamp()),
    Column("authenticated", Boolean, nullable=False),
    Column("guarded", Boolean, nullable=False),
    Index("uq_subscription_endpoint", "topic_arn", "protocol", "endpoint", unique=True),
    Index("ix_subscription_topic_arn", "topic_arn", "arn"),
    Index("ix_subscription_listing", "account", "region", "arn"),
    Index("ix_subscription_token_digest", "token_digest"),
    Index("ix_subscription_token_expires", "token_expires"),
)

asked = Table(
    "subscription_mail",
    metadata,
    row_id(),
    Column("mailbox", Text, nullable=False),
    Column("at", utc_timestamp(), nullable=False),
    Index("ix_subscription_mail_mailbox", "mailbox", "at"),
    Index("ix_subscription_mail_at", "at"),
    sqlite_autoincrement=True,
)

_table = subscription.c


def put(tx: Tx, item: Subscription) -> None:
    """Stores a subscription, replacing what is there with its ARN."""
    tx.execute(delete(subscription).where(_table.arn == item.arn))
    tx.execute(insert(subscription), _values(item))


def find(tx: Tx, arn: str, *, now: datetime) -> Subscription | None:
    """The subscription with this ARN, unless it was never confirmed in time."""
    row = tx.first(_alive(select(subscription), now).where(_table.arn == arn))
    return None if row is None else _load(row)


def at_endpoint(tx: Tx, topic_arn: str, protocol: Protocol, endpoint: str) -> Subscription | None:
    """The subscription of an endpoint, also one that nobody confirmed."""
    same = (_table.topic_arn == topic_arn, _table.protocol == protocol.value, _table.endpoint == endpoint)
    row = tx.first(select(subscription).where(*same))
    return None if row is None else _load(row)


def by_token(tx: Tx, digest: str, *, now: datetime) -> Subscription | None:
    """The subscription that a token confirms."""
    row = tx.first(select(subscription).where(_table.token_digest == digest, _table.token_expires > now))
    return None if row is None else _load(row)


def confirmed(tx: Tx, topic_arn: str) -> list[Subscription]:
    """Everybody who hears of a topic."""
    query = select(subscription).where(_table.topic_arn == topic_arn, _table.state == State.CONFIRMED.value)
    return [_load(row) for row in tx.all(query.order_by(_table.arn))]


def count(tx: Tx, topic_arn: str, *, now: datetime) -> dict[State, int]:
    """How many subscriptions of a topic are in which state."""
    query = _alive(select(_table.state, func.count().label("n")), now).where(_table.topic_arn == topic_arn)
    found = {row.state: row.n for row in tx.all(query.group_by(_table.state))}
    return {state: found.get(state.value, 0) for state in State}


def of_account(tx: Tx, account: str, region: str, *, after: str, limit: int, now: datetime) -> list[Subscription]:
    """Subscriptions of an account in a region by ARN."""
    query = _listed(now).where(_table.account == account, _table.region == region, _table.arn > after)
    return [_load(row) for row in tx.all(query.order_by(_table.arn).limit(limit))]


def of_topic(tx: Tx, topic_arn: str, *, after: str, limit: int, now: datetime) -> list[Subscription]:
    """Subscriptions of a topic by ARN."""
    query = _listed(now).where(_table.topic_arn == topic_arn, _table.arn > after)
    return [_load(row) for row in tx.all(query.order_by(_table.arn).limit(limit))]


def save(tx: Tx, changed: Subscription) -> None:
    """Stores the changed values of a subscription that was read in the same transaction."""
    tx.execute(update(subscription).where(_table.arn == changed.arn).values(_values(changed)))


def remove(tx: Tx, arn: str) -> None:
    """Removes a subscription."""
    tx.execute(delete(subscription).where(_table.arn == arn))


def remove_all(tx: Tx, topic_arn: str) -> None:
    """For a topic that ceases to exist."""
    tx.execute(delete(subscription).where(_table.topic_arn == topic_arn))


def expire(tx: Tx, now: datetime) -> int:
    """Removes what nobody confirmed, or took back, in time; how many."""
    gone = delete(subscription).where(_table.state != State.CONFIRMED.value, _table.token_expires <= now)
    return tx.execute(gone).rowcount


def asked_since(tx: Tx, mailbox: str, since: datetime) -> int:
    """How often a mailbox has been asked for confirmation."""
    query = select(func.count()).select_from(asked).where(asked.c.mailbox == mailbox, asked.c.at > since)
    return int(tx.scalar(query))


def note_asked(tx: Tx, mailbox: str, at: datetime) -> None:
    """A mailbox is asked for confirmation."""
    tx.execute(insert(asked).inline(), {"mailbox": mailbox, "at": at})


def forget_asked(tx: Tx, before: datetime) -> int:
    """Forgets when mailboxes were asked; how many rows."""
    return tx.execute(delete(asked).where(asked.c.at <= before)).rowcount


def _alive(query: Select[Any], now: datetime) -> Select[Any]:
    return query.where(or_(_table.state == State.CONFIRMED.value, _table.token_expires > now))


def _listed(now: datetime) -> Select[Any]:
    return _alive(select(subscription), now).where(_table.state != State.ENDED.value)


def _values(item: Subscription) -> dict[str, Any]:
    return {
        "arn": item.arn,
        "topic_arn": item.topic_arn,
        "account": item.account,
        "region": item.topic_arn.split(":")[3],
        "principal": item.principal,
        "protocol": item.protocol.value,
        "endpoint": item.endpoint,
        "state": item.state.value,
        "created_at": item.created_at,
        "options": asdict(item.options),
        "token_digest": item.token_digest,
        "token_expires": item.token_expires,
        "authenticated": item.authenticated,
        "guarded": item.guarded,
    }


def _load(row: Row[Any]) -> Subscription:
    return Subscription(
        arn=row.arn,
        topic_arn=row.topic_arn,
        account=row.account,
        principal=row.principal,
        protocol=Protocol(row.protocol),
        endpoint=row.endpoint,
        state=State(row.state),
        created_at=row.created_at,
        options=Options(**row.options),
        token_digest=row.token_digest,
        token_expires=row.token_expires,
        authenticated=row.authenticated,
        guarded=row.guarded,
    )
