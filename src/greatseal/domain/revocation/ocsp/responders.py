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
from greatseal.domain.authorities.delegates import Delegation
from greatseal.domain.authorities.model import Authority
from greatseal.domain.authorities.signing import Prepared
from greatseal.domain.authorities.store import authorities, journal
from greatseal.domain.keys import Keys, NewKey, Purpose
from greatseal.domain.revocation.ocsp import store
from greatseal.domain.revocation.ocsp.model import BACKDATED, RESPONDER_LIFETIME, Responder, is_due, usable
from greatseal.kernel.arn import partition_of
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import RequestFailed
from greatseal.kernel.ids import new_serial, new_uuid
from greatseal.storage import Storage, Tx
from greatseal.x509 import der
from greatseal.x509.certificate import Certificate
from greatseal.x509.extensions import (
    OID,
    Extension,
    extended_key_usage,
)

log = logging.getLogger(__name__)

_DELEGATION = Delegation(
    common_name="OCSP responder",
    template="OCSPSigningCertificate",
    lifetime=RESPONDER_LIFETIME,
    backdated=BACKDATED,
)
_PURPOSE = (extended_key_usage([OID.OCSP_SIGNING]), Extension(OID.OCSP_NO_CHECK, False, der.null()))
"""Those of a delegated responder (RFC 6960 section 4.2.2.2, Baseline Requirements 7.1.2.8)."""
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
        entry = _DELEGATION.entry(authority, issuer, key, _PURPOSE, serial=new_serial(self._entropy), now=now)
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
