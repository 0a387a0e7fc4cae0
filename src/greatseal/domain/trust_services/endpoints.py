"""Test endpoints: for each root one certificate that is valid, one that is revoked, and one that has expired.

What is shown is true at the moment it is shown, or not shown at all: nobody backdates a certificate, so the expired one
appears when it has expired (workflows.md 13.2).
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from greatseal.crypto.algorithms import default_signature_algorithm
from greatseal.domain.authorities import Issuance, Registry
from greatseal.domain.keys import Keys, Purpose
from greatseal.domain.revocation import Revocations
from greatseal.domain.revocation.model import RevocationReason
from greatseal.domain.trust_services import store
from greatseal.domain.trust_services.hierarchy import Hierarchy
from greatseal.domain.trust_services.model import ROOTS, Plan, Tier
from greatseal.domain.trust_services.service import TrustServices
from greatseal.domain.trust_services.store import EndpointRow
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import AlreadyProcessed, InProgress, Refusal
from greatseal.kernel.ids import new_uuid
from greatseal.kernel.secret import Secret
from greatseal.storage import Storage, Tx
from greatseal.x509 import pem
from greatseal.x509.attributes import COMMON_NAME
from greatseal.x509.certificate import Certificate
from greatseal.x509.csr import build_csr
from greatseal.x509.extensions import subject_alternative_name
from greatseal.x509.general_names import dns
from greatseal.x509.names import subject_from_custom

log = logging.getLogger(__name__)

RENEW_BEFORE = timedelta(days=30)
_SHORT = timedelta(minutes=10)
"""How long the certificate lives that is to expire."""


class State(Enum):
    """What a client that goes there has to find out."""

    VALID = "valid"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A test endpoint that is what it says. `chain` begins with the certificate itself (DER)."""

    tier: Tier
    state: State
    host: str
    chain: tuple[bytes, ...]
    key_id: str


