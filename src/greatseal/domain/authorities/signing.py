"""The second half of the ceremony of issuance: steps 5 to 7 of docs/issuance.md, and recovery, which runs them again.

A row whose certificate is logged goes through these steps twice: for the precertificate, and for the certificate.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from greatseal.crypto.signature import SignerUnavailable
from greatseal.domain.authorities.issued import IssuedCertificate, JournalEntry, JournalState, Precertificate
from greatseal.domain.authorities.model import CaCertificate
from greatseal.domain.authorities.store import authorities as store
from greatseal.domain.authorities.store import journal
from greatseal.domain.events import Event, Events
from greatseal.domain.keys import Keys
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import Refusal, RequestFailed
from greatseal.storage import Storage, Tx, queue
from greatseal.storage.errors import StorageError
from greatseal.x509 import public_keys
from greatseal.x509.certificate import Certificate, assemble, read_parts

log = logging.getLogger("greatseal.domain.authorities.issuance")

# Another node may be between its steps 4 and 7; after this long it is not.
ABANDONED_AFTER = timedelta(minutes=1)
ROOT_ISSUED_JOB = "watch-root-issuance"
"""Written when a CA without anybody above it has issued; the key is the certificate's ARN."""
SELF = "greatseal"
"""The service principal under which the installation has certificates issued that it needs itself."""

