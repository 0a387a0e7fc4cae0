"""Client tokens: the same request sent twice is carried out once.

The claim is part of the caller's transaction, so that the token exists exactly when what it stands for exists.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from greatseal.storage.errors import SerializationFailure
from greatseal.storage.schema import idempotency
from greatseal.storage.tx import Tx


@dataclass(frozen=True, slots=True)
class Earlier:
    """The earlier request with this token: what came of it, and whether it asked for the same."""

    result: str
    same_request: bool


def claim(
    tx: Tx, *, scope: str, token: str, fingerprint: str, result: str, now: datetime, ttl: timedelta
) -> Earlier | None:
    """Takes `token` within `scope` until `now + ttl`; None when it was free, and the caller goes on and does the work.

    `scope` names account, region and operation; `fingerprint` is a digest of the request's parameters; `result` is
    what a repetition answers with, usually an ARN chosen beforehand. The token of an expired request is free. Of
    parallel claims one wins; the others wait or are retried by `transact`, and then find the winner.
    """
    table = idempotency
    found = tx.first(select(table).where(table.c.scope == scope, table.c.token == token))
    if found is not None:
        if found.expires > now:
            return Earlier(found.result, same_request=found.fingerprint == fingerprint)
        tx.execute(delete(table).where(table.c.scope == scope, table.c.token == token))
    row = {"scope": scope, "token": token, "fingerprint": fingerprint, "result": result, "expires": now + ttl}
    if not tx.insert_once(table, row):
        # Only a database with a weaker snapshot than asked for can get here; the next attempt sees the winner.
        raise SerializationFailure(f"the token of {scope} was claimed at the same moment")
    return None


def prune(tx: Tx, *, now: datetime) -> int:
    """Forgets expired tokens; how many."""
    return tx.execute(delete(idempotency).where(idempotency.c.expires <= now)).rowcount
