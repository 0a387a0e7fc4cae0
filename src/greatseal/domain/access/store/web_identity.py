"""Which identity providers an account trusts, as the verification of tokens asks."""

from dataclasses import dataclass

from sqlalchemy import select

from greatseal.domain.access.store.tables import oidc_provider
from greatseal.storage import Tx


@dataclass(frozen=True, slots=True)
class TrustedProvider:
    """A registered provider; `place` is its URL without the scheme, as ARNs and condition keys have it."""

    place: str
    client_ids: tuple[str, ...]


def provider(tx: Tx, account: str, issuer: str) -> TrustedProvider | None:
    """The provider that an account registered under this issuer URL; a slash at its end makes no difference."""
    c = oidc_provider.c
    for row in tx.all(select(c.url, c.client_ids).where(c.account == account)):
        place = row.url.removeprefix("https://").rstrip("/")
        if f"https://{place}" == issuer.rstrip("/"):
            return TrustedProvider(place, tuple(row.client_ids))
    return None