_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A journal row that was committed, and the key to sign it with. Its only use is `Signing.sign`."""

    entry: JournalEntry
    key_id: str
    issuer_spki: bytes | None
    """The public key that the signature must verify with; None for a self-signed root, which has its own."""
    issuer: CaCertificate | None = None
    """The certificate of the issuer, where it is at hand; it spares reading it again."""


class _NotOpen(Exception):
    """A row of many was closed by somebody else meanwhile: they are looked at one by one."""


class Signing:
    """Signs what is in the journal."""

    def __init__(
        self, *, storage: Storage, keys: Keys, events: Events, clock: Clock, roots_are_watched: bool = False
    ) -> None:
        """With `roots_are_watched` the certificates of roots leave a job for whoever watches (ROOT_ISSUED_JOB)."""
        self._storage = storage
        self._keys = keys
        self._events = events
        self._clock = clock
        self._roots_are_watched = roots_are_watched

    def sign(self, prepared: Prepared) -> IssuedCertificate | Precertificate:
        """Steps 5 to 7. Raises RequestFailed when the key made no good signature; the journal then says so.

        Raises SignerUnavailable when the key cannot be reached now; the journal row stays open.
        """
        der = self._signed_or_none(prepared)
        closed = self._storage.transact(lambda tx: self._close(tx, prepared, der))
        if closed is None:
            raise RequestFailed("The certificate could not be signed.")
        return closed

    def sign_all(self, prepared: Sequence[Prepared]) -> list[IssuedCertificate | Precertificate | Exception]:
        """As `sign` for each, in their order, or what is raised for it. None of them is logged.

        The rows of all are closed in one transaction; if one of them is not open any more, each in its own.
        """
        outcomes: dict[int, IssuedCertificate | Precertificate | Exception] = {}
        signed: dict[int, bytes | None] = {}
        for position, each in enumerate(prepared):
            try:
                signed[position] = self._signed_or_none(each)
            except (StorageError, SignerUnavailable) as error:
                outcomes[position] = error
        good = [(position, prepared[position], der) for position, der in signed.items() if der is not None]
        if len(good) > 1:
            try:
                done = self._storage.transact(lambda tx: self._close_all(tx, [(each, der) for _, each, der in good]))
            except StorageError as error:
                done = [error] * len(good)
            except _NotOpen:
                done = []
            outcomes |= {position: outcome for (position, _, _), outcome in zip(good, done, strict=False)}
        for position, der in signed.items():
            if position not in outcomes:
                outcomes[position] = self._closed_alone(prepared[position], der)
        return [outcomes[position] for position in range(len(prepared))]

    def _closed_alone(self, prepared: Prepared, der: bytes | None) -> IssuedCertificate | Precertificate | Exception:
        try:
            closed = self._storage.transact(lambda tx: self._close(tx, prepared, der))
        except StorageError as error:
            return error
        return closed or RequestFailed("The certificate could not be signed.")

    def _signed_or_none(self, prepared: Prepared) -> bytes | None:
        """Steps 5 and 6. None when the key made no good signature. Raises StorageError and SignerUnavailable."""
        try:
            return self._signed(prepared)
        except (StorageError, SignerUnavailable):
            raise  # the key was not reached: the row stays open, and recovery signs
        except Exception:
            # Nothing left the key that we could give to anybody, so the row can be closed for good. Were
            # closing to fail as well, recovery would try to sign once more: harmless, the serial is taken.
            log.exception("signing failed", extra={"certificate_arn": prepared.entry.arn})
        return None

    def _signed(self, prepared: Prepared) -> bytes:
        entry = prepared.entry
        signer = self._keys.signer(prepared.key_id)
        signed = signer.sign(entry.tbs, entry.signing_algorithm)  # 5
        encoded = assemble(entry.tbs, entry.signing_algorithm, signed)
        # 6: a token that signs wrongly, or a certificate that is not the one in the journal, goes nowhere. What is
        # inside of the signed part was read when it was linted.
        if read_parts(encoded) != (entry.tbs, entry.signing_algorithm.identifier, signed):
            raise ValueError("the certificate differs from the journal")
        # With the issuer's public key and not with what the signer says is its own: keys may have been mixed up. The
        # room of keys has verified, too; where that was the same key, hash and signature, it is not done twice.
        issuer_spki = prepared.issuer_spki or Certificate.parse(encoded).spki
        if not public_keys.verify(issuer_spki, entry.signing_algorithm.identifier, signed, entry.tbs, again=True):
            raise ValueError("the signature does not verify with the issuer's key")
        return encoded

    def _close(self, tx: Tx, prepared: Prepared, der: bytes | None) -> IssuedCertificate | Precertificate | None:
        """Step 7. What is in the world from now on, or None when nothing came of this signature."""
        entry, now = prepared.entry, self._clock.now()
        first = journal.close(tx, entry, signed=der, at=now)
        # A precertificate is half an issuance: who listens hears of the outcome.
        if first and (der is None or not entry.awaits_precertificate):
            self._events.emit(tx, _event(entry, failed=der is None))
        if first and der is not None and not entry.awaits_precertificate:
            return self._issued(tx, prepared, der, now)
        # Recovery on another node may have been faster; its outcome is then the one that holds, good or bad.
        closed = journal.find(tx, entry.authority_id, entry.serial)
        assert closed is not None
        if closed.state is JournalState.ISSUED:
            return issued_of(tx, closed)
        came_of_it = entry.awaits_precertificate and closed.precertificate is not None
        return precertificate_of(tx, closed) if came_of_it else None

    def _close_all(self, tx: Tx, signed: Sequence[tuple[Prepared, bytes]]) -> list[IssuedCertificate | Exception]:
        """Step 7 of many. Raises _NotOpen when one of them was closed already."""
        now = self._clock.now()
        if not journal.issue(tx, [(prepared.entry, der) for prepared, der in signed], at=now):
            raise _NotOpen
        self._events.emit(tx, *(_event(prepared.entry, failed=False) for prepared, _ in signed))
        return [self._issued(tx, prepared, der, now) for prepared, der in signed]

    def _issued(self, tx: Tx, prepared: Prepared, der: bytes, now: datetime) -> IssuedCertificate:
        """The certificate of a row that this transaction closed."""
        entry = prepared.entry
        issuer = prepared.issuer
        chain = _chain(tx, entry) if issuer is None else (issuer.der, *issuer.chain)
        # What we sign for ourselves is nobody's act (workflows.md 5).
        if self._roots_are_watched and len(chain or ()) <= 1 and entry.service_principal != SELF:
            queue.enqueue(tx, kind=ROOT_ISSUED_JOB, key=entry.arn, payload={}, due=now)
        return IssuedCertificate(entry.arn, entry.serial, der, chain)

    def finish_open(self, *, older_than: timedelta | None = ABANDONED_AFTER, limit: int = 100) -> int:
        """Finishes journal rows that a crash left open, and returns how many. Repeating it is harmless.

        `older_than` None takes every open row, also one of the future: the clock may have gone back since. A CA whose
        key cannot be reached is left alone after one attempt, which counts, so that others do not wait behind it.
        A row that awaits SCTs is not open: whoever had it made asks for them again.
        """
        before = _END_OF_TIME if older_than is None else self._clock.now() - older_than
        away: set[str] = set()
        tried, more = 0, True
        while more and tried < limit:
            rest = limit - tried
            entries = self._storage.read(lambda tx, rest=rest: journal.open_entries(tx, before, rest, without=away))  # type: ignore[misc]
            more = False
            for entry in entries:
                if entry.authority_id in away:
                    continue
                tried += 1
                if not self._finish(entry):
                    away.add(entry.authority_id)
                    more = True
        return tried

    def _finish(self, entry: JournalEntry) -> bool:
        """False when the key could not be reached."""
        prepared = self._storage.read(lambda tx: prepared_again(tx, entry))
        try:
            self.sign(prepared)
        except (Refusal, SignerUnavailable) as problem:
            log.warning("could not finish %s: %s", entry.arn, problem)
            return isinstance(problem, Refusal)
        return True


def issued_of(tx: Tx, entry: JournalEntry) -> IssuedCertificate:
    """The certificate of a closed row."""
    return IssuedCertificate(entry.arn, entry.serial, entry.certificate or b"", _chain(tx, entry))


def precertificate_of(tx: Tx, entry: JournalEntry) -> Precertificate:
    """The precertificate of a row that has one."""
    assert entry.precertificate is not None
    return Precertificate(entry.arn, entry.serial, entry.precertificate, _chain(tx, entry) or ())


def prepared_again(tx: Tx, entry: JournalEntry) -> Prepared:
    """What a crash left of a `Prepared`."""
    authority = store.find(tx, entry.authority_id)
    assert authority is not None
    if entry.issuer_certificate_id is None:
        return Prepared(entry, authority.key_id, None)
    issuer = store.certificate(tx, entry.issuer_certificate_id)
    return Prepared(entry, authority.key_id, Certificate.parse(issuer.der).spki, issuer)


def _chain(tx: Tx, entry: JournalEntry) -> tuple[bytes, ...] | None:
    if entry.issuer_certificate_id is None:
        return None
    issuer = store.certificate(tx, entry.issuer_certificate_id)
    return (issuer.der, *issuer.chain)


def _event(entry: JournalEntry, *, failed: bool) -> Event:
    return Event(
        "aws.acm-pca",
        "ACM Private CA Certificate Issuance",
        entry.account,
        entry.region,
        (entry.arn.partition("/certificate/")[0], entry.arn),
        {"result": "failure" if failed else "success"},
    )
