"""The tables of the inventory: certificates, the names in them, and what they may be used for."""

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    Update,
    bindparam,
    case,
    delete,
    insert,
    select,
    text,
)

from greatseal.domain.certificates.model import (
    FailureReason,
    ManagedCertificate,
    Material,
    Renewal,
    RenewalStatus,
    Status,
    Type,
)
from greatseal.domain.certificates.notices import MOST_DAYS, notice_at
from greatseal.domain.certificates.store import associations, courses
from greatseal.domain.certificates.store.lookup import key_of, time_of
from greatseal.domain.certificates.usage import extended_key_usages, key_usages
from greatseal.domain.certificates.windows import opens
from greatseal.storage import Tx
from greatseal.storage.schema import json_text, metadata, utc_timestamp
from greatseal.storage.statements import delete_by, select_among, select_by, update_by
from greatseal.x509.certificate import Certificate

UNFINISHED_RENEWAL = text("renewal_status IN ('PENDING_AUTO_RENEWAL', 'PENDING_VALIDATION', 'FAILED')")
"""Certificates whose latest renewal is not done. Few are, so that the index of them is small."""

_HAS_SERIAL = text("serial IS NOT NULL")

certificate = Table(
    "certificate",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("arn", Text, nullable=False),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("type", String(16), nullable=False),
    Column("status", String(32), nullable=False),
    Column("domain_name", Text, nullable=False),
    Column("key_algorithm", String(32), nullable=False),
    Column("created_at", utc_timestamp(), nullable=False),
    Column("authority_arn", Text),
    Column("validation_method", String(16)),
    Column("managed_by", String(16)),
    Column("transparency_logging", String(16), nullable=False),
    Column("export_option", String(16), nullable=False),
    Column("failure_reason", String(64)),
    Column("key_id", String(36)),
    Column("der", LargeBinary),
    # The chain as a JSON list of hexadecimal DER, nearest issuer first.
    Column("chain", json_text(), nullable=False),
    Column("issued_at", utc_timestamp()),
    Column("imported_at", utc_timestamp()),
    Column("exported_at", utc_timestamp()),
    Column("ever_exported", Boolean, nullable=False),
    Column("revoked_at", utc_timestamp()),
    Column("revocation_reason", String(40)),
    Column("renewal_status", String(32)),
    Column("renewal_reason", String(64)),
    Column("renewal_updated_at", utc_timestamp()),
    Column("pending_key_id", String(36)),
    Column("generation", Integer, nullable=False),
    # Copied out of the certificate, for searching and sorting.
    Column("serial", String(64)),
    Column("common_name", Text),
    Column("not_before", utc_timestamp()),
    Column("not_after", utc_timestamp()),
    # O of the issuer, else its CN: what Describe shows, and what reports on issuers look for.
    Column("issuer_name", Text),
    # When the next notice about the end of the certificate is due (domain/certificates/expiry.py).
    Column("notice_at", utc_timestamp()),
    # When its renewal is looked at next (domain/renewal); empty while it is not eligible.
    Column("renewal_at", utc_timestamp()),
    # The certificate of the issuing CA's journal, to find it again when that is revoked.
    Column("authority_certificate_arn", Text),
    # Behind the order of a listing stands what it is filtered by: most of what it hides is passed over unread.
    Index(
        "ix_certificate_listing",
        *("account", "region", "created_at", "id"),
        *("key_algorithm", "type", "status", "not_after"),
    ),
    Index("ix_certificate_authority_certificate", "authority_certificate_arn"),
    Index("ix_certificate_not_after", "not_after"),
    Index("ix_certificate_notice", "notice_at"),
    Index("ix_certificate_renewal", "renewal_at"),
    Index("ix_certificate_issuer", "issuer_name"),
    Index("ix_certificate_census", "type", "status", "not_after"),
    Index(
        "ix_certificate_unfinished_renewal",
        "renewal_status",
        sqlite_where=UNFINISHED_RENEWAL,
        postgresql_where=UNFINISHED_RENEWAL,
    ),
    Index("ix_certificate_serial", "serial", sqlite_where=_HAS_SERIAL, postgresql_where=_HAS_SERIAL),
)
Index(
    "ix_certificate_ending",
    *(certificate.c.account, certificate.c.region, time_of(certificate.c.not_after), certificate.c.id),
)
Index("ix_certificate_common_name", key_of(certificate.c.common_name), certificate.c.id)

