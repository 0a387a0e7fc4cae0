"""Answers of the DNS that can be trusted as far as DNSSEC reaches: one link after the other, each one judged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import dns.exception
import dns.name
import dns.rcode
import dns.rdatatype
from dns.message import Message
from dns.name import Name
from dns.rdata import Rdata
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.CAA import CAA
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA
from dns.rrset import RRset

from greatseal.domain.validation.caa import CaaRecord, LookupFailed
from greatseal.domain.validation.ports import ControlFailure
from greatseal.integrations.domain_control.dnssec import Validator
from greatseal.integrations.domain_control.exchange import Asking
from greatseal.integrations.domain_control.trip import Limits, Trip


@dataclass(frozen=True, slots=True)
class Step:
    """What there is at one name: records, or where it leads, or neither."""

    records: tuple[Rdata, ...] = ()
    target: Name | None = None
    secure: bool = False


def to_name(text: str) -> Name:
    """An absolute name. Raises LookupFailed for text that is none; nothing is translated from Unicode."""
    try:
        return dns.name.Name([*(label.encode("ascii") for label in text.rstrip(".").split(".")), b""])
    except (dns.exception.DNSException, UnicodeEncodeError, ValueError):
        raise LookupFailed(ControlFailure.REFUSED_NAME, "this is no name that can be looked up") from None


class Resolver:
    """Resolves names through `asking` and judges every answer. Safe in threads."""

    def __init__(self, asking: Asking, validator: Validator, limits: Limits | None = None) -> None:
        self._asking = asking
        self._validator = validator
        self._limits = limits or Limits()

    def trip(self) -> Trip:
        """The account of one check."""
        return Trip(self._limits)

    def links(self, name: str, trip: Trip) -> Iterator[str]:
        """Where the CNAME record of a name leads, and so on, without dots at the end. Raises LookupFailed on the way.

        A name is looked at only when the one after it is wanted.
        """
        for step in self._chain(to_name(name), dns.rdatatype.CNAME, trip):
            if step.target is not None:
                yield _said(step.target.canonicalize())

    def addresses(self, host: str, trip: Trip) -> list[str]:
        """IPv4 and IPv6 addresses of a host, one of each kind first. Raises LookupFailed."""
        kinds = [
            [each.address for each in self._records(to_name(host), kind, trip) if isinstance(each, A | AAAA)]
            for kind in (dns.rdatatype.AAAA, dns.rdatatype.A)
        ]
        first = [found[0] for found in kinds if found]
        return first + [each for found in kinds for each in found if each not in first]

    def caa(self, name: str, trip: Trip) -> list[CaaRecord]:
        """The CAA records of a name or of where its CNAME records lead. Raises LookupFailed."""
        return [
            CaaRecord(each.flags, each.tag.decode("ascii", "replace"), bytes(each.value))
            for each in self._records(to_name(name), dns.rdatatype.CAA, trip)
            if isinstance(each, CAA)
        ]

    def _records(self, name: Name, kind: RdataType, trip: Trip) -> Sequence[Rdata]:
        """The records at the end of the chain of CNAME records."""
        return [record for step in self._chain(name, kind, trip) for record in step.records]

    def _chain(self, name: Name, kind: RdataType, trip: Trip) -> Iterator[Step]:
        """Each step of the way; the last one leads nowhere."""
        seen, at = {name}, name
        while True:
            step = self._step(at, kind, trip)
            yield step
            if step.target is None:
                return
            at = step.target
            if at in seen:
                raise LookupFailed(ControlFailure.NO_ANSWER, f"the CNAME records of {_said(name)} lead in a circle")
            if len(seen) > trip.limits.links:
                raise LookupFailed(
                    ControlFailure.NO_ANSWER,
                    f"more than {trip.limits.links} CNAME records follow each other from {_said(name)}",
                )
            seen.add(at)

    def _step(self, name: Name, kind: RdataType, trip: Trip) -> Step:
        """What is at one name, judged."""
        answer = self._asking.ask(name, kind, trip)
        found = _found(answer, name, kind)
        if found is None:
            return Step(secure=self._validator.negative(answer, name, kind, trip))
        if len(found) > trip.limits.records:
            raise LookupFailed(ControlFailure.NO_ANSWER, f"{_said(name)} has more than {trip.limits.records} records")
        secure = self._validator.positive(answer, found, trip)
        if found.rdtype not in (dns.rdatatype.CNAME, dns.rdatatype.DNAME):
            return Step(tuple(found), secure=secure)
        return Step(target=_target(found, name), secure=secure)


def _found(answer: Message, name: Name, kind: RdataType) -> RRset | None:
    """The set that answers for a name. A DNAME above it counts before the CNAME that a server makes of it."""
    above = [
        each
        for each in answer.answer
        if each.rdtype == dns.rdatatype.DNAME and name != each.name and name.is_subdomain(each.name)
    ]
    if above:
        return max(above, key=lambda each: len(each.name))
    for wanted in (kind, dns.rdatatype.CNAME):
        for each in answer.answer:
            if each.name == name and each.rdtype == wanted:
                return each
    return None


def _target(found: RRset, name: Name) -> Name:
    """Where a CNAME or DNAME record leads from a name."""
    target: Name = found[0].target
    if found.rdtype == dns.rdatatype.CNAME:
        return target
    try:
        return name.relativize(found.name).concatenate(target)
    except dns.exception.DNSException:
        raise LookupFailed(
            ControlFailure.NO_ANSWER, f"the DNAME record above {_said(name)} makes it too long"
        ) from None


def _said(name: Name) -> str:
    return name.to_text(omit_final_dot=True)
