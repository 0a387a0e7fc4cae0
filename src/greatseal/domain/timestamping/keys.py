"""Keys of the timestamp authority: made and certified ahead of their time, and destroyed when they sign no more.

A key's certificate goes through the steps 3 to 7 of docs/issuance.md like every other one: its serial is in the journal
before the CA's key is used, a crash is mended by the same recovery, and it can be revoked.
"""

import logging
import threading
from datetime import datetime

from greatseal.domain.audit import Audit
from greatseal.domain.authorities import Issuance
from greatseal.domain.authorities.issued import JournalEntry, JournalState, certificate_arn, serial_text
from greatseal.domain.authorities.model import Authority, Status
from greatseal.domain.authorities.ports import RevocationAddresses, RevocationPoints
from greatseal.domain.authorities.signing import SELF, Prepared
from greatseal.domain.authorities.store import authorities, journal
from greatseal.domain.keys import Keys, NewKey, Purpose
from greatseal.domain.keys.model import fingerprint
from greatseal.domain.timestamping import store
from greatseal.domain.timestamping.authority import StampAuthority
from greatseal.domain.timestamping.model import BACKDATED, LIFETIME, StampKey, is_due, superseded, usable
from greatseal.kernel.arn import partition_of
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import Refusal, RequestFailed
from greatseal.kernel.ids import new_serial, new_uuid
from greatseal.storage import Storage, Tx
from greatseal.x509 import der, lint
from greatseal.x509.attributes import COMMON_NAME, Attribute
from greatseal.x509.certificate import Certificate, TbsCertificate, encode_tbs
from greatseal.x509.extensions import (
    OID,
    Extension,
    authority_information_access,
    authority_key_identifier,
    basic_constraints,
    crl_distribution_points,
    extended_key_usage,
    key_usage,
    subject_key_identifier,
)
from greatseal.x509.names import Name
from greatseal.x509.templates import template_arn

log = logging.getLogger(__name__)

_TEMPLATE = "BlankEndEntityCertificate_APIPassthrough"
_COMMON_NAME = "Timestamp authority"


class StampKeys:
    """Makes, finds and ends the keys that sign tokens."""

    def __init__(
        self,
        *,
        storage: Storage,
        authority: StampAuthority,
        keys: Keys,
        issuance: Issuance,
        points: RevocationPoints,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        account: str,
        region: str,
    ) -> None:
        """`account` and `region` are those of the installation, whose act it is."""
        self._storage = storage
        self._authority = authority
        self._keys = keys
        self._issuance = issuance
        self._points = points
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._account = account
        self._region = region
        # Many clients may be the first; one of them makes the key, the others wait for it.
        self._making = threading.Lock()

    def current(self) -> StampKey | None:
        """The key that signs now; made when there is none. None: it cannot be had now, try again a little later."""
        found = self._storage.read(store.keys)
        return usable(found, self._clock.now()) or self._renewed()

    def rotate(self) -> None:
        """Makes the next key if that is due, and destroys those that sign no more; nothing before the first use."""
        if not self._storage.read(store.keys):
            return
        self._renewed()
        self._storage.transact(self._end)

    def chain(self, key: StampKey) -> tuple[Certificate, ...]:
        """The key's certificate and those above it, without the root, which whoever verifies has."""
        issued = self._issuance.certificate(key.authority_arn, key.certificate_arn)
        above = [Certificate.parse(each) for each in issued.chain or ()]
        return (Certificate.parse(issued.certificate), *(each for each in above if not each.is_self_issued))

    def _renewed(self) -> StampKey | None:
        with self._making:
            try:
                self._make()
            except Refusal as error:
                log.error("no key for timestamps could be certified: %s", error)
            return usable(self._storage.read(store.keys), self._clock.now())

    def _make(self) -> None:
        """Another key if it is due. Raises Refusal."""
        authority = self._authority.ensure(self._caller("CreateTimestampAuthority"))
        if not self._is_due(self._storage.read(store.keys), authority):
            return
        key = self._keys.generate(authority.key_algorithm, Purpose.TIMESTAMPING)
        prepared = self._storage.transact(lambda tx: self._prepare(tx, authority.id, key))
        if prepared is not None:
            self._issuance.sign(prepared)

    def _is_due(self, found: list[StampKey], authority: Authority) -> bool:
        now = self._clock.now()
        if authority.certificate is None or authority.status_at(now) is not Status.ACTIVE:
            return False
        assert authority.not_after is not None
        return is_due(found, authority.arn, authority.certificate.id, now, authority.not_after)

    def _prepare(self, tx: Tx, authority_id: str, key: NewKey) -> Prepared | None:
        """Key, journal row and audit record in one transaction; None when another node was faster."""
        authority = authorities.find(tx, authority_id)
        if authority is None or not self._is_due(store.keys(tx), authority):
            return None
        assert authority.certificate is not None
        issuer = Certificate.parse(authority.certificate.der)
        serial = new_serial(self._entropy)
        told = self._points.bind(tx, authority, serial)
        entry = _entry(authority, issuer, key, serial, self._clock.now(), told)
        if not journal.prepare(tx, entry):
            return None
        self._keys.add(tx, key, account=authority.account, purpose=Purpose.TIMESTAMPING)
        row = {"authority_arn": authority.arn, "authority_id": authority.id, "serial": entry.serial}
        added = store.add_key(tx, **row, key_id=key.id)
        assert added, "two transactions took the same number"
        caller = self._caller("IssueTimestampKey")
        self._audit.record(tx, caller, authority.arn, entry.arn, serial=entry.serial, template=entry.template_arn)
        return Prepared(entry, authority.key_id, issuer.spki)

    def _end(self, tx: Tx) -> None:
        for each in superseded(store.keys(tx), self._clock.now()):
            store.remove_key(tx, each.number)
            self._keys.destroy(tx, each.key_id)

    def _caller(self, operation: str) -> Caller:
        """The service itself, in the trail of the installation."""
        return Caller(
            account=self._account,
            region=self._region,
            principal_arn=f"arn:{partition_of(self._region)}:iam::{self._account}:root",
            access_key_id="",
            request_id=new_uuid(self._entropy),
            operation=f"greatseal:{operation}",
            at=self._clock.now(),
            service_principal=SELF,
        )


