"""From the octets of a question to those of its answer, as an authoritative server gives it (RFC 1034, 2308, 6891).

Never larger than what was asked for, and never larger than 1232 octets over UDP, so that nobody's answers arrive in
fragments or flood somebody else. ANY is answered with one small record (RFC 8482).
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from greatseal.domain.zones.model import Record
from greatseal.domain.zones.own import Answer, Outcome

log = logging.getLogger(__name__)

LARGEST_UDP = 1232
_PLAIN_UDP = 512
_LARGEST_TCP = 65535
_HEADER = 12
_NEGATIVE_TTL = 60
_ZONE_TTL = 3600
_NOT_HERE = (dns.rdatatype.AXFR, dns.rdatatype.IXFR)

LookUp = Callable[[str, str], Answer]
"""From a name (lower case, no dot at its end) and a kind to what is known. May raise anything the database raises."""


@dataclass(frozen=True, slots=True)
class Authority:
    """What the zones say about themselves. Names are absolute, without the dot; the first server is in the SOA."""

    nameservers: tuple[str, ...]
    hostmaster: str | None = None


class Answering:
    """Answers questions about our zones."""

    def __init__(self, *, look_up: LookUp, authority: Authority) -> None:
        self._look_up = look_up
        self._authority = authority

    def answer(self, packet: bytes, *, over_udp: bool) -> bytes | None:
        """The answer; None for what is no question, which gets none."""
        # An answer to an answer would be the begin of a loop between two servers.
        if len(packet) < _HEADER or packet[2] & 0x80:
            return None
        try:
            question = dns.message.from_wire(packet)
        except dns.exception.DNSException:
            return None
        response = self._respond(question)
        size = _size(question) if over_udp else _LARGEST_TCP
        try:
            return response.to_wire(max_size=size)
        except dns.exception.TooBig:
            return cut_short(question)

    def _respond(self, question: dns.message.Message) -> dns.message.Message:
        response = _response(question)
        if question.edns > 0:
            response.set_rcode(dns.rcode.BADVERS)
        elif question.opcode() != dns.opcode.QUERY:
            response.set_rcode(dns.rcode.NOTIMP)
        elif len(question.question) != 1:
            response.set_rcode(dns.rcode.FORMERR)
        else:
            asked = question.question[0]
            if asked.rdclass != dns.rdataclass.IN or asked.rdtype in _NOT_HERE:
                response.set_rcode(dns.rcode.REFUSED)
            else:
                self._fill(response, asked.name, asked.rdtype)
        return response

    def _fill(self, response: dns.message.Message, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> None:
        plain = _plain(name)
        try:
            found = self._look_up(plain, dns.rdatatype.to_text(kind))
        except Exception:
            log.exception("a question about %s was not answered", plain)
            response.set_rcode(dns.rcode.SERVFAIL)
            return
        if found.outcome is Outcome.ELSEWHERE:
            response.set_rcode(dns.rcode.REFUSED)
            return
        response.flags |= dns.flags.AA
        # Resolvers that play with upper and lower case (0x20) compare the name that they asked for.
        spelled = {plain: name}
        response.answer.extend(_rrsets(found.records, spelled))
        if found.outcome is Outcome.FOUND:
            return
        if kind == dns.rdatatype.ANY and found.outcome is Outcome.NO_DATA:
            small = dns.rdata.from_text("IN", "HINFO", '"RFC8482" ""')
            response.answer.append(dns.rrset.from_rdata(spelled.get(found.asked_last, name), _ZONE_TTL, small))
            return
        own = self._of_zone(found, kind)
        if own is not None:
            response.answer.append(own)
            return
        response.authority.append(self._soa(found, _NEGATIVE_TTL))
        if found.outcome is Outcome.NO_NAME:
            response.set_rcode(dns.rcode.NXDOMAIN)

    def _of_zone(self, found: Answer, kind: dns.rdatatype.RdataType) -> dns.rrset.RRset | None:
        """What a zone has at its top, besides what is in the database."""
        if found.asked_last != found.zone:
            return None
        if kind == dns.rdatatype.SOA:
            return self._soa(found, _ZONE_TTL)
        if kind == dns.rdatatype.NS:
            texts = [f"{server}." for server in self._authority.nameservers]
            return dns.rrset.from_text(f"{found.zone}.", _ZONE_TTL, "IN", "NS", *texts)
        return None

    def _soa(self, found: Answer, ttl: int) -> dns.rrset.RRset:
        hostmaster = self._authority.hostmaster or f"hostmaster.{found.zone}"
        numbers = f"{found.serial % (1 << 32)} 7200 900 1209600 {_NEGATIVE_TTL}"
        text = f"{self._authority.nameservers[0]}. {hostmaster}. {numbers}"
        return dns.rrset.from_text(f"{found.zone}.", ttl, "IN", "SOA", text)


def cut_short(question: dns.message.Message) -> bytes:
    """An answer without records that says: ask again over TCP. It is hardly larger than the question."""
    response = _response(question)
    response.flags |= dns.flags.TC
    return response.to_wire(max_size=LARGEST_UDP)


def _response(question: dns.message.Message) -> dns.message.Message:
    response = dns.message.make_response(question, recursion_available=False, our_payload=LARGEST_UDP)
    if question.edns >= 0:
        response.use_edns(0, payload=LARGEST_UDP, options=[])
    return response


def _size(question: dns.message.Message) -> int:
    return min(max(question.payload, _PLAIN_UDP), LARGEST_UDP) if question.edns >= 0 else _PLAIN_UDP


def _plain(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


def _rrsets(records: Iterable[Record], spelled: dict[str, dns.name.Name]) -> list[dns.rrset.RRset]:
    """The records as sets of one name and kind each, in their order."""
    sets: dict[tuple[str, str], dns.rrset.RRset] = {}
    for record in records:
        key = (record.name, record.kind)
        if key not in sets:
            owner = spelled.get(record.name) or dns.name.from_text(record.name)
            sets[key] = dns.rrset.RRset(owner, dns.rdataclass.IN, record.rdata.rdtype)
            sets[key].update_ttl(record.ttl)
        sets[key].add(record.rdata, record.ttl)
    return list(sets.values())
