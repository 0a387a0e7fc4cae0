"""The tables of accounts, principals, credentials and policies.

Users, groups and roles are one table, because policies hang on all of them in the same way. Names are unique without
regard to case (`folded_name`), ids never come back. Whoever changes a row that authorization reads, raises the
generation in the same transaction.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, Text, UniqueConstraint

from greatseal.storage.schema import json_text, metadata, utc_timestamp

generation = Table(
    "access_generation",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("value", BigInteger, nullable=False),
)

account = Table(
    "account",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("name", String(128), nullable=False),
    Column("email", Text, nullable=False),
    Column("alias", String(63), unique=True),
    Column("created_at", utc_timestamp(), nullable=False),
)

credential = Table(
    "credential",
    metadata,
    Column("access_key_id", String(128), primary_key=True),
    Column("account", String(12), nullable=False),
    # The id of a user; the account id for the root principal.
    Column("owner_id", String(32), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("created_at", utc_timestamp(), nullable=False),
    Index("ix_credential_owner", "owner_id"),
)

identity = Table(
    "identity",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("account", String(12), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("name", String(128), nullable=False),
    Column("folded_name", String(128), nullable=False),
    Column("path", String(512), nullable=False),
    Column("created_at", utc_timestamp(), nullable=False),
    Column("boundary_arn", Text),
    # The rest is of roles alone. A trust policy names users and roles by their ids (iam.md 3).
    Column("trust_policy", Text),
    Column("description", Text),
    Column("max_session_seconds", Integer),
    Column("service_linked", Boolean, nullable=False),
    UniqueConstraint("account", "kind", "folded_name", name="uq_identity_name"),
)

group_member = Table(
    "group_member",
    metadata,
    Column("group_id", String(32), primary_key=True),
    Column("user_id", String(32), primary_key=True),
    Index("ix_group_member_user", "user_id"),
)

inline_policy = Table(
    "inline_policy",
    metadata,
    Column("owner_id", String(32), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("document", Text, nullable=False),
)

attached_policy = Table(
    "attached_policy",
    metadata,
    Column("owner_id", String(32), primary_key=True),
    Column("policy_arn", Text, primary_key=True),
    Index("ix_attached_policy_arn", "policy_arn"),
)

managed_policy = Table(
    "managed_policy",
    metadata,
    Column("arn", Text, primary_key=True),
    Column("id", String(32), nullable=False),
    Column("account", String(12), nullable=False),
    Column("name", String(128), nullable=False),
    Column("folded_name", String(128), nullable=False),
    Column("path", String(512), nullable=False),
    Column("description", Text, nullable=False),
    Column("default_version", Integer, nullable=False),
    # The highest number ever given: a deleted version's number is not used again.
    Column("latest_version", Integer, nullable=False),
    Column("created_at", utc_timestamp(), nullable=False),
    Column("updated_at", utc_timestamp(), nullable=False),
    UniqueConstraint("account", "folded_name", name="uq_managed_policy_name"),
)

managed_policy_version = Table(
    "managed_policy_version",
    metadata,
    Column("policy_arn", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
    Column("created_at", utc_timestamp(), nullable=False),
)

oidc_provider = Table(
    "oidc_provider",
    metadata,
    Column("arn", Text, primary_key=True),
    Column("account", String(12), nullable=False),
    Column("url", Text, nullable=False),
    Column("client_ids", json_text(), nullable=False),
    Column("thumbprints", json_text(), nullable=False),
    Column("created_at", utc_timestamp(), nullable=False),
    Index("ix_oidc_provider_account", "account"),
)

resource_policy = Table(
    "resource_policy",
    metadata,
    Column("resource_arn", Text, primary_key=True),
    # Empty for the policy that the owner wrote; otherwise whoever keeps this part, such as a resource share.
    Column("part", Text, primary_key=True),
    Column("document", Text, nullable=False),
    Column("updated_at", utc_timestamp(), nullable=False),
)
