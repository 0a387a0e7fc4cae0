"""The ceremony of issuance. The numbers are the steps of docs/issuance.md, which is the law.

The order makes a crash at any line harmless: what is to be signed is in the database before the key is
used, and what was signed can always be finished from there.
"""

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from greatseal.crypto import signature
from greatseal.crypto.signature import SignerUnavailable
from greatseal.domain.audit import Audit
from greatseal.domain.authorities.issued import (
    IssuedCertificate,
    JournalEntry,
    JournalState,
    certificate_arn,
    serial_of_certificate_arn,
    serial_text,
)
from greatseal.domain.authorities.model import Authority, CaCertificate, parsed_chain, require
from greatseal.domain.authorities.order import Order, check_authority, check_limits, check_request
from greatseal.domain.authorities.ports import RevocationAddresses, RevocationPoints
from greatseal.domain.authorities.registry import Registry
from greatseal.domain.authorities.store import authorities as store
from greatseal.domain.authorities.store import journal
from greatseal.domain.events import Event, Events
from greatseal.domain.keys import Keys
from greatseal.domain.keys.model import fingerprint
from greatseal.domain.policy import KeyPolicy
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import InProgress, InvalidArgument, MalformedCsr, NotFound, Refusal, RequestFailed
from greatseal.kernel.ids import new_serial
from greatseal.storage import Storage, Tx, idempotency, queue
from greatseal.storage.errors import StorageError
from greatseal.x509 import lint, templates, validity
from greatseal.x509.certificate import Certificate, TbsCertificate, assemble, encode_tbs
from greatseal.x509.csr import CertificationRequest
from greatseal.x509.der import DerError
from greatseal.x509.templates import IssuerFacts

log = logging.getLogger(__name__)

# Another node may be between its steps 4 and 7; after this long it is not.
ABANDONED_AFTER = timedelta(minutes=1)
ROOT_ISSUED_JOB = "watch-root-issuance"
"""Written when a CA without anybody above it has issued; the key is the certificate's ARN."""
SELF = "greatseal"
"""The service principal under which the installation has certificates issued that it needs itself."""

_END_OF_TIME = datetime.max.replace(tzinfo=UTC)
_SERIAL_ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class Prepared:
    """A journal row that was committed, and the key to sign it with. Its only use is `Issuance.sign`."""

    entry: JournalEntry
    key_id: str
    issuer_spki: bytes | None
    """The public key that the signature must verify with; None for a self-signed root, which has its own."""


class _SerialTaken(Exception):
    """The CA has a certificate with this serial: everything is undone and tried with another one."""


