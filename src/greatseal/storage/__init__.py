"""Storage: one unit of work over SQLite or PostgreSQL, and the durable pieces every room writes in it.

`Storage.transact` and `Storage.read` are the only ways to the database; `schema` holds the shared MetaData,
`queue`, `outbox` and `idempotency` write in the caller's transaction, `owner` guards the data directory.
Calls nothing but the kernel. The heavy names load on first use, so that `storage.owner` and
`storage.errors` stay cheap for the command line.
"""

from typing import TYPE_CHECKING

from greatseal.storage import errors

if TYPE_CHECKING:
    from greatseal.storage.tx import Storage, Tx, open_storage
else:

    def __getattr__(name: str) -> object:
        if name in ("Storage", "Tx", "open_storage"):
            from greatseal.storage import tx

            return getattr(tx, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["Storage", "Tx", "errors", "open_storage"]
