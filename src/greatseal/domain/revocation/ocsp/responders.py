"""Responders: keys that sign answers for a CA, each with a certificate of that CA for some days.

A responder's certificate goes through the steps 3 to 7 of docs/issuance.md like every other one: its serial is in the
journal before the CA's key is used, a crash is mended by the same recovery, and it can be revoked.
"""

import logging
import threading
from dataclasses import dataclass
from datetime import datetime

from greatseal.domain.audit import Audit
from greatseal.domain.authorities import Issuance
from greatseal.domain.authorities.issued import JournalEntry, JournalState, certificate_arn, serial_text
from greatseal.domain.authorities.model import Authority
from greatseal.domain.authorities.signing import Prepared
from greatseal.domain.authorities.store import authorities, journal
from greatseal.domain.keys import Keys, NewKey, Purpose
from greatseal.domain.keys.model import fingerprint
from greatseal.domain.revocation.ocsp import store
from greatseal.domain.revocation.ocsp.model import BACKDATED, RESPONDER_LIFETIME, Responder, is_due, usable
from greatseal.kernel.arn import partition_of
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import RequestFailed
from greatseal.kernel.ids import new_serial, new_uuid
from greatseal.storage import Storage, Tx
from greatseal.x509 import der, lint
from greatseal.x509.attributes import COMMON_NAME, Attribute
from greatseal.x509.certificate import Certificate, TbsCertificate, encode_tbs
from greatseal.x509.extensions import (
    OID,
    Extension,
    authority_key_identifier,
    basic_constraints,
    extended_key_usage,
    key_usage,
    subject_key_identifier,
)
from greatseal.x509.names import Name
from greatseal.x509.templates import template_arn

log = logging.getLogger(__name__)

_TEMPLATE = "OCSPSigningCertificate"
_COMMON_NAME = "OCSP responder"
_SWEEP = 100


@dataclass(frozen=True, slots=True)
class _Look:
    authority: Authority
    responders: list[Responder]


class Responders:
    """Makes, finds and ends responders."""

    def __init__(
        self, *, storage: Storage, keys: Keys, issuance: Issuance, audit: Audit, clock: Clock, entropy: Entropy
    ) -> None:
        self._storage = storage
        self._keys = keys
        self._issuance = issuance
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        # Many clients ask a new CA at once; one of them makes its responder, the others wait for it.
        self._making = threading.Lock()

    def current(self, authority_id: str) -> Responder | None:
        """The responder that signs for a CA now; made when there is none. None: try again a little later."""
        found = self._storage.read(lambda tx: store.responders(tx, authority_id))
        return usable(found, self._clock.now()) or self._renewed(authority_id)

    def rotate(self) -> None:
        """Makes the responders that are due and ends those that have expired. Repeating it is harmless."""
        for authority_id in self._storage.read(lambda tx: store.answering_authorities(tx, self._clock.now())):
            try:
                self._renewed(authority_id)
            except Exception:
                # The other CAs must not wait for the one that cannot.
                log.exception("no OCSP responder could be made for the certificate authority %s", authority_id)
        while self._storage.transact(self._end_expired) == _SWEEP:
            pass

    def _renewed(self, authority_id: str) -> Responder | None:
        """The responder of a CA after a new one was made, if that was due."""
        with self._making:
            look = self._storage.read(lambda tx: _look(tx, authority_id))
            if look is None or not is_due(look.authority, look.responders, self._clock.now()):
                return usable(look.responders, self._clock.now()) if look else None
            # As strong as the CA and of its kind, so that whoever verifies its certificates verifies its answers.
            key = self._keys.generate(look.authority.key_algorithm, Purpose.OCSP)
            prepared = self._storage.transact(lambda tx: self._prepare(tx, authority_id, key))
            if prepared is not None:
                try:
                    self._issuance.sign(prepared)
                except RequestFailed:
                    log.error("the certificate authority %s could not sign for its OCSP responder", authority_id)
            found = self._storage.read(lambda tx: store.responders(tx, authority_id))
            return usable(found, self._clock.now())

    def _prepare(self, tx: Tx, authority_id: str, key: NewKey) -> Prepared | None:
        """Key, journal row, responder and audit record in one transaction; None when another node was faster."""
        now = self._clock.now()
        look = _look(tx, authority_id)
        if look is None or not is_due(look.authority, look.responders, now):
            return None
        authority = look.authority
        assert authority.certificate is not None
        issuer = Certificate.parse(authority.certificate.der)
        entry = _entry(authority, issuer, key, new_serial(self._entropy), now)
        if not journal.prepare(tx, entry):
            return None
        self._keys.add(tx, key, account=authority.account, purpose=Purpose.OCSP)
        added = store.add_responder(tx, authority_id, serial=entry.serial, key_id=key.id, not_after=entry.not_after)
        assert added, "two transactions took the same number"
        caller = self._caller(authority, now)
        self._audit.record(tx, caller, authority.arn, entry.arn, serial=entry.serial, template=entry.template_arn)
        return Prepared(entry, authority.key_id, issuer.spki)

    def _end_expired(self, tx: Tx) -> int:
        keys = store.remove_expired(tx, self._clock.now(), _SWEEP)
        for key_id in keys:
            self._keys.destroy(tx, key_id)
        return len(keys)

    def _caller(self, authority: Authority, now: datetime) -> Caller:
        """The service itself, in the trail of the CA's owner."""
        return Caller(
            account=authority.account,
            region=authority.region,
            principal_arn=f"arn:{partition_of(authority.region)}:iam::{authority.account}:root",
            access_key_id="",
            request_id=new_uuid(self._entropy),
            operation="greatseal:IssueOcspResponder",
            at=now,
            service_principal="greatseal",
        )


