"""DNSSEC: is this answer what the zone has signed, down from a trust anchor? (RFC 4035 section 5, RFC 6840)

dnspython verifies a single signature; the way down from the anchor and the proofs that something is not there are ours.
"""

import threading
import time
from collections.abc import Iterable, Sequence

import dns.dnssec
import dns.exception
import dns.name
import dns.rdatatype
import dns.zonefile
from dns.message import Message
from dns.name import Name
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.DNSKEY import DNSKEY
from dns.rdtypes.ANY.DS import DS
from dns.rdtypes.ANY.NSEC import NSEC
from dns.rdtypes.ANY.NSEC3 import NSEC3
from dns.rdtypes.ANY.RRSIG import RRSIG
from dns.rrset import RRset

from greatseal.domain.validation.caa import LookupFailed
from greatseal.domain.validation.ports import ControlFailure
from greatseal.integrations.domain_control.cuts import Zone
from greatseal.integrations.domain_control.denial import ByHash, ByName, Denial, no_data
from greatseal.integrations.domain_control.exchange import Asking
from greatseal.integrations.domain_control.trip import Trip
from greatseal.kernel.clock import Clock

_ALGORITHMS = frozenset({8, 10, 13, 14, 15, 16})
"""RSA with SHA-2, ECDSA, Ed25519, Ed448. A zone that only has others counts as unsigned, SHA-1 included (RFC 9905)."""
_DIGESTS = frozenset({2, 4})
_ZONE_KEY, _REVOKED = 0x0100, 0x0080
_MOST_COLLIDING = 4
_KEPT_SECONDS = 3600


def bogus(message: str) -> LookupFailed:
    """The failure of an answer that does not verify."""
    return LookupFailed(ControlFailure.BOGUS, message)


def read_anchors(lines: Iterable[str]) -> dict[Name, tuple[DS, ...]]:
    """Trust anchors of zones from lines `ZONE DS TAG ALGORITHM DIGEST-TYPE DIGEST`. Raises ValueError."""
    anchors: dict[Name, tuple[DS, ...]] = {}
    for line in lines:
        try:
            (found,) = dns.zonefile.read_rrsets(line, rdclass=None, default_ttl=0)
        except (dns.exception.DNSException, ValueError, KeyError) as error:
            raise ValueError(f"{line!r} is not a DS record: {error}") from None
        if found.rdtype != dns.rdatatype.DS or not found.name.is_absolute():
            raise ValueError(f"{line!r} is not a DS record of an absolute name")
        if not usable(found):
            raise ValueError(f"{line!r} has an algorithm or digest that is not supported")
        anchors[found.name] = anchors.get(found.name, ()) + tuple(found)
    return anchors


def usable(records: Iterable[DS]) -> list[DS]:
    """The DS records that can be verified here."""
    return [each for each in records if each.algorithm in _ALGORITHMS and each.digest_type in _DIGESTS]


