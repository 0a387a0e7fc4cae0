"""What rows name, and what nobody names."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Column, Row, func, select

from greatseal.app.invariants.model import Case, Violation
from greatseal.domain.authorities.model import Status
from greatseal.domain.authorities.store.authorities import authority, ca_certificate
from greatseal.domain.authorities.store.journal import issued_certificate
from greatseal.domain.certificates.store.certificates import certificate
from greatseal.domain.keys.managed.store.imports import kms_import
from greatseal.domain.keys.managed.store.materials import kms_material
from greatseal.domain.keys.managed.store.stores import kms_custom_store
from greatseal.domain.keys.store import key
from greatseal.domain.objects.store.versions import object_version
from greatseal.domain.revocation.ocsp.store import ocsp_responder
from greatseal.domain.revocation.store.lists import revocation_list, revocation_list_document
from greatseal.domain.revocation.store.revocations import revocation
from greatseal.domain.timestamping.store import timestamp_key
from greatseal.domain.transparency.store.logs import ct_log
from greatseal.domain.trust_services.store import trust_endpoint
from greatseal.domain.upstream.store import upstream_account
from greatseal.storage import Tx
from greatseal.storage.blob_rows import is_in_rows, older_than, sizes
from greatseal.storage.schema import installation

_KEY_NAMES = (
    authority.c.key_id,
    certificate.c.key_id,
    certificate.c.pending_key_id,
    ocsp_responder.c.key_id,
    ct_log.c.key_id,
    timestamp_key.c.key_id,
    trust_endpoint.c.key_id,
    upstream_account.c.key_id,
    kms_material.c.secret_id,
    kms_import.c.secret_id,
    kms_custom_store.c.secret_id,
)
_NAMES = (
    *((each, key.c.id) for each in _KEY_NAMES),
    (authority.c.certificate_id, ca_certificate.c.id),
    (ca_certificate.c.authority_id, authority.c.id),
    (issued_certificate.c.authority_id, authority.c.id),
    (issued_certificate.c.issuer_certificate_id, ca_certificate.c.id),
    (revocation.c.authority_id, authority.c.id),
    (revocation_list.c.authority_id, authority.c.id),
    (revocation_list_document.c.list_id, revocation_list.c.id),
)
# A content is written before its row, and its row goes before it does.
_YOUNG = timedelta(days=1)
_MICROSECONDS = timedelta(microseconds=1)


def dangling(case: Case) -> Iterator[Violation]:
    """Rows that name what does not exist."""
    for child, parent in _NAMES:
        here = child.table
        query = select(child).outerjoin(parent.table, child == parent).where(child.is_not(None), parent.is_(None))
        if child is authority.c.key_id:
            # The key of a CA that was deleted for good was destroyed with it.
            query = query.where(authority.c.status != Status.DELETED.value)
        found = case.storage.read(partial(Tx.all, statement=query.limit(1000)))
        case.looked(case.storage.read(partial(Tx.scalar, statement=select(func.count()).select_from(here))))
        for (name,) in found:
            yield Violation(f"{here.name}.{child.name} {name}", f"there is no such row in {parent.table.name}")


def unneeded_keys(case: Case) -> Iterator[Violation]:
    """Keys that nothing names."""
    facts = case.storage.read(_of_installation)

    def needed(tx: Tx, rows: Sequence[Row[Any]]) -> set[str]:
        ids = [row.id for row in rows]
        return {found for column in _KEY_NAMES for found in _among(tx, column, ids)}

    for rows, known in case.pages(key, needed):
        for row in rows:
            if row.id not in known and row.id not in facts:
                yield Violation(f"key {row.id}", f"nothing needs this key of purpose {row.purpose}", broken=False)


def _among(tx: Tx, column: Column[Any], ids: Sequence[str]) -> Iterator[str]:
    return (found for (found,) in tx.all(select(column).where(column.in_(ids))))


def _of_installation(tx: Tx) -> set[str]:
    """Keys that facts of the installation name: as a text, or as the member `key_id` of an object."""
    found: set[str] = set()
    for row in tx.all(select(installation)):
        try:
            fact = msgspec.json.decode(row.value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            found.add(row.value.decode("latin-1"))
            continue
        if isinstance(fact, dict) and isinstance(fact.get("key_id"), str):
            found.add(fact["key_id"])
    return found


def contents(case: Case) -> Iterator[Violation]:
    """Objects without their content, and contents without their object."""
    for rows, in_rows in case.pages(object_version, _sizes):
        for row in rows:
            if not row.blob:
                continue
            found = in_rows.get(row.blob) if is_in_rows(row.blob) else _size(case.objects / row.blob[-2:] / row.blob)
            subject = f"{row.bucket}/{row.key.decode(errors='replace')}"
            if found is None:
                if case.storage.read(partial(_still_named, blob=row.blob)):
                    yield Violation(subject, f"its content {row.blob} is missing")
            elif found != row.size:
                yield Violation(subject, f"its content has {found} octets instead of {row.size}")
    yield from _left_over(case)


def _sizes(tx: Tx, rows: Sequence[Row[Any]]) -> dict[str, int]:
    return sizes(tx, [row.blob for row in rows if is_in_rows(row.blob)])


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _left_over(case: Case) -> Iterator[Violation]:
    for run in _begun_long_ago(case):
        named = case.storage.read(partial(_named, blobs=run))
        for name in sorted(set(run) - named):
            yield Violation(f"content {name}", "no object has it; the service removes it", broken=False)


def _begun_long_ago(case: Case) -> Iterator[Sequence[str]]:
    for folder in sorted(case.objects.glob("[0-9a-f][0-9a-f]")):
        names = [path.name for path in folder.iterdir() if not path.name.endswith(".new")]
        case.looked(len(names))
        old = [name for name in names if int(name[:16], 16) * _MICROSECONDS < _age(case) - _YOUNG]
        yield from (old[start : start + 500] for start in range(0, len(old), 500))
    yield from older_than(case.storage, case.now - _YOUNG)


def _named(tx: Tx, blobs: Sequence[str]) -> set[str]:
    return set(_among(tx, object_version.c.blob, blobs))


def _age(case: Case) -> timedelta:
    return timedelta(seconds=case.now.timestamp())


def _still_named(tx: Tx, blob: str) -> bool:
    return tx.first(select(object_version.c.blob).where(object_version.c.blob == blob).limit(1)) is not None
