"""The CAs of the installation: made when somebody first needs them, by whichever node comes first.

Each is found by its role. The row of the role is written with the CA itself, and every certificate is ordered under a
token, so that a crash at any line, or a second node beside it, leaves one CA with one certificate.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from greatseal.domain.access.model import root_arn
from greatseal.domain.authorities import Issuance, Lifecycle, Registry
from greatseal.domain.authorities.issued import IssuedCertificate
from greatseal.domain.authorities.lifecycle import NewAuthority
from greatseal.domain.authorities.model import Authority, Kind, Status, SubjectSpec
from greatseal.domain.authorities.order import Order
from greatseal.domain.authorities.permission import ACM_PRINCIPAL
from greatseal.domain.authorities.revocation_settings import CrlSettings, CrlType, OcspSettings, RevocationSettings
from greatseal.domain.trust_services import store
from greatseal.domain.trust_services.model import (
    CROSS_YEARS,
    ISSUER_YEARS,
    LEAST_LEFT,
    OLD,
    OLD_YEARS,
    ROOT_YEARS,
    ROOTS,
    TIERS,
    Names,
    Plan,
    Tier,
    issuer_role,
    root_role,
)
from greatseal.domain.trust_services.store import Role
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import InvalidState, Refusal
from greatseal.kernel.ids import new_uuid
from greatseal.storage import Storage, Tx, installation
from greatseal.x509 import pem, templates
from greatseal.x509.certificate import Certificate
from greatseal.x509.csr import parse_csr
from greatseal.x509.extensions import authority_key_identifier, key_identifier_of
from greatseal.x509.templates import Template, template_arn
from greatseal.x509.validity import Validity, ValidityType, absolute, validity_period

log = logging.getLogger(__name__)

TOKEN_WINDOW = timedelta(days=30)
"""How long an order may be repeated and get the same certificate."""

_NAME = "trust-services-name"
# Lists are made anew at half of their life. Those of roots hold no more than a few entries.
_ROOT_LISTS = RevocationSettings(CrlSettings(enabled=True, expiration_days=30), OcspSettings(enabled=True))
_ISSUER_LISTS = RevocationSettings(
    CrlSettings(enabled=True, expiration_days=7, crl_type=CrlType.PARTITIONED), OcspSettings(enabled=True)
)
_ROOT = templates.TEMPLATES["RootCACertificate_APIPassthrough"]


class _Taken(Exception):
    """Another node has made the CA of this role: ours is undone."""


@dataclass(frozen=True, slots=True)
class Root:
    """A root with what was signed for its key. `cross` is by the older root; the older root itself has none."""

    tier: Tier
    authority: Authority
    cross: bytes | None

    @property
    def der(self) -> bytes:
        """Its self-signed certificate."""
        assert self.authority.certificate is not None
        return self.authority.certificate.der


class Hierarchy:
    """Makes and finds the CAs."""

    def __init__(
        self,
        *,
        storage: Storage,
        registry: Registry,
        lifecycle: Lifecycle,
        issuance: Issuance,
        clock: Clock,
        entropy: Entropy,
        plan: Plan,
        account: str,
        region: str,
    ) -> None:
        """`account` is the installation's own, `region` where its CAs are."""
        self._storage = storage
        self._registry = registry
        self._lifecycle = lifecycle
        self._issuance = issuance
        self._clock = clock
        self._entropy = entropy
        self._plan = plan
        self._account = account
        self._region = region
        # Two jobs of one process would make the same CA, and one of them for nothing.
        self._making = threading.Lock()

    def caller(self, operation: str, request_id: str | None = None) -> Caller:
        """The installation, acting for itself."""
        return Caller(
            account=self._account,
            region=self._region,
            principal_arn=root_arn(self._account, self._region),
            access_key_id="",
            request_id=request_id or new_uuid(self._entropy),
            operation=f"greatseal:{operation}",
            at=self._clock.now(),
            source_ip=ACM_PRINCIPAL,
            user_agent=ACM_PRINCIPAL,
            service_principal=ACM_PRINCIPAL,
        )

    def is_begun(self) -> bool:
        """Whether anybody has needed a CA yet."""
        return bool(self._storage.read(store.all_roles))

    def complete(self) -> None:
        """Makes what is missing of the whole hierarchy. Raises as `issuers`, when all tiers were looked at."""
        refused: Refusal | None = None
        for tier in ROOTS:
            try:
                self.issuers(tier)
            except Refusal as refusal:
                refused = refusal
        if refused is not None:
            raise refused

    def roots(self) -> tuple[Root, ...]:
        """The roots that there are, the older one first."""
        return self._storage.read(self._roots)

    def roles(self, tier: int | None = None) -> list[tuple[Role, Authority]]:
        """The CAs that there are, with what is known of them."""

        def work(tx: Tx) -> list[tuple[Role, Authority]]:
            return [(role, self._registry.load(tx, role.arn)) for role in store.all_roles(tx, tier)]

        return self._storage.read(work)

    def issuers(self, tier: Tier) -> list[Authority]:
        """The CAs of a tier that may issue now; more are made when there are fewer than the plan wants.

        As long as there are any, that no more can be made stops nobody. When there are none: raises InProgress when
        another node is making them or a key is away, InvalidState when the root ends, and what a CA refuses with.
        """
        good = self._good(tier)
        if len(good) >= self._plan.issuers:
            return good
        try:
            return self._made(tier)
        except Refusal as refusal:
            if not (good := self._good(tier)):
                raise
            log.warning("root %s has %d issuing CAs: %s", tier.number, len(good), refusal)
            return good

    def _made(self, tier: Tier) -> list[Authority]:
        with self._making:
            root = self.root(tier)
            if not _may_issue(root, self._clock.now()):
                # Whatever it signed could not issue either.
                raise InvalidState(f"{root.arn} signs no issuing CA any more: it is disabled, or ends within a year.")
            present = [role for role, _ in self.roles(tier.number) if role.number is not None]
            for role in present:
                self._certified_issuer(tier, role.number or 0, root)
            number = max((role.number or 0 for role in present), default=0)
            while len(good := self._good(tier)) < self._plan.issuers:
                number += 1
                self._certified_issuer(tier, number, root)
            return good

    def pick(self, tx: Tx, tier: Tier, chance: int) -> Authority | None:
        """The issuing CA that a random number picks; None when `issuers` has to be asked.

        That is when there are too few, or when the one that was picked may not issue: all others are not looked at.
        """
        roles = [role for role in store.all_roles(tx, tier.number) if role.number is not None]
        if not roles or len(roles) < self._plan.issuers:
            return None
        picked = self._registry.load(tx, roles[chance % len(roles)].arn)
        return picked if _may_issue(picked, self._clock.now()) else None

    def root(self, tier: Tier) -> Authority:
        """A root with its certificate, and, unless it is the older one, its cross-certificate."""
        years = OLD_YEARS if tier.number == OLD else ROOT_YEARS
        root = self._authority(Role(root_role(tier.number), tier.number, None, ""), Kind.ROOT, tier, self._names().root)
        if root.certificate is None:
            issued = self._certify(root, root, _ROOT, years, "certificate")
            root = self._install(root, issued)
        if tier.number != OLD:
            self._cross(tier, root)
        return root

    def _cross(self, tier: Tier, root: Authority) -> None:
        role = self._storage.read(lambda tx: store.find(tx, root_role(tier.number)))
        assert role is not None
        if role.cross_arn is None:
            old = self.root(TIERS[OLD])
            issued = self._certify(old, root, templates.PUBLIC_CROSS, CROSS_YEARS, f"{role.role}/cross")
            self._storage.transact(lambda tx: store.cross(tx, role.role, issued.arn))

    def _certified_issuer(self, tier: Tier, number: int, root: Authority) -> None:
        role = Role(issuer_role(tier.number, number), tier.number, number, "")
        issuer = self._authority(role, Kind.SUBORDINATE, tier, lambda _: self._names().issuer(tier, number))
        if issuer.certificate is None:
            issued = self._certify(root, issuer, templates.PUBLIC_ISSUER, ISSUER_YEARS, role.role)
            self._install(issuer, issued)

    def _authority(self, role: Role, kind: Kind, tier: Tier, name: Callable[[int], SubjectSpec]) -> Authority:
        """The CA of a role, with or without a certificate; made when there is none."""
        found = self._storage.read(lambda tx: store.find(tx, role.role))
        if found is not None:
            return self._registry.describe(found.arn)

        def made(tx: Tx, arn: str) -> None:
            if not store.add(tx, Role(role.role, role.tier, role.number, arn)):
                raise _Taken

        new = NewAuthority(
            kind=kind,
            key_algorithm=tier.key,
            signing_algorithm=tier.signing,
            subject=name(tier.number),
            own_revocation=_ROOT_LISTS if kind is Kind.ROOT else _ISSUER_LISTS,
        )
        try:
            return self._registry.describe(self._lifecycle.create(self.caller("CreateTrustServices"), new, made))
        except _Taken:
            return self._authority(role, kind, tier, name)

    def _certify(
        self, issuer: Authority, subject: Authority, template: Template, years: int, token: str
    ) -> IssuedCertificate:
        """A CA certificate, from midnight of today, so that it is not younger than what it signs today.

        It ends with its issuer when that ends sooner.
        """
        caller = self.caller("CreateTrustServices")
        midnight = self._clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        order = Order(
            csr=pem.write("CERTIFICATE REQUEST", subject.csr).encode("ascii"),
            signing_algorithm=issuer.signing_algorithm,
            validity=_within(issuer, Validity(years, ValidityType.YEARS), midnight),
            not_before=absolute(midnight),
            template=template,
            template_arn=template_arn(caller.partition, template.name),
            passthrough=_own_identifier(subject) if template.root else None,
            idempotency_token=token,
            idempotency_window=TOKEN_WINDOW,
        )
        return self._issuance.certificate(issuer.arn, self._issuance.issue(caller, issuer.arn, order))

    def _install(self, authority: Authority, issued: IssuedCertificate) -> Authority:
        chain = pem.write_certificates(issued.chain).encode("ascii") if issued.chain else None
        certificate = pem.write("CERTIFICATE", issued.certificate).encode("ascii")
        self._lifecycle.import_certificate(self.caller("CreateTrustServices"), authority.arn, certificate, chain)
        return self._registry.describe(authority.arn)

    def _good(self, tier: Tier) -> list[Authority]:
        now = self._clock.now()
        return [each for role, each in self.roles(tier.number) if role.number is not None and _may_issue(each, now)]

    def _roots(self, tx: Tx) -> tuple[Root, ...]:
        found = []
        for role in store.all_roles(tx):
            if role.number is not None:
                continue
            authority = self._registry.load(tx, role.arn)
            if authority.certificate is not None:
                cross = None
                if role.cross_arn is not None:
                    cross = self._issuance.certificate_in(tx, role.cross_arn)
                found.append(Root(TIERS[role.tier], authority, cross))
        return tuple(found)

    def organization(self) -> str:
        """The organization in the names of our CAs. Never call it inside a transaction."""
        return self._names().organization

    def _names(self) -> Names:
        """With an organization that nobody else has, so that roots of two installations are not mistaken."""
        plan = self._plan
        if plan.organization is not None:
            return Names(plan.organization, plan.brand, plan.country)
        made = self._entropy.token_bytes(4).hex().encode()
        decided = self._storage.read(lambda tx: installation.recall(tx, _NAME))
        if decided is None:
            decided = self._storage.transact(lambda tx: installation.remember(tx, _NAME, made))
        return Names(f"{plan.brand} {decided.decode()}", plan.brand, plan.country)


def _own_identifier(root: Authority) -> templates.Passthrough:
    """A root names its own key as its issuer's, which is recommended (BR section 7.1.2.1.2)."""
    own = authority_key_identifier(key_identifier_of(parse_csr(root.csr).spki))
    return templates.passthrough(custom=[own])


def _within(issuer: Authority, wanted: Validity, now: datetime) -> Validity:
    """A life that is no longer than that of the issuer; a root that has no certificate yet decides itself."""
    _, end = validity_period(wanted, None, now)
    return absolute(issuer.not_after) if issuer.not_after is not None and issuer.not_after < end else wanted


def _may_issue(authority: Authority, now: datetime) -> bool:
    if authority.status_at(now) is not Status.ACTIVE or authority.not_after is None:
        return False
    return authority.not_after - now > LEAST_LEFT


def issuer_of(authority: Authority) -> Certificate:
    """The parsed certificate of a CA that has one."""
    assert authority.certificate is not None
    return Certificate.parse(authority.certificate.der)