class Validator:
    """Judges answers. The keys of the root and of top-level domains are kept an hour at most, all others for a trip."""

    def __init__(
        self, asking: Asking, anchors: dict[Name, tuple[DS, ...]], clock: Clock, unsigned: Iterable[Name] = ()
    ) -> None:
        """`unsigned` are zones of one's own that nothing is asked of, unless they have an anchor themselves."""
        self._asking = asking
        self._anchors = anchors
        self._unsigned = frozenset(unsigned)
        self._clock = clock
        self._kept: dict[Name, tuple[float, Zone]] = {}
        self._lock = threading.Lock()

    def positive(self, answer: Message, found: RRset, trip: Trip) -> bool:
        """Whether a set of the answer is signed, and verified; False in zones without keys. Raises LookupFailed."""
        signatures = _signatures(answer.answer, found)
        below = found.name.parent() if found.rdtype == dns.rdatatype.DS else found.name
        zone = self._signer([each.signer for each in signatures], below, trip)
        if not zone.signed:
            return False
        labels = self._verified(found, signatures, zone, trip)
        if labels < _labels(found.name) and not any(
            denial.nothing_closer(found.name, labels) for denial in self._denials(answer, zone, trip)
        ):
            raise bogus(f"it is not proven that the wildcard above {found.name} applies")
        return True

    def negative(self, answer: Message, name: Name, kind: RdataType, trip: Trip) -> bool:
        """Whether it is proven that there is nothing; False in zones without keys. Raises LookupFailed."""
        below = name.parent() if kind == dns.rdatatype.DS and name != dns.name.root else name
        zone = self._signer(_signers(answer), below, trip)
        if not zone.signed:
            return False
        denials = self._denials(answer, zone, trip)
        if any(denial.no_name(name) or no_data(denial, name, kind) for denial in denials):
            return True
        if any(denial.opted_out(name) for denial in denials):
            return False
        raise bogus(f"it is not proven that {name} has no {dns.rdatatype.to_text(kind)} record")

    def _signer(self, signers: Sequence[Name], below: Name, trip: Trip) -> Zone:
        """The zone that must have signed what is said about a name."""
        above = [each for each in signers if below.is_subdomain(each)]
        if not above:
            zone = self._zone(below, trip)
            if zone.signed:
                raise bogus(f"{zone.name} is signed, and the answer about {below} is not")
            return zone
        signer = max(above, key=len)
        zone = self._zone(signer, trip)
        if zone.signed and zone.name != signer:
            raise bogus(f"{signer} signs, and is not a zone")
        return zone

    def _zone(self, name: Name, trip: Trip) -> Zone:
        """The zone of a name: the lowest one with keys at or above it, or one without. Raises LookupFailed."""
        start = max((each for each in self._anchors if name.is_subdomain(each)), key=len, default=None)
        bare = max((each for each in self._unsigned if name.is_subdomain(each)), key=len, default=None)
        if start is None or (bare is not None and len(bare) > len(start)):
            return Zone(name)
        zone = self._kept_zone(start, trip) or self._keep(self._keys(start, self._anchors[start], trip), trip)
        for labels in range(len(start), len(name)):
            child = name.split(labels + 1)[1]
            known = self._kept_zone(child, trip)
            if known is None:
                found = self._child(zone, child, trip)
                if found is None:
                    return zone  # nothing exists there, nor below
                # Without a cut at this name it belongs to the zone above.
                known = self._keep(found, trip, child)
            zone = known
            if not zone.signed:
                return zone
        return zone

    def _child(self, zone: Zone, child: Name, trip: Trip) -> Zone | None:
        """The zone at a name right below what is known of a zone: it, the same zone, or None for a name not there."""
        answer = self._asking.ask(child, dns.rdatatype.DS, trip)
        for found in answer.answer:
            if found.name == child and found.rdtype in (dns.rdatatype.DS, dns.rdatatype.CNAME):
                self._verified(found, _signatures(answer.answer, found), zone, trip)
                if found.rdtype == dns.rdatatype.CNAME:
                    return zone
                records = usable(found)
                return self._keys(child, records, trip) if records else Zone(child, ttl=found.ttl)
        for denial in self._denials(answer, zone, trip):
            types = denial.types_at(child)
            if types is not None and dns.rdatatype.NS in types and no_data(denial, child, dns.rdatatype.DS):
                return Zone(child)
            if denial.opted_out(child):
                return Zone(child)
            if no_data(denial, child, dns.rdatatype.DS):
                return zone
            if denial.no_name(child):
                return None
        raise bogus(f"{zone.name} does not prove whether {child} is signed")

    def _keys(self, name: Name, records: Sequence[DS], trip: Trip) -> Zone:
        """A zone whose keys are those that DS records above it name."""
        answer = self._asking.ask(name, dns.rdatatype.DNSKEY, trip)
        for found in answer.answer:
            if found.name != name or found.rdtype != dns.rdatatype.DNSKEY:
                continue
            keys = tuple(each for each in found if _good(each))
            entries = tuple(each for each in keys if any(_named(name, each, record) for record in records))
            if entries:
                self._verified(found, _signatures(answer.answer, found), Zone(name, entries), trip)
                return Zone(name, keys, found.ttl)
        raise bogus(f"{name} has none of the keys that it should have")

    def _denials(self, answer: Message, zone: Zone, trip: Trip) -> list[Denial]:
        """What the zone has signed about names that are not there."""
        by_name: list[tuple[Name, NSEC]] = []
        by_hash: list[tuple[Name, NSEC3]] = []
        for found in answer.authority:
            if found.rdtype not in (dns.rdatatype.NSEC, dns.rdatatype.NSEC3):
                continue
            if not found.name.is_subdomain(zone.name) or len(found) != 1:
                continue
            # Recursive servers add what other zones say about the end of a chain.
            signatures = [each for each in _signatures(answer.authority, found) if each.signer == zone.name]
            # A statement made from a wildcard would speak about names at will.
            if not signatures or self._verified(found, signatures, zone, trip) != _labels(found.name):
                continue
            if isinstance(found[0], NSEC):
                by_name.append((found.name, found[0]))
            elif isinstance(found[0], NSEC3):
                by_hash.append((found.name, found[0]))
        denials: list[Denial] = []
        if by_name:
            denials.append(ByName(zone.name, by_name))
        if by_hash:
            denials.append(ByHash(zone.name, by_hash))
        return denials

    def _verified(self, found: RRset, signatures: Sequence[RRSIG], zone: Zone, trip: Trip) -> int:
        """The number of labels of the name that a key of the zone has signed for this set. Raises LookupFailed."""
        now = self._clock.now().timestamp()
        said = f"the records of {found.name} are not signed by {zone.name}"
        for signature in signatures:
            if signature.signer != zone.name or signature.labels > _labels(found.name):
                continue
            keys = [
                key
                for key in zone.keys
                if key.algorithm == signature.algorithm and dns.dnssec.key_id(key) == signature.key_tag
            ]
            for key in keys[:_MOST_COLLIDING]:
                trip.signature()
                try:
                    held = dns.rrset.from_rdata(zone.name, 0, key)
                    dns.dnssec.validate_rrsig(found, signature, {zone.name: held}, now=now)
                except (dns.exception.ValidationFailure, dns.exception.UnsupportedAlgorithm, ValueError) as error:
                    said = f"a signature of {zone.name} over {found.name} does not verify: {error}"
                    continue
                return int(signature.labels)
        raise bogus(said)

    def _kept_zone(self, name: Name, trip: Trip) -> Zone | None:
        if name in trip.zones:
            return trip.zones[name]
        with self._lock:
            until, zone = self._kept.get(name, (0.0, None))
        return zone if until > time.monotonic() else None

    def _keep(self, zone: Zone, trip: Trip, at: Name | None = None) -> Zone:
        """Remembers what zone a name is in."""
        name = at or zone.name
        trip.zones[name] = zone
        if len(name) <= 2:  # the root is a label, too
            with self._lock:
                self._kept[name] = (time.monotonic() + min(zone.ttl, _KEPT_SECONDS), zone)
                while len(self._kept) > 2000:
                    del self._kept[next(iter(self._kept))]
        return zone


