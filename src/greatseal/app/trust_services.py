"""The trust services, built as one: the hierarchy, who issues from it, its test endpoints and its pages."""

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache

import structlog

from greatseal.app.own_acts import INSTALLATION_ACCOUNT
from greatseal.app.publics import PublicWishes
from greatseal.domain.authorities import Issuance, Lifecycle, Registry
from greatseal.domain.events import Desk
from greatseal.domain.keys import Keys
from greatseal.domain.revocation import Revocations
from greatseal.domain.trust_services import Chain, Endpoints, Hierarchy, Plan, TrustRepository, TrustServices
from greatseal.domain.trust_services.ports import Submission
from greatseal.kernel.errors import InProgress, Refusal
from greatseal.settings import Settings
from greatseal.storage import Tx, queue
from greatseal.web.trust_endpoints import EndpointListener
from greatseal.work.runner import Handler
from greatseal.work.schedule import Recurring

_log = structlog.get_logger("greatseal")

UPKEEP_JOB = "trust-services-upkeep"


@dataclass(frozen=True, slots=True)
class Trusting:
    """The room of trust services."""

    services: TrustServices
    hierarchy: Hierarchy
    endpoints: Endpoints
    repository: TrustRepository

    def issuing_for(self, wishes: PublicWishes) -> PublicWishes:
        """The wishes, with us as the issuer where there is none upstream."""
        if wishes.issuer is not None:
            return wishes
        return replace(wishes, issuer=self.services, issuer_name=cache(self.hierarchy.organization))

    def keep_up(self) -> None:
        """Makes what is missing and renews what is due."""
        try:
            self.services.keep_up()
        except InProgress as problem:
            _log.info("trust_services_wait", problem=str(problem))
        except Refusal as problem:
            _log.error("trust_services_refused", problem=str(problem))
        self.endpoints.keep_up()

    def slow_handlers(self) -> dict[str, Handler]:
        """What is done with jobs that take seconds for keys, or wait for logs: never in the common loop."""
        return {UPKEEP_JOB: lambda job: self.keep_up()}

    def recurring(self) -> list[Recurring]:
        """What the clock's door does every so often."""

        def ask() -> None:
            def work(tx: Tx) -> None:
                queue.enqueue(tx, kind=UPKEEP_JOB, key="all", payload={}, due=self.services.clock.now())

            if self.services.is_wanted():
                self.services.storage.transact(work)

        return [Recurring("keep-up-trust-services", timedelta(minutes=10), ask)]


def plan_of(settings: Settings) -> Plan:
    """What the settings decide. Raises OSError for names that no CA of an installation may have."""
    wanted = settings.trust_services
    try:
        return Plan(
            brand=wanted.brand,
            organization=wanted.organization,
            country=wanted.country,
            issuers=wanted.issuers,
            days=wanted.days,
            client_auth=wanted.client_auth,
            chain=Chain(wanted.chain),
            endpoints=wanted.endpoint_domain if wanted.endpoint_listen is not None else None,
        )
    except ValueError as error:
        raise OSError(f"the settings of the trust services cannot be used: {error}") from None


def build_trust_services(
    desk: Desk,
    *,
    registry: Registry,
    lifecycle: Lifecycle,
    issuance: Issuance,
    revocations: Revocations,
    keys: Keys,
    submission: Submission | None,
    plan: Plan | None,
    region: str,
) -> Trusting:
    """Builds the room. Without `submission` no certificate is logged; without a `plan` that of an empty file holds."""
    plan = plan or Plan()
    hierarchy = Hierarchy(
        storage=desk.storage,
        registry=registry,
        lifecycle=lifecycle,
        issuance=issuance,
        clock=desk.clock,
        entropy=desk.entropy,
        plan=plan,
        account=INSTALLATION_ACCOUNT,
        region=region,
    )
    services = TrustServices(
        storage=desk.storage,
        hierarchy=hierarchy,
        registry=registry,
        issuance=issuance,
        revocations=revocations,
        submission=submission,
        clock=desk.clock,
        entropy=desk.entropy,
        plan=plan,
    )
    endpoints = Endpoints(
        storage=desk.storage,
        hierarchy=hierarchy,
        services=services,
        registry=registry,
        issuance=issuance,
        revocations=revocations,
        keys=keys,
        clock=desk.clock,
        entropy=desk.entropy,
        plan=plan,
        account=INSTALLATION_ACCOUNT,
    )
    return Trusting(services, hierarchy, endpoints, TrustRepository(hierarchy, endpoints))


def endpoint_listener(settings: Settings, trusting: Trusting) -> EndpointListener | None:
    """The listener of the test endpoints, bound and not started; None when the settings want none."""
    where = settings.trust_services.endpoint_listen
    if where is None:
        return None
    listener = EndpointListener(where.host, where.port, trusting.endpoints)
    trusting.endpoints.port = listener.port
    return listener
