"""The tables of the room. Trust anchors, profiles and CRLs share their first columns."""

from typing import Any

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, String, Table, Text

from greatseal.storage.schema import json_text, metadata, utc_timestamp


def _resource(name: str, *columns: Column[Any] | Index) -> Table:
    return Table(
        name,
        metadata,
        Column("id", String(36), primary_key=True),
        Column("arn", Text, nullable=False),
        Column("account", String(12), nullable=False),
        Column("region", String(32), nullable=False),
        Column("name", String(255), nullable=False),
        Column("enabled", Boolean, nullable=False),
        Column("created_at", utc_timestamp(), nullable=False),
        Column("updated_at", utc_timestamp(), nullable=False),
        Column("alias", String(256)),
        Index(f"ix_{name}_listing", "account", "region", "created_at", "id"),
        # Rows without an alias do not meet: NULL is equal to nothing.
        Index(f"uq_{name}_alias", "account", "region", "alias", unique=True),
        *columns,
    )


trust_anchor = _resource(
    "trust_anchor",
    Column("source_kind", String(32), nullable=False),
    Column("source_value", Text, nullable=False),
    Column("settings", json_text(), nullable=False),
)

anywhere_profile = _resource(
    "anywhere_profile",
    Column("role_arns", json_text(), nullable=False),
    Column("session_policy", Text),
    Column("managed_policy_arns", json_text(), nullable=False),
    Column("duration_seconds", Integer, nullable=False),
    Column("accepts_session_name", Boolean, nullable=False),
    Column("requires_instance_properties", Boolean, nullable=False),
    Column("mappings", json_text(), nullable=False),
)

anywhere_crl = _resource(
    "anywhere_crl",
    Column("anchor_arn", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("der", LargeBinary, nullable=False),
    Index("ix_anywhere_crl_anchor", "anchor_arn"),
)

anywhere_subject = Table(
    "anywhere_subject",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("arn", Text, nullable=False),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    # SHA-256 of the name: a name may be longer than what an index can hold.
    Column("subject_digest", String(64), nullable=False),
    Column("x509_subject", Text, nullable=False),
    Column("created_at", utc_timestamp(), nullable=False),
    Column("updated_at", utc_timestamp(), nullable=False),
    Column("last_seen_at", utc_timestamp(), nullable=False),
    Column("credentials", json_text(), nullable=False),
    Column("instance_properties", json_text(), nullable=False),
    Index("uq_anywhere_subject", "account", "region", "subject_digest", unique=True),
    Index("ix_anywhere_subject_listing", "account", "region", "created_at", "id"),
)