certificate_name = Table(
    "certificate_name",
    metadata,
    Column("certificate_id", String(36), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", Text, nullable=False),
)
Index("ix_certificate_name", key_of(certificate_name.c.name), certificate_name.c.certificate_id)

certificate_usage = Table(
    "certificate_usage",
    metadata,
    Column("certificate_id", String(36), primary_key=True),
    # KEY or EXTENDED
    Column("kind", String(16), primary_key=True),
    Column("name", String(64), primary_key=True),
)

account_configuration = Table(
    "account_configuration",
    metadata,
    Column("account", String(12), primary_key=True),
    Column("region", String(32), primary_key=True),
    Column("days_before_expiry", BigInteger, nullable=False),
)

_INSERT_NAME = insert(certificate_name)
_INSERT_USAGE = insert(certificate_usage)


def add(tx: Tx, new: ManagedCertificate, authority_certificate_arn: str | None = None) -> None:
    """Stores a new certificate."""
    tx.insert_once(certificate, {**_values(new), "authority_certificate_arn": authority_certificate_arn})
    _index(tx, new)


def save(tx: Tx, changed: ManagedCertificate) -> None:
    """Stores the changed values of a certificate that was read in the same transaction; its body is the same."""
    _update(tx, _values(changed))


def save_body(tx: Tx, changed: ManagedCertificate, authority_certificate_arn: str | None = None) -> None:
    """As `save`, for a certificate that has another body, and what is searched for in it."""
    values = _values(changed)
    if authority_certificate_arn is not None:
        values["authority_certificate_arn"] = authority_certificate_arn
    _update(tx, values)
    for table in (certificate_name, certificate_usage):
        tx.execute(delete_by(table.c.certificate_id), {"certificate_id": changed.id})
    _index(tx, changed)


def _update(tx: Tx, values: dict[str, Any]) -> None:
    values["this_id"] = values.pop("id")
    values["ends"] = values["not_after"]
    looks = [each for each in ("notice_at", "renewal_at") if values[each] is not None]
    for each in looks:
        values[f"new_{each}"] = values.pop(each)
    tx.execute(_saving(*looks), values)


@cache
def _saving(*looks: str) -> Update:
    """Changes a certificate and, if it ends when it does not end now, these instants of its next looks."""
    rows = certificate.c
    same = rows.not_after == bindparam("ends", type_=utc_timestamp())
    # A certificate that ends when it did keeps the rhythm of its notices, and that of its renewal if it was eligible.
    kept = {"notice_at": same, "renewal_at": same & rows.renewal_at.is_not(None)}
    return update_by(rows.id).values(
        {each: case((kept[each], rows[each]), else_=bindparam(f"new_{each}", type_=utc_timestamp())) for each in looks}
    )


def remove(tx: Tx, certificate_id: str) -> None:
    """Removes a certificate and what was copied out of it."""
    for table in (certificate_name, certificate_usage, associations.certificate_association, courses.renewal_course):
        tx.execute(delete(table).where(table.c.certificate_id == certificate_id))
    tx.execute(delete(certificate).where(certificate.c.id == certificate_id))


def find(tx: Tx, certificate_id: str) -> ManagedCertificate | None:
    """The certificate with this id."""
    row = tx.first(select_by(certificate.c.id), {"id": certificate_id})
    return None if row is None else load(tx, [row])[0]


def find_issued_by(tx: Tx, authority_certificate_arn: str) -> ManagedCertificate | None:
    """The certificate whose current body is this certificate of a CA."""
    by = select_by(certificate.c.authority_certificate_arn)
    row = tx.first(by, {"authority_certificate_arn": authority_certificate_arn})
    return None if row is None else load(tx, [row])[0]


def authority_certificate_arn(tx: Tx, certificate_id: str) -> str | None:
    """What its CA calls the current body of a certificate; None until it was issued, and for imported ones."""
    found: str | None = tx.scalar(
        select(certificate.c.authority_certificate_arn).where(certificate.c.id == certificate_id)
    )
    return found


def configured_days(tx: Tx, account: str, region: str) -> int | None:
    """DaysBeforeExpiry of an account in a region, if it was ever set."""
    row = tx.first(
        select(account_configuration.c.days_before_expiry).where(
            account_configuration.c.account == account, account_configuration.c.region == region
        )
    )
    return None if row is None else int(row.days_before_expiry)


def configure_days(tx: Tx, account: str, region: str, days: int) -> None:
    """Sets DaysBeforeExpiry."""
    tx.execute(
        delete(account_configuration).where(
            account_configuration.c.account == account, account_configuration.c.region == region
        )
    )
    tx.execute(insert(account_configuration), {"account": account, "region": region, "days_before_expiry": days})


def load(tx: Tx, rows: list[Row[Any]]) -> list[ManagedCertificate]:
    """Rows of `certificate` as values, with their names fetched in one statement."""
    names: dict[str, list[str]] = {row.id: [] for row in rows}
    if rows:
        listed = tx.all(select_among(certificate_name.c.certificate_id), {"among": list(names)})
        for name in sorted(listed, key=lambda name: name.position):
            names[name.certificate_id].append(name.name)
    in_use = associations.of_certificates(tx, list(names)) if rows else {}
    return [_load(row, tuple(names[row.id]), in_use.get(row.id, ())) for row in rows]


def _index(tx: Tx, item: ManagedCertificate) -> None:
    names = [{"certificate_id": item.id, "position": at, "name": name} for at, name in enumerate(item.names)]
    if names:
        tx.execute(_INSERT_NAME, names)
    if item.material is None:
        return
    parsed = Certificate.parse(item.material.certificate)
    usages = {("KEY", name) for name in key_usages(parsed)}
    usages |= {("EXTENDED", name) for name, _ in extended_key_usages(parsed)}
    if usages:
        rows = [{"certificate_id": item.id, "kind": kind, "name": name} for kind, name in sorted(usages)]
        tx.execute(_INSERT_USAGE, rows)


def _values(item: ManagedCertificate) -> dict[str, Any]:
    material, renewal = item.material, item.renewal
    parsed = Certificate.parse(material.certificate) if material else None
    return {
        "id": item.id,
        "arn": item.arn,
        "account": item.account,
        "region": item.region,
        "type": item.type.value,
        "status": item.status.value,
        "domain_name": item.domain_name,
        "key_algorithm": item.key_algorithm,
        "created_at": item.created_at,
        "authority_arn": item.authority_arn,
        "validation_method": item.validation_method,
        "managed_by": item.managed_by,
        "transparency_logging": item.transparency_logging,
        "export_option": item.export_option,
        "failure_reason": item.failure_reason.value if item.failure_reason else None,
        "key_id": material.key_id if material else None,
        "der": material.certificate if material else None,
        "chain": [der.hex() for der in material.chain] if material else [],
        "issued_at": item.issued_at,
        "imported_at": item.imported_at,
        "exported_at": item.exported_at,
        "ever_exported": item.ever_exported,
        "revoked_at": item.revoked_at,
        "revocation_reason": item.revocation_reason,
        "renewal_status": renewal.status.value if renewal else None,
        "renewal_reason": renewal.reason.value if renewal and renewal.reason else None,
        "renewal_updated_at": renewal.updated_at if renewal else None,
        "pending_key_id": item.pending_key_id,
        "generation": item.generation,
        "serial": serial_octets(parsed.serial) if parsed else None,
        "common_name": next(iter(parsed.subject.common_names), None) if parsed else item.domain_name,
        "not_before": parsed.not_before if parsed else None,
        "not_after": parsed.not_after if parsed else None,
        "issuer_name": issuer_name(parsed) if parsed else None,
        "notice_at": _first_look(item, parsed) if parsed else None,
        "renewal_at": _window_opens(item, parsed) if parsed else None,
    }


def issuer_name(certificate: Certificate) -> str:
    """The issuer as the service calls it: its organization, else its common name, else all of its name."""
    issuer = certificate.issuer
    return next(iter((*issuer.get("2.5.4.10"), *issuer.common_names)), issuer.display())


def _first_look(item: ManagedCertificate, parsed: Certificate) -> datetime | None:
    """When the certificate may be due for its first notice, whatever its account has configured."""
    if item.status is not Status.ISSUED:
        return None
    return notice_at(item.id, parsed.not_after, MOST_DAYS)


def _window_opens(item: ManagedCertificate, parsed: Certificate) -> datetime | None:
    """When its renewal is looked at first."""
    if item.status is not Status.ISSUED or not item.is_wanted:
        return None
    return opens(item.id, item.type, parsed.not_before, parsed.not_after)


def serial_octets(serial: int) -> str:
    """A serial number as ACM shows it: lower-case hexadecimal octets with colons, as in the DER content."""
    octets = serial.to_bytes(serial.bit_length() // 8 + 1, "big", signed=True)
    return octets.hex(":")


def _load(row: Row[Any], names: tuple[str, ...], in_use_by: tuple[str, ...]) -> ManagedCertificate:
    material = None
    if row.der is not None:
        material = Material(row.der, tuple(bytes.fromhex(item) for item in row.chain), row.key_id)
    renewal = None
    if row.renewal_status is not None:
        reason = FailureReason(row.renewal_reason) if row.renewal_reason else None
        renewal = Renewal(RenewalStatus(row.renewal_status), row.renewal_updated_at, reason)
    return ManagedCertificate(
        id=row.id,
        arn=row.arn,
        account=row.account,
        region=row.region,
        type=Type(row.type),
        status=Status(row.status),
        domain_name=row.domain_name,
        names=names,
        key_algorithm=row.key_algorithm,
        created_at=row.created_at,
        authority_arn=row.authority_arn,
        validation_method=row.validation_method,
        managed_by=row.managed_by,
        transparency_logging=row.transparency_logging,
        export_option=row.export_option,
        failure_reason=FailureReason(row.failure_reason) if row.failure_reason else None,
        material=material,
        issued_at=row.issued_at,
        imported_at=row.imported_at,
        exported_at=row.exported_at,
        ever_exported=row.ever_exported,
        revoked_at=row.revoked_at,
        revocation_reason=row.revocation_reason,
        renewal=renewal,
        pending_key_id=row.pending_key_id,
        generation=row.generation,
        not_after=row.not_after,
        in_use_by=in_use_by,
    )
