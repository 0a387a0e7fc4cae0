"""Identity providers, as their owners manage them."""

from typing import Any

from sqlalchemy import Row, delete, select, update

from greatseal.domain.access.policy_model import IdentityProvider
from greatseal.domain.access.store.tables import oidc_provider as table
from greatseal.storage import Tx


def add(tx: Tx, new: IdentityProvider) -> bool:
    """False when the account has a provider with this URL."""
    row = {
        "arn": new.arn,
        "account": new.account,
        "url": new.url,
        "client_ids": list(new.client_ids),
        "thumbprints": list(new.thumbprints),
        "created_at": new.created_at,
    }
    return tx.insert_once(table, row)


def find(tx: Tx, arn: str) -> IdentityProvider | None:
    """One provider."""
    row = tx.first(select(table).where(table.c.arn == arn))
    return None if row is None else _provider(row)


def listing(tx: Tx, account: str) -> list[IdentityProvider]:
    """The providers of an account, by ARN."""
    return [_provider(row) for row in tx.all(select(table).where(table.c.account == account).order_by(table.c.arn))]


def change(
    tx: Tx, arn: str, *, client_ids: tuple[str, ...] | None = None, thumbprints: tuple[str, ...] | None = None
) -> None:
    """Replaces what is given."""
    given = {"client_ids": client_ids, "thumbprints": thumbprints}
    values = {name: list(value) for name, value in given.items() if value is not None}
    tx.execute(update(table).where(table.c.arn == arn).values(values))


def remove(tx: Tx, arn: str) -> bool:
    """Whether there was such a provider."""
    return tx.execute(delete(table).where(table.c.arn == arn)).rowcount > 0


def _provider(row: Row[Any]) -> IdentityProvider:
    return IdentityProvider(
        row.arn, row.account, row.url, tuple(row.client_ids), tuple(row.thumbprints), row.created_at
    )
