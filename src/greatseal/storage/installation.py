"""Facts of this installation that are decided once, for instance its account number or its key's id."""

from sqlalchemy import delete, insert, select

from greatseal.storage.schema import installation
from greatseal.storage.tx import Tx


def recall(tx: Tx, key: str) -> bytes | None:
    """The fact, or None when it was never decided."""
    value: bytes | None = tx.scalar(select(installation.c.value).where(installation.c.key == key))
    return value


def remember(tx: Tx, key: str, value: bytes) -> bytes:
    """Decides the fact unless it is decided already; what holds from now on. The first writer wins for ever."""
    if tx.insert_once(installation, {"key": key, "value": value}):
        return value
    decided = recall(tx, key)
    assert decided is not None
    return decided


def replace(tx: Tx, key: str, value: bytes) -> None:
    """Changes a fact that is not for ever, such as which HTTPS certificate is served."""
    tx.execute(delete(installation).where(installation.c.key == key))
    tx.execute(insert(installation), {"key": key, "value": value})


def forget(tx: Tx, key: str) -> None:
    """The fact does not hold any more; one that was never decided is no error."""
    tx.execute(delete(installation).where(installation.c.key == key))
