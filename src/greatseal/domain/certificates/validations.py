"""How the validation of a certificate is shown and steered: challenges, mails, e-mail to DNS (acm.md 4.8 to 4.10)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from greatseal.domain.audit import Audit
from greatseal.domain.certificates.inventory import Inventory
from greatseal.domain.certificates.model import ManagedCertificate, Status, Type
from greatseal.domain.certificates.public import CHANGE, subject_of
from greatseal.domain.certificates.store import certificates as store
from greatseal.domain.validation import Attempt, AttemptState, Method, Name, NameState, Validation, Wanted
from greatseal.domain.validation.letters import mailboxes
from greatseal.domain.validation.model import without_wildcard
from greatseal.domain.validation.tokens import Record
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import Conflict, InvalidState, ValidationFailed
from greatseal.storage import Storage, Tx


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where the page of an HTTP validation is expected, and where ours is."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One name as the owner sees it; of the three challenges there is the one of its method."""

    name: str
    domain: str
    method: Method
    state: NameState
    record: Record | None = None
    mailboxes: tuple[str, ...] | None = None
    redirect: Redirect | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the validation method (acm.md 8.6)."""

    state: AttemptState
    requested_at: datetime
    updated_at: datetime
    names: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Described:
    """A certificate and its validation; of private and imported ones there is none."""

    item: ManagedCertificate
    issuer: str | None = None
    """Who will sign it, as far as that is known; of one that was signed its body says so."""
    names: tuple[Shown, ...] = ()
    renewal: tuple[Shown, ...] = ()
    """Of the renewal that is under way, else as `names`."""
    change: Change | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """What UpdateCertificateOptions may be asked for; None leaves a thing as it is."""

    method: str | None = None
    transparency_logging: str | None = None
    export: str | None = None


class Validations:
    """What the owner of a public certificate sees and does while its names are validated."""

    def __init__(
        self,
        *,
        storage: Storage,
        inventory: Inventory,
        validation: Validation,
        pages: Callable[[], str],
        issuer_name: Callable[[], str | None],
        audit: Audit,
        clock: Clock,
    ) -> None:
        """Our pages of HTTP validations lie below `pages`; `issuer_name` is the organization of the issuer."""
        self._storage = storage
        self._inventory = inventory
        self._validation = validation
        self._pages = pages
        self._issuer_name = issuer_name
        self._audit = audit
        self._clock = clock

    def describe(self, caller: Caller, arn: str) -> Described:
        """One certificate with its validation, as they are at one instant. Raises NotFound."""

        def work(tx: Tx) -> Described:
            item = self._inventory.load(tx, caller, arn)
            if item.type is not Type.AMAZON_ISSUED:
                return Described(item)
            return self._described(item, self._validation.attempts(tx, item.id))

        described = self._storage.read(work)
        if described.item.type is not Type.AMAZON_ISSUED or described.item.material is not None:
            return described
        return replace(described, issuer=self._issuer_name())

    def resend(self, caller: Caller, arn: str, name: str, domain: str) -> None:
        """Sends the mails about a name once more (acm.md 4.8)."""

        def work(tx: Tx) -> None:
            item = self._inventory.load(tx, caller, arn)
            attempt = self._current(tx, item)
            if attempt is None or item.pending_key_id is None:
                raise InvalidState(f"Certificate {arn} does not wait for an answer to a validation email.")
            self._validation.resend(tx, attempt, name.lower(), domain.lower())
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def update(self, caller: Caller, arn: str, wanted: Options) -> None:
        """Changes options (acm.md 4.9). Raises InvalidState, Conflict, ValidationFailed."""

        def work(tx: Tx) -> None:
            item = self._inventory.load(tx, caller, arn)
            self._check_update(item, wanted)
            if wanted.transparency_logging not in (None, item.transparency_logging):
                item = replace(item, transparency_logging=str(wanted.transparency_logging))
                store.save(tx, item)
            if wanted.method is not None:
                self._start_change(tx, caller, item)
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def _check_update(self, item: ManagedCertificate, wanted: Options) -> None:
        kinds = {Type.PRIVATE: "private", Type.IMPORTED: "imported"}
        if item.type in kinds:
            raise InvalidState(
                f"The UpdateCertificateOptions command is not permitted for {kinds[item.type]} certificates."
            )
        if item.status_at(self._clock.now()) is not Status.ISSUED:
            raise InvalidState(f"Certificate {item.arn} is not in the state ISSUED, so its options cannot be updated.")
        if wanted.export not in (None, item.export_option):
            raise ValidationFailed("The export option of a certificate cannot be changed after it was requested.")
        if wanted.method is None:
            return
        if wanted.method != Method.DNS.value:
            raise ValidationFailed("The validation method of a certificate can be changed to DNS only.")
        if item.validation_method != Method.EMAIL.value:
            raise InvalidState(f"Certificate {item.arn} is not validated by email, so its method cannot be changed.")

    def _start_change(self, tx: Tx, caller: Caller, item: ManagedCertificate) -> None:
        running = self._validation.find(tx, f"{item.id}/{CHANGE}")
        if running is not None and running.state in (AttemptState.OPEN, AttemptState.VALID):
            raise Conflict(f"The validation method of certificate {item.arn} is being changed already.")
        names = [Wanted(name) for name in item.names]
        self._validation.start(tx, subject_of(item, caller), CHANGE, Method.DNS, names)

    def _current(self, tx: Tx, item: ManagedCertificate) -> Attempt | None:
        return self._validation.find(tx, f"{item.id}/{item.generation}")

    def _described(self, item: ManagedCertificate, attempts: list[Attempt]) -> Described:
        current = next((each for each in attempts if each.purpose != CHANGE), None)
        change = next((each for each in attempts if each.purpose == CHANGE), None)
        if current is None:
            return Described(item)
        live = tuple(self._shown(current, name, self._state(item, current, name)) for name in current.names)
        issued = tuple(replace(each, state=NameState.SUCCESS) for each in live)
        is_issued = item.material is not None
        return Described(
            item,
            names=issued if is_issued else live,
            renewal=live,
            change=self._change(item, change) if change is not None else None,
        )

    def _state(self, item: ManagedCertificate, attempt: Attempt, name: Name) -> NameState:
        """The state of a name, but for the last one: who waits for all names finds the certificate issued."""
        if attempt.state is not AttemptState.VALID or item.pending_key_id is None:
            return name.state
        last = max(attempt.names, key=lambda each: (each.validated_at or attempt.started_at, each.position))
        return NameState.PENDING_VALIDATION if name == last else name.state

    def _shown(self, attempt: Attempt, name: Name, state: NameState) -> Shown:
        account, tokens = attempt.subject.account, self._validation.tokens
        base = without_wildcard(name.name)
        match attempt.method:
            case Method.DNS:
                return Shown(name.name, name.name, Method.DNS, state, record=tokens.record(account, base))
            case Method.HTTP:
                page = tokens.page(account, base)
                redirect = Redirect(page.redirect_from, self._pages() + page.path)
                return Shown(name.name, name.name, Method.HTTP, state, redirect=redirect)
            case Method.EMAIL:
                sent = mailboxes(without_wildcard(name.domain)) if attempt.was_mailed else ()
                return Shown(name.name, name.domain, Method.EMAIL, state, mailboxes=sent)

    def _change(self, item: ManagedCertificate, change: Attempt) -> Change:
        # Until the certificate knows of it, it is not done.
        done = change.state is not AttemptState.VALID or item.validation_method == change.method.value
        names = tuple(self._shown(change, name, name.state) for name in change.names)
        state = change.state if done else AttemptState.OPEN
        return Change(state, change.started_at, change.ended_at or change.started_at, names)
