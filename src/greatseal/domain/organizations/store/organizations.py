"""The table of organizations."""

from datetime import datetime

from sqlalchemy import Row, delete, insert, select, update

from greatseal.domain.organizations.model import FeatureSet, Organization
from greatseal.domain.organizations.store.tables import (
    attachment,
    creation,
    delegate,
    handshake,
    member,
    organization,
    policy,
    trusted_service,
    unit,
)
from greatseal.storage import Tx


def add(tx: Tx, new: Organization, at: datetime) -> None:
    """One more organization; its management account must not be a member of another."""
    row = {
        "id": new.id,
        "management_account": new.management_account,
        "feature_set": new.feature_set.value,
        "root_id": new.root_id,
        "service_control": new.service_control,
        "created_at": at,
    }
    tx.execute(insert(organization), row)


def of_account(tx: Tx, account: str) -> Organization | None:
    """The organization that an account is a member of."""
    query = select(organization).join(member, member.c.organization_id == organization.c.id)
    row = tx.first(query.where(member.c.account == account))
    return None if row is None else organization_of(row)


def set_service_control(tx: Tx, organization_id: str, *, enabled: bool) -> None:
    """Switches service control on or off."""
    tx.execute(update(organization).where(organization.c.id == organization_id).values(service_control=enabled))


def remove(tx: Tx, organization_id: str) -> None:
    """Removes an organization and everything in it but its accounts themselves."""
    for table in (member, unit, policy, attachment, creation, handshake, trusted_service, delegate):
        tx.execute(delete(table).where(table.c.organization_id == organization_id))
    tx.execute(delete(organization).where(organization.c.id == organization_id))


def organization_of(row: Row[tuple[object, ...]]) -> Organization:
    """A row of the table as the room knows it; also from a join, as long as the columns keep their names."""
    return Organization(
        id=row.id,
        management_account=row.management_account,
        feature_set=FeatureSet(row.feature_set),
        root_id=row.root_id,
        service_control=row.service_control,
    )
