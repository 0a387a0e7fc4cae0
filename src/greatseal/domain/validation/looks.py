"""Looking at domains until the record or the page is there (acm.md 8.1, 8.3).

One job for each account, method and domain serves everybody who waits. Its pauses grow with the time that the last one
has waited, and are random in part, so that many domains that were asked for together are not looked at together.
"""

from datetime import datetime, timedelta

from greatseal.domain.validation import store
from greatseal.domain.validation.model import Method, NameState
from greatseal.domain.validation.ports import ControlCheck, Finding
from greatseal.domain.validation.service import LOOK_JOB, look_soon, tell, weigh
from greatseal.domain.validation.tokens import Tokens
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.storage import Storage, Tx

FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=15)
_DETAIL_LENGTH = 500
_BATCH = 500


class Looks:
    """Carries out the jobs that look. Threads may share it."""

    def __init__(
        self, *, storage: Storage, tokens: Tokens, control: ControlCheck, clock: Clock, entropy: Entropy
    ) -> None:
        self._storage = storage
        self._tokens = tokens
        self._control = control
        self._clock = clock
        self._entropy = entropy

    def carry_out(self, key: str) -> None:
        """Looks at the domain that a job's key names, and plans the next look while somebody waits for it."""
        kind, account, domain = key.split("/", 2)
        method = Method(kind)
        now = self._clock.now()
        if not self._storage.read(lambda tx: store.is_wanted(tx, method, account, domain, now)):
            return
        finding = self._look(method, account, domain)
        self._storage.transact(lambda tx: self._note(tx, method, account, domain, finding))

    def resume(self) -> int:
        """Gives every domain that somebody waits for its job, whatever became of the last one; how many had none."""
        total = 0
        while True:
            found = self._storage.read(lambda tx: store.abandoned(tx, LOOK_JOB, _BATCH))
            if not found:
                return total
            now = self._clock.now()

            def adopt(tx: Tx, keys: list[tuple[Method, str, str]] = found, now: datetime = now) -> None:
                for method, account, domain in keys:
                    look_soon(tx, method, account, domain, now)

            self._storage.transact(adopt)
            total += len(found)

    def _look(self, method: Method, account: str, domain: str) -> Finding:
        if method is Method.HTTP:
            page = self._tokens.page(account, domain)
            return self._control.http(page.redirect_from, page.content)
        record = self._tokens.record(account, domain)
        return self._control.cname(record.name, record.value)

    def _note(self, tx: Tx, method: Method, account: str, domain: str, finding: Finding) -> None:
        now = self._clock.now()
        waiting = store.pending(tx, method, account, domain, now)
        if finding.ok:
            for attempt, name in waiting:
                store.settle(tx, attempt.reference, name.position, NameState.SUCCESS, reason=None, at=now)
            for reference in dict.fromkeys(attempt.reference for attempt, _ in waiting):
                weigh(tx, reference, now)
            return
        if not waiting:
            return
        detail = (finding.detail or (finding.failure.value if finding.failure else "not found"))[:_DETAIL_LENGTH]
        for attempt, name in waiting:
            if name.detail != detail:
                store.note(tx, attempt.reference, name.position, detail)
            if not attempt.troubled and store.trouble(tx, attempt.reference) and attempt.renewal:
                tell(tx, attempt.reference, now)
        youngest = max(attempt.started_at for attempt, _ in waiting)
        look_soon(tx, method, account, domain, now + self._pause(now, youngest))

    def _pause(self, now: datetime, since: datetime) -> timedelta:
        # A clock that was set back makes the age negative.
        full = min(max((now - since) / 2, FIRST_PAUSE), LONGEST_PAUSE)
        share = int.from_bytes(self._entropy.token_bytes(2), "big") / (1 << 16)
        return full / 2 + full / 2 * share
