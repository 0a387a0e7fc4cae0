"""Finds a valid path among certificates in any order, cross-signed or not, and stops before a hostile heap wins.

Issuers are looked up by name, those whose key identifier fits first, and each link's signature is checked once. What
is bounded: signatures checked, certificates looked at, and complete paths tried.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from greatseal.x509 import der
from greatseal.x509.certificate import Certificate
from greatseal.x509.names import comparison_key
from greatseal.x509.path import links
from greatseal.x509.path.links import Fault
from greatseal.x509.path.model import (
    MAX_LENGTH,
    Code,
    Invalid,
    Path,
    Problem,
    Rules,
    Valid,
    Verdict,
    problem_of,
)
from greatseal.x509.path.validate import validate

_MOST_SIGNATURES = 256
_MOST_STEPS = 2048
_MOST_PATHS = 64

Check = Callable[[Path], Problem | None]
"""A further question to a path that holds, such as revocation."""


def find(
    leaf: Certificate,
    intermediates: Iterable[Certificate],
    anchors: Sequence[Certificate],
    rules: Rules,
    *,
    check: Check | None = None,
) -> Verdict:
    """A path from `leaf` to one of `anchors` that holds, or why there is none.

    When several paths fail, the reason is that of the first one that reached an anchor: the shortest, whose key
    identifiers fit. When none reaches one, it is that of the longest. Raises NotAServerName.
    """
    search = _Search(intermediates, anchors, rules)
    refused: Invalid | None = None
    for path in islice(search.paths(leaf), _MOST_PATHS):
        verdict = validate(path, rules, signatures=False)
        if isinstance(verdict, Valid):
            problem = check(path) if check else None
            if problem is None:
                return verdict
            verdict = Invalid(problem, path)
        refused = refused or verdict
    return refused or search.dead_end(leaf)


class _Search:
    """One search: an index of issuers, a memory of links, and what is left to spend."""

    def __init__(self, intermediates: Iterable[Certificate], anchors: Sequence[Certificate], rules: Rules) -> None:
        self._anchors = frozenset(anchors)
        self._rules = rules
        self._issuers: dict[object, list[Certificate]] = defaultdict(list)
        for certificate in dict.fromkeys((*anchors, *intermediates)):
            self._issuers[comparison_key(certificate.subject)].append(certificate)
        self._known: dict[tuple[bytes, bytes], Fault | None] = {}
        self._signatures, self._steps = _MOST_SIGNATURES, _MOST_STEPS
        self._spent = False
        self._deepest: Invalid | None = None

    def paths(self, leaf: Certificate) -> Iterator[Path]:
        """Every path of good links from the certificate to an anchor, until too much was spent."""
        if leaf in self._anchors:
            yield (leaf,)
            return
        yield from self._above((leaf,))

    def dead_end(self, leaf: Certificate) -> Invalid:
        """Why no path reached an anchor."""
        if self._spent:
            what = "has more possible issuers than are tried"
            return Invalid(problem_of((leaf,), 0, Code.SEARCH_LIMIT, what), (leaf,))
        assert self._deepest is not None
        return self._deepest

    def _above(self, path: Path) -> Iterator[Path]:
        issuers = [each for each in self._candidates(path[-1]) if not _is_in(each, path)]
        if len(path) == MAX_LENGTH:
            issuers = []
            self._stop(path, Code.PATH_TOO_LONG, f"stands at the end of more than {MAX_LENGTH} certificates", at=0)
        progress = False
        for issuer in issuers:
            if self._steps == 0 or self._signatures == 0:
                self._spent = True
                return
            self._steps -= 1
            fault = self._fault(path[-1], issuer)
            if fault is not None:
                longer = (*path, issuer)
                at = len(path) if fault[0] in (Code.NOT_A_CA, Code.KEY_USAGE) else len(path) - 1
                self._stop(longer, *fault, at=at)
                continue
            progress = True
            if issuer in self._anchors:
                yield (*path, issuer)
            else:
                yield from self._above((*path, issuer))
        if not progress and not issuers:
            self._no_issuer(path)

    def _no_issuer(self, path: Path) -> None:
        last = path[-1]
        name = last.issuer.display()
        if last.is_self_issued:
            what = "is self-issued and not among the trust anchors"
        else:
            what = f"was issued by {name!r}, of which no certificate was given"
        self._stop(path, Code.NO_ISSUER, what, at=len(path) - 1)

    def _stop(self, path: Path, code: Code, what: str, *, at: int) -> None:
        """Remembers the reason of the path that came furthest; the first of equals."""
        if self._deepest is None or len(path) > len(self._deepest.path):
            self._deepest = Invalid(problem_of(path, at, code, what), path)

    def _candidates(self, certificate: Certificate) -> list[Certificate]:
        """Certificates with the issuer's name; most promising first."""
        named = self._issuers.get(comparison_key(certificate.issuer), ())
        try:
            wanted = certificate.authority_key_identifier
        except der.DerError:
            wanted = None

        def order(issuer: Certificate) -> tuple[bool, bool, bool, float]:
            in_time = issuer.not_before <= self._rules.at <= issuer.not_after
            fits = wanted is None or issuer.key_identifier == wanted
            return issuer not in self._anchors, not fits, not in_time, -issuer.not_before.timestamp()

        return sorted(named, key=order)

    def _fault(self, certificate: Certificate, issuer: Certificate) -> Fault | None:
        pair = certificate.der, issuer.der
        if pair not in self._known:
            fault = links.issuer_fault(issuer)
            if fault is None:
                self._signatures -= 1
                fault = links.signature_fault(certificate, issuer)
            self._known[pair] = fault
        return self._known[pair]


def _is_in(issuer: Certificate, path: Path) -> bool:
    """Whether the path has this subject with this key already: around such a circle nothing new is to be found."""
    return any(each.spki == issuer.spki and each.subject.der == issuer.subject.der for each in path)
