"""Questions from the root down to the servers of the zone itself, which know and have not heard it from others."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence

import dns.flags
import dns.name
import dns.rcode
import dns.rdatatype
from dns.message import Message
from dns.name import Name
from dns.rdatatype import RdataType
from dns.rrset import RRset

from greatseal.domain.validation.caa import LookupFailed
from greatseal.domain.validation.ports import ControlFailure
from greatseal.integrations.domain_control.cuts import Cut
from greatseal.integrations.domain_control.exchange import Exchange, Server, Unanswered
from greatseal.integrations.domain_control.trip import Trip

_MOST_REFERRALS = 30
_MOST_SERVERS = 6
"""Servers of one zone that are tried, each at most twice."""
_MOST_NAMES = 4
"""Names of servers without glue that are looked up for one zone (NXNSAttack, CVE-2020-8616)."""
_DEEPEST = 3
"""Servers whose zones' servers must be looked up first, and so on."""
_KEPT_SECONDS = 3600
_ADDRESSES = (dns.rdatatype.A, dns.rdatatype.AAAA)


class Iterative:
    """Implements `Asking` from the root servers.

    Only what stands above everything that somebody can register, the cuts of top-level domains, is kept between
    checks, an hour at most.
    """

    def __init__(
        self, exchange: Exchange, hints: Sequence[str], *, allowed: Callable[[str], bool], port: int = 53
    ) -> None:
        """`allowed` says which addresses besides the hints may be asked: delegations of strangers lead anywhere."""
        self._exchange = exchange
        self._root = Cut(dns.name.root, addresses=tuple(hints))
        self._allowed = allowed
        self._port = port
        self._kept: dict[Name, tuple[float, Cut]] = {}
        self._lock = threading.Lock()

    def ask(self, name: Name, kind: RdataType, trip: Trip) -> Message:
        """As in the port."""
        return self._ask(name, kind, trip, 0)

    def _ask(self, name: Name, kind: RdataType, trip: Trip, depth: int) -> Message:
        # What is said about a delegation is said above it.
        below = name.parent() if kind == dns.rdatatype.DS and name != dns.name.root else name
        cut = self._closest(below, trip)
        for _ in range(_MOST_REFERRALS):
            answer, further = self._from_servers(cut, name, kind, below, trip, depth)
            if further is None:
                return answer
            cut = further
            self._keep(cut, answer, trip)
        raise LookupFailed(ControlFailure.NO_ANSWER, f"{name} is delegated too often")

    def _from_servers(
        self, cut: Cut, name: Name, kind: RdataType, below: Name, trip: Trip, depth: int
    ) -> tuple[Message, Cut | None]:
        """The answer of the first server of a zone that has one, and where it refers to."""
        said, failure = f"no server of {cut.zone} has an address", ControlFailure.NO_ANSWER
        for server in self._twice(cut, trip, depth):
            if server.address not in self._root.addresses and not self._allowed(server.address):
                said = f"a server of {cut.zone} has the address {server.address}, which nothing is sent to"
                failure = ControlFailure.REFUSED_ADDRESS
                continue
            try:
                answer = self._exchange.ask(server, name, kind, trip, recurse=False)
                further = _referral(answer, cut.zone, below)
                if further is not None or answer.flags & dns.flags.AA:
                    return answer, further
                raise Unanswered(f"{server.address} does not answer for {cut.zone}")
            except Unanswered as error:
                trip.silent.add(server.address)
                said, failure = str(error), ControlFailure.NO_ANSWER
        raise LookupFailed(failure, said)

    def _twice(self, cut: Cut, trip: Trip, depth: int) -> Iterator[Server]:
        """The servers of a zone, those first whose addresses are known and that answer, and all of them once more."""
        seen: list[Server] = []
        for address in self._addresses(cut, trip, depth):
            server = Server(address, self._port)
            if server not in seen:
                seen.append(server)
                if address not in trip.silent:
                    yield server
            if len(seen) >= _MOST_SERVERS:
                break
        yield from seen

    def _addresses(self, cut: Cut, trip: Trip, depth: int) -> Iterator[str]:
        yield from cut.addresses
        for family in (".", ":"):
            yield from (each for found in cut.glue.values() for each in found if family in each)
        if depth >= _DEEPEST:
            return
        for name in [each for each in cut.names if each not in cut.glue][:_MOST_NAMES]:
            # The zone cannot be asked where its own servers are.
            if name.is_subdomain(cut.zone):
                continue
            for kind in _ADDRESSES:
                try:
                    answer = self._ask(name, kind, trip, depth + 1)
                except LookupFailed:
                    if trip.over:
                        raise
                    continue
                yield from (
                    record.address for found in answer.answer if found.name == name and found.rdtype == kind
                    for record in found
                )  # fmt: skip

    def _closest(self, name: Name, trip: Trip) -> Cut:
        """The lowest zone above a name whose servers are known."""
        at = name
        while at != dns.name.root:
            if at in trip.cuts:
                return trip.cuts[at]
            with self._lock:
                until, cut = self._kept.get(at, (0.0, self._root))
            if until > time.monotonic():
                return cut
            at = at.parent()
        return self._root

    def _keep(self, cut: Cut, answer: Message, trip: Trip) -> None:
        trip.cuts[cut.zone] = cut
        if len(cut.zone) > 2:  # the root is a label, too
            return
        ttl = min((found.ttl for found in answer.authority if found.name == cut.zone), default=0)
        with self._lock:
            self._kept[cut.zone] = (time.monotonic() + min(ttl, _KEPT_SECONDS), cut)
            while len(self._kept) > 2000:
                del self._kept[next(iter(self._kept))]


def _referral(answer: Message, zone: Name, below: Name) -> Cut | None:
    """The zone that an answer refers to, which must lie below the one that was asked and above the name, if any."""
    if answer.rcode() != dns.rcode.NOERROR or answer.answer:
        return None
    for found in answer.authority:
        if found.rdtype != dns.rdatatype.NS or found.name == zone or not found.name.is_subdomain(zone):
            continue
        if not below.is_subdomain(found.name):
            continue
        names = tuple(sorted(record.target for record in found))[:20]
        return Cut(found.name, names, _glue(answer.additional, names, zone))
    return None


def _glue(additional: list[RRset], names: tuple[Name, ...], zone: Name) -> dict[Name, tuple[str, ...]]:
    """Addresses of servers that the zone which refers to them can know."""
    found: dict[Name, tuple[str, ...]] = {}
    for each in additional:
        if each.rdtype in _ADDRESSES and each.name in names and each.name.is_subdomain(zone):
            found[each.name] = found.get(each.name, ()) + tuple(record.address for record in each)[:4]
    return found
