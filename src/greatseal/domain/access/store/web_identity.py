"""Which identity providers an account trusts, as the verification of tokens asks."""

from dataclasses import dataclass

from sqlalchemy import select

from greatseal.domain.access.store.tables import oidc_provider
from greatseal.storage import Tx


@dataclass(frozen=True, slots=True)
class TrustedProvider:
    """A registered provider."""

    url: str
    client_ids: tuple[str, ...]


def provider(tx: Tx, account: str, issuer: str) -> TrustedProvider | None:
    """The provider that an account registered under exactly this issuer URL."""
    c = oidc_provider.c
    for row in tx.all(select(c.url, c.client_ids).where(c.account == account)):
        if f"https://{row.url.removeprefix('https://')}" == issuer:
            return TrustedProvider(row.url, tuple(row.client_ids))
    return None
