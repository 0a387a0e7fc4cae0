"""Public certificates, built as one: validation of domains, what follows from it, and the pages of both."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from greatseal.app.bus import Bus
from greatseal.app.notices import Addresses
from greatseal.domain.certificates import Inventory
from greatseal.domain.certificates.finishing import Finishing
from greatseal.domain.certificates.ports import PublicIssuer
from greatseal.domain.certificates.public import Public
from greatseal.domain.certificates.requests import Quotas
from greatseal.domain.certificates.validations import Validations
from greatseal.domain.events import Desk
from greatseal.domain.keys import Keys
from greatseal.domain.policy.public_names import NameRules, check_public
from greatseal.domain.validation import LOOK_JOB, SETTLED_JOB, Approvals, Looks, Tokens, Validation
from greatseal.domain.validation.letters import KIND, ApprovalCarrier
from greatseal.domain.validation.ports import ControlCheck, ControlFailure, Finding
from greatseal.domain.validation.tokens import DEFAULT_SUFFIX
from greatseal.domain.zones import HostedZones
from greatseal.kernel.caller import Caller
from greatseal.kernel.ids import new_uuid
from greatseal.kernel.secret import Secret
from greatseal.web.approvals import PAGES
from greatseal.work.runner import Handler
from greatseal.work.schedule import Recurring

_SERVICE = "acm.amazonaws.com"


@dataclass(frozen=True, slots=True)
class PublicWishes:
    """What the settings say about public certificates."""

    control: ControlCheck | None = None
    """Who looks at domains; None for nobody, and then nothing is ever validated."""
    names: NameRules = field(default_factory=NameRules)
    """Which names a public certificate may have."""
    suffix: str = DEFAULT_SUFFIX
    quotas: Quotas = field(default_factory=Quotas)
    mails_per_domain: int = 500
    """Approval mails to one domain in a day; 0 for any number."""
    can_mail: bool = False
    """Whether there is a mail server."""
    approvals: str | None = None
    """The address of the approval pages; None for one of the listeners."""
    issuer_name: Callable[[], str | None] = lambda: None
    """The organization of the issuer, which requests show before there is a certificate; None when it is not known."""
    issuer: PublicIssuer | None = None
    """None for the installation's own trust services."""


class NobodyLooks:
    """Stands for the look at domains where an installation has none. Implements `ControlCheck`."""

    def cname(self, name: str, value: str) -> Finding:
        """Finds nothing."""
        return Finding(False, ControlFailure.NO_ANSWER, "this installation does not look at domains")

    def http(self, url: str, content: str) -> Finding:
        """Finds nothing."""
        return self.cname(url, content)

    def caa(self, domain: str, *, wildcard: bool, method: str, account_uri: str) -> Finding:
        """Finds nothing."""
        return self.cname(domain, account_uri)


@dataclass(frozen=True, slots=True)
class Validating:
    """The room of validation."""

    validation: Validation
    looks: Looks
    approvals: Approvals
    desk: Desk

    def approver(self, arn: str, source_ip: str, operation: str) -> Caller:
        """Who answers a mail, as the trail of the certificate's account knows it."""
        _, _, _, region, account, _ = arn.split(":", 5)
        return Caller(
            account=account,
            region=region,
            principal_arn="",
            access_key_id="",
            request_id=new_uuid(self.desk.entropy),
            operation=f"acm:{operation}",
            at=self.desk.clock.now(),
            source_ip=source_ip or _SERVICE,
            user_agent=_SERVICE,
        )


@dataclass(frozen=True, slots=True)
class Publics:
    """What public certificates need beside the rooms of all certificates."""

    validating: Validating
    public: Public
    validations: Validations
    issuer: PublicIssuer

    def slow_handlers(self) -> Mapping[str, Handler]:
        """What is done with jobs that wait for the name servers, logs and CAs of others: never in the common loop."""
        return {
            LOOK_JOB: lambda job: self.validating.looks.carry_out(job.key),
            SETTLED_JOB: lambda job: self.public.settle(job.key),
        }

    def last_words(self) -> Mapping[str, Handler]:
        """What is done about jobs that are given up, by kind."""
        return {SETTLED_JOB: lambda job: self.public.give_up(job.key)}

    def recurring(self) -> list[Recurring]:
        """What the clock's door does every so often."""
        end = self.validating.validation.end_overdue
        look = self.validating.looks.resume
        return [
            Recurring("end-overdue-validations", timedelta(minutes=1), lambda: _discard(end())),
            Recurring("resume-validation-looks", timedelta(minutes=10), lambda: _discard(look())),
        ]


def build_validating(
    desk: Desk, *, secret: Secret, bus: Bus, addresses: Addresses, zones: HostedZones, wishes: PublicWishes
) -> Validating:
    """Builds the room. `secret` is the installation's: what customers publish follows from it."""
    tokens = Tokens(secret, suffix=wishes.suffix)
    carrier = ApprovalCarrier(
        tokens=tokens,
        base=_approvals(wishes, addresses),
        mail=lambda: bus.deliveries.carrier("email"),
    )
    bus.deliveries.employ(KIND, carrier)
    validation = Validation(
        storage=desk.storage,
        tokens=tokens,
        check_name=lambda name: check_public((name,), wishes.names),
        can_mail=lambda: wishes.can_mail,
        post=bus.deliveries.post,
        publish=zones.want,
        clock=desk.clock,
        entropy=desk.entropy,
        mails_per_domain=wishes.mails_per_domain,
    )
    looks = Looks(
        storage=desk.storage,
        tokens=tokens,
        control=wishes.control or NobodyLooks(),
        clock=desk.clock,
        entropy=desk.entropy,
    )
    return Validating(validation, looks, Approvals(storage=desk.storage, audit=desk.audit, clock=desk.clock), desk)


def build_publics(
    validating: Validating,
    *,
    inventory: Inventory,
    finishing: Finishing,
    keys: Keys,
    addresses: Addresses,
    wishes: PublicWishes,
) -> Publics:
    """Builds what asks the room of validation, and what issues then."""
    desk = validating.desk
    issuer = wishes.issuer
    assert issuer is not None
    public = Public(
        storage=desk.storage,
        validation=validating.validation,
        control=wishes.control or NobodyLooks(),
        issuer=issuer,
        finishing=finishing,
        keys=keys,
        clock=desk.clock,
        entropy=desk.entropy,
    )
    validations = Validations(
        storage=desk.storage,
        inventory=inventory,
        validation=validating.validation,
        pages=lambda: addresses.plain + PAGES,
        issuer_name=wishes.issuer_name,
        audit=desk.audit,
        clock=desk.clock,
    )
    return Publics(validating, public, validations, issuer)


def _approvals(wishes: PublicWishes, addresses: Addresses) -> Callable[[], str]:
    """Links are secrets, so https comes first, whichever listener has it from the outside."""

    def base() -> str:
        if wishes.approvals is not None:
            return wishes.approvals
        return addresses.plain if addresses.plain.startswith("https://") else addresses.api

    return base


def _discard(_: object) -> None:
    """Recurring tasks return nothing."""
