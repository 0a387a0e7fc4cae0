"""The ceremony of issuance. The numbers are the steps of docs/issuance.md, which is the law; `signing` has 5 to 7.

The order makes a crash at any line harmless: what is to be signed is in the database before the key is
used, and what was signed can always be finished from there.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache

from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.crypto.signature import SignerUnavailable
from greatseal.domain.audit import Audit
from greatseal.domain.authorities.issued import (
    IssuedCertificate,
    JournalEntry,
    JournalState,
    Precertificate,
    certificate_arn,
    serial_of_certificate_arn,
    serial_text,
)
from greatseal.domain.authorities.model import Authority, CaCertificate, parsed_chain, require
from greatseal.domain.authorities.order import Order, check_authority, check_limits, check_request
from greatseal.domain.authorities.ports import RevocationAddresses, RevocationPoints
from greatseal.domain.authorities.registry import Registry
from greatseal.domain.authorities.signing import ABANDONED_AFTER, Prepared, Signing, issued_of, precertificate_of
from greatseal.domain.authorities.store import authorities as store
from greatseal.domain.authorities.store import journal
from greatseal.domain.events import Events
from greatseal.domain.keys import Keys
from greatseal.domain.keys.model import fingerprint
from greatseal.domain.policy import KeyPolicy
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import InProgress, InvalidArgument, MalformedCsr, NotFound, RequestFailed
from greatseal.kernel.ids import new_serial
from greatseal.storage import Storage, Tx, idempotency
from greatseal.x509 import lint, sct, templates, validity
from greatseal.x509.certificate import Certificate, TbsCertificate, encode_tbs
from greatseal.x509.csr import CertificationRequest
from greatseal.x509.der import DerError
from greatseal.x509.templates import IssuerFacts, Template, find_any_template
from greatseal.x509.tls_encoding import EncodingError

log = logging.getLogger(__name__)

_SERIAL_ATTEMPTS = 4


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
        """`roots_are_watched` as in `Signing`."""
        self._signing = Signing(
            storage=storage, keys=keys, events=events, clock=clock, roots_are_watched=roots_are_watched
        )
        self._storage = storage
        self._registry = registry
        self._keys = keys
        self._key_policy = key_policy
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
        if order.template.public:
            addresses = replace(addresses, issuers_url=self._points.certificate_url(authority))
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
                # Last, so that the certificate differs from it in its last extension only.
                extensions=(*content.extensions, sct.POISON) if order.logged else content.extensions,
            )
        )
        _check(tbs, issuers[0] if issuers else None, profile_of(order.template, order.signing_algorithm))
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
            logged=order.logged,
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

    def sign(self, prepared: Prepared) -> IssuedCertificate | Precertificate:
        """Steps 5 to 7, as `Signing.sign`."""
        return self._signing.sign(prepared)

    def certificate(self, arn: str, certificate_arn: str) -> IssuedCertificate:
        """An issued certificate and its chain. Raises InProgress, RequestFailed, NotFound."""

        def work(tx: Tx) -> IssuedCertificate:
            authority = self._registry.load(tx, arn)
            require(authority, "read_issued", self._clock.now())
            entry = self._entry(tx, authority, certificate_arn)
            if entry.state is not JournalState.ISSUED:
                raise InProgress("The certificate has not been issued yet. Try again later.")
            return issued_of(tx, entry)

        return self._storage.read(work)

    def certificate_in(self, tx: Tx, certificate_arn: str) -> bytes | None:
        """The DER of an issued certificate, whatever became of its CA; None when there is none."""
        authority, _, serial = certificate_arn.partition("/certificate/")
        entry = journal.find(tx, authority.rpartition("/")[2], serial)
        return None if entry is None else entry.certificate

    def issued_at(self, tx: Tx, authority_id: str, certificate_arn: str) -> datetime | None:
        """When a CA issued a certificate; None when it did not."""
        entry = journal.find(tx, authority_id, certificate_arn.rpartition("/")[2])
        return None if entry is None else entry.issued_at

    def finish_open(self, *, older_than: timedelta | None = ABANDONED_AFTER, limit: int = 100) -> int:
        """Finishes rows that a crash left open, as `Signing.finish_open`."""
        return self._signing.finish_open(older_than=older_than, limit=limit)

    def precertificate(self, arn: str, certificate_arn: str) -> Precertificate | None:
        """The precertificate that awaits its SCTs; None when the certificate is there.

        Raises InProgress while one of the two is being signed, RequestFailed, NotFound.
        """

        def work(tx: Tx) -> Precertificate | None:
            entry = self._entry(tx, self._registry.load(tx, arn), certificate_arn)
            if entry.state is JournalState.ISSUED:
                return None
            if entry.state is JournalState.PREPARED:
                raise InProgress("The certificate has not been issued yet. Try again later.")
            return precertificate_of(tx, entry)

        return self._storage.read(work)

    def embed(self, arn: str, certificate_arn: str, scts: Sequence[bytes]) -> IssuedCertificate:
        """Steps 8 to 10: makes the certificate of a precertificate. Once it is made, it stays the answer.

        `scts` are encoded and were verified. Raises InProgress while somebody else signs it, RequestFailed, NotFound,
        and InvalidArgument when the certificate would break rules.
        """

        def work(tx: Tx) -> Prepared | IssuedCertificate:
            authority = self._registry.load(tx, arn)
            entry = self._entry(tx, authority, certificate_arn)
            if entry.state is JournalState.ISSUED:
                return issued_of(tx, entry)
            if entry.state is not JournalState.PRECERTIFICATE:
                raise InProgress("The certificate has not been issued yet. Try again later.")
            assert entry.precertificate is not None
            assert entry.issuer_certificate_id is not None
            tbs = _embedded(entry.precertificate, scts)
            issuer = Certificate.parse(store.certificate(tx, entry.issuer_certificate_id).der)
            _check(tbs, issuer, profile_of(find_any_template(entry.template_arn), entry.signing_algorithm))
            now = self._clock.now()
            again = replace(entry, state=JournalState.PREPARED, tbs=tbs, prepared_at=now)
            if not journal.embed(tx, entry, tbs, at=now):  # 8
                raise InProgress("The certificate has not been issued yet. Try again later.")
            return Prepared(again, authority.key_id, issuer.spki)

        prepared = self._storage.transact(work)
        if isinstance(prepared, IssuedCertificate):
            return prepared
        try:
            signed = self.sign(prepared)  # 9, 10
        except SignerUnavailable as error:
            # Recovery signs once the key is back; whoever asks again then finds the certificate.
            raise InProgress("The key of the certificate authority cannot be reached now. Try again later.") from error
        assert isinstance(signed, IssuedCertificate)
        return signed

    @staticmethod
    def _entry(tx: Tx, authority: Authority, certificate_arn: str) -> JournalEntry:
        """Raises InvalidArn, NotFound, and RequestFailed for what could not be signed."""
        entry = journal.find(tx, authority.id, serial_of_certificate_arn(authority.arn, certificate_arn))
        if entry is None:
            raise NotFound(f"Could not find certificate {certificate_arn}")
        if entry.state is JournalState.FAILED:
            raise RequestFailed("The certificate could not be issued.")
        return entry


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


def profile_of(template: Template, algorithm: SignatureAlgorithm) -> lint.Profile:
    """What a certificate from a template is linted as."""
    return lint.Profile(
        ca=template.ca,
        key_usage_required=template.key_usage is not None,
        algorithm=algorithm,
        public=template.public,
    )


def _check(tbs: bytes, issuer: Certificate | None, profile: lint.Profile) -> None:
    """Nothing is signed that our own lint finds an error in. Raises InvalidArgument with all of them."""
    findings = lint.lint(tbs, issuer=issuer, profile=profile)
    errors = [f"{f.message} ({f.reference})" for f in findings if f.severity is lint.Severity.ERROR]
    if errors:
        raise InvalidArgument("The certificate would break the rules of its profile: " + " ".join(errors))


def _embedded(precertificate: bytes, scts: Sequence[bytes]) -> bytes:
    """What the certificate of a precertificate says: the same, with SCTs instead of the poison."""
    try:
        bare = sct.without(Certificate.parse(precertificate).tbs, sct.POISON.oid)
        return sct.with_extension(bare, sct.sct_list(scts))
    except (DerError, EncodingError) as error:
        raise InvalidArgument(f"The certificate cannot be encoded: {error}.") from None


def _facts(issuer: Certificate, addresses: RevocationAddresses) -> IssuerFacts:
    return IssuerFacts(
        subject=issuer.subject,
        key_identifier=issuer.key_identifier,
        crl_url=addresses.crl_url,
        ocsp_url=addresses.ocsp_url,
        issuers_url=addresses.issuers_url,
    )
