"""The unit of work: `Storage` runs a callable inside one transaction and hands it a `Tx`.

A write transaction is serializable on both databases. The callable may run more than once (PostgreSQL asks
for a retry when transactions cannot be ordered), so it does nothing but read and write through its `Tx`.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, Row, Select, Table, exc
from sqlalchemy.sql import Executable

from greatseal.kernel.group import waits
from greatseal.kernel.spans import Spans
from greatseal.storage.engine import Engines, open_engine
from greatseal.storage.errors import ConnectionLost, SerializationFailure, StorageError, StorageUnavailable
from greatseal.storage.failures import typed
from greatseal.storage.glances import Glances
from greatseal.storage.statements import insert_unless_there

T = TypeVar("T")
Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]

_log = logging.getLogger(__name__)
_ASKS_FOR_RETRY = (SerializationFailure, ConnectionLost)
_ATTEMPTS = 24
_ATTEMPTS_TO_CONNECT = 3
_FIRST_PAUSE, _LONGEST_PAUSE = 0.002, 0.1  # seconds


class Tx:
    """One open transaction. Use it only inside the callable that received it, on the same thread.

    After any error the transaction is over: later statements and the commit raise that first error again,
    even when the callable caught it. PostgreSQL would otherwise answer COMMIT with a silent ROLLBACK.
    """

    def __init__(self, connection: Connection, *, writable: bool) -> None:
        self._connection = connection
        self._writable = writable
        self._failure: StorageError | None = None
        self._open = True
        self._callbacks: list[Callable[[], None]] = []
        self._topics: dict[str, None] = {}

    @property
    def connection(self) -> Connection:
        """SQLAlchemy's connection, for migrations; rooms use the methods below."""
        return self._connection

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._connection.dialect.name

    def execute(self, statement: Executable, params: Parameters | None = None) -> CursorResult[Any]:
        """Runs a statement; a list of mappings runs it once for each. Raises StorageError and its kin."""
        return self._run(lambda: self._result(statement, params))

    def one(self, statement: Executable, params: Parameters | None = None) -> Row[Any]:
        """The only row; anything else is a defect and raises sqlalchemy's NoResultFound or MultipleResultsFound."""
        return self._run(lambda: self._result(statement, params).one())

    def first(self, statement: Executable, params: Parameters | None = None) -> Row[Any] | None:
        """The first row, or None."""
        return self._run(lambda: self._result(statement, params).first())

    def all(self, statement: Executable, params: Parameters | None = None) -> Sequence[Row[Any]]:
        """Every row."""
        return self._run(lambda: self._result(statement, params).all())

    def scalar(self, statement: Executable, params: Parameters | None = None) -> Any:
        """The first column of the first row, or None when there is no row."""
        return self._run(lambda: self._result(statement, params).scalar())

    def column(self, statement: Select[Any], *, run: int) -> Iterator[Sequence[Any]]:
        """The first column of very many rows, in runs of so many, of which one is held here at a time.

        A value costs a third of what it costs in a `Row` of `all`.
        """
        streamed = statement.execution_options(stream_results=True)
        with self._run(lambda: self._result(streamed, None)) as result:
            runs = result.scalars().partitions(run)
            while values := self._run(lambda: next(runs, None)):
                yield values

    def insert_once(self, table: Table, values: Mapping[str, Any]) -> bool:
        """Inserts a row unless it would break a unique key; True when it was inserted.

        False is certain: the other row is committed and visible to this transaction. A row that appeared after this
        transaction's snapshot is a serialization failure instead, which `transact` retries.
        """
        return self.execute(insert_unless_there(table, self.dialect), values).rowcount == 1

    def on_commit(self, callback: Callable[[], None]) -> None:
        """Runs `callback` in this process once the commit is done; never after a rollback or for a retried attempt.

        It is a hint: a crash right after the commit loses it, and what it raises is logged only.
        """
        self._must_write()
        self._callbacks.append(callback)

    def announce(self, topic: str) -> None:
        """Tells the listeners of `Storage.after_commit(topic, …)` once, after the commit."""
        self._must_write()
        self._topics[topic] = None

    def _must_write(self) -> None:
        if not self._writable:
            raise RuntimeError("a read transaction commits nothing")

    def _result(self, statement: Executable, params: Parameters | None) -> CursorResult[Any]:
        result = self._connection.execute(statement, params)
        assert isinstance(result, CursorResult)
        return result

    def _run(self, call: Callable[[], T]) -> T:
        if not self._open:
            raise RuntimeError("the transaction is over")
        if self._failure is not None:
            raise self._failure
        try:
            return call()
        except exc.DBAPIError as error:
            self._failure = typed(error, writable=self._writable, committing=False)
            raise self._failure from error

    def _finish(self) -> None:
        self._open = False
        if self._failure is not None:
            raise self._failure