class Issuance:
    """Issues certificates and hands them out."""

    def __init__(
        self,
        *,
        storage: Storage,
        registry: Registry,
        keys: Keys,
        key_policy: KeyPolicy,
        events: Events,
        audit: Audit,
        points: RevocationPoints,
        clock: Clock,
        entropy: Entropy,
        roots_are_watched: bool = False,
    ) -> None:
        """With `roots_are_watched` the certificates of roots leave a job for whoever watches (ROOT_ISSUED_JOB)."""
        self._roots_are_watched = roots_are_watched
        self._storage = storage
        self._registry = registry
        self._keys = keys
        self._key_policy = key_policy
        self._events = events
        self._audit = audit
        self._points = points
        self._clock = clock
        self._entropy = entropy

    def issue(self, caller: Caller, arn: str, order: Order) -> str:
        """Issues a certificate and returns its ARN; the same token within five minutes returns the same ARN.

        A key that cannot be reached now signs later (`finish_open`): the request is accepted and its row is open, so
        that a client which tries again does not have a second certificate made.
        """
        prepared = self.prepare(caller, arn, order)
        if isinstance(prepared, str):
            return prepared
        try:
            return self.sign(prepared).arn
        except SignerUnavailable as error:
            log.warning("%s waits for its key: %s", prepared.entry.arn, error)
            return prepared.entry.arn

    def prepare(self, caller: Caller, arn: str, order: Order) -> Prepared | str:
        """Steps 1 to 4. Returns the ARN of the earlier certificate when the idempotency token was used before."""
        request = check_request(order.csr, self._key_policy)  # 1
        for _ in range(_SERIAL_ATTEMPTS):
            # From the start, because the idempotency token must not lead to a serial that another certificate has.
            with suppress(_SerialTaken):
                return self._storage.transact(lambda tx: self._prepare(tx, caller, arn, order, request))
        raise RequestFailed("No unused serial number was found. The source of randomness may be defective.")

    def _prepare(self, tx: Tx, caller: Caller, arn: str, order: Order, request: CertificationRequest) -> Prepared | str:
        now = self._clock.now()
        authority = self._registry.load(tx, arn)
        serial = new_serial(self._entropy)
        issued_arn = certificate_arn(arn, serial_text(serial))
        # Before the checks: a certificate that was prepared stays the answer, though its CA was disabled since.
        earlier = self._claim(tx, caller, authority.id, order, issued_arn, now)
        if earlier is not None:
            return earlier
        check_authority(authority, order, request, now)  # 2
        self._check_key(tx, order, request.spki)
        issuers = () if order.template.root else _issuers(authority.certificate)
        lifetime = validity.validity_period(order.validity, order.not_before, now)
        # A root takes nothing from its CA's settings (acm-pca.md 7.1).
        addresses = self._points.bind(tx, authority, serial) if issuers else RevocationAddresses()
        content = templates.compose(
            order.template,
            request=request,
            passthrough=order.passthrough,
            issuer=_facts(issuers[0], addresses) if issuers else None,
        )
        check_limits(authority, issuers, order, content, lifetime, now)
        tbs = _encoded(
            TbsCertificate(
                serial=serial,
                algorithm=order.signing_algorithm,
                issuer=issuers[0].subject if issuers else content.subject,
                not_before=lifetime[0],
                not_after=lifetime[1],
                subject=content.subject,
                spki=request.spki,
                extensions=content.extensions,
            )
        )
        _lint(tbs, issuers[0] if issuers else None, order)
        entry = JournalEntry(
            authority_id=authority.id,
            serial=serial_text(serial),
            arn=issued_arn,
            state=JournalState.PREPARED,
            tbs=tbs,
            signing_algorithm=order.signing_algorithm,
            template_arn=order.template_arn,
            issuer_certificate_id=authority.certificate.id if issuers and authority.certificate else None,
            account=caller.account,
            region=caller.region,
            service_principal=caller.service_principal,
            not_after=lifetime[1],
            prepared_at=now,
            key_fingerprint=fingerprint(request.spki),
            partition=addresses.partition,
        )
        if not journal.prepare(tx, entry):  # 3
            raise _SerialTaken
        self._record(tx, caller, authority, entry)  # 4
        return Prepared(entry, authority.key_id, issuers[0].spki if issuers else None)

    def _record(self, tx: Tx, caller: Caller, authority: Authority, entry: JournalEntry) -> None:
        """In the trail of who issues, and in that of who shares the CA."""
        for account in dict.fromkeys((caller.account, authority.account)):
            self._audit.record(
                tx,
                replace(caller, account=account),
                authority.arn,
                entry.arn,
                response={"certificate_arn": entry.arn},
                serial=entry.serial,
                template=entry.template_arn,
            )

    def _check_key(self, tx: Tx, order: Order, spki: bytes) -> None:
        """Keys that this installation knows too well (faults.md 22 and 23). Raises MalformedCsr and InvalidArgument."""
        if self._keys.is_compromised(tx, spki):
            raise MalformedCsr(
                "The public key of the certificate signing request is refused. A certificate for it was revoked "
                "because the key was compromised."
            )
        # A CA that signs as an end entity, too, would have two meanings for one signature.
        if not order.template.ca and self._keys.is_authority_key(tx, spki):
            raise InvalidArgument(
                "The public key of the certificate signing request is the key of a certificate authority. "
                "It can be certified with a template for certificate authorities only."
            )

    def _claim(
        self, tx: Tx, caller: Caller, authority_id: str, order: Order, issued_arn: str, now: datetime
    ) -> str | None:
        """Binds the idempotency token to `issued_arn`; the ARN that it is bound to already, if it is."""
        if order.idempotency_token is None:
            return None
        earlier = idempotency.claim(
            tx,
            scope=f"{caller.account}/{caller.service_principal or ''}/IssueCertificate/{authority_id}",
            token=order.idempotency_token,
            fingerprint="",
            result=issued_arn,
            now=now,
            ttl=order.idempotency_window,
        )
        return earlier.result if earlier else None

    def sign(self, prepared: Prepared) -> IssuedCertificate:
        """Steps 5 to 7. Raises RequestFailed when the key made no good signature; the journal then says so.

        Raises SignerUnavailable when the key cannot be reached now; the journal row stays open.
        """
        entry = prepared.entry
        der = None
        try:
            der = self._signed(prepared)
        except (StorageError, SignerUnavailable):
            raise  # the key was not reached: the row stays open, and recovery signs
        except Exception:
            # Nothing left the key that we could give to anybody, so the row can be closed for good. Were
            # closing to fail as well, recovery would try to sign once more: harmless, the serial is taken.
            log.exception("signing failed", extra={"certificate_arn": entry.arn})
        issued = self._storage.transact(lambda tx: self._close(tx, entry, der))
        if issued is None:
            raise RequestFailed("The certificate could not be signed.")
        return issued

    def _signed(self, prepared: Prepared) -> bytes:
        entry = prepared.entry
        signer = self._keys.signer(prepared.key_id)
        signed = signer.sign(entry.tbs, entry.signing_algorithm)  # 5
        der = assemble(entry.tbs, entry.signing_algorithm, signed)
        # 6: a token that signs wrongly, or a certificate that is not the one in the journal, goes nowhere.
        certificate = Certificate.parse(der)
        if certificate.tbs != entry.tbs:
            raise ValueError("the certificate differs from the journal")
        # With the issuer's public key and not with what the signer says is its own: keys may have been mixed up.
        issuer_spki = prepared.issuer_spki or certificate.spki
        if not signature.verify(issuer_spki, entry.signing_algorithm, signed, entry.tbs):
            raise ValueError("the signature does not verify with the issuer's key")
        return der

    def _close(self, tx: Tx, entry: JournalEntry, der: bytes | None) -> IssuedCertificate | None:
        """Step 7. The certificate that exists from now on, or None when the row is closed as FAILED."""
        first = journal.close(tx, entry, certificate=der, at=self._clock.now())
        if first:
            self._events.emit(
                tx,
                Event(
                    "aws.acm-pca",
                    "ACM Private CA Certificate Issuance",
                    entry.account,
                    entry.region,
                    (entry.arn.partition("/certificate/")[0], entry.arn),
                    {"result": "failure" if der is None else "success"},
                ),
            )
        # Recovery on another node may have been faster; its outcome is then the one that holds, good or bad.
        closed = journal.find(tx, entry.authority_id, entry.serial)
        assert closed is not None
        if closed.state is not JournalState.ISSUED:
            return None
        issued = self._issued(tx, closed)
        of_root = len(issued.chain or ()) <= 1
        # What we sign for ourselves is nobody's act (workflows.md 5).
        if self._roots_are_watched and first and of_root and closed.service_principal != SELF:
            queue.enqueue(tx, kind=ROOT_ISSUED_JOB, key=issued.arn, payload={}, due=self._clock.now())
        return issued

    def certificate(self, arn: str, certificate_arn: str) -> IssuedCertificate:
        """An issued certificate and its chain. Raises InProgress, RequestFailed, NotFound."""

        def work(tx: Tx) -> IssuedCertificate:
            authority = self._registry.load(tx, arn)
            serial = serial_of_certificate_arn(arn, certificate_arn)
            require(authority, "read_issued", self._clock.now())
            entry = journal.find(tx, authority.id, serial)
            if entry is None:
                raise NotFound(f"Could not find certificate {certificate_arn}")
            if entry.state is JournalState.PREPARED:
                raise InProgress("The certificate has not been issued yet. Try again later.")
            if entry.state is JournalState.FAILED:
                raise RequestFailed("The certificate could not be issued.")
            return self._issued(tx, entry)

        return self._storage.read(work)

    def issued_at(self, tx: Tx, authority_id: str, certificate_arn: str) -> datetime | None:
        """When a CA issued a certificate; None when it did not."""
        entry = journal.find(tx, authority_id, certificate_arn.rpartition("/")[2])
        return None if entry is None else entry.issued_at

    def finish_open(self, *, older_than: timedelta | None = ABANDONED_AFTER, limit: int = 100) -> int:
        """Finishes journal rows that a crash left open, and returns how many. Repeating it is harmless.

        `older_than` None takes every open row, also one of the future: the clock may have gone back since. A CA whose
        key cannot be reached is left alone after one attempt, which counts, so that others do not wait behind it.
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
        prepared = self._storage.read(lambda tx: _prepared_again(tx, entry))
        try:
            self.sign(prepared)
        except (Refusal, SignerUnavailable) as problem:
            log.warning("could not finish %s: %s", entry.arn, problem)
            return isinstance(problem, Refusal)
        return True

    def _issued(self, tx: Tx, entry: JournalEntry) -> IssuedCertificate:
        chain = None
        if entry.issuer_certificate_id is not None:
            issuer = store.certificate(tx, entry.issuer_certificate_id)
            chain = (issuer.der, *issuer.chain)
        return IssuedCertificate(entry.arn, entry.serial, entry.certificate or b"", chain)


def _prepared_again(tx: Tx, entry: JournalEntry) -> Prepared:
    """What a crash left of a `Prepared`."""
    authority = store.find(tx, entry.authority_id)
    assert authority is not None
    if entry.issuer_certificate_id is None:
        return Prepared(entry, authority.key_id, None)
    issuer = Certificate.parse(store.certificate(tx, entry.issuer_certificate_id).der)
    return Prepared(entry, authority.key_id, issuer.spki)


@lru_cache(256)
def _issuers(certificate: CaCertificate | None) -> tuple[Certificate, ...]:
    """The issuing CA's certificate and those above it, parsed once for as long as it is installed."""
    assert certificate is not None
    return parsed_chain(certificate)


def _encoded(fields: TbsCertificate) -> bytes:
    try:
        return encode_tbs(fields)
    except DerError as error:
        raise InvalidArgument(f"The certificate cannot be encoded: {error}.") from None


def _lint(tbs: bytes, issuer: Certificate | None, order: Order) -> None:
    """Nothing is signed that our own lint finds an error in. Raises InvalidArgument with all of them."""
    profile = lint.Profile(
        ca=order.template.ca,
        key_usage_required=order.template.key_usage is not None,
        algorithm=order.signing_algorithm,
    )
    findings = lint.lint(tbs, issuer=issuer, profile=profile)
    errors = [f"{f.message} ({f.reference})" for f in findings if f.severity is lint.Severity.ERROR]
    if errors:
        raise InvalidArgument("The certificate would break the rules of its profile: " + " ".join(errors))


def _facts(issuer: Certificate, addresses: RevocationAddresses) -> IssuerFacts:
    return IssuerFacts(
        subject=issuer.subject,
        key_identifier=issuer.key_identifier,
        crl_url=addresses.crl_url,
        ocsp_url=addresses.ocsp_url,
        issuers_url=addresses.issuers_url,
    )
