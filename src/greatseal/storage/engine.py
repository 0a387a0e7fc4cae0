"""Opens a database URL: two SQLAlchemy engines, one that writes and one that only reads."""

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url
from sqlalchemy.pool import QueuePool

from greatseal.storage.errors import StorageUnavailable, UnsupportedDatabase
from greatseal.storage.failures import typed
from greatseal.storage.turn import Turn

_BUSY_SECONDS = 10
# Identifiers are random, so that each commit touches pages all over the indexes. With room in memory and in the log a
# page is written back to the database once for many commits: 32 MiB each.
_ROOMY = ("cache_size=-32768", "wal_autocheckpoint=8192")
_POSTGRESQL = ("postgresql", "postgres", "postgresql+psycopg")


@dataclass(frozen=True, slots=True)
class Engines:
    """A database that is open. `turn` is what a writer of this process holds for one whole transaction."""

    writer: Engine
    reader: Engine
    turn: Turn | nullcontext[None]

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.writer.dialect.name

    def close(self) -> None:
        """Closes every connection. Readers first: the last to leave a WAL folds it back and must be a writer."""
        self.reader.dispose()
        self.writer.dispose()
        if isinstance(self.turn, Turn):
            self.turn.close()


def open_engine(url: str, *, pool_size: int = 16) -> Engines:
    """Opens `sqlite:///PATH` or `postgresql://…`.

    `pool_size` bounds the PostgreSQL connections and the SQLite readers that are kept. SQLite is touched at once
    (the file is made when absent), PostgreSQL at the first transaction. Raises UnsupportedDatabase or
    StorageUnavailable.
    """
    try:
        parsed = make_url(url)
    except exc.ArgumentError:
        # The text is not repeated: it may hold a password.
        raise UnsupportedDatabase("the database URL cannot be parsed") from None
    if parsed.drivername == "sqlite":
        return _open_sqlite(parsed, pool_size)
    if parsed.drivername in _POSTGRESQL:
        return _open_postgresql(parsed, pool_size)
    raise UnsupportedDatabase(
        f"databases of kind {parsed.drivername!r} are not supported; use sqlite:///PATH or postgresql://HOST/NAME"
    )


def _open_sqlite(url: URL, pool_size: int) -> Engines:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        # Readers have connections of their own, which an in-memory database cannot give.
        raise UnsupportedDatabase("SQLite needs a file: sqlite:///PATH")
    try:
        # The file is born private; its -wal and -shm take over the mode (sqlite.org/wal.html).
        Path(url.database).touch(mode=0o600)
        turn = Turn(Path(f"{url.database}-turn"), _BUSY_SECONDS)
    except OSError as error:
        raise StorageUnavailable(f"cannot open the database file: {error}") from error
    arguments: dict[str, Any] = {"isolation_level": None, "check_same_thread": False, "timeout": _BUSY_SECONDS}
    # `isolation_level: None` takes the driver's own idea of transactions out of play; BEGIN is ours.
    # Values stay out of error texts (`hide_parameters`): they may be keys and passwords.
    options: dict[str, Any] = {"connect_args": arguments, "poolclass": QueuePool, "hide_parameters": True}
    writer = create_engine(url, **options, pool_size=1, max_overflow=0)
    reader = create_engine(url, **options, pool_size=pool_size, max_overflow=-1)
    _prepare_sqlite(writer, "BEGIN IMMEDIATE", ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", *_ROOMY))
    _prepare_sqlite(reader, "BEGIN", ("query_only=ON",))
    engines = Engines(writer, reader, turn)
    try:
        with writer.connect() as connection:
            mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
    except exc.DBAPIError as error:
        engines.close()
        raise typed(error, writable=True, committing=False) from error
    if mode != "wal":
        engines.close()
        raise StorageUnavailable(f"the file system cannot hold a write-ahead log (journal mode is {mode!r})")
    return engines


def _prepare_sqlite(engine: Engine, begin: str, pragmas: tuple[str, ...]) -> None:
    def on_connect(connection: Any, record: object) -> None:
        cursor = connection.cursor()
        for pragma in (f"busy_timeout={_BUSY_SECONDS * 1000}", "trusted_schema=OFF", *pragmas):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)


def _open_postgresql(url: URL, pool_size: int) -> Engines:
    query = {"application_name": "greatseal", "connect_timeout": "10", **url.query}
    writer = create_engine(
        url.set(drivername="postgresql+psycopg", query=query),
        isolation_level="SERIALIZABLE",
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=30,
    )
    # One statement-stable snapshot without SSI's bookkeeping; the copy shares the writer's pool.
    reader = writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Engines(writer, reader, nullcontext())