class Storage:
    """An open database. Safe to share between threads; each transaction belongs to one thread.

    Transactions do not nest, not even a read inside a write: the inner one could not see the outer one's work.
    """

    def __init__(self, engines: Engines, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._engines = engines
        self._pause = pause
        self._thread = threading.local()
        self._listeners: dict[str, list[Callable[[], None]]] = {}
        self._glances = Glances(engines)
        self.spans: Spans | None = None
        """Told of every transaction, when somebody traces."""
        self.committed: Callable[[float], None] = _unheard
        """Told the seconds of every commit that succeeded, of write transactions only."""

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engines.dialect

    def transact(self, work: Callable[[Tx], T]) -> T:
        """Runs `work` in a write transaction and commits before returning what it returned.

        Any exception rolls back and is raised again. Retries the whole callable when the database asks for it or
        the connection broke before the commit. Raises RuntimeError inside another transaction of this thread.
        """
        result, tx = self._outermost(work, writable=True)
        heard = [listener for topic in tx._topics for listener in self._listeners.get(topic, ())]
        for callback in [*tx._callbacks, *heard]:
            try:
                callback()
            except Exception:  # noqa: BLE001 - a listener may raise anything
                # The commit is done: raising would make the caller believe that it is not.
                _log.exception("a hint after a commit failed")
        return result

    def read(self, work: Callable[[Tx], T]) -> T:
        """Runs `work` on one snapshot of committed data. A write inside it raises ReadOnlyTransaction."""
        result, _ = self._outermost(work, writable=False)
        return result

    def glance(self, query: Executable) -> Any:
        """The first column of the first row of committed data, without a transaction around it.

        For one number that every request looks at: a tenth of the price of `read`. The query has no parameters.
        """
        try:
            return self._glances.scalar(query)
        except exc.DBAPIError as error:
            raise typed(error, writable=False, committing=False) from error

    def after_commit(self, topic: str, listener: Callable[[], None]) -> Callable[[], None]:
        """Calls `listener` after each commit of this process that announced `topic`; returns the way to stop it."""
        # Lists are replaced, not changed: a commit on another thread may be walking one.
        self._listeners[topic] = [*self._listeners.get(topic, ()), listener]

        def stop() -> None:
            self._listeners[topic] = [other for other in self._listeners[topic] if other is not listener]

        return stop

    def close(self) -> None:
        """Closes every connection."""
        self._glances.close()
        self._engines.close()

    def _outermost(self, work: Callable[[Tx], T], *, writable: bool) -> tuple[T, Tx]:
        if getattr(self._thread, "busy", False):
            raise RuntimeError("transactions do not nest: pass the open Tx on instead")
        if writable or self.dialect != "sqlite":
            # Other writers, or another machine.
            waits()
        self._thread.busy = True
        try:
            if self.spans is None:
                return self._until_ordered(work, writable=writable)
            with self.spans("transaction", access="write" if writable else "read", database=self.dialect):
                return self._until_ordered(work, writable=writable)
        finally:
            self._thread.busy = False

    def _until_ordered(self, work: Callable[[Tx], T], *, writable: bool) -> tuple[T, Tx]:
        pause = _FIRST_PAUSE
        attempt = 1
        while True:
            try:
                return self._attempt(work, writable=writable)
            except _ASKS_FOR_RETRY as failure:
                limit = _ATTEMPTS_TO_CONNECT if isinstance(failure, ConnectionLost) else _ATTEMPTS
                if attempt >= limit:
                    raise
            # Never reached on SQLite: its writers wait in line and cannot be out of order.
            self._pause(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            attempt += 1

    def _attempt(self, work: Callable[[Tx], T], *, writable: bool) -> tuple[T, Tx]:
        engine = self._engines.writer if writable else self._engines.reader
        committing = False
        try:
            with self._engines.turn if writable else nullcontext(), engine.connect() as connection:
                transaction = connection.begin()
                tx = Tx(connection, writable=writable)
                try:
                    result = work(tx)
                    tx._finish()
                    committing = True
                    started = time.perf_counter()
                    transaction.commit()
                    if writable:
                        self.committed(time.perf_counter() - started)
                except BaseException as error:
                    tx._open = False
                    # Whatever ended the transaction matters more than a connection that cannot even roll back.
                    with suppress(exc.SQLAlchemyError):
                        transaction.rollback()
                    failure = tx._failure
                    if isinstance(failure, _ASKS_FOR_RETRY) and isinstance(error, Exception) and error is not failure:
                        # The work turned the failure into an error of its own; a retry may need neither.
                        raise failure from error
                    raise
                return result, tx
        except TimeoutError as error:
            raise StorageUnavailable(str(error)) from error
        except (exc.DBAPIError, exc.TimeoutError) as error:
            raise typed(error, writable=writable, committing=committing) from error


def _unheard(seconds: float) -> None:
    """Nobody counts commits."""


def open_storage(url: str, *, pool_size: int = 16) -> Storage:
    """Opens the database at `url`; see `engine.open_engine`. The schema is the caller's next step: `migrate`."""
    return Storage(open_engine(url, pool_size=pool_size))