class Endpoints:
    """Keeps the certificates of test endpoints true."""

    def __init__(
        self,
        *,
        storage: Storage,
        hierarchy: Hierarchy,
        services: TrustServices,
        registry: Registry,
        issuance: Issuance,
        revocations: Revocations,
        keys: Keys,
        clock: Clock,
        entropy: Entropy,
        plan: Plan,
        account: str,
    ) -> None:
        self._storage = storage
        self._hierarchy = hierarchy
        self._services = services
        self._registry = registry
        self._issuance = issuance
        self._revocations = revocations
        self._keys = keys
        self._clock = clock
        self._entropy = entropy
        self._plan = plan
        self._account = account
        self.port: int | None = None
        """Where the listener answers; None while there is none."""

    def keep_up(self) -> None:
        """Makes, renews and revokes what is due; what cannot be done now waits for the next time."""
        for tier in ROOTS if self._plan.endpoints is not None else ():
            for state in State:
                try:
                    self._keep(tier, state)
                except (InProgress, Refusal) as problem:
                    log.warning("the %s test endpoint of root %s waits: %s", state.value, tier.number, problem)

    def shown(self) -> tuple[Endpoint, ...]:
        """The endpoints that are what they say, now."""

        def work(tx: Tx) -> list[EndpointRow]:
            return [row for row in store.endpoints(tx) if self._is_true(tx, row)]

        newest: dict[str, EndpointRow] = {}
        for row in self._storage.read(work):
            newest.setdefault(row.name, row)
        return tuple(self._endpoint(row) for row in newest.values())

    def key_of(self, endpoint: Endpoint) -> Secret:
        """Its private key (PKCS#8), for the listener."""
        return self._storage.read(lambda tx: self._keys.export(tx, endpoint.key_id))

    def url(self, tier: Tier, state: State) -> str | None:
        """Where an endpoint is; None while nobody listens."""
        if self._plan.endpoints is None or self.port is None:
            return None
        return f"https://{self._host(tier, state)}{'' if self.port == 443 else f':{self.port}'}/"

    def _host(self, tier: Tier, state: State) -> str:
        return f"{state.value}.root{tier.number}.{self._plan.endpoints}"

    def _keep(self, tier: Tier, state: State) -> None:
        mine = (tier.number, state.value)
        rows = [row for row in self._storage.read(store.endpoints) if (row.tier, row.state) == mine]
        row = rows[0] if rows and self._serves(rows[0]) else self._begin(tier, state, rows[0].generation if rows else 0)
        if row is None:
            return  # another node has begun it
        if row.certificate_arn is None:
            row = self._issue(tier, row)
        if state is State.REVOKED:
            self._revoke(row)
        current = row

        def work(tx: Tx) -> None:
            # What was shown so far is shown until its successor is what it says.
            if self._is_true(tx, current):
                for older in rows:
                    if older.generation < current.generation:
                        store.remove_endpoint(tx, older)
                        self._keys.destroy(tx, older.key_id)

        self._storage.transact(work)

    def _serves(self, row: EndpointRow) -> bool:
        """Whether no successor is needed yet."""
        tier = next(each for each in ROOTS if each.number == row.tier)
        if row.name != self._host(tier, State(row.state)):
            return False
        if row.certificate_arn is None:
            return True
        now = self._clock.now()
        authority = self._registry.describe(row.certificate_arn.partition("/certificate/")[0])
        if authority.not_after is None or authority.not_after - now < RENEW_BEFORE:
            return False
        if row.state == State.EXPIRED.value:
            return True
        revoked = self._storage.read(lambda tx: self._is_revoked(tx, row))
        return row.not_after - now > RENEW_BEFORE and (row.state == State.REVOKED.value or not revoked)

    def _begin(self, tier: Tier, state: State, last: int) -> EndpointRow | None:
        key = self._keys.generate(tier.leaf)
        row = EndpointRow(tier.number, state.value, last + 1, self._host(tier, state), key.id, self._clock.now())

        def work(tx: Tx) -> bool:
            if not store.add_endpoint(tx, row):
                return False
            self._keys.add(tx, key, account=self._account, purpose=Purpose.CERTIFICATE)
            return True

        return row if self._storage.transact(work) else None

    def _issue(self, tier: Tier, row: EndpointRow) -> EndpointRow:
        signer = self._keys.signer(row.key_id)
        names = subject_alternative_name([dns(row.name)], critical=False)
        subject = subject_from_custom([(COMMON_NAME, row.name)])
        csr = build_csr(subject, signer, default_signature_algorithm(signer.algorithm), (names,))
        issued = self._services.place(
            csr=pem.write("CERTIFICATE REQUEST", csr).encode("ascii"),
            key=tier.leaf,
            # The key is in it: a generation that was begun anew is another order.
            token=f"endpoint/{row.name}/{row.key_id}"[-200:],
            logged=True,
            tier=tier,
            not_after=self._clock.now() + _SHORT if row.state == State.EXPIRED.value else None,
        )
        not_after = Certificate.parse(issued.certificate).not_after
        self._storage.transact(lambda tx: store.set_endpoint_certificate(tx, row, issued.arn, not_after))
        return EndpointRow(row.tier, row.state, row.generation, row.name, row.key_id, not_after, issued.arn)

    def _revoke(self, row: EndpointRow) -> None:
        assert row.certificate_arn is not None
        authority_arn, _, serial = row.certificate_arn.partition("/certificate/")
        if not self._storage.read(lambda tx: self._is_revoked(tx, row)):
            caller = self._hierarchy.caller("RevokeTestCertificate", new_uuid(self._entropy))
            try:
                # Without a reason, which Java reports as UNSPECIFIED (workflows.md 13.2).
                reason = RevocationReason.UNSPECIFIED
                self._revocations.revoke(caller, authority_arn, serial=serial, reason=reason)
            except AlreadyProcessed:
                return

    def _is_true(self, tx: Tx, row: EndpointRow) -> bool:
        if row.certificate_arn is None:
            return False
        has_ended = self._clock.now() > row.not_after
        if row.state == State.EXPIRED.value:
            return has_ended
        return not has_ended and self._is_revoked(tx, row) == (row.state == State.REVOKED.value)

    def _is_revoked(self, tx: Tx, row: EndpointRow) -> bool:
        assert row.certificate_arn is not None
        authority_arn, _, serial = row.certificate_arn.partition("/certificate/")
        return self._revocations.find(tx, authority_arn.rpartition("/")[2], serial) is not None

    def _endpoint(self, row: EndpointRow) -> Endpoint:
        assert row.certificate_arn is not None
        arn = row.certificate_arn
        leaf = self._issuance.certificate(arn.partition("/certificate/")[0], arn).certificate
        issued = (leaf, *(self._services.chain(leaf) or ()))
        tier = next(each for each in ROOTS if each.number == row.tier)
        return Endpoint(tier, State(row.state), row.name, issued, row.key_id)
