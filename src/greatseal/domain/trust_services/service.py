"""Issues public certificates: from an issuing CA that chance picks, and with the chain that is served now."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from greatseal.crypto.algorithms import KeyAlgorithm
from greatseal.domain.authorities import Issuance, Registry
from greatseal.domain.authorities.issued import IssuedCertificate
from greatseal.domain.authorities.model import Authority
from greatseal.domain.authorities.order import Order
from greatseal.domain.revocation import Revocations
from greatseal.domain.trust_services import store
from greatseal.domain.trust_services.hierarchy import TOKEN_WINDOW, Hierarchy, issuer_of
from greatseal.domain.trust_services.model import OLD, TIER_OF_LEAF, Chain, Plan, Tier
from greatseal.domain.trust_services.ports import Ordered, Submission
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import InvalidArgument, InvalidRequest, InvalidState, RequestFailed
from greatseal.storage import Storage, Tx
from greatseal.x509.certificate import Certificate
from greatseal.x509.templates import public_server, template_arn
from greatseal.x509.validity import absolute, public_period

_KEPT = timedelta(days=60)


class TrustServices:
    """The installation as an issuer of public certificates."""

    def __init__(
        self,
        *,
        storage: Storage,
        hierarchy: Hierarchy,
        registry: Registry,
        issuance: Issuance,
        revocations: Revocations,
        submission: Submission | None,
        clock: Clock,
        entropy: Entropy,
        plan: Plan,
    ) -> None:
        """Without `submission` nothing is logged, whatever orders want."""
        self.storage = storage
        self._hierarchy = hierarchy
        self._registry = registry
        self._issuance = issuance
        self._revocations = revocations
        self._submission = submission
        self.clock = clock
        self._entropy = entropy
        self._plan = plan
        self._lock = threading.Lock()
        self._paths: dict[bytes, tuple[bytes, bytes, bytes | None]] = {}

    def issue(self, order: Ordered) -> IssuedCertificate:
        """The certificate of an order, as `place`."""
        return self.place(
            csr=order.csr,
            key=KeyAlgorithm[order.key_algorithm],
            token=order.token,
            logged=order.logged,
            request_id=order.request_id,
        )

    def revoke(self, certificate: bytes, reason: int) -> None:
        """Refuses: what our own CAs have issued is revoked by their journal. Raises InvalidRequest."""
        raise InvalidRequest("The CA that issued the certificate is not in the settings of this installation any more.")

    def renews_at(self, certificate: bytes) -> datetime | None:
        """Leaves it to the planner: our own CA has no wishes."""
        return None

    def place(
        self,
        *,
        csr: bytes,
        key: KeyAlgorithm,
        token: str,
        logged: bool,
        request_id: str | None = None,
        tier: Tier | None = None,
        not_after: datetime | None = None,
    ) -> IssuedCertificate:
        """A certificate for a CSR (PEM) whose names are validated; the same token gives the same certificate.

        `tier` and `not_after` are for test endpoints: otherwise the key decides on the first, the plan on the second.
        Raises InProgress (try again later: a log or a key is away, or another node is at it) and other refusals.
        """
        tier = tier or TIER_OF_LEAF.get(key)
        if tier is None:
            raise InvalidArgument(f"There are no public certificates for keys of type {key.name}.")
        authority = self._given_to(token, tier)
        caller = self._hierarchy.caller("IssuePublicCertificate", request_id)
        start, end = public_period(self.clock.now(), self._plan.days)
        template = public_server(key.family, client_auth=self._plan.client_auth)
        order = Order(
            csr=csr,
            signing_algorithm=authority.signing_algorithm,
            validity=absolute(not_after or end),
            not_before=absolute(start),
            template=template,
            template_arn=template_arn(caller.partition, template.name),
            idempotency_token=token,
            idempotency_window=TOKEN_WINDOW,
            logged=logged and self._submission is not None,
        )
        try:
            arn = self._issuance.issue(caller, authority.arn, order)
        except InvalidState:
            # The CA was disabled since. Had it prepared anything under this token, that would have been the answer.
            authority = self._given_anew(token, tier, authority)
            order = replace(order, signing_algorithm=authority.signing_algorithm)
            arn = self._issuance.issue(caller, authority.arn, order)
        issued = self._embed(authority, arn) or self._issuance.certificate(authority.arn, arn)
        return replace(issued, chain=self.chain(issued.certificate) or issued.chain)

    def _given_to(self, token: str, tier: Tier) -> Authority:
        """The CA that an order is for; picked when it comes for the first time."""
        now, chance = self.clock.now(), int.from_bytes(self._entropy.token_bytes(8))

        def work(tx: Tx) -> Authority | None:
            given = store.bound(tx, token)
            if given is not None:
                return self._registry.load(tx, given)
            picked = self._hierarchy.pick(tx, tier, chance)
            return None if picked is None else self._bind(tx, token, picked, now)

        found = self.storage.transact(work)
        if found is None:
            issuers = self._hierarchy.issuers(tier)
            found = self.storage.transact(lambda tx: self._bind(tx, token, issuers[chance % len(issuers)], now))
        return found

    def _given_anew(self, token: str, tier: Tier, refused: Authority) -> Authority:
        """Another CA of the same root, or the one that another run was given meanwhile."""
        issuers = self._hierarchy.issuers(tier)
        picked = issuers[int.from_bytes(self._entropy.token_bytes(8)) % len(issuers)]
        arn = self.storage.transact(lambda tx: store.rebind(tx, token, refused.arn, picked.arn))
        return picked if arn == picked.arn else self._registry.describe(arn)

    def _bind(self, tx: Tx, token: str, picked: Authority, now: datetime) -> Authority:
        """The CA that was picked, or the one that the order was given to meanwhile."""
        bound = store.bind(tx, token, picked.arn, now)
        return picked if bound == picked.arn else self._registry.load(tx, bound)

    def _embed(self, authority: Authority, certificate_arn: str) -> IssuedCertificate | None:
        """Gets the timestamps of a precertificate and has the certificate made; None for one that is there."""
        waiting = self._issuance.precertificate(authority.arn, certificate_arn)
        if waiting is None:
            return None
        revocation = self.storage.read(lambda tx: self._revocations.find(tx, authority.id, waiting.serial))
        if revocation is not None:
            raise RequestFailed("The precertificate was revoked before its certificate was made.")
        if self._submission is None:
            raise RequestFailed("The precertificate needs timestamps of logs, and this installation asks none.")
        scts = self._submission.collect(waiting.der, waiting.chain)
        return self._issuance.embed(authority.arn, certificate_arn, scts)

    def chain(self, certificate: bytes) -> tuple[bytes, ...] | None:
        """What is handed out above a certificate (DER) now, nearest issuer first; None when it is not one of ours.

        The setting decides, for certificates that were issued long ago as well (workflows.md 13.4).
        """
        found = self._path_of(Certificate.parse(certificate))
        if found is None:
            return None
        issuer, cross, old = found
        # Clients that take the first chain which they are shown fail at a cross-certificate that has ended.
        has_ended = Certificate.parse(cross).not_after < self.clock.now()
        served: Sequence[bytes | None]
        match Chain.SHORT if has_ended else self._plan.chain:
            case Chain.SHORT:
                served = (issuer,)
            case Chain.CROSS_SIGNED:
                served = (issuer, cross)
            case Chain.LONG:
                served = (issuer, cross, old)
        return tuple(each for each in served if each is not None)

    def _path_of(self, leaf: Certificate) -> tuple[bytes, bytes, bytes | None] | None:
        """Issuer, cross-certificate and older root. They never change, so they are read once."""
        name = leaf.issuer.der
        with self._lock:
            found = self._paths.get(name)
        if found is None:
            roots = {root.tier.number: root for root in self._hierarchy.roots()}
            old = roots.get(OLD)
            paths = {}
            for role, authority in self._hierarchy.roles():
                root = roots.get(role.tier)
                if role.number is None or authority.certificate is None or root is None or root.cross is None:
                    continue
                issuer = issuer_of(authority)
                paths[issuer.subject.der] = (issuer.der, root.cross, old.der if old else None)
            with self._lock:
                self._paths = paths
            found = paths.get(name)
        if found is None or Certificate.parse(found[0]).key_identifier != leaf.authority_key_identifier:
            return None
        return found

    def is_wanted(self) -> bool:
        """Whether there is, or is to be, a hierarchy: somebody needed it once, or test endpoints want one."""
        return self._plan.endpoints is not None or self._hierarchy.is_begun()

    def keep_up(self) -> None:
        """Makes what is missing of the hierarchy, and forgets orders of long ago."""
        before = self.clock.now() - _KEPT
        self.storage.transact(lambda tx: store.prune_orders(tx, before))
        self._hierarchy.complete()
