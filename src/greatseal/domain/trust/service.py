"""A certificate, anchors and rules in; a path or one exact reason out (docs/verify.md).

Nothing is fetched unless a Fetcher is given. Then missing issuers are fetched from caIssuers, and for the certificates
of a path that holds otherwise, OCSP answers, and lists where no answer came.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import TypeVar

from greatseal.domain.trust.ports import Fetcher, NotFetched
from greatseal.x509 import der
from greatseal.x509.bundle import read_any, read_list
from greatseal.x509.certificate import Certificate
from greatseal.x509.extensions import OID, Extension, read_information_access
from greatseal.x509.ocsp.answer import OcspAnswer, encode_request, parse_answer
from greatseal.x509.path import Code, Invalid, Path, Problem, Rules, Verdict, find
from greatseal.x509.revocation import Material, Mode, Standing, State, judge, standings
from greatseal.x509.revocation.points import read_distribution_points

_FRESHEST_CRL = "2.5.29.46"
# Of what a certificate offers, so that one certificate cannot use up what may be fetched for a path.
_MOST_URLS = 2
_MOST_ROUNDS = 4
# Of the certificates at one place: thousands, which are read and compared with each other before a path is looked for.
_LARGEST_ISSUERS = 1 << 20
_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class Later:
    """What was signed by the time of the rules is judged later: lists and answers are looked at as of `now`.

    `forgives` says of a revocation whether it leaves what was signed before alone.
    """

    now: datetime
    forgives: Callable[[Standing], bool]


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be judged. `intermediates` may be in any order; every one of `anchors` is trusted."""

    leaf: Certificate
    intermediates: tuple[Certificate, ...]
    anchors: tuple[Certificate, ...]
    rules: Rules
    mode: Mode = Mode.OFF
    material: Material = field(default_factory=Material)
    later: Later | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """One attempt to fetch something: where, and what went wrong if something did."""

    url: str
    failure: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """The verdict; what is known of each certificate of its path but the anchor; what was fetched."""

    verdict: Verdict
    standings: tuple[Standing, ...]
    fetched: tuple[Fetched, ...]


def verify(question: Question, fetcher: Fetcher | None = None) -> Report:
    """Judges one certificate. Raises NotAServerName when the rules name a server that has no such name."""
    return _Inquiry(question, fetcher).report()