def _entry(
    authority: Authority, issuer: Certificate, key: NewKey, serial: int, now: datetime, told: RevocationAddresses
) -> JournalEntry:
    """The journal row of a key's certificate. Raises RequestFailed when lint finds an error in it."""
    assert authority.certificate is not None
    moment = now.replace(microsecond=0)
    not_after = min(moment + LIFETIME, issuer.not_after)
    tbs = encode_tbs(
        TbsCertificate(
            serial=serial,
            algorithm=authority.signing_algorithm,
            issuer=issuer.subject,
            not_before=max(moment - BACKDATED, issuer.not_before),
            not_after=not_after,
            subject=_subject(issuer.subject),
            spki=key.spki,
            extensions=_extensions(issuer, key.spki, told),
        )
    )
    profile = lint.Profile(ca=False, algorithm=authority.signing_algorithm)
    found = lint.lint(tbs, issuer=issuer, profile=profile)
    errors = [each.message for each in found if each.severity is lint.Severity.ERROR]
    if errors:
        raise RequestFailed(f"The certificate of the timestamp authority would break rules: {' '.join(errors)}")
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
        service_principal=SELF,
        not_after=not_after,
        prepared_at=now,
        key_fingerprint=fingerprint(key.spki),
        partition=told.partition,
    )


def _subject(authority: Name) -> Name:
    """The CA's own name with another common name, so that it lies where the name constraints of a chain want it."""
    kept = [rdn for rdn in authority.rdns if all(attribute.oid != COMMON_NAME for attribute in rdn)]
    return Name.build([*kept, (Attribute(COMMON_NAME, der.UTF8_STRING, _COMMON_NAME),)])


def _extensions(issuer: Certificate, spki: bytes, told: RevocationAddresses) -> tuple[Extension, ...]:
    """The purpose is critical and alone (RFC 3161 section 2.3)."""
    extensions = [
        basic_constraints(False, critical=False),
        authority_key_identifier(issuer.key_identifier),
        subject_key_identifier(spki),
        key_usage(["DigitalSignature"]),
        extended_key_usage([OID.TIME_STAMPING], critical=True),
    ]
    if told.crl_url is not None:
        extensions.append(crl_distribution_points(told.crl_url))
    if told.ocsp_url is not None or told.issuers_url is not None:
        extensions.append(authority_information_access(told.ocsp_url, told.issuers_url))
    return tuple(extensions)