def _signatures(section: Sequence[RRset], found: RRset) -> list[RRSIG]:
    """The signatures over a set."""
    return [
        record
        for each in section
        if each.rdtype == dns.rdatatype.RRSIG and each.name == found.name and each.covers == found.rdtype
        for record in each
    ]


def _signers(answer: Message) -> list[Name]:
    """Who signed what the answer says about things that are not there."""
    return [
        record.signer
        for each in answer.authority
        if each.rdtype == dns.rdatatype.RRSIG
        and each.covers in (dns.rdatatype.SOA, dns.rdatatype.NSEC, dns.rdatatype.NSEC3)
        for record in each
    ]


def _labels(name: Name) -> int:
    """As signatures count: without that of the root, and without the star."""
    return len(name) - 1 - name.is_wild()


def _good(key: DNSKEY) -> bool:
    return bool(key.flags & _ZONE_KEY) and not key.flags & _REVOKED and key.protocol == 3


def _named(name: Name, key: DNSKEY, record: DS) -> bool:
    """Whether a DS record is that of the key."""
    if record.algorithm != key.algorithm or record.key_tag != dns.dnssec.key_id(key):
        return False
    made = dns.dnssec.make_ds(name, key, record.digest_type, validating=True)
    return bytes(made.digest) == bytes(record.digest)
