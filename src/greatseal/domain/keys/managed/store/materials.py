"""The table of key materials: which secret a key used from when on. Replicas of a key have rows of their own."""

from typing import Any

from sqlalchemy import Column, Index, LargeBinary, Row, String, Table, Text, delete, insert, select, update

from greatseal.domain.keys.managed.model import Material, MaterialState, RotationType
from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

kms_material = Table(
    "kms_material",
    metadata,
    Column("key_arn", String(256), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("state", String(32), nullable=False),
    Column("created_at", utc_timestamp(), nullable=False),
    Column("secret_id", String(36)),
    Column("spki", LargeBinary),
    Column("rotated_at", utc_timestamp()),
    Column("rotation", String(16)),
    Column("valid_to", utc_timestamp()),
    Column("description", Text),
    # What tells imported material again after it was deleted; a slow hash, because it may be guessable.
    Column("digest", LargeBinary),
    Index("ix_kms_material_secret", "secret_id"),
)

_material = select(kms_material)


def add(tx: Tx, new: Material, *, digest: bytes | None = None) -> None:
    """Stores a material."""
    tx.execute(insert(kms_material), {"key_arn": new.key_arn, "id": new.id, **_values(new), "digest": digest})


def save(tx: Tx, changed: Material) -> None:
    """Writes a material that exists."""
    where = kms_material.c.key_arn == changed.key_arn, kms_material.c.id == changed.id
    tx.execute(update(kms_material).where(*where), _values(changed))


def find(tx: Tx, key_arn: str, material_id: str) -> Material | None:
    """One material of a key, or None."""
    row = tx.first(_material.where(kms_material.c.key_arn == key_arn, kms_material.c.id == material_id))
    return None if row is None else _load(row)


def of_key(tx: Tx, key_arn: str) -> list[Material]:
    """Every material of a key, oldest first."""
    query = _material.where(kms_material.c.key_arn == key_arn)
    return [_load(row) for row in tx.all(query.order_by(kms_material.c.created_at, kms_material.c.id))]


def with_digest(tx: Tx, key_arn: str, digest: bytes) -> Material | None:
    """The imported material of a key that has this digest, or None."""
    row = tx.first(_material.where(kms_material.c.key_arn == key_arn, kms_material.c.digest == digest))
    return None if row is None else _load(row)


def digest_of(tx: Tx, key_arn: str, material_id: str) -> bytes | None:
    """The digest of an imported material."""
    where = kms_material.c.key_arn == key_arn, kms_material.c.id == material_id
    found: bytes | None = tx.scalar(select(kms_material.c.digest).where(*where))
    return found


def uses(tx: Tx, secret_id: str) -> bool:
    """Whether a secret is still the material of any key."""
    return tx.first(select(kms_material.c.id).where(kms_material.c.secret_id == secret_id).limit(1)) is not None


def remove(tx: Tx, key_arn: str, material_id: str) -> None:
    """Forgets one material of a key."""
    tx.execute(delete(kms_material).where(kms_material.c.key_arn == key_arn, kms_material.c.id == material_id))


def _values(material: Material) -> dict[str, Any]:
    return {
        "state": material.state.value,
        "created_at": material.created_at,
        "secret_id": material.secret_id,
        "spki": material.spki,
        "rotated_at": material.rotated_at,
        "rotation": None if material.rotation is None else material.rotation.value,
        "valid_to": material.valid_to,
        "description": material.description,
    }


def _load(row: Row[Any]) -> Material:
    return Material(
        id=row.id,
        key_arn=row.key_arn,
        state=MaterialState(row.state),
        created_at=row.created_at,
        secret_id=row.secret_id,
        spki=row.spki,
        rotated_at=row.rotated_at,
        rotation=None if row.rotation is None else RotationType(row.rotation),
        valid_to=row.valid_to,
        description=row.description,
    )