class _Inquiry:
    """One judgement, and what was gathered for it so far."""

    def __init__(self, question: Question, fetcher: Fetcher | None) -> None:
        self._question = question
        self._fetcher = fetcher
        self._intermediates = list(question.intermediates)
        self._lists = list(question.material.lists)
        self._answers = list(question.material.answers)
        self._fetched: dict[str, Fetched] = {}
        self._standings: dict[Path, tuple[Standing, ...]] = {}

    def report(self) -> Report:
        verdict = self._find()
        for _ in range(_MOST_ROUNDS):
            if not self._fetch_issuer(verdict):
                break
            verdict = self._find()
        return Report(verdict, self._standings.get(verdict.path, ()), tuple(self._fetched.values()))

    def _find(self) -> Verdict:
        asked = self._question
        check = None if asked.mode is Mode.OFF else self._check
        return find(asked.leaf, self._intermediates, asked.anchors, asked.rules, check=check)

    def _check(self, path: Path) -> Problem | None:
        found = self._look(path)
        if self._fetcher is not None and any(each.state is State.UNKNOWN for each in found):
            self._gather(path, found)
            found = self._look(path)
        self._standings[path] = found
        return judge(path, found, self._question.mode)

    def _look(self, path: Path) -> tuple[Standing, ...]:
        asked = self._question
        material = replace(asked.material, lists=self._lists, answers=self._answers)
        rules = asked.rules if asked.later is None else replace(asked.rules, at=asked.later.now)
        found = standings(path, material, rules, intermediates=self._intermediates)
        return found if asked.later is None else tuple(_forgiven(each, asked.later) for each in found)

    def _fetch_issuer(self, verdict: Verdict) -> bool:
        """Whether a certificate came from the caIssuers of the last certificate of a path that goes no further."""
        if self._fetcher is None or not isinstance(verdict, Invalid) or verdict.problem.code is not Code.NO_ISSUER:
            return False
        known = len(self._intermediates)
        for url in _access_urls(verdict.path[-1], OID.ACCESS_CA_ISSUERS):
            for certificate in self._get(url, _read_issuers) or ():
                if certificate not in self._intermediates:
                    self._intermediates.append(certificate)
        return len(self._intermediates) > known

    def _gather(self, path: Path, found: tuple[Standing, ...]) -> None:
        """Fetches for each certificate of which nothing is known: an answer, and a list when that does not help."""
        for index, standing in enumerate(found):
            if standing.state is not State.UNKNOWN:
                continue
            certificate, issuer = path[index], path[index + 1]
            request = encode_request(certificate, issuer, self._question.material.nonce)
            for url in _access_urls(certificate, OID.ACCESS_OCSP):
                answer = self._post(url, request)
                if answer is not None:
                    self._answers.append(answer)
                    break
            if self._look(path)[index].state is State.UNKNOWN:
                self._get_lists(certificate)

    def _get_lists(self, certificate: Certificate) -> None:
        for url in _list_urls(certificate, OID.CRL_DISTRIBUTION_POINTS):
            complete = self._get(url, read_list)
            if complete is None:
                continue
            self._lists.append(complete)
            for extension in (certificate.extension(_FRESHEST_CRL), complete.extension(_FRESHEST_CRL)):
                for delta_url in _urls_of_points(extension, certificate):
                    self._lists.extend(filter(None, [self._get(delta_url, read_list)]))
            return

    def _get(self, url: str, read: Callable[[bytes], _Read]) -> _Read | None:
        """What is at this place; None when nothing readable is, or when it was fetched before."""
        fetcher = self._fetcher
        assert fetcher is not None
        return None if url in self._fetched else self._try(url, url, lambda: read(fetcher.get(url)))

    def _post(self, url: str, request: bytes) -> OcspAnswer | None:
        fetcher = self._fetcher
        assert fetcher is not None
        # Certificates of one CA share a responder, and each is asked about.
        key = f"{url} #{len(self._fetched)}"
        return self._try(key, url, lambda: parse_answer(fetcher.post(url, request, "application/ocsp-request")))

    def _try(self, key: str, url: str, fetch: Callable[[], _Read]) -> _Read | None:
        try:
            found = fetch()
        except (NotFetched, ValueError) as error:
            self._fetched[key] = Fetched(url, str(error))
            return None
        self._fetched[key] = Fetched(url, None)
        return found


def _forgiven(standing: Standing, later: Later) -> Standing:
    """A revocation that leaves what was signed before alone reads as good, and keeps its time and reason."""
    if standing.state is not State.REVOKED or not later.forgives(standing):
        return standing
    return replace(standing, state=State.GOOD, why="revoked after the signature was made")


def _read_issuers(data: bytes) -> tuple[Certificate, ...]:
    if len(data) > _LARGEST_ISSUERS:
        raise ValueError(f"certificates of more than {_LARGEST_ISSUERS} octets")
    return read_any(data)


def _access_urls(certificate: Certificate, method: str) -> tuple[str, ...]:
    extension = certificate.extension(OID.AUTHORITY_INFORMATION_ACCESS)
    if extension is None:
        return ()
    try:
        entries = read_information_access(extension)
    except der.DerError:
        return ()
    return _web(e.location.text for e in entries if e.method == method and e.location.kind == "uri")


def _list_urls(certificate: Certificate, oid: str) -> tuple[str, ...]:
    return _urls_of_points(certificate.extension(oid), certificate)


def _urls_of_points(extension: Extension | None, certificate: Certificate) -> tuple[str, ...]:
    if extension is None:
        return ()
    try:
        points = read_distribution_points(extension, certificate.issuer)
    except der.DerError:
        return ()
    return _web(name.text for point in points if not point.crl_issuer for name in point.names if name.kind == "uri")


def _web(urls: Iterable[str]) -> tuple[str, ...]:
    """The first few addresses that a Fetcher can reach at all; directories of the old kind (LDAP) it cannot."""
    found: Iterator[str] = (url for url in urls if url.lower().startswith(("http://", "https://")))
    return tuple(islice(found, _MOST_URLS))
