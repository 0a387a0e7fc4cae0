"""Single values read outside of any transaction, at the price of the statement alone.

On SQLite every thread keeps a bare connection for it, whose statements see the last commit of any process. On
PostgreSQL a statement in autocommit is one round trip instead of three.
"""

import sqlite3
import threading
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine, exc
from sqlalchemy.sql import Executable

from greatseal.storage.engine import Engines


class Glances:
    """Looks at an open database. Safe to share between threads."""

    def __init__(self, engines: Engines) -> None:
        self._reader: Engine = engines.reader
        self._bare = engines.dialect == "sqlite"
        self._thread = threading.local()
        self._opened: list[Any] = []
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
        while self._opened:
            self._opened.pop().close()

    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._thread, "connection", None)
        if found is None:
            lent = self._reader.raw_connection()
            found = lent.driver_connection
            lent.detach()
            assert isinstance(found, sqlite3.Connection)
            # The pool's wrapper closes the connection when nobody holds it: it is kept as long as the thread looks.
            self._thread.connection, self._thread.lent = found, lent
            self._opened.append(found)
        return found

    def _compile(self, query: Executable) -> str:
        return str(query.compile(self._reader))  # type: ignore[attr-defined]
