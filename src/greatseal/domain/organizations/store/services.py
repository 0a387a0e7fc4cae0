"""The tables of services that work with an organization, and of the accounts that administrate them."""

from datetime import datetime

from sqlalchemy import delete, func, select

from greatseal.domain.organizations.store.tables import delegate, trusted_service
from greatseal.storage import Tx


def enable(tx: Tx, organization_id: str, service: str, at: datetime) -> bool:
    """False when it was enabled before."""
    row = {"organization_id": organization_id, "service": service, "enabled_at": at}
    return tx.insert_once(trusted_service, row)


def disable(tx: Tx, organization_id: str, service: str) -> None:
    """Ends the trust in a service; one that was not enabled is no error."""
    here = (trusted_service.c.organization_id == organization_id, trusted_service.c.service == service)
    tx.execute(delete(trusted_service).where(*here))


def is_enabled(tx: Tx, organization_id: str, service: str) -> bool:
    """Whether a service is trusted."""
    here = (trusted_service.c.organization_id == organization_id, trusted_service.c.service == service)
    return tx.first(select(trusted_service.c.service).where(*here)) is not None


def enabled(tx: Tx, organization_id: str, *, after: str, limit: int) -> list[tuple[str, datetime]]:
    """The trusted services by name, and since when."""
    query = (
        select(trusted_service.c.service, trusted_service.c.enabled_at)
        .where(trusted_service.c.organization_id == organization_id, trusted_service.c.service > after)
        .order_by(trusted_service.c.service)
    )
    return [(row.service, row.enabled_at) for row in tx.all(query.limit(limit))]


def register(tx: Tx, organization_id: str, account: str, service: str, at: datetime) -> bool:
    """False when the account administrates the service already."""
    row = {"organization_id": organization_id, "account": account, "service": service, "registered_at": at}
    return tx.insert_once(delegate, row)


def deregister(tx: Tx, organization_id: str, account: str, service: str) -> bool:
    """False when the account does not administrate the service."""
    here = (
        delegate.c.organization_id == organization_id,
        delegate.c.account == account,
        delegate.c.service == service,
    )
    return tx.execute(delete(delegate).where(*here)).rowcount == 1


def is_delegate(tx: Tx, organization_id: str, account: str) -> bool:
    """Whether the account administrates any service."""
    here = (delegate.c.organization_id == organization_id, delegate.c.account == account)
    return tx.first(select(delegate.c.service).where(*here)) is not None


def delegates(
    tx: Tx, organization_id: str, service: str | None, *, after: str, limit: int
) -> list[tuple[str, datetime]]:
    """The accounts that administrate this service, or any, by account id, and since when."""
    since = func.min(delegate.c.registered_at, type_=delegate.c.registered_at.type).label("since")
    query = select(delegate.c.account, since).where(
        delegate.c.organization_id == organization_id, delegate.c.account > after
    )
    if service is not None:
        query = query.where(delegate.c.service == service)
    query = query.group_by(delegate.c.account).order_by(delegate.c.account)
    return [(row.account, row.since) for row in tx.all(query.limit(limit))]


def delegated(tx: Tx, organization_id: str, account: str, *, after: str, limit: int) -> list[tuple[str, datetime]]:
    """The services that an account administrates by name, and since when."""
    query = (
        select(delegate.c.service, delegate.c.registered_at)
        .where(delegate.c.organization_id == organization_id, delegate.c.account == account, delegate.c.service > after)
        .order_by(delegate.c.service)
    )
    return [(row.service, row.registered_at) for row in tx.all(query.limit(limit))]
