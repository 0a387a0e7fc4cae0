"""Questions to configured servers that ask others for us: in closed networks, and for zones of one's own."""

from collections.abc import Mapping, Sequence

import dns.flags
import dns.name
import dns.rdatatype
from dns.message import Message
from dns.name import Name
from dns.rdatatype import RdataType

from greatseal.domain.validation.caa import LookupFailed
from greatseal.domain.validation.ports import ControlFailure
from greatseal.integrations.domain_control.exchange import Asking, Exchange, Server, Unanswered
from greatseal.integrations.domain_control.trip import Trip


class Recursive:
    """Implements `Asking` over recursive servers, in their order, each at most twice."""

    def __init__(self, exchange: Exchange, servers: Sequence[Server]) -> None:
        self._exchange = exchange
        self._servers = tuple(servers)

    def ask(self, name: Name, kind: RdataType, trip: Trip) -> Message:
        """As in the port."""
        said = "no server is configured"
        for server in sorted(self._servers, key=lambda each: each.address in trip.silent) * 2:
            try:
                answer = self._exchange.ask(server, name, kind, trip, recurse=True)
                if answer.flags & (dns.flags.AA | dns.flags.RA):
                    return answer
                # A referral looks like an answer that there is nothing.
                said = f"{server.address} neither answers for {name} nor asks others"
            except Unanswered as error:
                trip.silent.add(server.address)
                said = str(error)
        raise LookupFailed(ControlFailure.NO_ANSWER, said)


class Routed:
    """Implements `Asking`: zones of one's own go to their servers, the rest goes where everything goes."""

    def __init__(self, zones: Mapping[Name, Asking], rest: Asking) -> None:
        self._zones = dict(zones)
        self._rest = rest

    def ask(self, name: Name, kind: RdataType, trip: Trip) -> Message:
        """As in the port."""
        # Who may sign for a zone is said above it.
        at = name.parent() if kind == dns.rdatatype.DS and name != dns.name.root else name
        above = [zone for zone in self._zones if at.is_subdomain(zone)]
        chosen = self._zones[max(above, key=len)] if above else self._rest
        return chosen.ask(name, kind, trip)