def _look(tx: Tx, authority_id: str) -> _Look | None:
    authority = authorities.find(tx, authority_id)
    return None if authority is None else _Look(authority, store.responders(tx, authority_id))


def _entry(authority: Authority, issuer: Certificate, key: NewKey, serial: int, now: datetime) -> JournalEntry:
    """The journal row of a responder's certificate. Raises RequestFailed when lint finds an error in it."""
    assert authority.certificate is not None
    moment = now.replace(microsecond=0)
    not_after = min(moment + RESPONDER_LIFETIME, issuer.not_after)
    tbs = encode_tbs(
        TbsCertificate(
            serial=serial,
            algorithm=authority.signing_algorithm,
            issuer=issuer.subject,
            not_before=max(moment - BACKDATED, issuer.not_before),
            not_after=not_after,
            subject=_subject(issuer.subject),
            spki=key.spki,
            extensions=_extensions(issuer, key.spki),
        )
    )
    profile = lint.Profile(ca=False, algorithm=authority.signing_algorithm)
    errors = [
        found.message
        for found in lint.lint(tbs, issuer=issuer, profile=profile)
        if found.severity is lint.Severity.ERROR
    ]
    if errors:
        raise RequestFailed(f"The certificate of the OCSP responder would break rules: {' '.join(errors)}")
    return JournalEntry(
        authority_id=authority.id,
        serial=serial_text(serial),
        arn=certificate_arn(authority.arn, serial_text(serial)),
        state=JournalState.PREPARED,
        tbs=tbs,
        signing_algorithm=authority.signing_algorithm,
        template_arn=template_arn(partition_of(authority.region), _TEMPLATE),
        issuer_certificate_id=authority.certificate.id,
        account=authority.account,
        region=authority.region,
        service_principal="greatseal",
        not_after=not_after,
        prepared_at=now,
        key_fingerprint=fingerprint(key.spki),
    )


def _subject(authority: Name) -> Name:
    """The CA's own name with another common name, so that it lies where the name constraints of a chain want it."""
    kept = [rdn for rdn in authority.rdns if all(attribute.oid != COMMON_NAME for attribute in rdn)]
    return Name.build([*kept, (Attribute(COMMON_NAME, der.UTF8_STRING, _COMMON_NAME),)])


def _extensions(issuer: Certificate, spki: bytes) -> tuple[Extension, ...]:
    """Those of a delegated responder (RFC 6960 section 4.2.2.2, Baseline Requirements 7.1.2.8)."""
    return (
        basic_constraints(False, critical=False),
        authority_key_identifier(issuer.key_identifier),
        subject_key_identifier(spki),
        key_usage(["DigitalSignature"]),
        extended_key_usage([OID.OCSP_SIGNING]),
        Extension(OID.OCSP_NO_CHECK, False, der.null()),
    )
