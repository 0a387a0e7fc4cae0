"""One question to one server: UDP first, TCP when the answer is cut off or its spelling is wrong."""

from dataclasses import dataclass
from typing import Protocol

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
from dns.message import Message
from dns.name import Name
from dns.rdatatype import RdataType

from greatseal.integrations.domain_control.trip import Trip
from greatseal.kernel.entropy import Entropy

_PAYLOAD = 1232
"""Octets of a UDP answer that no network has to fragment (DNS flag day 2020)."""
_WITHOUT_EDNS = (dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.BADVERS)


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server answers."""

    address: str
    port: int = 53


class Unanswered(Exception):
    """A server gave no answer that can be used; another one may. The message says why."""


class Asking(Protocol):
    """Asks the DNS one question, whoever it is that knows."""

    def ask(self, name: Name, kind: RdataType, trip: Trip) -> Message:
        """The answer, NOERROR or NXDOMAIN, not yet verified. DS is asked above the cut. Raises LookupFailed."""
        ...


class Exchange:
    """Sends questions. Ports and ids are random, and so is the spelling of the name (0x20)."""

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy

    def ask(self, server: Server, name: Name, kind: RdataType, trip: Trip, *, recurse: bool) -> Message:
        """What the server answers, NOERROR or NXDOMAIN. Raises Unanswered, LookupFailed."""
        answer = self._asked(server, name, kind, trip, recurse=recurse, edns=True)
        if answer.rcode() in _WITHOUT_EDNS:
            answer = self._asked(server, name, kind, trip, recurse=recurse, edns=False)
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            raise Unanswered(f"{server.address} answers {dns.rcode.to_text(answer.rcode())}")
        return answer

    def _asked(self, server: Server, name: Name, kind: RdataType, trip: Trip, *, recurse: bool, edns: bool) -> Message:
        spelled = self._spelled(name)
        query = dns.message.make_query(
            spelled, kind, use_edns=0 if edns else False, want_dnssec=edns, payload=_PAYLOAD if edns else None
        )
        # Recursive servers are told not to judge: a signature is verified here or nowhere.
        query.flags = dns.flags.Flag.RD | dns.flags.Flag.CD if recurse else dns.flags.Flag(0)
        try:
            answer = dns.query.udp(
                query,
                server.address,
                timeout=trip.query(),
                port=server.port,
                ignore_unexpected=True,
                ignore_errors=True,
            )
            if answer.flags & dns.flags.TC or _misspelled(answer, spelled):
                answer = dns.query.tcp(query, server.address, timeout=trip.query(), port=server.port)
        except dns.exception.Timeout:
            raise Unanswered(f"{server.address} does not answer") from None
        except (OSError, EOFError, dns.exception.DNSException, ValueError) as error:
            raise Unanswered(f"{server.address}: {type(error).__name__}") from None
        return answer

    def _spelled(self, name: Name) -> Name:
        """The name in capitals and small letters by chance, which whoever forges an answer has to guess."""
        size = sum(map(len, name.labels))
        if not size:
            return name
        coins = iter(self._entropy.token_bytes(size))
        return Name([bytes(_tossed(octet, next(coins)) for octet in label) for label in name.labels])


def _tossed(octet: int, coin: int) -> int:
    letter = 0x41 <= octet & ~0x20 <= 0x5A
    return (octet & ~0x20) | (coin & 0x20) if letter else octet


def _misspelled(answer: Message, spelled: Name) -> bool:
    """Whether the question came back otherwise than it was written. Servers that do so are asked by TCP."""
    return bool(answer.question) and answer.question[0].name.labels != spelled.labels
