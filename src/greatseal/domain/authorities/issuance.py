"""The ceremony of issuance. The numbers are the steps of docs/issuance.md, which is the law; `signing` has 5 to 7.

The order makes a crash at any line harmless: what is to be signed is in the database before the key is
used, and what was signed can always be finished from there.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from msgspec import structs

from greatseal.crypto.signature import SignerUnavailable
from greatseal.domain.audit import Act, Audit
from greatseal.domain.authorities.drafting import (
    Composed,
    Draft,
    check,
    composed,
    embedded,
    linted,
    profile_of,
    terms_of,
)
from greatseal.domain.authorities.issued import (
    IssuedCertificate,
    JournalEntry,
    JournalState,
    Precertificate,
    certificate_arn,
    serial_of_certificate_arn,
    serial_text,
)
from greatseal.domain.authorities.model import Authority, require
from greatseal.domain.authorities.order import Order, check_authority
from greatseal.domain.authorities.ports import RevocationAddresses, RevocationPoints
from greatseal.domain.authorities.registry import Registry
from greatseal.domain.authorities.signing import ABANDONED_AFTER, Prepared, Signing, issued_of, precertificate_of
from greatseal.domain.authorities.stages import stage
from greatseal.domain.authorities.store import authorities as store
from greatseal.domain.authorities.store import journal
from greatseal.domain.events import Events
from greatseal.domain.keys import Keys
from greatseal.domain.keys.model import fingerprint
from greatseal.domain.policy import KeyPolicy
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import InProgress, InvalidArgument, MalformedCsr, NotFound, Refusal, RequestFailed
from greatseal.kernel.group import Waits
from greatseal.kernel.ids import new_serial
from greatseal.storage import Storage, Tx, idempotency
from greatseal.x509.certificate import Certificate
from greatseal.x509.csr import CertificationRequest, read_csr
from greatseal.x509.templates import find_any_template

log = logging.getLogger(__name__)

_SERIAL_ATTEMPTS = 4
_KEPT = 1024


class _SerialTaken(Exception):
    """The CA has a certificate with this serial: everything is undone and tried with another one."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """What became of an order: the ARN of its certificate, which is that of an earlier one when it was `repeated`."""

    arn: str
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """An order after step 1."""

    caller: Caller
    arn: str
    order: Order
    request: CertificationRequest
    key: str
    """The fingerprint of the key that is to be certified."""


@dataclass(slots=True)
class _Attempt:
    """One try to prepare what is asked, with a serial of its own."""

    asked: _Asked
    serial: int | None = None
    now: datetime | None = None
    composed: Composed | None = None
    draft: Draft | None = None


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
        # By the id of a CA, those of its last certificate: a guess for the next one.
        self._addresses: dict[str, RevocationAddresses] = {}
        self._devices: dict[str, bool] = {}

    def issue(self, caller: Caller, arn: str, order: Order) -> str:
        """Issues a certificate and returns its ARN; the same token within five minutes returns the same ARN.

        A key that cannot be reached now signs later (`finish_open`): the request is accepted and its row is open, so
        that a client which tries again does not have a second certificate made.
        """
        return self._issue(self._asked(caller, arn, order)).arn

    def issue_together(self, orders: Sequence[tuple[Caller, str, Order]]) -> list[Ordered | Exception]:
        """As `issue` for each (caller, ARN of the CA, order), in their order, or what is raised for it.

        They share both transactions. Whatever is out of the ordinary with one of them has all done one by one, as if
        each had come alone; nothing was done before that. Of several, those whose key is in a device get Waits.
        """
        if len(orders) == 1:
            return [_caught(lambda: self._issue(self._asked(*orders[0])))]
        outcomes: dict[int, Ordered | Exception] = {}
        group: dict[int, _Attempt] = {}
        for position, attempt in enumerate(self._attempts(orders)):
            if isinstance(attempt, Exception):
                outcomes[position] = attempt
            elif attempt.draft is None:
                outcomes[position] = _caught(partial(self._issue, attempt.asked))
            else:
                group[position] = attempt
        outcomes |= zip(group, self._issue_group(list(group.values())), strict=True)
        return [outcomes[position] for position in range(len(orders))]

    def _attempts(self, orders: Sequence[tuple[Caller, str, Order]]) -> list[_Attempt | Exception]:
        """Each order after step 1, drafted; or why it goes no further: whoever waits for a device gets Waits."""
        read = stage(orders, lambda each: (each, read_csr(each[2].csr)))
        proven = stage(read, lambda each: (each[0], each[1].prove()))
        asked = stage(proven, lambda each: self._checked(*each[0], each[1]))
        drafted = stage(stage(asked, self._composed), self._linted)
        return stage(drafted, self._not_waiting)

    def _not_waiting(self, attempt: _Attempt) -> _Attempt:
        if attempt.draft is not None and self._is_device(attempt.draft.authority.key_id):
            raise Waits
        return attempt

    def _issue_group(self, group: Sequence[_Attempt]) -> Sequence[Ordered | Exception]:
        if not group:
            return ()
        try:
            prepared = self._storage.transact(lambda tx: self._prepare(tx, group))
        except (Refusal, _SerialTaken):
            return [_caught(partial(self._issue, each.asked)) for each in group]
        except Exception as error:  # noqa: BLE001 - whoever asked hears of it; it may be committed
            return [error] * len(group)
        signed = iter(self._signing.sign_all([each for each in prepared if isinstance(each, Prepared)]))
        return [
            Ordered(each, repeated=True) if isinstance(each, str) else _accepted(each, next(signed))
            for each in prepared
        ]

    def _is_device(self, key_id: str) -> bool:
        """Whether signing with this key waits for a device or another machine."""
        if key_id not in self._devices:
            with suppress(LookupError):
                self._devices[key_id] = self._keys.is_in_key_store(key_id)
        return self._devices.get(key_id, False)

    def _issue(self, asked: _Asked) -> Ordered:
        prepared = self._prepare_one(asked)
        if isinstance(prepared, str):
            return Ordered(prepared, repeated=True)
        signed: IssuedCertificate | Precertificate | Exception
        try:
            signed = self.sign(prepared)
        except SignerUnavailable as error:
            signed = error
        accepted = _accepted(prepared, signed)
        assert isinstance(accepted, Ordered)
        return accepted

    def prepare(self, caller: Caller, arn: str, order: Order) -> Prepared | str:
        """Steps 1 to 4. Returns the ARN of the earlier certificate when the idempotency token was used before."""
        return self._prepare_one(self._asked(caller, arn, order))

    def _asked(self, caller: Caller, arn: str, order: Order) -> _Asked:
        return self._checked(caller, arn, order, read_csr(order.csr).prove())  # 1

    def _checked(self, caller: Caller, arn: str, order: Order, request: CertificationRequest) -> _Asked:
        self._key_policy.check(request.spki)
        return _Asked(caller, arn, order, request, fingerprint(request.spki))

    def _prepare_one(self, asked: _Asked) -> Prepared | str:
        for _ in range(_SERIAL_ATTEMPTS):
            attempt = self._attempt(asked)
            # From the start, because the idempotency token must not lead to a serial that another certificate has.
            with suppress(_SerialTaken):
                return self._storage.transact(lambda tx, attempt=attempt: self._prepare(tx, [attempt]))[0]  # type: ignore[misc]
        raise RequestFailed("No unused serial number was found. The source of randomness may be defective.")

    def _attempt(self, asked: _Asked) -> _Attempt:
        """With a draft on what is known of the CA; without one where nothing is known, or the order is refused.

        Whether it is, the transaction says.
        """
        return self._linted(self._composed(asked))

    def _composed(self, asked: _Asked) -> _Attempt:
        attempt = _Attempt(asked)
        known = self._registry.last_read(asked.arn)
        addresses = None if known is None else self._addresses.get(known.id)
        if known is not None and addresses is not None:
            with suppress(Refusal):
                attempt.composed = self._compose(attempt, known, addresses)
        return attempt

    def _compose(self, attempt: _Attempt, authority: Authority, addresses: RevocationAddresses) -> Composed:
        order, request = attempt.asked.order, attempt.asked.request
        serial, now = self._begun(attempt)
        check_authority(authority, order, request, now)  # 2
        terms = terms_of(authority, order, now)
        return composed(authority, order, request, terms, addresses, serial=serial, now=now)

    @staticmethod
    def _linted(attempt: _Attempt) -> _Attempt:
        if attempt.composed is not None:
            with suppress(Refusal):
                attempt.draft = linted(attempt.composed)
        return attempt

    def _begun(self, attempt: _Attempt) -> tuple[int, datetime]:
        """The serial and the time of an attempt, chosen when they are first needed."""
        if attempt.serial is None or attempt.now is None:
            attempt.now, attempt.serial = self._clock.now(), new_serial(self._entropy)
        return attempt.serial, attempt.now

    def _prepare(self, tx: Tx, attempts: Sequence[_Attempt]) -> list[Prepared | str]:
        """Steps 2 to 4 of all attempts, in their order. Raises _SerialTaken and what any of them is refused with."""
        notorious = self._keys.notorious(tx, [each.asked.key for each in attempts])
        loaded: dict[str, Authority] = {}
        made: list[Prepared | str] = []
        for each in attempts:
            asked = each.asked
            authority = loaded.get(asked.arn) or self._registry.load(tx, asked.arn)
            loaded[asked.arn] = authority
            made.append(self._claim(tx, each, authority) or self._prepared(tx, each, authority, notorious))
        fresh = [(each, done.entry) for each, done in zip(attempts, made, strict=True) if isinstance(done, Prepared)]
        if fresh and not journal.prepare(tx, *(entry for _, entry in fresh)):  # 3
            raise _SerialTaken
        if fresh:
            self._audit.record_all(tx, [act for each, entry in fresh for act in _acts(each.asked, loaded, entry)])  # 4
        return made

    def _prepared(
        self, tx: Tx, attempt: _Attempt, authority: Authority, notorious: tuple[set[str], set[str]]
    ) -> Prepared:
        asked, order, request = attempt.asked, attempt.asked.order, attempt.asked.request
        serial, now = self._begun(attempt)
        made = attempt.draft if attempt.draft is not None and attempt.draft.authority is authority else None
        if made is None:
            check_authority(authority, order, request, now)  # 2
        _check_key(asked, *notorious)
        terms = terms_of(authority, order, now)
        addresses = self._bound(tx, authority, order, serial)
        if made is None or made.addresses != addresses:
            made = linted(composed(authority, order, request, terms, addresses, serial=serial, now=now))
        issuer = authority.certificate if terms.issuers else None
        entry = JournalEntry(
            authority_id=authority.id,
            serial=serial_text(serial),
            arn=certificate_arn(asked.arn, serial_text(serial)),
            state=JournalState.PREPARED,
            tbs=made.tbs,
            signing_algorithm=order.signing_algorithm,
            template_arn=order.template_arn,
            issuer_certificate_id=issuer.id if issuer else None,
            account=asked.caller.account,
            region=asked.caller.region,
            service_principal=asked.caller.service_principal,
            not_after=made.not_after,
            prepared_at=now,
            key_fingerprint=asked.key,
            partition=addresses.partition,
            logged=order.logged,
        )
        return Prepared(entry, authority.key_id, terms.issuers[0].spki if terms.issuers else None, issuer)

    def _bound(self, tx: Tx, authority: Authority, order: Order, serial: int) -> RevocationAddresses:
        if order.template.root:
            # A root takes nothing from its CA's settings (acm-pca.md 7.1).
            return RevocationAddresses()
        addresses = self._points.bind(tx, authority, serial)
        if order.template.public:
            addresses = replace(addresses, issuers_url=self._points.certificate_url(authority))
        if len(self._addresses) >= _KEPT:
            self._addresses.clear()
        self._addresses[authority.id] = addresses
        return addresses

    def _claim(self, tx: Tx, attempt: _Attempt, authority: Authority) -> str | None:
        """Binds the idempotency token to the ARN that is about to be; the one that it is bound to already, if it is.

        Before the checks: a certificate that was prepared stays the answer, though its CA was disabled since.
        """
        asked, order = attempt.asked, attempt.asked.order
        if order.idempotency_token is None:
            return None
        serial, now = self._begun(attempt)
        caller = asked.caller
        earlier = idempotency.claim(
            tx,
            scope=f"{caller.account}/{caller.service_principal or ''}/IssueCertificate/{authority.id}",
            token=order.idempotency_token,
            fingerprint="",
            result=certificate_arn(asked.arn, serial_text(serial)),
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
            tbs = embedded(entry.precertificate, scts)
            issuer = Certificate.parse(store.certificate(tx, entry.issuer_certificate_id).der)
            check(tbs, issuer, profile_of(find_any_template(entry.template_arn), entry.signing_algorithm))
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


def _acts(asked: _Asked, loaded: Mapping[str, Authority], entry: JournalEntry) -> list[Act]:
    """For the trail of who issues, and for that of who shares the CA."""
    authority, caller = loaded[asked.arn], asked.caller
    return [
        Act(
            caller if account == caller.account else structs.replace(caller, account=account),
            (authority.arn, entry.arn),
            response={"certificate_arn": entry.arn},
            detail={"serial": entry.serial, "template": entry.template_arn},
        )
        for account in dict.fromkeys((caller.account, authority.account))
    ]


def _check_key(asked: _Asked, compromised: set[str], authorities: set[str]) -> None:
    """Keys that this installation knows too well (faults.md 22 and 23). Raises MalformedCsr and InvalidArgument."""
    if asked.key in compromised:
        raise MalformedCsr(
            "The public key of the certificate signing request is refused. A certificate for it was revoked "
            "because the key was compromised."
        )
    # A CA that signs as an end entity, too, would have two meanings for one signature.
    if not asked.order.template.ca and asked.key in authorities:
        raise InvalidArgument(
            "The public key of the certificate signing request is the key of a certificate authority. "
            "It can be certified with a template for certificate authorities only."
        )


def _caught(work: Callable[[], Ordered]) -> Ordered | Exception:
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
        return error


def _accepted(prepared: Prepared, signed: IssuedCertificate | Precertificate | Exception) -> Ordered | Exception:
    """A key that cannot be reached signs later: the row is open."""
    arn = prepared.entry.arn
    if isinstance(signed, SignerUnavailable):
        log.warning("%s waits for its key: %s", arn, signed)
    elif isinstance(signed, Exception):
        return signed
    return Ordered(arn)
