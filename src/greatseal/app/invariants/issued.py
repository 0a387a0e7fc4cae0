"""Certificates, revocations and statuses against the journal."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, select, tuple_

from greatseal.app.invariants.model import Case, Violation
from greatseal.domain.authorities.issued import JournalState
from greatseal.domain.authorities.store.authorities import ca_certificate
from greatseal.domain.authorities.store.journal import issued_certificate
from greatseal.domain.certificates.store.certificates import certificate as inventory
from greatseal.domain.keys.model import fingerprint
from greatseal.domain.revocation.model import Revocation, RevocationReason
from greatseal.domain.revocation.service import REVOKED_JOB
from greatseal.domain.revocation.store.marks import revocation_mark, share_of
from greatseal.domain.revocation.store.revocations import revocation
from greatseal.storage import Tx
from greatseal.storage.schema import job
from greatseal.x509.certificate import Certificate, verify_signature
from greatseal.x509.der import DerError
from greatseal.x509.extensions import OID
from greatseal.x509.sct import without

_HAS_CERTIFICATE = {JournalState.ISSUED.value}
_KNOWN = {each.value for each in JournalState}
IssuerKey = Callable[[str], bytes | None]


def certificates(case: Case) -> Iterator[Violation]:
    """Every row of the journal."""

    @lru_cache(4096)
    def issuer_key(certificate_id: str) -> bytes | None:
        query = select(ca_certificate.c.der).where(ca_certificate.c.id == certificate_id)
        found = case.storage.read(lambda tx: tx.scalar(query))
        return None if found is None else Certificate.parse(found).spki

    for (rows,) in case.pages(issued_certificate):
        for row in rows:
            for text in _wrong_with(row, issuer_key):
                yield Violation(row.arn, text)


def _wrong_with(row: Row[Any], issuer_key: IssuerKey) -> Iterator[str]:
    if row.state not in _KNOWN:
        yield f"the state {row.state!r} does not exist"
    if (row.certificate is not None) != (row.state in _HAS_CERTIFICATE):
        yield f"the state is {row.state}, and {'a' if row.certificate else 'no'} certificate is stored"
    if row.state == JournalState.PRECERTIFICATE.value and row.precertificate is None:
        yield "the state is PRECERTIFICATE, and no precertificate is stored"
    if row.precertificate is not None and not row.logged:
        yield "a precertificate is stored for a certificate that is not logged"
    for what, der in (("certificate", row.certificate), ("precertificate", row.precertificate)):
        if der is None:
            continue
        if row.issued_at is None:
            yield f"the {what} has no time of issuance"
        try:
            parsed = Certificate.parse(der)
            yield from (f"the {what} {text}" for text in _wrong_with_signed(row, what, parsed, issuer_key))
        except DerError as error:
            yield f"the {what} cannot be read: {error}"


def _wrong_with_signed(row: Row[Any], what: str, signed: Certificate, issuer_key: IssuerKey) -> Iterator[str]:
    awaits = row.state == JournalState.PRECERTIFICATE.value
    if what == "certificate" or awaits:
        if signed.tbs != row.tbs:
            yield "is not what the journal says was to be signed"
    elif without(signed.tbs, OID.CT_POISON) != without(row.tbs, OID.CT_SCTS):
        yield "says something else than the certificate"
    if signed.serial != int(row.serial, 16):
        yield f"has another serial number than its row: {signed.serial:x}"
    if signed.not_after != row.not_after:
        yield "ends at another time than its row says"
    if fingerprint(signed.spki) != row.key_fingerprint:
        yield "is for another key than its row says"
    issuer = signed.spki if row.issuer_certificate_id is None else issuer_key(row.issuer_certificate_id)
    if issuer is None:
        yield "was issued with a certificate of the CA that is gone"
    elif not verify_signature(signed, issuer):
        yield "has a signature that does not verify with the key of its CA"


def revocations(case: Case) -> Iterator[Violation]:
    """Every revocation, and every mark."""

    def journal(tx: Tx, rows: Sequence[Row[Any]]) -> dict[tuple[str, str], Row[Any]]:
        columns = issued_certificate.c
        wanted = [(row.authority_id, row.serial) for row in rows]
        query = select(
            columns.authority_id, columns.serial, columns.state, columns.not_after, columns.partition,
            columns.precertificate.is_not(None).label("promised"),
        ).where(tuple_(columns.authority_id, columns.serial).in_(wanted))  # fmt: skip
        return {(row.authority_id, row.serial): row for row in tx.all(query)}

    def marked(tx: Tx, rows: Sequence[Row[Any]]) -> set[tuple[str, int]]:
        columns = revocation_mark.c
        query = select(columns.authority_id, columns.share).where(
            columns.authority_id.in_(sorted({row.authority_id for row in rows}))
        )
        return {(row.authority_id, row.share) for row in tx.all(query)}

    for rows, entries, marks in case.pages(revocation, journal, marked):
        for row in rows:
            subject = f"{row.authority_id}/{row.serial}"
            entry = entries.get((row.authority_id, row.serial))
            if entry is None or not (entry.state == JournalState.ISSUED.value or entry.promised):
                yield Violation(subject, "a certificate is revoked that was never issued")
            elif (entry.not_after, entry.partition) != (row.not_after, row.partition):
                yield Violation(subject, "the revocation names another end, or another list, than the journal")
            if row.reason not in RevocationReason.__members__:
                yield Violation(subject, f"the reason {row.reason!r} does not exist")
            elif _entry(row) != row.entry:
                yield Violation(subject, "the entry for lists says something else than the revocation")
            if (row.authority_id, share_of(row.serial)) not in marks:
                yield Violation(subject, "the revocation has left no mark: OCSP may answer from memory")


def _entry(row: Row[Any]) -> bytes:
    reason = RevocationReason[row.reason]
    return Revocation(row.authority_id, row.serial, row.revoked_at, reason, row.not_after, row.partition).entry


def statuses(case: Case) -> Iterator[Violation]:
    """Every certificate of the inventory that a CA of ours issued."""

    def issued(tx: Tx, rows: Sequence[Row[Any]]) -> dict[str, tuple[bytes | None, bool]]:
        names = {row.authority_certificate_arn: _place(row.authority_certificate_arn) for row in rows}
        places = {place: arn for arn, place in names.items() if place is not None}
        columns = issued_certificate.c
        query = select(columns.authority_id, columns.serial, columns.certificate).where(
            tuple_(columns.authority_id, columns.serial).in_(list(places))
        )
        gone = select(revocation.c.authority_id, revocation.c.serial).where(
            tuple_(revocation.c.authority_id, revocation.c.serial).in_(list(places))
        )
        revoked = {(row.authority_id, row.serial) for row in tx.all(gone)} if places else set()
        found = tx.all(query) if places else []
        return {
            places[row.authority_id, row.serial]: (row.certificate, (row.authority_id, row.serial) in revoked)
            for row in found
        }

    def underway(tx: Tx, rows: Sequence[Row[Any]]) -> bool:
        return tx.first(select(job.c.id).where(job.c.kind == REVOKED_JOB).limit(1)) is not None

    for rows, known, waits in case.pages(inventory, issued, underway):
        for row in rows:
            yield from (Violation(row.arn, text) for text in _status(row, known, waits=waits))


def _status(row: Row[Any], known: dict[str, tuple[bytes | None, bool]], *, waits: bool) -> Iterator[str]:
    if row.status == "ISSUED" and row.der is None:
        yield "it is ISSUED, and there is no certificate"
    if (row.status == "REVOKED") != (row.revoked_at is not None):
        yield f"it is {row.status}, and {'has' if row.revoked_at else 'has no'} time of revocation"
    arn = row.authority_certificate_arn
    if arn is None or row.der is None:
        return
    if arn not in known:
        yield f"its CA has no certificate {arn} in the journal"
        return
    certificate, revoked = known[arn]
    if certificate != row.der:
        yield "it is another certificate than the one in the journal of its CA"
    # The job that tells the inventory runs a moment after the revocation.
    if revoked != (row.status == "REVOKED") and not (revoked and waits):
        yield f"it is {row.status}, and its CA says {'revoked' if revoked else 'not revoked'}"


def _place(arn: str | None) -> tuple[str, str] | None:
    """The CA and the serial that the ARN of a private certificate names."""
    if arn is None or "/certificate/" not in arn:
        return None
    authority, _, serial = arn.partition("/certificate/")
    return authority.rpartition("/")[2], serial
