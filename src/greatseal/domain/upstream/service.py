"""Orders at the CA upstream, step by step; each call goes as far as it gets without waiting (docs/upstream.md).

    1 row of the order → 2 new order there → its URL in the row → 3 authorizations: answer prepared, CA told
    → 4 finalize with the CSR of the row → 5 certificate fetched, checked, in the row → 6 answers taken away

A crash between 2 and its row leaves an order there that is never finalized. All other steps are asked for again.
"""

import logging
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Protocol
from urllib.parse import urlsplit

from greatseal.crypto.algorithms import KeyAlgorithm
from greatseal.domain.authorities.issued import IssuedCertificate
from greatseal.domain.keys import Keys, Purpose
from greatseal.domain.upstream import outcome, store
from greatseal.domain.upstream.challenges import Challenges
from greatseal.domain.upstream.jose import base64url
from greatseal.domain.upstream.outcome import UpstreamRefused
from greatseal.domain.upstream.ports import Account, AcmeServer, Answer, Problem
from greatseal.kernel.arn import partition_of
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import InProgress
from greatseal.kernel.secret import Secret
from greatseal.storage import Storage
from greatseal.x509.certificate import Certificate
from greatseal.x509.csr import parse_csr

log = logging.getLogger(__name__)

_INSTALLATION = "000000000000"
_LONGEST_PAUSE = timedelta(hours=6)
_ASK_AGAIN = timedelta(hours=6)
_SOONEST = timedelta(minutes=1)
_LATEST = timedelta(days=1)


