"""The same look from elsewhere: what a network between us and a domain makes us believe, others do not see."""

import http.client
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import msgspec

from greatseal.domain.validation import caa
from greatseal.domain.validation.ports import ControlFailure, Finding
from greatseal.integrations.domain_control.local import LocalControl
from greatseal.integrations.domain_control.questions import (
    LARGEST,
    PATH,
    Answer,
    CaaQuestion,
    CnameQuestion,
    HttpQuestion,
    Question,
)
from greatseal.integrations.domain_control.quorum import Vote, weigh
from greatseal.integrations.pinned import NotReached, cut_at, dial, http_over, said

_THREADS_EACH = 8


@dataclass(frozen=True, slots=True)
class Place:
    """A remote perspective of the settings."""

    name: str
    host: str
    port: int
    region: str


class RemotePerspective:
    """Asks one agent over TLS, each side with a certificate of the same CA."""

    def __init__(self, place: Place, context: ssl.SSLContext, seconds: float) -> None:
        """`seconds` is for a whole answer."""
        self.place = place
        self._context = context
        self._seconds = seconds

    def ask(self, question: Question) -> Finding:
        """What the agent found. An agent that is down, slow, foreign or talks nonsense has found nothing."""
        until = time.monotonic() + self._seconds
        try:
            return self._asked(msgspec.json.encode(question), until)
        except (OSError, http.client.HTTPException, NotReached, ValueError, msgspec.MsgspecError) as error:
            late = time.monotonic() >= until
            told = "took too long" if late else str(error) if isinstance(error, NotReached) else said(error)
            return Finding(False, ControlFailure.NO_ANSWER, f"the perspective gave no answer: {told}")

    def _asked(self, body: bytes, until: float) -> Finding:
        host, port = self.place.host, self.place.port
        # Its operator is ours: any address will do.
        raw = dial(host, port, allowed=lambda _: True, timeout=self._seconds)
        try:
            with cut_at(until, raw):
                connection = http_over(raw, host, port, self._context)
                try:
                    connection.request("POST", PATH, body, {"Content-Type": "application/json"})
                    answer = connection.getresponse()
                    content = answer.read(LARGEST)
                finally:
                    connection.close()
        finally:
            raw.close()
        if answer.status != 200:
            raise NotReached(f"it answered {answer.status}")
        return msgspec.json.decode(content, type=Answer).finding()


class Corroborated:
    """Implements `domain.validation.ports.ControlCheck`: what is found here and seen by enough others."""

    def __init__(
        self,
        local: LocalControl,
        remotes: Sequence[RemotePerspective],
        *,
        regions: int,
        alone: Callable[[str], bool],
        issuers: Iterable[str] = caa.ISSUERS,
        seconds: float = 30.0,
    ) -> None:
        """`alone` says which names only this place can see; `seconds` is how long the others are waited for."""
        self._local = local
        self._remotes = tuple(remotes)
        self._regions = regions
        self._alone = alone
        self._issuers = tuple(issuers)
        self._seconds = seconds
        self._crew = ThreadPoolExecutor(_THREADS_EACH * max(len(remotes), 1), thread_name_prefix="perspective")

    def cname(self, name: str, value: str) -> Finding:
        """As in the port."""
        return self._joined(CnameQuestion(name, value))

    def http(self, url: str, content: str) -> Finding:
        """As in the port."""
        return self._joined(HttpQuestion(url, content))

    def caa(self, domain: str, *, wildcard: bool, method: str, account_uri: str) -> Finding:
        """As in the port."""
        return self._joined(CaaQuestion(domain, wildcard, method, account_uri, self._issuers))

    def close(self) -> None:
        """Ends the threads, without waiting for answers."""
        self._crew.shutdown(wait=False, cancel_futures=True)

    def _joined(self, question: Question) -> Finding:
        here = question.put(self._local)
        if not here.ok or not self._remotes or self._alone(question.about()):
            return here
        asked = [(each, self._crew.submit(each.ask, question)) for each in self._remotes]
        wait([future for _, future in asked], timeout=self._seconds)
        return weigh([_vote(each.place, future) for each, future in asked], self._regions)


def client_context(ca: Path, certificate: Path, key: Path) -> ssl.SSLContext:
    """TLS 1.3 to agents whose certificate comes from this CA alone. Raises OSError."""
    context = ssl.create_default_context(cafile=str(ca))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(certificate, key)
    return context


def _vote(place: Place, future: Future[Finding]) -> Vote:
    if not future.done():
        future.cancel()
        late = Finding(False, ControlFailure.NO_ANSWER, "the perspective gave no answer: took too long")
        return Vote(place.name, place.region, late)
    return Vote(place.name, place.region, future.result())
