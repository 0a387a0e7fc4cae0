"""SCTs for a precertificate, from logs of different operators (RFC 6962 section 3.3).

Logs are asked side by side, as many as are needed first; for each that fails, or is slow, the next one is asked. What
comes back is verified before it counts: anybody may run a log, and a certificate with a wrong SCT is refused.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue

from greatseal.domain.transparency.model import milliseconds
from greatseal.domain.transparency.ports import LogFailed, SubmissionClient
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import InProgress, MalformedCertificate
from greatseal.x509 import sct
from greatseal.x509.certificate import Certificate
from greatseal.x509.der import DerError
from greatseal.x509.sct import Sct, log_id_of

# Clocks differ; a timestamp that is further ahead makes browsers refuse the certificate.
_AHEAD = timedelta(seconds=60)
# A CA's clock and a log's differ as well, in the other direction.
_BEFORE = timedelta(minutes=5)
# A log that failed is asked last for so long.
_REST = timedelta(minutes=1)

_log = logging.getLogger(__name__)

Answers = SimpleQueue[tuple["KnownLog", Sct | Exception]]


@dataclass(frozen=True, slots=True)
class KnownLog:
    """A log that takes submissions: its name, who runs it, its key (DER of its SubjectPublicKeyInfo)."""

    name: str
    operator: str
    spki: bytes
    client: SubmissionClient


@dataclass(frozen=True, slots=True)
class Demand:
    """How many SCTs a certificate needs, from how many operators, and how long logs may take, in seconds."""

    scts: int = 2
    operators: int = 2
    patience: float = 2.0
    """After so long another log is asked beside one that has not answered."""
    deadline: float = 15.0


@dataclass(slots=True)
class _Round:
    """One collection: whom one may still ask, who is being asked, and what came."""

    entry: bytes
    not_before: int
    waiting: list[KnownLog]
    asked: int = 0
    got: dict[str, tuple[KnownLog, bytes]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


class Submission:
    """Collects SCTs. Logs of ours are asked in this process, others over HTTP."""

    def __init__(
        self,
        *,
        logs: Callable[[], Sequence[KnownLog]],
        clock: Clock,
        demand: Demand | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`logs` gives the logs in the order in which they are asked."""
        self._logs = logs
        self._clock = clock
        self._demand = demand or Demand()
        self._monotonic = monotonic
        self._resting: dict[bytes, datetime] = {}

    def collect(self, precertificate: bytes, chain: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """SCTs, encoded and verified, in the order of the logs. `chain` is DER from the issuer up.

        Never call it inside a transaction. Raises InProgress when too few logs answer now, and
        MalformedCertificate for what is no precertificate with its issuer.
        """
        try:
            leaf, issuer = Certificate.parse(precertificate), Certificate.parse(chain[0])
            entry = sct.precertificate_entry_of(issuer.spki, leaf)
        except (DerError, IndexError) as error:
            raise MalformedCertificate(f"The precertificate or its issuer cannot be read: {error}.") from None
        logs = list(self._logs())
        current = _Round(entry, milliseconds(leaf.not_before - _BEFORE), sorted(logs, key=self._rests))
        answers: Answers = SimpleQueue()
        self._ask(current, (precertificate, *chain), answers)
        until = self._monotonic() + self._demand.deadline
        while current.asked and not self._is_enough(current):
            left = until - self._monotonic()
            if left <= 0:
                current.problems.append(f"{current.asked} logs did not answer in time")
                break
            try:
                log, answer = answers.get(timeout=min(left, self._demand.patience))
            except Empty:
                self._ask_one(current, (precertificate, *chain), answers)
                continue
            current.asked -= 1
            self._take(current, log, answer)
            self._ask(current, (precertificate, *chain), answers)
        if not self._is_enough(current):
            raise InProgress("Too few logs gave a timestamp: " + "; ".join(current.problems or ["none is configured"]))
        return self._chosen(current, logs)

    def _take(self, current: _Round, log: KnownLog, answer: Sct | Exception) -> None:
        problem = str(answer) if isinstance(answer, Exception) else self._problem(current, log, answer)
        if problem is None:
            assert isinstance(answer, Sct)
            current.got[log.name] = (log, answer.encode())
            self._resting.pop(log.spki, None)
            return
        _log.warning("the log %s gave no timestamp: %s", log.name, problem)
        current.problems.append(f"{log.name}: {problem}")
        self._resting[log.spki] = self._clock.now() + _REST

    def _problem(self, current: _Round, log: KnownLog, found: Sct) -> str | None:
        """Why an SCT does not count."""
        if found.log_id != log_id_of(log.spki):
            return "the timestamp is of another log"
        if not sct.verify(found, log.spki, current.entry):
            return "the signature of the timestamp does not verify"
        if found.timestamp > milliseconds(self._clock.now() + _AHEAD):
            return "the timestamp is of the future"
        # An entry that was sent before keeps its timestamp, however old; but nobody saw it before it was made.
        if found.timestamp < current.not_before:
            return "the timestamp is older than the precertificate"
        return None

    def _ask(self, current: _Round, chain: Sequence[bytes], answers: Answers) -> None:
        """Asks as many logs as are still needed beyond those that have not answered."""
        while not self._is_enough(current) and self._missing(current) > current.asked and current.waiting:
            self._ask_one(current, chain, answers)

    def _ask_one(self, current: _Round, chain: Sequence[bytes], answers: Answers) -> None:
        """Asks the next log, one of an operator that is not heard of before another of the same."""
        if not current.waiting:
            return
        heard = {log.operator for log, _ in current.got.values()}
        log = next((each for each in current.waiting if each.operator not in heard), current.waiting[0])
        current.waiting.remove(log)
        current.asked += 1

        def ask() -> None:
            try:
                answers.put((log, log.client.add_pre_chain(chain)))
            except Exception as error:  # noqa: BLE001 - whatever a log does, the others are asked
                if not isinstance(error, LogFailed):
                    _log.exception("asking the log %s failed", log.name)
                answers.put((log, error))

        threading.Thread(target=ask, name=f"greatseal-log-{log.name}", daemon=True).start()

    def _missing(self, current: _Round) -> int:
        operators = {log.operator for log, _ in current.got.values()}
        return max(self._demand.scts - len(current.got), self._demand.operators - len(operators))

    def _is_enough(self, current: _Round) -> bool:
        return self._missing(current) <= 0

    def _chosen(self, current: _Round, logs: Sequence[KnownLog]) -> tuple[bytes, ...]:
        """The SCTs in the order of the logs; one that is more than needed is embedded as well."""
        return tuple(current.got[each.name][1] for each in logs if each.name in current.got)

    def _rests(self, log: KnownLog) -> bool:
        until = self._resting.get(log.spki)
        return until is not None and until > self._clock.now()
