"""Single values read outside of any transaction, at the price of the statement alone.

On SQLite every thread keeps a bare connection for it, whose statements see the last commit of any process. On
PostgreSQL a statement in autocommit is one round trip instead of three.
"""

import sqlite3
import threading
import weakref
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine, exc
from sqlalchemy.sql import Executable

from greatseal.storage.engine import Engines


class _Bare:
    """A connection of one thread, closed when the thread is gone."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.close = weakref.finalize(self, connection.close)


class Glances:
    """Looks at an open database. Safe to share between threads."""

    def __init__(self, engines: Engines) -> None:
        self._reader: Engine = engines.reader
        self._bare = engines.dialect == "sqlite"
        self._thread = threading.local()
        # Threads come and go; their own storage is what keeps a connection.
        self._opened: weakref.WeakSet[_Bare] = weakref.WeakSet()
        self._text = lru_cache(maxsize=None)(self._compile)
        if not self._bare:
            self._reader = engines.writer.execution_options(isolation_level="AUTOCOMMIT")

    def scalar(self, query: Executable) -> Any:
        """The first column of the first row, or None. Raises sqlalchemy's DBAPIError."""
        if not self._bare:
            with self._reader.connect() as connection:
                return connection.scalar(query)
        text = self._text(query)
        try:
            row = self._connection().execute(text).fetchone()
        except sqlite3.Error as error:
            raise exc.OperationalError(text, {}, error) from error
        return None if row is None else row[0]

    def close(self) -> None:
        """Closes the connections of all threads; no thread may look any more."""
        for bare in list(self._opened):
            bare.close()

    def _connection(self) -> sqlite3.Connection:
        bare: _Bare | None = getattr(self._thread, "bare", None)
        if bare is None:
            lent = self._reader.raw_connection()
            found = lent.driver_connection
            assert isinstance(found, sqlite3.Connection)
            # From here on the pool knows nothing of it.
            lent.detach()
            bare = self._thread.bare = _Bare(found)
            self._opened.add(bare)
        return bare.connection

    def _compile(self, query: Executable) -> str:
        return str(query.compile(self._reader))  # type: ignore[attr-defined]