class Order(Protocol):
    """What is read of an order for a public certificate; see `PublicOrder`, which is one."""

    @property
    def names(self) -> tuple[str, ...]:
        """In lower case."""
        ...

    @property
    def csr(self) -> bytes:
        """PEM."""
        ...

    @property
    def logged(self) -> bool:
        """Whether the certificate may be, and is, in logs."""
        ...

    @property
    def token(self) -> str:
        """The same token gives the same certificate."""
        ...

    @property
    def account(self) -> str:
        """Of the certificate's ARN."""
        ...

    @property
    def region(self) -> str:
        """Of the certificate's ARN."""
        ...


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the settings say about the CA. `binding` is key id and key (base64url) of an external account."""

    contact: tuple[str, ...] = ()
    profile: str | None = None
    binding: tuple[str, Secret] | None = None
    is_logging: bool = True


class Upstream:
    """Has certificates issued by the CA upstream. Implements `PublicIssuer` of the room of certificates."""

    def __init__(
        self,
        *,
        storage: Storage,
        server: AcmeServer,
        challenges: Challenges,
        keys: Keys,
        clock: Clock,
        wishes: Wishes,
    ) -> None:
        self._storage = storage
        self._server = server
        self._challenges = challenges
        self._keys = keys
        self._clock = clock
        self._wishes = wishes

    @property
    def name(self) -> str:
        """What the CA is called before one of its certificates is known: its host."""
        return urlsplit(self._server.directory_url).hostname or ""

    def issue(self, order: Order) -> IssuedCertificate:
        """The certificate of an order. Raises InProgress while it is under way, UpstreamRefused for good."""
        if self._wishes.is_logging and not order.logged:
            raise UpstreamRefused("The CA logs every certificate, so that transparency logging cannot be disabled.")
        now = self._clock.now()
        directory = self._server.directory_url
        self._storage.transact(lambda tx: store.add_order(tx, order.token, directory, order.csr, now))
        row = self._storage.read(lambda tx: store.order(tx, order.token))
        assert row is not None
        if row.chain is None and row.failure is None:
            if row.not_before is not None and now < row.not_before:
                raise InProgress(f"The CA upstream wants to be asked again at {row.not_before.isoformat()}.")
            try:
                self._advance(order, row)
            except Problem as problem:
                self._take_problem(order.token, problem)
            row = self._storage.read(lambda tx: store.order(tx, order.token))
            assert row is not None
        # What was written for an order that ended before a crash is taken away by whoever comes next.
        self._challenges.clear(order.token)
        if row.failure is not None:
            raise UpstreamRefused(row.detail, row.failure)
        chain = outcome.certificates(row.chain)
        whose = f"arn:{partition_of(order.region)}:acm:{order.region}:{order.account}"
        arn = f"{whose}:upstream/{sha256(chain[0]).hexdigest()}"
        return IssuedCertificate(arn, f"{Certificate.parse(chain[0]).serial:032x}", chain[0], chain[1:])

    def renews_at(self, certificate: bytes) -> datetime | None:
        """When the CA wants a certificate (DER) renewed (RFC 9773); None leaves it to the planner.

        Asks the CA when what it said is too old, and goes by what is known when it does not answer. Within the window
        every certificate has a moment of its own, always the same.
        """
        identifier = outcome.ari_identifier(certificate)
        now = self._clock.now()
        if identifier is None or Certificate.parse(certificate).not_after <= now:
            return None
        known = self._storage.read(lambda tx: store.window(tx, identifier))
        if known is not None and now < known.ask_again_at:
            return known.renews_at  # type: ignore[no-any-return]
        moment: datetime | None = None if known is None else known.renews_at
        pause = _ASK_AGAIN
        try:
            base = self._server.directory().get("renewalInfo")
            if base is not None:
                start, end, told = self._server.renewal_window(f"{str(base).removesuffix('/')}/{identifier}")
                share = int.from_bytes(sha256(certificate).digest()[:4], "big") / (1 << 32)
                moment = start + (end - start) * share
                pause = min(max(told or _ASK_AGAIN, _SOONEST), _LATEST)
        except Problem as problem:
            log.warning("the CA upstream did not say when to renew: %s", problem)
        kept = moment
        self._storage.transact(lambda tx: store.know_window(tx, identifier, kept, now + pause))
        return moment

    def revoke(self, certificate: bytes, reason: int) -> None:
        """Revokes a certificate (DER) for a reason of RFC 5280, by its code. Raises InProgress, UpstreamRefused."""
        try:
            url = str(self._server.directory()["revokeCert"])
            self._server.post(self._account(), url, {"certificate": base64url(certificate), "reason": reason})
        except Problem as problem:
            if problem.kind == "alreadyRevoked":
                return
            if problem.is_passing:
                raise InProgress(f"The CA upstream cannot be asked now: {problem.detail}") from None
            raise UpstreamRefused(f"The CA upstream does not revoke the certificate: {problem.detail}") from None

    def _advance(self, order: Order, row: Any) -> None:
        """Goes on until the certificate is in the row. Raises Problem, and InProgress to be called again."""
        account = self._account()
        url = row.url or self._begin(account, order)
        found = self._server.look(account, url)
        if found.members.get("status") == "pending":
            self._authorize(account, order.token, found)
            found = self._server.look(account, url)
        if found.members.get("status") == "ready":
            csr = {"csr": base64url(parse_csr(row.csr).der)}
            self._server.post(account, str(found.members["finalize"]), csr)
            found = self._server.look(account, url)
        match found.members.get("status"):
            case "valid":
                text = self._server.certificate(account, str(found.members["certificate"]))
                self._keep(order.token, row.csr, order.names, text)
            case "invalid":
                raise self._why_invalid(account, found)
            case _:
                self._wait(order.token, found)

    def _begin(self, account: Account, order: Order) -> str:
        replaces = None
        if "renewalInfo" in self._server.directory():
            earlier = self._storage.read(lambda tx: store.last_chain(tx, order.token.partition("/")[0]))
            replaces = outcome.ari_identifier(outcome.certificates(earlier)[0]) if earlier else None
        profile = self._wishes.profile
        try:
            made = self._server.new_order(account, order.names, profile=profile, replaces=replaces)
        except Problem as problem:
            # What is replaced is a hint: a CA that does not take it, takes the order.
            if replaces is None or problem.is_passing:
                raise
            made = self._server.new_order(account, order.names, profile=profile, replaces=None)
        self._storage.transact(lambda tx: store.place(tx, order.token, made.url))
        row = self._storage.read(lambda tx: store.order(tx, order.token))
        assert row is not None
        return str(row.url)

    def _authorize(self, account: Account, token: str, order: Answer) -> None:
        for url in order.members.get("authorizations", ()):
            authorization = self._server.look(account, str(url))
            if authorization.members.get("status") != "pending":
                continue
            told = self._challenges.prepare(token, str(url), authorization.members, account.signer.spki)
            if told is not None:
                self._server.post(account, told, {})

    def _keep(self, token: str, csr: bytes, names: Sequence[str], text: bytes) -> None:
        outcome.check(text, parse_csr(csr).spki, names, self._clock.now())
        chain = text.decode("ascii", "replace")
        self._storage.transact(lambda tx: store.change_order(tx, token, chain=chain))

    def _wait(self, token: str, answer: Answer) -> None:
        if answer.retry_after is not None:
            self._not_before(token, answer.retry_after)
        raise InProgress("The CA upstream has not issued the certificate yet.")

    def _not_before(self, token: str, pause: timedelta) -> None:
        until = self._clock.now() + min(pause, _LONGEST_PAUSE)
        self._storage.transact(lambda tx: store.change_order(tx, token, not_before=until))

    def _take_problem(self, token: str, problem: Problem) -> None:
        """Makes a refusal of a problem, or has it tried again. Raises InProgress."""
        if problem.kind == "accountDoesNotExist":
            # Its database was lost, or the settings name another CA at the same URL: we introduce ourselves again.
            self._storage.transact(lambda tx: store.know_account(tx, self._server.directory_url, None))
        elif not problem.is_passing and problem.kind not in outcome.OPERATORS_MATTERS:
            log.warning("the CA upstream refused the order %s: %s", token, problem)
            reason, detail = outcome.reason_of(problem), str(problem)[:1000]
            self._storage.transact(lambda tx: store.change_order(tx, token, failure=reason, detail=detail))
            return
        log.warning("the CA upstream did not carry out the order %s now: %s", token, problem)
        if problem.retry_after is not None:
            self._not_before(token, problem.retry_after)
        raise InProgress(f"The CA upstream cannot be asked now: {problem.detail}") from None

    def _why_invalid(self, account: Account, order: Answer) -> Problem:
        """What the order itself or one of its challenges says."""
        told = outcome.problem_in(order.members.get("error"))
        for url in order.members.get("authorizations", ()):
            if told is not None:
                break
            for challenge in self._server.look(account, str(url)).members.get("challenges", ()):
                told = told or outcome.problem_in(challenge.get("error"))
        # An order that became invalid stays so, whatever made it invalid: also a problem that elsewhere passes.
        return Problem(
            told.kind if told and told.kind else "unauthorized", told.detail if told else "no reason given", status=400
        )

    def _account(self) -> Account:
        """Our account there, made when there is none."""
        directory = self._server.directory_url
        row = self._storage.read(lambda tx: store.account(tx, directory))
        if row is None:
            new = self._keys.generate(KeyAlgorithm.EC_prime256v1, Purpose.UPSTREAM)

            def work(tx: Any) -> None:
                if store.add_account(tx, directory, new.id):
                    self._keys.add(tx, new, account=_INSTALLATION, purpose=Purpose.UPSTREAM)

            self._storage.transact(work)
            row = self._storage.read(lambda tx: store.account(tx, directory))
            assert row is not None
        account = Account(self._keys.signer(row.key_id), row.url)
        if row.url is not None:
            return account
        binding = self._wishes.binding
        bound = None if binding is None else (binding[0], _decoded(binding[1]))
        url = self._server.new_account(account, contact=self._wishes.contact, binding=bound)
        self._storage.transact(lambda tx: store.know_account(tx, directory, url))
        return Account(account.signer, url)


def _decoded(key: Secret) -> bytes:
    text = key.reveal().rstrip(b"=")
    return urlsafe_b64decode(text + b"=" * (-len(text) % 4))
