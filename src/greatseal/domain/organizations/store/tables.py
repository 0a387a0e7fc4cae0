"""The tables of organizations.

The root is a column of its organization, for there is only one. Whoever changes membership, the tree, or what is
attached to it, raises the access room's generation in the same transaction.
"""

from sqlalchemy import Boolean, Column, Index, String, Table, Text, UniqueConstraint

from greatseal.storage.schema import json_text, metadata, utc_timestamp

organization = Table(
    "organization",
    metadata,
    Column("id", String(34), primary_key=True),
    Column("management_account", String(12), nullable=False, unique=True),
    Column("feature_set", String(24), nullable=False),
    Column("root_id", String(34), nullable=False),
    Column("service_control", Boolean, nullable=False),
    Column("created_at", utc_timestamp(), nullable=False),
)

member = Table(
    "organization_member",
    metadata,
    # An account is in one organization at most.
    Column("account", String(12), primary_key=True),
    Column("organization_id", String(34), nullable=False),
    Column("parent_id", String(68), nullable=False),
    Column("joined", String(8), nullable=False),
    Column("joined_at", utc_timestamp(), nullable=False),
    Column("closed_at", utc_timestamp()),
    Index("ix_organization_member_parent", "organization_id", "parent_id"),
)

unit = Table(
    "organizational_unit",
    metadata,
    Column("organization_id", String(34), primary_key=True),
    Column("id", String(68), primary_key=True),
    Column("parent_id", String(68), nullable=False),
    Column("name", String(128), nullable=False),
    UniqueConstraint("organization_id", "parent_id", "name", name="uq_organizational_unit_name"),
)

policy = Table(
    "organization_policy",
    metadata,
    Column("organization_id", String(34), primary_key=True),
    Column("id", String(130), primary_key=True),
    Column("name", String(128), nullable=False),
    Column("description", Text, nullable=False),
    Column("content", Text, nullable=False),
    UniqueConstraint("organization_id", "name", name="uq_organization_policy_name"),
)

attachment = Table(
    "organization_policy_target",
    metadata,
    Column("organization_id", String(34), primary_key=True),
    # A root, a unit or an account.
    Column("target_id", String(68), primary_key=True),
    Column("policy_id", String(130), primary_key=True),
    Index("ix_organization_policy_target_policy", "organization_id", "policy_id"),
)

creation = Table(
    "account_creation",
    metadata,
    Column("organization_id", String(34), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("account_name", String(128), nullable=False),
    Column("state", String(12), nullable=False),
    Column("requested_at", utc_timestamp(), nullable=False),
    Column("completed_at", utc_timestamp()),
    Column("account", String(12)),
    Column("failure", String(64)),
)

handshake = Table(
    "organization_handshake",
    metadata,
    Column("id", String(34), primary_key=True),
    Column("organization_id", String(34), nullable=False),
    Column("account", String(12), nullable=False),
    Column("by_email", Text),
    Column("notes", Text),
    Column("tags", json_text(), nullable=False),
    Column("requested_at", utc_timestamp(), nullable=False),
    Column("expires_at", utc_timestamp(), nullable=False),
    # Empty until somebody decides; expiry is read off the clock.
    Column("decided", String(12)),
    Column("decided_at", utc_timestamp()),
    Index("ix_organization_handshake_account", "account"),
    Index("ix_organization_handshake_organization", "organization_id"),
)

trusted_service = Table(
    "organization_service",
    metadata,
    Column("organization_id", String(34), primary_key=True),
    Column("service", String(128), primary_key=True),
    Column("enabled_at", utc_timestamp(), nullable=False),
)

delegate = Table(
    "organization_delegate",
    metadata,
    Column("organization_id", String(34), primary_key=True),
    Column("account", String(12), primary_key=True),
    Column("service", String(128), primary_key=True),
    Column("registered_at", utc_timestamp(), nullable=False),
)
