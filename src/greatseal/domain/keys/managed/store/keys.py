"""The table of KMS keys, one row a key and region."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Integer, Row, String, Table, Text, and_, delete, insert, or_, select, update

from greatseal.crypto.key_specs import KeySpec
from greatseal.domain.access.store import generation
from greatseal.domain.keys.managed.model import KeyState, ManagedKey, Origin, RegionRole
from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

kms_key = Table(
    "kms_key",
    metadata,
    Column("arn", String(256), primary_key=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("family_arn", String(256), nullable=False),
    Column("spec", String(32), nullable=False),
    Column("usage", String(32), nullable=False),
    Column("origin", String(32), nullable=False),
    Column("state", String(32), nullable=False),
    Column("description", Text, nullable=False),
    Column("created_at", utc_timestamp(), nullable=False),
    Column("material", String(64)),
    Column("deletion_at", utc_timestamp()),
    Column("pending_days", Integer),
    Column("region_role", String(16)),
    Column("primary_region", String(32)),
    Column("rotation_days", Integer),
    Column("next_rotation_at", utc_timestamp()),
    Column("valid_to", utc_timestamp()),
    Column("store_id", String(64)),
    Column("external_id", String(128)),
    Index("ix_kms_key_account", "account", "region", "arn"),
    Index("ix_kms_key_family", "family_arn"),
    Index("ix_kms_key_deletion", "deletion_at"),
    Index("ix_kms_key_rotation", "next_rotation_at"),
    Index("ix_kms_key_expiry", "valid_to"),
    # A key of an external store belongs to one KMS key.
    Index("uq_kms_key_external", "store_id", "external_id", unique=True),
)

_key = select(kms_key)


def add(tx: Tx, new: ManagedKey) -> None:
    """Stores a key."""
    tx.execute(insert(kms_key), {"arn": new.arn, **_values(new)})
    generation.raise_(tx)


def find(tx: Tx, arn: str) -> ManagedKey | None:
    """The key with this ARN, or None."""
    row = tx.first(_key.where(kms_key.c.arn == arn))
    return None if row is None else _load(row)


def save(tx: Tx, changed: ManagedKey) -> None:
    """Writes every column of a key that exists."""
    tx.execute(update(kms_key).where(kms_key.c.arn == changed.arn), _values(changed))
    generation.raise_(tx)


def remove(tx: Tx, arn: str) -> None:
    """Deletes a key for good."""
    tx.execute(delete(kms_key).where(kms_key.c.arn == arn))
    generation.raise_(tx)


def listing(tx: Tx, account: str, region: str, *, after: str, limit: int) -> list[ManagedKey]:
    """Keys of an account and region in the order of their ARNs."""
    query = _key.where(kms_key.c.account == account, kms_key.c.region == region, kms_key.c.arn > after)
    return [_load(row) for row in tx.all(query.order_by(kms_key.c.arn).limit(limit))]


def family(tx: Tx, family_arn: str) -> list[ManagedKey]:
    """A multi-Region key and its replicas, by region."""
    query = _key.where(kms_key.c.family_arn == family_arn).order_by(kms_key.c.region)
    return [_load(row) for row in tx.all(query)]


def in_store(tx: Tx, store_id: str) -> bool:
    """Whether a custom key store has keys, those that wait for their deletion included."""
    return tx.first(select(kms_key.c.arn).where(kms_key.c.store_id == store_id).limit(1)) is not None


def has_external(tx: Tx, store_id: str, external_id: str) -> bool:
    """Whether a key of an external store is taken."""
    query = select(kms_key.c.arn).where(kms_key.c.store_id == store_id, kms_key.c.external_id == external_id)
    return tx.first(query) is not None


def due(tx: Tx, now: datetime, limit: int) -> Sequence[str]:
    """ARNs of keys whose deletion, rotation or expiry has come, each once, oldest key first."""
    query = (
        select(kms_key.c.arn)
        .where(
            or_(
                kms_key.c.deletion_at <= now,
                and_(kms_key.c.next_rotation_at <= now, kms_key.c.state == KeyState.ENABLED.value),
                kms_key.c.valid_to <= now,
            )
        )
        .order_by(kms_key.c.created_at, kms_key.c.arn)
        .limit(limit)
    )
    return [row.arn for row in tx.all(query)]


def _values(key: ManagedKey) -> dict[str, Any]:
    return {
        "account": key.account,
        "region": key.region,
        "family_arn": key.family_arn,
        "spec": key.spec.name,
        "usage": key.usage,
        "origin": key.origin.value,
        "state": key.state.value,
        "description": key.description,
        "created_at": key.created_at,
        "material": key.material,
        "deletion_at": key.deletion_at,
        "pending_days": key.pending_days,
        "region_role": None if key.region_role is None else key.region_role.value,
        "primary_region": key.primary_region,
        "rotation_days": key.rotation_days,
        "next_rotation_at": key.next_rotation_at,
        "valid_to": key.valid_to,
        "store_id": key.store_id,
        "external_id": key.external_id,
    }


def _load(row: Row[Any]) -> ManagedKey:
    return ManagedKey(
        arn=row.arn,
        spec=KeySpec[row.spec],
        usage=row.usage,
        origin=Origin(row.origin),
        state=KeyState(row.state),
        created_at=row.created_at,
        description=row.description,
        material=row.material,
        deletion_at=row.deletion_at,
        pending_days=row.pending_days,
        region_role=None if row.region_role is None else RegionRole(row.region_role),
        primary_region=row.primary_region,
        rotation_days=row.rotation_days,
        next_rotation_at=row.next_rotation_at,
        valid_to=row.valid_to,
        store_id=row.store_id,
        external_id=row.external_id,
    )
