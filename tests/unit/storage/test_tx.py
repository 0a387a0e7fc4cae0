"""The unit of work: all or nothing, in order, and honest about failures."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text, update

from greatseal.storage.engine import open_engine
from greatseal.storage.errors import (
    ConstraintViolation,
    OutcomeUnknown,
    ReadOnlyTransaction,
    SerializationFailure,
    StorageError,
    StorageUnavailable,
    UniqueViolation,
    UnsupportedDatabase,
)
from greatseal.storage.schema import installation
from greatseal.storage.tx import Storage, Tx, open_storage

sqlite_only = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
postgresql_only = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)


def put(tx: Tx, key: str, value: bytes = b"x") -> None:
    tx.execute(insert(installation), {"key": key, "value": value})


def keys(tx: Tx) -> list[str]:
    return [row.key for row in tx.all(select(installation.c.key).order_by(installation.c.key))]


def test_a_commit_is_visible_and_returns_what_the_work_returned(storage: Storage) -> None:
    def work(tx: Tx) -> str:
        put(tx, "a")
        return "done"

    assert storage.transact(work) == "done"
    assert storage.read(keys) == ["a"]


def test_an_exception_rolls_everything_back(storage: Storage) -> None:
    def work(tx: Tx) -> None:
        put(tx, "a")
        put(tx, "b")
        raise LookupError("no")

    with pytest.raises(LookupError):
        storage.transact(work)
    assert storage.read(keys) == []


def test_the_ways_to_ask(storage: Storage) -> None:
    def work(tx: Tx) -> None:
        tx.execute(insert(installation), [{"key": "a", "value": b"1"}, {"key": "b", "value": b"2"}])
        query = select(installation).order_by(installation.c.key)
        assert tx.one(query.where(installation.c.key == "a")).value == b"1"
        first = tx.first(query)
        assert first is not None
        assert first.key == "a"
        assert tx.first(query.where(installation.c.key == "c")) is None
        assert [row.value for row in tx.all(query)] == [b"1", b"2"]
        assert tx.scalar(select(func.count()).select_from(installation)) == 2
        assert tx.scalar(text("SELECT key FROM installation WHERE key = :k"), {"k": "b"}) == "b"

    storage.transact(work)


def test_a_column_of_many_rows_comes_in_runs(storage: Storage) -> None:
    storage.transact(lambda tx: [put(tx, f"{number:04}", b"%d" % number) for number in range(250)])
    query = select(installation.c.value).order_by(installation.c.key)
    runs = storage.read(lambda tx: list(tx.column(query, run=100)))
    assert [len(run) for run in runs] == [100, 100, 50]
    assert [value for run in runs for value in run] == [b"%d" % number for number in range(250)]
    assert storage.read(lambda tx: list(tx.column(query.where(installation.c.key == "none"), run=100))) == []


def test_a_duplicate_key_is_a_typed_error(storage: Storage) -> None:
    storage.transact(lambda tx: put(tx, "a"))
    with pytest.raises(UniqueViolation):
        storage.transact(lambda tx: put(tx, "a"))


def test_another_broken_constraint_is_not_a_unique_violation(storage: Storage) -> None:
    with pytest.raises(ConstraintViolation) as caught:
        storage.transact(lambda tx: tx.execute(text("INSERT INTO installation (key, value) VALUES ('a', NULL)")))
    assert not isinstance(caught.value, UniqueViolation)


def test_a_swallowed_error_cannot_be_committed(storage: Storage) -> None:
    storage.transact(lambda tx: put(tx, "a"))

    def work(tx: Tx) -> None:
        put(tx, "b")
        with pytest.raises(UniqueViolation):
            put(tx, "a")
        with pytest.raises(UniqueViolation):
            put(tx, "c")

    with pytest.raises(UniqueViolation):
        storage.transact(work)
    assert storage.read(keys) == ["a"]


def test_insert_once(storage: Storage) -> None:
    def work(tx: Tx) -> tuple[bool, bool]:
        return (
            tx.insert_once(installation, {"key": "a", "value": b"1"}),
            tx.insert_once(installation, {"key": "a", "value": b"2"}),
        )

    assert storage.transact(work) == (True, False)
    assert storage.read(lambda tx: tx.scalar(select(installation.c.value))) == b"1"


def test_a_read_refuses_writes(storage: Storage) -> None:
    with pytest.raises(ReadOnlyTransaction):
        storage.read(lambda tx: put(tx, "a"))
    with pytest.raises(RuntimeError):
        storage.read(lambda tx: tx.on_commit(lambda: None))
    storage.transact(lambda tx: put(tx, "b"))
    assert storage.read(keys) == ["b"]


def test_transactions_do_not_nest(storage: Storage) -> None:
    for outer in (storage.transact, storage.read):
        for inner in (storage.transact, storage.read):
            with pytest.raises(RuntimeError, match="nest"):
                outer(lambda tx, inner=inner: inner(keys))  # type: ignore[misc]
    assert storage.transact(keys) == []


def test_a_tx_is_useless_after_its_end(storage: Storage) -> None:
    escaped = storage.transact(lambda tx: tx)
    with pytest.raises(RuntimeError, match="over"):
        keys(escaped)


def test_a_reader_sees_one_snapshot_while_a_writer_is_open(storage: Storage) -> None:
    storage.transact(lambda tx: put(tx, "a"))
    with ThreadPoolExecutor(1) as other:

        def snapshot(tx: Tx) -> None:
            assert keys(tx) == ["a"]
            other.submit(storage.transact, lambda tx: put(tx, "c")).result(10)
            assert keys(tx) == ["a"]

        def work(tx: Tx) -> None:
            put(tx, "b")
            assert other.submit(storage.read, keys).result(10) == ["a"]

        storage.transact(work)
        assert storage.read(keys) == ["a", "b"]
        storage.transact(lambda tx: tx.execute(installation.delete().where(installation.c.key == "b")))
        storage.read(snapshot)
    assert storage.read(keys) == ["a", "c"]


def test_hints_follow_the_commit_and_never_a_rollback(storage: Storage) -> None:
    heard: list[str] = []
    stop = storage.after_commit("topic", lambda: heard.append("topic"))

    def work(tx: Tx) -> None:
        tx.on_commit(lambda: heard.append(f"sees {storage.read(keys)}"))
        tx.announce("topic")
        tx.announce("topic")
        put(tx, "a")
        assert heard == []

    storage.transact(work)
    assert heard == ["sees ['a']", "topic"]
    with pytest.raises(UniqueViolation):
        storage.transact(work)
    assert len(heard) == 2
    stop()
    storage.transact(lambda tx: tx.announce("topic"))
    assert len(heard) == 2


def test_a_failing_hint_does_not_undo_or_hide_the_commit(storage: Storage, caplog: pytest.LogCaptureFixture) -> None:
    def work(tx: Tx) -> str:
        tx.on_commit(lambda: [][0])
        put(tx, "a")
        return "done"

    assert storage.transact(work) == "done"
    assert storage.read(keys) == ["a"]
    assert "hint" in caplog.text


def increment(tx: Tx) -> None:
    value = int(tx.scalar(select(installation.c.value)))
    tx.execute(update(installation).values(value=str(value + 1).encode()))


def test_parallel_increments_all_count(storage: Storage) -> None:
    storage.transact(lambda tx: put(tx, "counter", b"0"))
    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(storage.transact, increment) for _ in range(40)]:
            future.result(60)
    assert storage.read(lambda tx: tx.scalar(select(installation.c.value))) == b"40"


@postgresql_only
def test_the_whole_callable_is_retried_when_transactions_cannot_be_ordered(storage: Storage) -> None:
    storage.transact(lambda tx: put(tx, "counter", b"0"))
    both_have_read = threading.Barrier(2)
    runs: list[int] = []
    hints: list[int] = []

    def work(tx: Tx) -> None:
        value = int(tx.scalar(select(installation.c.value)))
        runs.append(value)
        tx.on_commit(lambda: hints.append(value))
        if len(runs) <= 2:
            both_have_read.wait(10)
        tx.execute(update(installation).values(value=str(value + 1).encode()))

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(storage.transact, work) for _ in range(2)]:
            future.result(30)
    assert runs == [0, 0, 1]
    assert hints == [0, 1]
    assert storage.read(lambda tx: tx.scalar(select(installation.c.value))) == b"2"


@postgresql_only
def test_endless_contention_becomes_a_typed_error_after_growing_pauses(storage_url: str) -> None:
    pauses: list[float] = []
    storage = Storage(open_engine(storage_url), pause=pauses.append)

    def work(tx: Tx) -> None:
        tx.execute(text("DO $$ BEGIN RAISE EXCEPTION 'no order' USING ERRCODE = '40001'; END $$"))

    with pytest.raises(SerializationFailure):
        storage.transact(work)
    storage.close()
    assert pauses == sorted(pauses)
    assert 10 <= len(pauses) <= 30
    assert max(pauses) <= 0.1


@postgresql_only
def test_a_connection_lost_before_the_commit_is_replaced(storage: Storage) -> None:
    attempts: list[int] = []

    def work(tx: Tx) -> None:
        attempts.append(tx.scalar(text("SELECT pg_backend_pid()")))
        put(tx, "a")
        if len(attempts) == 1:
            with ThreadPoolExecutor(1) as other:
                kill = text("SELECT pg_terminate_backend(:pid, 5000)")
                other.submit(storage.read, lambda tx: tx.scalar(kill, {"pid": attempts[0]})).result(10)
            put(tx, "b")

    storage.transact(work)
    assert len(attempts) == 2
    assert storage.read(keys) == ["a"]


@postgresql_only
def test_a_serialization_failure_is_retried_even_when_the_work_dresses_it_up(storage: Storage) -> None:
    runs: list[int] = []

    def work(tx: Tx) -> None:
        runs.append(1)
        if len(runs) == 1:
            try:
                tx.execute(text("DO $$ BEGIN RAISE EXCEPTION 'no order' USING ERRCODE = '40001'; END $$"))
            except StorageUnavailable as error:
                raise LookupError from error
        put(tx, "a")

    storage.transact(work)
    assert storage.read(keys) == ["a"]


@postgresql_only
def test_a_commit_without_an_answer_is_not_retried(storage: Storage) -> None:
    runs: list[int] = []

    def work(tx: Tx) -> None:
        runs.append(tx.scalar(text("SELECT pg_backend_pid()")))
        put(tx, "a")
        with ThreadPoolExecutor(1) as other:
            kill = text("SELECT pg_terminate_backend(:pid, 5000)")
            other.submit(storage.read, lambda tx: tx.scalar(kill, {"pid": runs[0]})).result(10)

    with pytest.raises(OutcomeUnknown):
        storage.transact(work)
    assert len(runs) == 1
    assert storage.read(keys) == []


@postgresql_only
def test_writes_are_serializable_and_reads_are_one_snapshot(storage: Storage) -> None:
    def level(tx: Tx) -> tuple[str, str]:
        return tx.scalar(text("SHOW transaction_isolation")), tx.scalar(text("SHOW transaction_read_only"))

    for _ in range(2):  # the two share connections, and neither may leave its level behind
        assert storage.read(level) == ("repeatable read", "on")
        assert storage.transact(level) == ("serializable", "off")


@postgresql_only
def test_a_server_that_is_not_there_is_unavailable(storage_url: str) -> None:
    storage = open_storage(storage_url.replace("/greatseal", "/absent"))
    with pytest.raises(StorageUnavailable):
        storage.read(keys)
    storage.close()


@sqlite_only
def test_a_full_disk_is_unavailable_and_leaves_nothing(storage: Storage) -> None:
    storage.transact(lambda tx: put(tx, "a"))

    def work(tx: Tx) -> None:
        tx.execute(text("PRAGMA max_page_count = 1"))  # sqlite takes the present size as the limit
        put(tx, "b")
        put(tx, "c", b"x" * 1_000_000)

    with pytest.raises(StorageUnavailable):
        storage.transact(work)
    assert storage.read(keys) == ["a"]


@sqlite_only
def test_the_settings_that_durability_needs(storage: Storage) -> None:
    def pragma(name: str) -> object:
        return storage.transact(lambda tx: tx.scalar(text(f"PRAGMA {name}")))

    assert [pragma(name) for name in ("journal_mode", "synchronous", "foreign_keys")] == ["wal", 2, 1]


@pytest.mark.parametrize("url", ["mysql://u:hunter2@h/d", "sqlite://", "sqlite:///:memory:", "hunter2 hunter2"])
def test_other_databases_are_refused_without_repeating_the_password(url: str) -> None:
    with pytest.raises(UnsupportedDatabase) as caught:
        open_engine(url)
    assert "hunter2" not in str(caught.value)


def test_a_database_file_that_cannot_be_opened_is_unavailable(tmp_path: object) -> None:
    with pytest.raises(StorageUnavailable):
        open_engine(f"sqlite:///{tmp_path}/absent/greatseal.db")


COUNT = select(func.count()).select_from(installation)


def test_a_glance_sees_the_last_commit_of_any_process_also_within_a_transaction(
    storage: Storage, storage_url: str
) -> None:
    assert storage.glance(COUNT) == 0
    other = open_storage(storage_url)
    try:
        other.transact(lambda tx: put(tx, "a"))
        assert storage.glance(COUNT) == 1
        assert storage.glance(select(installation.c.key).where(installation.c.key == text("'none'"))) is None

        def work(tx: Tx) -> object:
            put(tx, "b")
            return storage.glance(COUNT)

        assert storage.transact(work) == 1
    finally:
        other.close()


def test_a_glance_that_fails_is_a_failure_of_the_storage(storage: Storage) -> None:
    with pytest.raises(StorageError):
        storage.glance(text("SELECT value FROM nowhere"))
    assert storage.glance(COUNT) == 0


@sqlite_only
def test_threads_that_are_gone_leave_no_connection_of_their_glances(storage: Storage) -> None:
    def look() -> None:
        assert storage.glance(COUNT) == 0

    def files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    look()
    before = files()
    for _ in range(20):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    # SQLite may close some later than it was told to.
    assert files() < before + 10
