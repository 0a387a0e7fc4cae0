"""Revocation lists: what is published, and which numbers were used."""

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import Row, select

from greatseal.app.invariants.model import Case, Violation
from greatseal.domain.audit.store.records import audit_record
from greatseal.domain.authorities.store.authorities import authority, ca_certificate
from greatseal.domain.revocation.store.deltas import revocation_delta
from greatseal.domain.revocation.store.lists import revocation_list, revocation_list_document
from greatseal.domain.revocation.store.revocations import revocation
from greatseal.storage import Tx
from greatseal.x509.certificate import Certificate
from greatseal.x509.crl import RevocationList, verify_signature
from greatseal.x509.der import DerError

_LARGEST = 1 << 30
# What was being committed while a list was made is on the next one.
_SLACK = timedelta(minutes=10)
_REMEMBERED = 1000


def published(case: Case) -> Iterator[Violation]:
    """Every list and every delta that is served."""
    for (rows,) in case.pages(revocation_list):
        for row in rows:
            if row.published_number > row.number:
                text = f"number {row.published_number} is published, and the last one taken is {row.number}"
                yield Violation(row.id, text)
            yield from (Violation(row.id, text) for text in case.storage.read(partial(_list, row=row)))


def _list(tx: Tx, row: Row[Any]) -> list[str]:
    document = tx.first(select(revocation_list_document).where(revocation_list_document.c.list_id == row.id))
    delta = tx.first(select(revocation_delta).where(revocation_delta.c.list_id == row.id))
    spki = _key(tx, row.authority_id)
    wrong: list[str] = []
    if document is not None:
        if document.number != row.published_number:
            wrong.append(f"the list {document.number} is served, and {row.published_number} was published")
        wrong += _signed("the list", document.der, document.number, spki, lambda found: _entries(tx, row, found))
    if delta is not None:
        if delta.published_number > delta.number:
            wrong.append(f"delta {delta.published_number} is published, and the last number taken is {delta.number}")
        if delta.base_number > row.number:
            wrong.append(f"the base {delta.base_number} of the delta is above every number of the list")
        if delta.der is not None:
            wrong += _signed("the delta", delta.der, delta.published_number, spki, lambda _: [])
    return wrong


def _signed(what: str, der: bytes, number: int, spki: bytes | None, more: Any) -> list[str]:
    try:
        parsed = RevocationList.parse(der, limit=_LARGEST)
    except DerError as error:
        return [f"{what} cannot be read: {error}"]
    wrong: list[str] = []
    if parsed.number != number:
        wrong.append(f"{what} carries the number {parsed.number} instead of {number}")
    if spki is None or not verify_signature(parsed, spki):
        wrong.append(f"the signature of {what} does not verify with the certificate of its CA")
    return [*wrong, *more(parsed)]


def _entries(tx: Tx, row: Row[Any], found: RevocationList) -> list[str]:
    """What is on the list and was not revoked, or the reverse."""
    covered = revocation.c.partition == row.id if row.url is not None else revocation.c.authority_id == row.authority_id
    listed = {each.serial for each in found.entries}
    unknown = set(listed)
    missing = 0
    made = row.generated_at
    columns = (revocation.c.serial,)
    for serials in tx.column(select(*columns).where(covered), run=20_000):
        unknown -= {int(serial, 16) for serial in serials}
    # A list made anew keeps what has expired once more, and leaves it out from then on.
    due = select(*columns).where(covered, revocation.c.revoked_at < made - _SLACK, revocation.c.not_after >= made)
    for serials in tx.column(due, run=20_000):
        missing += sum(int(serial, 16) not in listed for serial in serials)
    wrong = [f"{missing} revoked certificates are not on the list"] if missing else []
    return [*wrong, f"{len(unknown)} certificates are listed that were not revoked"] if unknown else wrong


def _key(tx: Tx, authority_id: str) -> bytes | None:
    query = select(ca_certificate.c.der).join(authority, authority.c.certificate_id == ca_certificate.c.id)
    der = tx.scalar(query.where(authority.c.id == authority_id))
    return None if der is None else Certificate.parse(der).spki


def numbers(case: Case) -> Iterator[Violation]:
    """The numbers that the audit trail tells of, in its order. Two nodes may tell a little out of order."""
    seen: dict[str, deque[int]] = {}

    def taken(tx: Tx, rows: Sequence[Row[Any]]) -> dict[str, int]:
        names = sorted({row.detail["list"] for row in rows if _tells(row)})
        lists = select(revocation_list.c.id, revocation_list.c.number).where(revocation_list.c.id.in_(names))
        columns = revocation_delta.c
        deltas = select(columns.list_id, columns.number).where(columns.list_id.in_(names))
        if not names:
            return {}
        found = {row.id: row.number for row in tx.all(lists)}
        for row in tx.all(deltas):
            found[row.list_id] = max(found.get(row.list_id, 0), row.number)
        return found

    for rows, last in case.pages(audit_record, taken):
        for row in rows:
            if not _tells(row):
                continue
            name, number = row.detail["list"], int(row.detail["number"])
            before = seen.setdefault(name, deque(maxlen=_REMEMBERED))
            if number in before:
                yield Violation(name, f"the number {number} was used twice")
            elif len(before) == _REMEMBERED and number < min(before):
                yield Violation(name, f"the number went back to {number}")
            if name in last and number > last[name]:
                yield Violation(name, f"the number {number} was used, and the last one taken is {last[name]}")
            before.append(number)


def _tells(row: Row[Any]) -> bool:
    return row.operation == "acm-pca:GenerateCRL" and {"list", "number"} <= set(row.detail)
