"""The column types hold the same on both databases."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Column, MetaData, Table, Text, exc, insert, select, text

from greatseal.storage.schema import json_text, utc_timestamp
from greatseal.storage.tx import Storage

thing = Table("thing", MetaData(), Column("key", Text, primary_key=True), Column("at", utc_timestamp()))
document = Table("document", MetaData(), Column("key", Text, primary_key=True), Column("body", json_text()))


def test_instants_keep_their_microseconds_and_sort(storage: Storage) -> None:
    moments = {
        "before": datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        "now": datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
        "end": datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    }
    storage.transact(lambda tx: thing.metadata.create_all(tx.connection))
    storage.transact(
        lambda tx: tx.execute(insert(thing), [{"key": key, "at": at} for key, at in reversed(moments.items())])
    )
    rows = storage.read(lambda tx: tx.all(select(thing).order_by(thing.c.at)))
    assert [(row.key, row.at) for row in rows] == list(moments.items())
    elsewhere = moments["now"].astimezone(timezone(timedelta(hours=9)))
    assert storage.read(lambda tx: tx.scalar(select(thing.c.key).where(thing.c.at == elsewhere))) == "now"
    assert storage.read(lambda tx: tx.scalar(text("SELECT at FROM thing WHERE key = 'before'"))) == -1
    with pytest.raises(exc.StatementError, match="time zone"):
        storage.read(lambda tx: tx.all(select(thing).where(thing.c.at == datetime(2026, 1, 1))))


def test_json_is_compact_and_sorted(storage: Storage) -> None:
    body = {"b": [1, 2.5, None, True], "a": {"y": "é\0", "x": ""}}
    storage.transact(lambda tx: document.metadata.create_all(tx.connection))
    storage.transact(lambda tx: tx.execute(insert(document), [{"key": "k", "body": body}, {"key": "n", "body": None}]))
    stored = storage.read(lambda tx: tx.scalar(text("SELECT body FROM document WHERE key = 'k'")))
    assert stored == '{"a":{"x":"","y":"é\\u0000"},"b":[1,2.5,null,true]}'
    rows = storage.read(lambda tx: tx.all(select(document.c.body).order_by(document.c.key)))
    assert [row.body for row in rows] == [body, None]
