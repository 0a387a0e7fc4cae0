"""Messages leave in the order in which their transactions committed, key by key."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from greatseal.storage import outbox
from greatseal.storage.schema import outbox as table
from greatseal.storage.tx import Storage

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def put(storage: Storage, key: str, number: int, at: datetime = NOW, topic: str = "event") -> None:
    storage.transact(lambda tx: outbox.put(tx, topic=topic, at=at, messages=[(key, {"n": number})]))


def pending(storage: Storage, limit: int = 100) -> list[outbox.Message]:
    return storage.read(lambda tx: outbox.pending(tx, limit=limit))


def test_messages_of_a_key_keep_their_order_even_when_a_clock_goes_back(storage: Storage) -> None:
    put(storage, "a", 1, NOW + MINUTE)
    put(storage, "b", 1, NOW)
    put(storage, "a", 2, NOW)
    put(storage, "a", 3, NOW + MINUTE)
    assert [(m.key, m.payload["n"]) for m in pending(storage)] == [("b", 1), ("a", 1), ("a", 2), ("a", 3)]
    assert [m.key for m in pending(storage, 2)] == ["b", "a"]


def test_messages_of_one_put_keep_their_order_also_under_one_key(storage: Storage) -> None:
    put(storage, "a", 0)
    messages = [("a", {"n": 1}), ("b", {"n": 1}), ("a", {"n": 2}), ("a", {"n": 3})]
    storage.transact(lambda tx: outbox.put(tx, topic="event", at=NOW, messages=messages))
    assert [(m.key, m.payload["n"]) for m in pending(storage)] == [("a", 0), ("a", 1), ("a", 2), ("a", 3), ("b", 1)]
    rows = storage.read(lambda tx: tx.all(select(table.c.position).where(table.c.key == "a").order_by(table.c.id)))
    assert [row.position for row in rows] == [1, 2, 3, 4]


def test_delivered_messages_are_not_pending_and_are_pruned_by_age(storage: Storage) -> None:
    put(storage, "a", 1)
    put(storage, "a", 2, NOW + MINUTE)
    put(storage, "b", 3)
    ids = [m.id for m in pending(storage) if m.key == "a"]
    assert storage.transact(lambda tx: outbox.delivered(tx, ids)) == 2
    assert storage.transact(lambda tx: outbox.delivered(tx, ids)) == 0
    assert storage.transact(lambda tx: outbox.delivered(tx, [])) == 0
    assert [m.key for m in pending(storage)] == ["b"]
    assert storage.transact(lambda tx: outbox.prune(tx, before=NOW + MINUTE)) == 1
    assert storage.transact(lambda tx: outbox.prune(tx, before=NOW + 2 * MINUTE)) == 1
    assert [m.key for m in pending(storage)] == ["b"], "what was not delivered is never pruned"


def test_topics_are_apart(storage: Storage) -> None:
    put(storage, "a", 1, topic="mail")
    put(storage, "a", 2, topic="event")
    found = storage.read(lambda tx: outbox.pending(tx, limit=9, topics={"mail"}))
    assert [(m.topic, m.payload["n"]) for m in found] == [("mail", 1)]


def test_parallel_puts_for_one_key_all_arrive(storage: Storage) -> None:
    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(put, storage, "a", number) for number in range(12)]:
            future.result(60)
    assert sorted(m.payload["n"] for m in pending(storage)) == list(range(12))
