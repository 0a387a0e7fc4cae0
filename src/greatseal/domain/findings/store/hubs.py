"""Which accounts have said something about their hub. Without a word of theirs it is there."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, Column, String, Table, select, update

from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

finding_hub = Table(
    "finding_hub",
    metadata,
    Column("account", String(12), primary_key=True),
    Column("region", String(32), primary_key=True),
    Column("enabled", Boolean, nullable=False),
    Column("changed_at", utc_timestamp()),
    Column("auto_enable_controls", Boolean, nullable=False),
    Column("control_finding_generator", String(32), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Hub:
    """The hub of an account in a region. `changed_at` is when it was switched on; None if nobody ever did."""

    enabled: bool = True
    changed_at: datetime | None = None
    auto_enable_controls: bool = True
    control_finding_generator: str = "SECURITY_CONTROL"


def find(tx: Tx, account: str, region: str) -> Hub | None:
    """What the account has said about its hub."""
    row = tx.first(select(finding_hub).where(finding_hub.c.account == account, finding_hub.c.region == region))
    if row is None:
        return None
    return Hub(row.enabled, row.changed_at, row.auto_enable_controls, row.control_finding_generator)


def put(tx: Tx, account: str, region: str, hub: Hub) -> None:
    """Stores what the account says."""
    values = {
        "enabled": hub.enabled,
        "changed_at": hub.changed_at,
        "auto_enable_controls": hub.auto_enable_controls,
        "control_finding_generator": hub.control_finding_generator,
    }
    if not tx.insert_once(finding_hub, {"account": account, "region": region, **values}):
        its = (finding_hub.c.account == account, finding_hub.c.region == region)
        tx.execute(update(finding_hub).where(*its).values(values))
