"""Keys of the timestamp authority: made and certified ahead of their time, and destroyed when they sign no more.

A key's certificate goes through the steps 3 to 7 of docs/issuance.md like every other one: its serial is in the journal
before the CA's key is used, a crash is mended by the same recovery, and it can be revoked.
"""

import logging
import threading

from greatseal.domain.audit import Audit
from greatseal.domain.authorities import Issuance
from greatseal.domain.authorities.delegates import Delegation
from greatseal.domain.authorities.model import Authority, Status
from greatseal.domain.authorities.ports import RevocationAddresses, RevocationPoints
from greatseal.domain.authorities.signing import SELF, Prepared
from greatseal.domain.authorities.store import authorities, journal
from greatseal.domain.keys import Keys, NewKey, Purpose
from greatseal.domain.timestamping import store
from greatseal.domain.timestamping.authority import StampAuthority
from greatseal.domain.timestamping.model import BACKDATED, LIFETIME, StampKey, is_due, superseded, usable
from greatseal.kernel.arn import partition_of
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import Refusal
from greatseal.kernel.ids import new_serial, new_uuid
from greatseal.storage import Storage, Tx
from greatseal.x509.certificate import Certificate
from greatseal.x509.extensions import (
    OID,
    Extension,
    authority_information_access,
    crl_distribution_points,
    extended_key_usage,
)

log = logging.getLogger(__name__)

_DELEGATION = Delegation(
    common_name="Timestamp authority",
    template="BlankEndEntityCertificate_APIPassthrough",
    lifetime=LIFETIME,
    backdated=BACKDATED,
)


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
        entry = _DELEGATION.entry(
            authority,
            issuer,
            key,
            _purpose(told),
            serial=serial,
            now=self._clock.now(),
            partition=told.partition,
        )
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


def _purpose(told: RevocationAddresses) -> tuple[Extension, ...]:
    """The purpose is critical and alone (RFC 3161 section 2.3)."""
    extensions = [extended_key_usage([OID.TIME_STAMPING], critical=True)]
    if told.crl_url is not None:
        extensions.append(crl_distribution_points(told.crl_url))
    if told.ocsp_url is not None or told.issuers_url is not None:
        extensions.append(authority_information_access(told.ocsp_url, told.issuers_url))
    return tuple(extensions)
