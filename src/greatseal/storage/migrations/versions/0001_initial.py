"""Initial."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None


def _access_generation() -> None:
    op.create_table(
        "access_generation",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_generation")),
    )


def _account() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("alias", sa.String(length=63), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("alias", name=op.f("uq_account_alias")),
    )


def _account_configuration() -> None:
    op.create_table(
        "account_configuration",
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("days_before_expiry", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "region", name=op.f("pk_account_configuration")),
    )


def _account_creation() -> None:
    op.create_table(
        "account_creation",
        sa.Column("organization_id", sa.String(length=34), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_name", sa.String(length=128), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("completed_at", sa.BigInteger(), nullable=True),
        sa.Column("account", sa.String(length=12), nullable=True),
        sa.Column("failure", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_account_creation")),
    )


def _anywhere_crl() -> None:
    op.create_table(
        "anywhere_crl",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("arn", sa.Text(), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("alias", sa.String(length=256), nullable=True),
        sa.Column("anchor_arn", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_anywhere_crl")),
    )
    op.create_index("ix_anywhere_crl_anchor", "anywhere_crl", ["anchor_arn"], unique=False)
    op.create_index("ix_anywhere_crl_listing", "anywhere_crl", ["account", "region", "created_at", "id"], unique=False)
    op.create_index("uq_anywhere_crl_alias", "anywhere_crl", ["account", "region", "alias"], unique=True)


def _anywhere_profile() -> None:
    op.create_table(
        "anywhere_profile",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("arn", sa.Text(), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("alias", sa.String(length=256), nullable=True),
        sa.Column("role_arns", sa.Text(), nullable=False),
        sa.Column("session_policy", sa.Text(), nullable=True),
        sa.Column("managed_policy_arns", sa.Text(), nullable=False),
        sa.Column("duration_seconds", sa.Integer(), nullable=False),
        sa.Column("accepts_session_name", sa.Boolean(), nullable=False),
        sa.Column("requires_instance_properties", sa.Boolean(), nullable=False),
        sa.Column("mappings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_anywhere_profile")),
    )
    op.create_index(
        "ix_anywhere_profile_listing", "anywhere_profile", ["account", "region", "created_at", "id"], unique=False
    )
    op.create_index("uq_anywhere_profile_alias", "anywhere_profile", ["account", "region", "alias"], unique=True)


def _anywhere_subject() -> None:
    op.create_table(
        "anywhere_subject",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("arn", sa.Text(), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("subject_digest", sa.String(length=64), nullable=False),
        sa.Column("x509_subject", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("credentials", sa.Text(), nullable=False),
        sa.Column("instance_properties", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_anywhere_subject")),
    )
    op.create_index(
        "ix_anywhere_subject_listing", "anywhere_subject", ["account", "region", "created_at", "id"], unique=False
    )
    op.create_index("uq_anywhere_subject", "anywhere_subject", ["account", "region", "subject_digest"], unique=True)


def _attached_policy() -> None:
    op.create_table(
        "attached_policy",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("policy_arn", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", "policy_arn", name=op.f("pk_attached_policy")),
    )
    op.create_index("ix_attached_policy_arn", "attached_policy", ["policy_arn"], unique=False)


def _audit_checkpoint() -> None:
    op.create_table(
        "audit_checkpoint",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("spki", sa.LargeBinary(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_audit_checkpoint")),
    )


def _audit_head() -> None:
    op.create_table(
        "audit_head",
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log", name=op.f("pk_audit_head")),
    )


def _audit_record() -> None:
    op.create_table(
        "audit_record",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("principal_arn", sa.Text(), nullable=False),
        sa.Column("access_key_id", sa.String(length=128), nullable=False),
        sa.Column("operation", sa.String(length=128), nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("resources", sa.Text(), nullable=False),
        sa.Column("source_ip", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.Column("service_principal", sa.String(length=128), nullable=True),
        sa.Column("request_parameters", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("event_source", sa.Text(), nullable=False),
        sa.Column("event_name", sa.String(length=128), nullable=False),
        sa.Column("read_only", sa.Boolean(), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("response_elements", sa.Text(), nullable=True),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_index", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_record")),
    )
    op.create_index("ix_audit_record_account", "audit_record", ["account", "id"], unique=False)
    op.create_index(
        "ix_audit_record_unsequenced",
        "audit_record",
        ["id"],
        unique=False,
        sqlite_where=sa.text("leaf_index IS NULL"),
        postgresql_where=sa.text("leaf_index IS NULL"),
    )
    op.create_index("uq_audit_record_event_id", "audit_record", ["event_id"], unique=True)
    op.create_index(
        "uq_audit_record_leaf_index",
        "audit_record",
        ["leaf_index"],
        unique=True,
        sqlite_where=sa.text("leaf_index IS NOT NULL"),
        postgresql_where=sa.text("leaf_index IS NOT NULL"),
    )


def _audit_report() -> None:
    op.create_table(
        "audit_report",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("authority_id", sa.String(length=36), nullable=False),
        sa.Column("bucket", sa.String(length=63), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("form", sa.String(length=8), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_report")),
    )
    op.create_index("ix_audit_report_authority", "audit_report", ["authority_id", "created_at"], unique=False)


def _audit_tile() -> None:
    op.create_table(
        "audit_tile",
        sa.Column("height", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("height", "number", name=op.f("pk_audit_tile")),
    )


def _authority() -> None:
    op.create_table(
        "authority",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("arn", sa.Text(), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("key_id", sa.String(length=36), nullable=False),
        sa.Column("key_algorithm", sa.String(length=32), nullable=False),
        sa.Column("signing_algorithm", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("csr", sa.LargeBinary(), nullable=False),
        sa.Column("csr_extensions", sa.Text(), nullable=False),
        sa.Column("usage_mode", sa.String(length=32), nullable=False),
        sa.Column("key_storage", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("certificate_id", sa.String(length=36), nullable=True),
        sa.Column("not_after", sa.BigInteger(), nullable=True),
        sa.Column("restorable_until", sa.BigInteger(), nullable=True),
        sa.Column("status_before_deletion", sa.String(length=32), nullable=True),
        sa.Column("revocation", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authority")),
    )
    op.create_index("ix_authority_listing", "authority", ["account", "region", "created_at", "id"], unique=False)


def _blob_part() -> None:
    op.create_table(
        "blob_part",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", "number", name=op.f("pk_blob_part")),
    )


def _bucket() -> None:
    op.create_table(
        "bucket",
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("versioning", sa.String(length=16), nullable=False),
        sa.Column("ownership", sa.String(length=32), nullable=True),
        sa.Column("public_access", sa.Text(), nullable=True),
        sa.Column("acl", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_bucket")),
    )
    op.create_index("ix_bucket_listing", "bucket", ["account", "name"], unique=False)


def _ca_certificate() -> None:
    op.create_table(
        "ca_certificate",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("authority_id", sa.String(length=36), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("installed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ca_certificate")),
    )
    op.create_index("ix_ca_certificate_authority", "ca_certificate", ["authority_id"], unique=False)


def _certificate() -> None:
    op.create_table(
        "certificate",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("arn", sa.Text(), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("domain_name", sa.Text(), nullable=False),
        sa.Column("key_algorithm", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("authority_arn", sa.Text(), nullable=True),
        sa.Column("validation_method", sa.String(length=16), nullable=True),
        sa.Column("managed_by", sa.String(length=16), nullable=True),
        sa.Column("transparency_logging", sa.String(length=16), nullable=False),
        sa.Column("export_option", sa.String(length=16), nullable=False),
        sa.Column("failure_reason", sa.String(length=64), nullable=True),
        sa.Column("key_id", sa.String(length=36), nullable=True),
        sa.Column("der", sa.LargeBinary(), nullable=True),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=True),
        sa.Column("imported_at", sa.BigInteger(), nullable=True),
        sa.Column("exported_at", sa.BigInteger(), nullable=True),
        sa.Column("ever_exported", sa.Boolean(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("revocation_reason", sa.String(length=40), nullable=True),
        sa.Column("renewal_status", sa.String(length=32), nullable=True),
        sa.Column("renewal_reason", sa.String(length=64), nullable=True),
        sa.Column("renewal_updated_at", sa.BigInteger(), nullable=True),
        sa.Column("pending_key_id", sa.String(length=36), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("serial", sa.String(length=64), nullable=True),
        sa.Column("common_name", sa.Text(), nullable=True),
        sa.Column("not_before", sa.BigInteger(), nullable=True),
        sa.Column("not_after", sa.BigInteger(), nullable=True),
        sa.Column("issuer_name", sa.Text(), nullable=True),
        sa.Column("notice_at", sa.BigInteger(), nullable=True),
        sa.Column("renewal_at", sa.BigInteger(), nullable=True),
        sa.Column("authority_certificate_arn", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate")),
    )
    op.create_index(
        "ix_certificate_common_name",
        "certificate",
        [sa.literal_column("substr(lower(common_name), 1, 250)"), "id"],
        unique=False,
    )
    op.create_index(
        "ix_certificate_ending",
        "certificate",
        ["account", "region", sa.literal_column("coalesce(not_after, 0)"), "id"],
        unique=False,
    )
    op.create_index("ix_certificate_authority_certificate", "certificate", ["authority_certificate_arn"], unique=False)
    op.create_index("ix_certificate_census", "certificate", ["type", "status", "not_after"], unique=False)
    op.create_index("ix_certificate_issuer", "certificate", ["issuer_name"], unique=False)
    op.create_index(
        "ix_certificate_listing",
        "certificate",
        ["account", "region", "created_at", "id", "key_algorithm", "type", "status", "not_after"],
        unique=False,
    )
    op.create_index("ix_certificate_not_after", "certificate", ["not_after"], unique=False)
    op.create_index("ix_certificate_notice", "certificate", ["notice_at"], unique=False)
    op.create_index("ix_certificate_renewal", "certificate", ["renewal_at"], unique=False)
    op.create_index(
        "ix_certificate_serial",
        "certificate",
        ["serial"],
        unique=False,
        sqlite_where=sa.text("serial IS NOT NULL"),
        postgresql_where=sa.text("serial IS NOT NULL"),
    )
    op.create_index(
        "ix_certificate_unfinished_renewal",
        "certificate",
        ["renewal_status"],
        unique=False,
        sqlite_where=sa.text("renewal_status IN ('PENDING_AUTO_RENEWAL', 'PENDING_VALIDATION', 'FAILED')"),
        postgresql_where=sa.text("renewal_status IN ('PENDING_AUTO_RENEWAL', 'PENDING_VALIDATION', 'FAILED')"),
    )


def _certificate_association() -> None:
    op.create_table(
        "certificate_association",
        sa.Column("certificate_id", sa.String(length=36), nullable=False),
        sa.Column("resource_arn", sa.Text(), nullable=False),
        sa.Column("associated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("certificate_id", "resource_arn", name=op.f("pk_certificate_association")),
    )
    op.create_index("ix_certificate_association_resource", "certificate_association", ["resource_arn"], unique=False)


def _certificate_name() -> None:
    op.create_table(
        "certificate_name",
        sa.Column("certificate_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("certificate_id", "position", name=op.f("pk_certificate_name")),
    )
    op.create_index(
        "ix_certificate_name",
        "certificate_name",
        [sa.literal_column("substr(lower(name), 1, 250)"), "certificate_id"],
        unique=False,
    )


def _certificate_usage() -> None:
    op.create_table(
        "certificate_usage",
        sa.Column("certificate_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("certificate_id", "kind", "name", name=op.f("pk_certificate_usage")),
    )


def _compromised_key() -> None:
    op.create_table(
        "compromised_key",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("reported_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_compromised_key")),
    )


def _credential() -> None:
    op.create_table(
        "credential",
        sa.Column("access_key_id", sa.String(length=128), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("access_key_id", name=op.f("pk_credential")),
    )
    op.create_index("ix_credential_owner", "credential", ["owner_id"], unique=False)


def _ct_entry() -> None:
    op.create_table(
        "ct_entry",
        sa.Column("log", sa.String(length=64), nullable=False),
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("identity", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log", "place", name=op.f("pk_ct_entry")),
    )
    op.create_index("ix_ct_entry_leaf_hash", "ct_entry", ["log", "leaf_hash"], unique=False)
    op.create_index("uq_ct_entry_identity", "ct_entry", ["log", "identity"], unique=True)


def _ct_followed() -> None:
    op.create_table(
        "ct_followed",
        sa.Column("log_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("read_size", sa.BigInteger(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("checked_at", sa.BigInteger(), nullable=False),
        sa.Column("good_at", sa.BigInteger(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", name=op.f("pk_ct_followed")),
    )


def _ct_issuer() -> None:
    op.create_table(
        "ct_issuer",
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_ct_issuer")),
    )


def _ct_log() -> None:
    op.create_table(
        "ct_log",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("key_id", sa.String(length=36), nullable=False),
        sa.Column("spki", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ct_log")),
    )


def _ct_tile() -> None:
    op.create_table(
        "ct_tile",
        sa.Column("log", sa.String(length=64), nullable=False),
        sa.Column("height", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log", "height", "number", name=op.f("pk_ct_tile")),
    )


def _delivery() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("message_id", sa.String(length=128), nullable=False),
        sa.Column("order_key", sa.Text(), nullable=False),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("posted_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("lane_down", sa.Boolean(), nullable=False),
        sa.Column("died_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_delivery_account",
        "delivery",
        ["account", "died_at"],
        unique=False,
        sqlite_where=sa.text("died_at IS NOT NULL"),
        postgresql_where=sa.text("died_at IS NOT NULL"),
    )
    op.create_index(
        "ix_delivery_died_at",
        "delivery",
        ["died_at"],
        unique=False,
        sqlite_where=sa.text("died_at IS NOT NULL"),
        postgresql_where=sa.text("died_at IS NOT NULL"),
    )
    op.create_index(
        "ix_delivery_lane",
        "delivery",
        ["lane", "id"],
        unique=False,
        sqlite_where=sa.text("died_at IS NULL"),
        postgresql_where=sa.text("died_at IS NULL"),
    )


def _event_archive() -> None:
    op.create_table(
        "event_archive",
        sa.Column("arn", sa.Text(), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("bus_arn", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("pattern", sa.Text(), nullable=True),
        sa.Column("retention_days", sa.Integer(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("arn", name=op.f("pk_event_archive")),
        sa.UniqueConstraint("account", "region", "name", name=op.f("uq_event_archive_account_region_name")),
    )


def _event_archived() -> None:
    op.create_table(
        "event_archived",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("archive_arn", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("order_key", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_archived")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_event_archived_place", "event_archived", ["archive_arn", "at", "id"], unique=False)


def _event_bus() -> None:
    op.create_table(
        "event_bus",
        sa.Column("arn", sa.Text(), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("dead_letter_arn", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("arn", name=op.f("pk_event_bus")),
        sa.UniqueConstraint("account", "region", "name", name=op.f("uq_event_bus_account_region_name")),
    )


def _event_connection() -> None:
    op.create_table(
        "event_connection",
        sa.Column("arn", sa.Text(), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("authorization", sa.String(length=32), nullable=False),
        sa.Column("public", sa.Text(), nullable=False),
        sa.Column("sealed_secrets", sa.LargeBinary(), nullable=True),
        sa.Column("authorized", sa.Boolean(), nullable=False),
        sa.Column("authorized_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("arn", name=op.f("pk_event_connection")),
        sa.UniqueConstraint("account", "region", "name", name=op.f("uq_event_connection_account_region_name")),
    )


def _event_cursor() -> None:
    op.create_table(
        "event_cursor",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_event_cursor")),
    )


def _event_destination() -> None:
    op.create_table(
        "event_destination",
        sa.Column("arn", sa.Text(), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("connection_arn", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("method", sa.String(length=8), nullable=False),
        sa.Column("rate", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("arn", name=op.f("pk_event_destination")),
        sa.UniqueConstraint("account", "region", "name", name=op.f("uq_event_destination_account_region_name")),
    )
    op.create_index("ix_event_destination_connection_arn", "event_destination", ["connection_arn"], unique=False)


def _event_generation() -> None:
    op.create_table(
        "event_generation",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_generation")),
    )


def _event_replay() -> None:
    op.create_table(
        "event_replay",
        sa.Column("arn", sa.Text(), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("archive_arn", sa.Text(), nullable=False),
        sa.Column("bus_arn", sa.Text(), nullable=False),
        sa.Column("filter_arns", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("last_event_at", sa.BigInteger(), nullable=True),
        sa.Column("last_event_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("arn", name=op.f("pk_event_replay")),
        sa.UniqueConstraint("account", "region", "name", name=op.f("uq_event_replay_account_region_name")),
    )


def _event_router() -> None:
    op.create_table(
        "event_router",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_router")),
    )


def _event_rule() -> None:
    op.create_table(
        "event_rule",
        sa.Column("arn", sa.Text(), nullable=False),
        sa.Column("bus_arn", sa.Text(), nullable=False),
        sa.Column("bus_name", sa.String(length=256), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=True),
        sa.Column("schedule", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("role_arn", sa.Text(), nullable=True),
        sa.Column("created_by", sa.String(length=12), nullable=False),
        sa.Column("schedule_from", sa.BigInteger(), nullable=True),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("arn", name=op.f("pk_event_rule")),
        sa.UniqueConstraint("bus_arn", "name", name=op.f("uq_event_rule_bus_arn_name")),
    )
    op.create_index(
        "ix_event_rule_next_at",
        "event_rule",
        ["next_at"],
        unique=False,
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )


def _event_target() -> None:
    op.create_table(
        "event_target",
        sa.Column("rule_arn", sa.Text(), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("bus_arn", sa.Text(), nullable=False),
        sa.Column("arn", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("rule_arn", "id", name=op.f("pk_event_target")),
    )
    op.create_index("ix_event_target_arn", "event_target", ["bus_arn", "arn"], unique=False)


def _finding() -> None:
    op.create_table(
        "finding",
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("product_arn", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("generator_id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("record_state", sa.String(length=16), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("overruled", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", "region", "product_arn", "id", name=op.f("pk_finding")),
    )
    op.create_index("ix_finding_generator", "finding", ["generator_id", "account", "region"], unique=False)
    op.create_index(
        "ix_finding_listing", "finding", ["account", "region", "updated_at", "product_arn", "id"], unique=False
    )
    op.create_index("ix_finding_title", "finding", ["account", "region", "title"], unique=False)


def _finding_hub() -> None:
    op.create_table(
        "finding_hub",
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=True),
        sa.Column("auto_enable_controls", sa.Boolean(), nullable=False),
        sa.Column("control_finding_generator", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("account", "region", name=op.f("pk_finding_hub")),
    )


def _group_member() -> None:
    op.create_table(
        "group_member",
        sa.Column("group_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("group_id", "user_id", name=op.f("pk_group_member")),
    )
    op.create_index("ix_group_member_user", "group_member", ["user_id"], unique=False)


def _idempotency() -> None:
    op.create_table(
        "idempotency",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "token", name=op.f("pk_idempotency")),
    )
    op.create_index("ix_idempotency_expires", "idempotency", ["expires"], unique=False)


def _identity() -> None:
    op.create_table(
        "identity",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("folded_name", sa.String(length=128), nullable=False),
        sa.Column("path", sa.String(length=512), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("boundary_arn", sa.Text(), nullable=True),
        sa.Column("trust_policy", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("max_session_seconds", sa.Integer(), nullable=True),
        sa.Column("service_linked", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity")),
        sa.UniqueConstraint("account", "kind", "folded_name", name="uq_identity_name"),
    )


def _inline_policy() -> None:
    op.create_table(
        "inline_policy",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", "name", name=op.f("pk_inline_policy")),
    )


def _installation() -> None:
    op.create_table(
        "installation",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_installation")),
    )


def _issued_certificate() -> None:
    op.create_table(
        "issued_certificate",
        sa.Column("authority_id", sa.String(length=36), nullable=False),
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.Column("arn", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("tbs", sa.LargeBinary(), nullable=False),
        sa.Column("signing_algorithm", sa.String(length=32), nullable=False),
        sa.Column("template_arn", sa.Text(), nullable=False),
        sa.Column("issuer_certificate_id", sa.String(length=36), nullable=True),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("service_principal", sa.String(length=128), nullable=True),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("prepared_at", sa.BigInteger(), nullable=False),
        sa.Column("key_fingerprint", sa.String(length=64), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=True),
        sa.Column("certificate", sa.LargeBinary(), nullable=True),
        sa.Column("partition", sa.String(length=36), nullable=True),
        sa.Column("logged", sa.Boolean(), nullable=False),
        sa.Column("precertificate", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("authority_id", "serial", name=op.f("pk_issued_certificate")),
    )
    op.create_index(
        "ix_issued_certificate_key", "issued_certificate", ["key_fingerprint", "authority_id", "serial"], unique=False
    )
    op.create_index("ix_issued_certificate_not_after", "issued_certificate", ["not_after"], unique=False)
    op.create_index("ix_issued_certificate_open", "issued_certificate", ["state", "prepared_at"], unique=False)


def _job() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("leased_until", sa.BigInteger(), nullable=True),
        sa.Column("again_at", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("buried_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_job_due",
        "job",
        ["due"],
        unique=False,
        sqlite_where=sa.text("buried_at IS NULL"),
        postgresql_where=sa.text("buried_at IS NULL"),
    )
    op.create_index(
        "uq_job_unfinished",
        "job",
        ["kind", "key"],
        unique=True,
        sqlite_where=sa.text("buried_at IS NULL"),
        postgresql_where=sa.text("buried_at IS NULL"),
    )


def _key() -> None:
    op.create_table(
        "key",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("spki", sa.LargeBinary(), nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=True),
        sa.Column("store", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key")),
    )
    op.create_index("ix_key_fingerprint", "key", ["fingerprint"], unique=False)


def _kms_alias() -> None:
    op.create_table(
        "kms_alias",
        sa.Column("arn", sa.String(length=400), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("target_arn", sa.String(length=256), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("arn", name=op.f("pk_kms_alias")),
    )
    op.create_index("ix_kms_alias_account", "kms_alias", ["account", "region", "arn"], unique=False)
    op.create_index("ix_kms_alias_target", "kms_alias", ["target_arn"], unique=False)


def _kms_custom_store() -> None:
    op.create_table(
        "kms_custom_store",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("endpoint", sa.String(length=128), nullable=False),
        sa.Column("path", sa.String(length=128), nullable=False),
        sa.Column("uri", sa.String(length=256), nullable=False),
        sa.Column("access_key_id", sa.String(length=30), nullable=False),
        sa.Column("secret_id", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("error", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kms_custom_store")),
    )
    op.create_index("uq_kms_custom_store_name", "kms_custom_store", ["account", "region", "name"], unique=True)
    op.create_index("uq_kms_custom_store_uri", "kms_custom_store", ["account", "region", "uri"], unique=True)


def _kms_grant() -> None:
    op.create_table(
        "kms_grant",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("key_arn", sa.String(length=256), nullable=False),
        sa.Column("grantee", sa.String(length=2048), nullable=False),
        sa.Column("retiring", sa.String(length=2048), nullable=True),
        sa.Column("operations", sa.Text(), nullable=False),
        sa.Column("equals", sa.Text(), nullable=False),
        sa.Column("subset", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("issuing_account", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kms_grant")),
    )
    op.create_index("ix_kms_grant_grantee", "kms_grant", ["key_arn", "grantee"], unique=False)
    op.create_index("ix_kms_grant_key", "kms_grant", ["key_arn", "id"], unique=False)
    op.create_index("ix_kms_grant_name", "kms_grant", ["key_arn", "name"], unique=False)
    op.create_index("ix_kms_grant_retiring", "kms_grant", ["retiring", "id"], unique=False)


def _kms_import() -> None:
    op.create_table(
        "kms_import",
        sa.Column("key_arn", sa.String(length=256), nullable=False),
        sa.Column("token_id", sa.String(length=36), nullable=False),
        sa.Column("secret_id", sa.String(length=36), nullable=False),
        sa.Column("algorithm", sa.String(length=64), nullable=False),
        sa.Column("wrapping_spec", sa.String(length=32), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key_arn", name=op.f("pk_kms_import")),
    )
    op.create_index("ix_kms_import_valid_to", "kms_import", ["valid_to"], unique=False)


def _kms_key() -> None:
    op.create_table(
        "kms_key",
        sa.Column("arn", sa.String(length=256), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("family_arn", sa.String(length=256), nullable=False),
        sa.Column("spec", sa.String(length=32), nullable=False),
        sa.Column("usage", sa.String(length=32), nullable=False),
        sa.Column("origin", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("material", sa.String(length=64), nullable=True),
        sa.Column("deletion_at", sa.BigInteger(), nullable=True),
        sa.Column("pending_days", sa.Integer(), nullable=True),
        sa.Column("region_role", sa.String(length=16), nullable=True),
        sa.Column("primary_region", sa.String(length=32), nullable=True),
        sa.Column("rotation_days", sa.Integer(), nullable=True),
        sa.Column("next_rotation_at", sa.BigInteger(), nullable=True),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.Column("store_id", sa.String(length=64), nullable=True),
        sa.Column("external_id", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint("arn", name=op.f("pk_kms_key")),
    )
    op.create_index("ix_kms_key_account", "kms_key", ["account", "region", "arn"], unique=False)
    op.create_index("ix_kms_key_deletion", "kms_key", ["deletion_at"], unique=False)
    op.create_index("ix_kms_key_expiry", "kms_key", ["valid_to"], unique=False)
    op.create_index("ix_kms_key_family", "kms_key", ["family_arn"], unique=False)
    op.create_index("ix_kms_key_rotation", "kms_key", ["next_rotation_at"], unique=False)
    op.create_index("uq_kms_key_external", "kms_key", ["store_id", "external_id"], unique=True)


def _kms_material() -> None:
    op.create_table(
        "kms_material",
        sa.Column("key_arn", sa.String(length=256), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("secret_id", sa.String(length=36), nullable=True),
        sa.Column("spki", sa.LargeBinary(), nullable=True),
        sa.Column("rotated_at", sa.BigInteger(), nullable=True),
        sa.Column("rotation", sa.String(length=16), nullable=True),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("key_arn", "id", name=op.f("pk_kms_material")),
    )
    op.create_index("ix_kms_material_secret", "kms_material", ["secret_id"], unique=False)


def _managed_policy() -> None:
    op.create_table(
        "managed_policy",
        sa.Column("arn", sa.Text(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("folded_name", sa.String(length=128), nullable=False),
        sa.Column("path", sa.String(length=512), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("default_version", sa.Integer(), nullable=False),
        sa.Column("latest_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("arn", name=op.f("pk_managed_policy")),
        sa.UniqueConstraint("account", "folded_name", name="uq_managed_policy_name"),
    )


def _managed_policy_version() -> None:
    op.create_table(
        "managed_policy_version",
        sa.Column("policy_arn", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("policy_arn", "version", name=op.f("pk_managed_policy_version")),
    )


def _mass_revocation() -> None:
    op.create_table(
        "mass_revocation",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("recursive", sa.Boolean(), nullable=False),
        sa.Column("template", sa.String(length=128), nullable=True),
        sa.Column("issued_after", sa.BigInteger(), nullable=True),
        sa.Column("issued_before", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("principal_arn", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("outcomes", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mass_revocation")),
    )
    op.create_index("ix_mass_revocation_asked_at", "mass_revocation", ["asked_at"], unique=False)


def _mass_revocation_authority() -> None:
    op.create_table(
        "mass_revocation_authority",
        sa.Column("mass_revocation_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("authority_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("mass_revocation_id", "position", name=op.f("pk_mass_revocation_authority")),
    )


def _mass_revocation_item() -> None:
    op.create_table(
        "mass_revocation_item",
        sa.Column("mass_revocation_id", sa.String(length=36), nullable=False),
        sa.Column("authority_id", sa.String(length=36), nullable=False),
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("mass_revocation_id", "authority_id", "serial", name=op.f("pk_mass_revocation_item")),
        sqlite_with_rowid=False,
    )


def _object_version() -> None:
    op.create_table(
        "object_version",
        sa.Column("bucket", sa.String(length=63), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version_id", sa.String(length=32), nullable=False),
        sa.Column("latest", sa.Boolean(), nullable=False),
        sa.Column("delete_marker", sa.Boolean(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("etag", sa.String(length=64), nullable=False),
        sa.Column("acl", sa.String(length=32), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("checksums", sa.Text(), nullable=False),
        sa.Column("blob", sa.String(length=32), nullable=False),
        sa.Column("modified_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "key", "number", name=op.f("pk_object_version")),
    )
    op.create_index("ix_object_version_blob", "object_version", ["blob"], unique=False)
    op.create_index("ix_object_version_latest", "object_version", ["bucket", "latest", "key"], unique=False)


def _ocsp_responder() -> None:
    op.create_table(
        "ocsp_responder",
        sa.Column("authority_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.Column("key_id", sa.String(length=36), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("authority_id", "number", name=op.f("pk_ocsp_responder")),
    )
    op.create_index("ix_ocsp_responder_end", "ocsp_responder", ["not_after"], unique=False)


def _oidc_provider() -> None:
    op.create_table(
        "oidc_provider",
        sa.Column("arn", sa.Text(), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("client_ids", sa.Text(), nullable=False),
        sa.Column("thumbprints", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("arn", name=op.f("pk_oidc_provider")),
    )
    op.create_index("ix_oidc_provider_account", "oidc_provider", ["account"], unique=False)


def _organization() -> None:
    op.create_table(
        "organization",
        sa.Column("id", sa.String(length=34), nullable=False),
        sa.Column("management_account", sa.String(length=12), nullable=False),
        sa.Column("feature_set", sa.String(length=24), nullable=False),
        sa.Column("root_id", sa.String(length=34), nullable=False),
        sa.Column("service_control", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization")),
        sa.UniqueConstraint("management_account", name=op.f("uq_organization_management_account")),
    )


def _organization_delegate() -> None:
    op.create_table(
        "organization_delegate",
        sa.Column("organization_id", sa.String(length=34), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("service", sa.String(length=128), nullable=False),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "account", "service", name=op.f("pk_organization_delegate")),
    )


def _organization_handshake() -> None:
    op.create_table(
        "organization_handshake",
        sa.Column("id", sa.String(length=34), nullable=False),
        sa.Column("organization_id", sa.String(length=34), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("by_email", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("decided", sa.String(length=12), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization_handshake")),
    )
    op.create_index("ix_organization_handshake_account", "organization_handshake", ["account"], unique=False)
    op.create_index(
        "ix_organization_handshake_organization", "organization_handshake", ["organization_id"], unique=False
    )


def _organization_member() -> None:
    op.create_table(
        "organization_member",
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("organization_id", sa.String(length=34), nullable=False),
        sa.Column("parent_id", sa.String(length=68), nullable=False),
        sa.Column("joined", sa.String(length=8), nullable=False),
        sa.Column("joined_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_organization_member")),
    )
    op.create_index(
        "ix_organization_member_parent", "organization_member", ["organization_id", "parent_id"], unique=False
    )


def _organization_policy() -> None:
    op.create_table(
        "organization_policy",
        sa.Column("organization_id", sa.String(length=34), nullable=False),
        sa.Column("id", sa.String(length=130), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_organization_policy")),
        sa.UniqueConstraint("organization_id", "name", name="uq_organization_policy_name"),
    )


def _organization_policy_target() -> None:
    op.create_table(
        "organization_policy_target",
        sa.Column("organization_id", sa.String(length=34), nullable=False),
        sa.Column("target_id", sa.String(length=68), nullable=False),
        sa.Column("policy_id", sa.String(length=130), nullable=False),
        sa.PrimaryKeyConstraint(
            "organization_id", "target_id", "policy_id", name=op.f("pk_organization_policy_target")
        ),
    )
    op.create_index(
        "ix_organization_policy_target_policy",
        "organization_policy_target",
        ["organization_id", "policy_id"],
        unique=False,
    )


def _organization_service() -> None:
    op.create_table(
        "organization_service",
        sa.Column("organization_id", sa.String(length=34), nullable=False),
        sa.Column("service", sa.String(length=128), nullable=False),
        sa.Column("enabled_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "service", name=op.f("pk_organization_service")),
    )


def _organizational_unit() -> None:
    op.create_table(
        "organizational_unit",
        sa.Column("organization_id", sa.String(length=34), nullable=False),
        sa.Column("id", sa.String(length=68), nullable=False),
        sa.Column("parent_id", sa.String(length=68), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_organizational_unit")),
        sa.UniqueConstraint("organization_id", "parent_id", "name", name="uq_organizational_unit_name"),
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("delivered", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_delivered_at", "outbox", ["delivered", "at"], unique=False)
    op.create_index("uq_outbox_topic_key_position", "outbox", ["topic", "key", "position"], unique=True)


def _permission() -> None:
    op.create_table(
        "permission",
        sa.Column("authority_id", sa.String(length=36), nullable=False),
        sa.Column("principal", sa.String(length=128), nullable=False),
        sa.Column("source_account", sa.String(length=12), nullable=False),
        sa.Column("actions", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("authority_id", "principal", "source_account", name=op.f("pk_permission")),
    )


def _public_request() -> None:
    op.create_table(
        "public_request",
        sa.Column("certificate_id", sa.String(length=36), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("certificate_id", name=op.f("pk_public_request")),
    )
    op.create_index("ix_public_request_year", "public_request", ["account", "region", "requested_at"], unique=False)


def _queue() -> None:
    op.create_table(
        "queue",
        sa.Column("arn", sa.Text(), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("dead_letter_arn", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", sa.BigInteger(), nullable=False),
        sa.Column("purged_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("arn", name=op.f("pk_queue")),
    )
    op.create_index("ix_queue_dead_letter_arn", "queue", ["dead_letter_arn", "arn"], unique=False)
    op.create_index("ix_queue_listing", "queue", ["account", "region", "name"], unique=False)


def _queue_deduplication() -> None:
    op.create_table(
        "queue_deduplication",
        sa.Column("queue_arn", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.String(length=20), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("queue_arn", "key", name=op.f("pk_queue_deduplication")),
    )
    op.create_index("ix_queue_deduplication_at", "queue_deduplication", ["at"], unique=False)


def _queue_message() -> None:
    op.create_table(
        "queue_message",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("queue_arn", sa.Text(), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("trace_header", sa.Text(), nullable=True),
        sa.Column("sender_id", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.Column("visible_at", sa.BigInteger(), nullable=False),
        sa.Column("receptions", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=True),
        sa.Column("first_received_at", sa.BigInteger(), nullable=True),
        sa.Column("group_id", sa.Text(), nullable=True),
        sa.Column("deduplication_id", sa.Text(), nullable=True),
        sa.Column("dead_source_arn", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue_message")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_queue_message_age", "queue_message", ["queue_arn", "sent_at"], unique=False)
    op.create_index("ix_queue_message_group", "queue_message", ["queue_arn", "group_id", "id"], unique=False)
    op.create_index("ix_queue_message_visible", "queue_message", ["queue_arn", "visible_at", "id"], unique=False)


def _renewal_course() -> None:
    op.create_table(
        "renewal_course",
        sa.Column("certificate_id", sa.String(length=36), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("attempted_at", sa.BigInteger(), nullable=True),
        sa.Column("notified_days", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("certificate_id", name=op.f("pk_renewal_course")),
    )


def _resource_policy() -> None:
    op.create_table(
        "resource_policy",
        sa.Column("resource_arn", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("resource_arn", "part", name=op.f("pk_resource_policy")),
    )


def _resource_share() -> None:
    op.create_table(
        "resource_share",
        sa.Column("arn", sa.Text(), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("allow_external", sa.Boolean(), nullable=False),
        sa.Column("permission", sa.String(length=128), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("feature_set", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("arn", name=op.f("pk_resource_share")),
    )
    op.create_index("ix_resource_share_owner", "resource_share", ["account", "region", "arn"], unique=False)


def _revocation() -> None:
    op.create_table(
        "revocation",
        sa.Column("authority_id", sa.String(length=36), nullable=False),
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("partition", sa.String(length=36), nullable=True),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("authority_id", "serial", name=op.f("pk_revocation")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_revocation_partition", "revocation", ["partition", "serial"], unique=False)
    op.create_index("ix_revocation_recent", "revocation", ["authority_id", "revoked_at"], unique=False)


def _revocation_delta() -> None:
    op.create_table(
        "revocation_delta",
        sa.Column("list_id", sa.String(length=36), nullable=False),
        sa.Column("base_number", sa.BigInteger(), nullable=False),
        sa.Column("base_at", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("published_number", sa.BigInteger(), nullable=False),
        sa.Column("generated_at", sa.BigInteger(), nullable=True),
        sa.Column("next_update", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("der", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("list_id", name=op.f("pk_revocation_delta")),
    )
    op.create_index("ix_revocation_delta_due", "revocation_delta", ["due_at"], unique=False)


def _revocation_list() -> None:
    op.create_table(
        "revocation_list",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("authority_id", sa.String(length=36), nullable=False),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("bound", sa.Integer(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("published_number", sa.BigInteger(), nullable=False),
        sa.Column("generated_at", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revocation_list")),
    )
    op.create_index("ix_revocation_list_authority", "revocation_list", ["authority_id"], unique=False)
    op.create_index("ix_revocation_list_due", "revocation_list", ["due_at"], unique=False)


def _revocation_list_document() -> None:
    op.create_table(
        "revocation_list_document",
        sa.Column("list_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("generated_at", sa.BigInteger(), nullable=False),
        sa.Column("next_update", sa.BigInteger(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("list_id", name=op.f("pk_revocation_list_document")),
    )


def _revocation_mark() -> None:
    op.create_table(
        "revocation_mark",
        sa.Column("authority_id", sa.String(length=36), nullable=False),
        sa.Column("share", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("authority_id", "share", name=op.f("pk_revocation_mark")),
    )


def _share_association() -> None:
    op.create_table(
        "share_association",
        sa.Column("share_arn", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("grantee", sa.String(length=68), nullable=False),
        sa.Column("policy_name", sa.Text(), nullable=False),
        sa.Column("external", sa.Boolean(), nullable=False),
        sa.Column("organization", sa.String(length=34), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("share_arn", "type", "entity", name=op.f("pk_share_association")),
    )
    op.create_index("ix_share_association_entity", "share_association", ["entity"], unique=False)
    op.create_index("ix_share_association_grantee", "share_association", ["grantee"], unique=False)


def _share_invitation() -> None:
    op.create_table(
        "share_invitation",
        sa.Column("arn", sa.Text(), nullable=False),
        sa.Column("share_arn", sa.Text(), nullable=False),
        sa.Column("share_name", sa.Text(), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("sender", sa.String(length=12), nullable=False),
        sa.Column("receiver", sa.String(length=12), nullable=False),
        sa.Column("receiver_arn", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("arn", name=op.f("pk_share_invitation")),
    )
    op.create_index("ix_share_invitation_receiver", "share_invitation", ["receiver", "region", "arn"], unique=False)
    op.create_index("ix_share_invitation_share", "share_invitation", ["share_arn"], unique=False)


def _subscription() -> None:
    op.create_table(
        "subscription",
        sa.Column("arn", sa.Text(), nullable=False),
        sa.Column("topic_arn", sa.Text(), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("protocol", sa.String(length=16), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=True),
        sa.Column("token_expires", sa.BigInteger(), nullable=True),
        sa.Column("authenticated", sa.Boolean(), nullable=False),
        sa.Column("guarded", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("arn", name=op.f("pk_subscription")),
    )
    op.create_index("ix_subscription_listing", "subscription", ["account", "region", "arn"], unique=False)
    op.create_index("ix_subscription_token_digest", "subscription", ["token_digest"], unique=False)
    op.create_index("ix_subscription_token_expires", "subscription", ["token_expires"], unique=False)
    op.create_index("ix_subscription_topic_arn", "subscription", ["topic_arn", "arn"], unique=False)
    op.create_index("uq_subscription_endpoint", "subscription", ["topic_arn", "protocol", "endpoint"], unique=True)


def _subscription_mail() -> None:
    op.create_table(
        "subscription_mail",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("mailbox", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription_mail")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_subscription_mail_at", "subscription_mail", ["at"], unique=False)
    op.create_index("ix_subscription_mail_mailbox", "subscription_mail", ["mailbox", "at"], unique=False)


def _tag() -> None:
    op.create_table(
        "tag",
        sa.Column("resource_arn", sa.Text(), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("value", sa.String(length=256), nullable=True),
        sa.PrimaryKeyConstraint("resource_arn", "key", name=op.f("pk_tag")),
    )
    op.create_index("ix_tag_holders", "tag", ["key", "value", "resource_arn"], unique=False)


def _timestamp_key() -> None:
    op.create_table(
        "timestamp_key",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("authority_arn", sa.String(length=256), nullable=False),
        sa.Column("authority_id", sa.String(length=36), nullable=False),
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.Column("key_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_timestamp_key")),
    )


def _timestamp_serial() -> None:
    op.create_table(
        "timestamp_serial",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timestamp_serial")),
    )


def _topic() -> None:
    op.create_table(
        "topic",
        sa.Column("arn", sa.Text(), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("delivery_policy", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("arn", name=op.f("pk_topic")),
    )
    op.create_index("ix_topic_listing", "topic", ["account", "region", "name"], unique=False)


def _trust_anchor() -> None:
    op.create_table(
        "trust_anchor",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("arn", sa.Text(), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("alias", sa.String(length=256), nullable=True),
        sa.Column("source_kind", sa.String(length=32), nullable=False),
        sa.Column("source_value", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trust_anchor")),
    )
    op.create_index("ix_trust_anchor_listing", "trust_anchor", ["account", "region", "created_at", "id"], unique=False)
    op.create_index("uq_trust_anchor_alias", "trust_anchor", ["account", "region", "alias"], unique=True)


def _trust_authority() -> None:
    op.create_table(
        "trust_authority",
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("arn", sa.Text(), nullable=False),
        sa.Column("cross_arn", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("role", name=op.f("pk_trust_authority")),
    )


def _trust_endpoint() -> None:
    op.create_table(
        "trust_endpoint",
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("key_id", sa.String(length=36), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("certificate_arn", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tier", "state", "generation", name=op.f("pk_trust_endpoint")),
    )


def _trust_order() -> None:
    op.create_table(
        "trust_order",
        sa.Column("token", sa.String(length=200), nullable=False),
        sa.Column("authority_arn", sa.Text(), nullable=False),
        sa.Column("ordered_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_trust_order")),
    )
    op.create_index("ix_trust_order_age", "trust_order", ["ordered_at"], unique=False)


def _unneeded_key() -> None:
    op.create_table(
        "unneeded_key",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("store", sa.String(length=64), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unneeded_key")),
    )
    op.create_index("ix_unneeded_key_due_at", "unneeded_key", ["due_at"], unique=False)


def _upstream_account() -> None:
    op.create_table(
        "upstream_account",
        sa.Column("directory", sa.String(length=512), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("directory", name=op.f("pk_upstream_account")),
    )


def _upstream_challenge() -> None:
    op.create_table(
        "upstream_challenge",
        sa.Column("url", sa.String(length=512), nullable=False),
        sa.Column("token", sa.String(length=96), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("zone", sa.String(length=253), nullable=False),
        sa.Column("name", sa.String(length=512), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("prepared_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("url", name=op.f("pk_upstream_challenge")),
    )
    op.create_index("ix_upstream_challenge_name", "upstream_challenge", ["name"], unique=False)
    op.create_index("ix_upstream_challenge_token", "upstream_challenge", ["token"], unique=False)


def _upstream_order() -> None:
    op.create_table(
        "upstream_order",
        sa.Column("token", sa.String(length=96), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("directory", sa.String(length=512), nullable=False),
        sa.Column("csr", sa.LargeBinary(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("not_before", sa.BigInteger(), nullable=True),
        sa.Column("failure", sa.String(length=64), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("chain", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_upstream_order")),
    )
    op.create_index("ix_upstream_order_subject", "upstream_order", ["subject", "created_at"], unique=False)


def _upstream_window() -> None:
    op.create_table(
        "upstream_window",
        sa.Column("certificate", sa.String(length=128), nullable=False),
        sa.Column("renews_at", sa.BigInteger(), nullable=True),
        sa.Column("ask_again_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("certificate", name=op.f("pk_upstream_window")),
    )


def _validated_name() -> None:
    op.create_table(
        "validated_name",
        sa.Column("reference", sa.String(length=96), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("method", sa.String(length=8), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("validated_at", sa.BigInteger(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("reference", "position", name=op.f("pk_validated_name")),
    )
    op.create_index("ix_validated_name_look", "validated_name", ["domain", "account", "method", "state"], unique=False)


def _validation_approval() -> None:
    op.create_table(
        "validation_approval",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.String(length=96), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("mailbox", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_validation_approval")),
    )
    op.create_index("ix_validation_approval_reference", "validation_approval", ["reference", "position"], unique=False)


def _validation_attempt() -> None:
    op.create_table(
        "validation_attempt",
        sa.Column("reference", sa.String(length=96), nullable=False),
        sa.Column("subject", sa.String(length=36), nullable=False),
        sa.Column("arn", sa.Text(), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("principal_arn", sa.Text(), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("method", sa.String(length=8), nullable=False),
        sa.Column("renewal", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("troubled", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_validation_attempt")),
    )
    op.create_index("ix_validation_attempt_deadline", "validation_attempt", ["state", "deadline"], unique=False)
    op.create_index("ix_validation_attempt_subject", "validation_attempt", ["subject"], unique=False)


def _validation_mailing() -> None:
    op.create_table(
        "validation_mailing",
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("mails", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("domain", "day", name=op.f("pk_validation_mailing")),
    )


def _wanted_record() -> None:
    op.create_table(
        "wanted_record",
        sa.Column("name", sa.String(length=253), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("ttl", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("zone", sa.String(length=253), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "kind", name=op.f("pk_wanted_record")),
    )


def _watch_report() -> None:
    op.create_table(
        "watch_report",
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("round_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "region", name=op.f("pk_watch_report")),
    )


def _watch_round() -> None:
    op.create_table(
        "watch_round",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_watch_round")),
    )


def _zone_ancestor() -> None:
    op.create_table(
        "zone_ancestor",
        sa.Column("ancestor", sa.String(length=253), nullable=False),
        sa.Column("name", sa.String(length=253), nullable=False),
        sa.PrimaryKeyConstraint("ancestor", "name", name=op.f("pk_zone_ancestor")),
    )
    op.create_index("ix_zone_ancestor_name", "zone_ancestor", ["name"], unique=False)


def _zone_record() -> None:
    op.create_table(
        "zone_record",
        sa.Column("name", sa.String(length=253), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("ttl", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "kind", "value", name=op.f("pk_zone_record")),
    )


def _zone_serial() -> None:
    op.create_table(
        "zone_serial",
        sa.Column("zone", sa.String(length=253), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("zone", name=op.f("pk_zone_serial")),
    )


def upgrade() -> None:
    """Makes the step."""
    _access_generation()
    _account()
    _account_configuration()
    _account_creation()
    _anywhere_crl()
    _anywhere_profile()
    _anywhere_subject()
    _attached_policy()
    _audit_checkpoint()
    _audit_head()
    _audit_record()
    _audit_report()
    _audit_tile()
    _authority()
    _blob_part()
    _bucket()
    _ca_certificate()
    _certificate()
    _certificate_association()
    _certificate_name()
    _certificate_usage()
    _compromised_key()
    _credential()
    _ct_entry()
    _ct_followed()
    _ct_issuer()
    _ct_log()
    _ct_tile()
    _delivery()
    _event_archive()
    _event_archived()
    _event_bus()
    _event_connection()
    _event_cursor()
    _event_destination()
    _event_generation()
    _event_replay()
    _event_router()
    _event_rule()
    _event_target()
    _finding()
    _finding_hub()
    _group_member()
    _idempotency()
    _identity()
    _inline_policy()
    _installation()
    _issued_certificate()
    _job()
    _key()
    _kms_alias()
    _kms_custom_store()
    _kms_grant()
    _kms_import()
    _kms_key()
    _kms_material()
    _managed_policy()
    _managed_policy_version()
    _mass_revocation()
    _mass_revocation_authority()
    _mass_revocation_item()
    _object_version()
    _ocsp_responder()
    _oidc_provider()
    _organization()
    _organization_delegate()
    _organization_handshake()
    _organization_member()
    _organization_policy()
    _organization_policy_target()
    _organization_service()
    _organizational_unit()
    _outbox()
    _permission()
    _public_request()
    _queue()
    _queue_deduplication()
    _queue_message()
    _renewal_course()
    _resource_policy()
    _resource_share()
    _revocation()
    _revocation_delta()
    _revocation_list()
    _revocation_list_document()
    _revocation_mark()
    _share_association()
    _share_invitation()
    _subscription()
    _subscription_mail()
    _tag()
    _timestamp_key()
    _timestamp_serial()
    _topic()
    _trust_anchor()
    _trust_authority()
    _trust_endpoint()
    _trust_order()
    _unneeded_key()
    _upstream_account()
    _upstream_challenge()
    _upstream_order()
    _upstream_window()
    _validated_name()
    _validation_approval()
    _validation_attempt()
    _validation_mailing()
    _wanted_record()
    _watch_report()
    _watch_round()
    _zone_ancestor()
    _zone_record()
    _zone_serial()
