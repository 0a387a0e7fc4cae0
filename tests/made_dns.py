"""Name servers in this process: zones that are signed or not, and a teller that may lie in any way a test likes."""

import base64
import selectors
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataset
import dns.rdatatype
import dns.rrset
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec
from dns.message import Message
from dns.name import Name
from dns.rdtypes.ANY.NSEC import NSEC
from dns.rdtypes.ANY.NSEC3 import NSEC3
from dns.rdtypes.util import Bitmap

Reply = Message | bytes | None
Teller = Callable[[Message, bool], Reply]
"""A query, and whether it came over TCP; None is silence."""

NS, DS, SOA, CNAME, NSEC_, NSEC3_, RRSIG = (
    dns.rdatatype.from_text(each) for each in ("NS", "DS", "SOA", "CNAME", "NSEC", "NSEC3", "RRSIG")
)
_KEY = ec.generate_private_key(ec.SECP256R1())
_PAYLOAD = 1232


class MadeZone:
    """A zone from text, signed with NSEC, NSEC3 or not at all."""

    def __init__(self, origin: str, text: str, *, denial: str = "", at: datetime | None = None) -> None:
        """`denial` is `nsec`, `nsec3` or `opt-out`; empty leaves the zone unsigned. Signed for a day around `at`."""
        head = "$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 300\n"
        self.origin = dns.name.from_text(origin)
        self.zone = dns.zone.from_text(head + text, self.origin, relativize=False, check_origin=False)
        self.denial = denial
        self.dnskey = dns.dnssec.make_dnskey(_KEY.public_key(), dns.dnssec.Algorithm.ECDSAP256SHA256, flags=257)
        if denial:
            assert at is not None
            self._at = at
            self.zone.find_rdataset(self.origin, "DNSKEY", create=True).add(self.dnskey, 300)
            (self._chain_by_name if denial == "nsec" else self._chain_by_hash)()
            self._sign_all()

    @property
    def ds(self) -> str:
        """The DS record for the zone above, or a trust anchor."""
        return f"{self.origin} 300 IN DS {dns.dnssec.make_ds(self.origin, self.dnskey, 'SHA256')}"

    def cut(self, name: Name, *, of: int | None = None) -> Name | None:
        """The delegation at or above a name, if any."""
        for size in range(len(self.origin) + 1, len(name) + 1):
            at = name.split(size)[1]
            if self.zone.get_rdataset(at, NS) and not (of == DS and at == name):
                return at
        return None

    def sets(self, name: Name, kind: int, shown: Name | None = None) -> list[dns.rrset.RRset]:
        """Records and their signatures, under the name that was asked for when it is a wildcard's."""
        found = []
        for covers in (0, kind):
            rdataset = self.zone.get_rdataset(name, RRSIG if covers else kind, covers)
            if rdataset:
                made = dns.rrset.RRset(shown or name, rdataset.rdclass, rdataset.rdtype, covers)
                made.update(rdataset)
                found.append(made)
        return found

    def exists(self, name: Name) -> bool:
        return any(each.is_subdomain(name) for each in self._names())

    def denying(self, name: Name) -> list[dns.rrset.RRset]:
        """Everything that the zone can say about a name and the wildcard for it that are not there."""
        if self.denial == "nsec":
            owners = [each for each in self._names() if self.zone.get_rdataset(each, NSEC_)]
            wanted = (name, self._wildcard(name))
            chosen = {max((each for each in owners if each <= one), default=owners[-1]) for one in wanted}
            return [found for owner in chosen for found in self.sets(owner, NSEC_)]
        if not self.denial:
            return []
        owners = sorted(each for each in self.zone.nodes if self.zone.get_rdataset(each, NSEC3_))
        chosen = set()
        at = name
        while True:
            for one in (at, dns.name.Name((b"*", *at.labels))):
                place = self._hashed(one)
                chosen.add(max((each for each in owners if each <= place), default=owners[-1]))
            if at == self.origin:
                break
            at = at.parent()
        return [found for owner in sorted(chosen) for found in self.sets(owner, NSEC3_)]

    def _wildcard(self, name: Name) -> Name:
        at = name.parent()
        while not self.exists(at):
            at = at.parent()
        return dns.name.Name((b"*", *at.labels))

    def wildcard(self, name: Name) -> Name | None:
        """The wildcard that makes up records for a name, if there is one."""
        if not name.is_subdomain(self.origin) or name == self.origin:
            return None
        found = self._wildcard(name)
        return found if self.zone.get_node(found) else None

    def _names(self) -> list[Name]:
        return sorted(
            each
            for each in self.zone.nodes
            if not self.zone.get_rdataset(each, NSEC3_) and self.cut(each) in (None, each)
        )

    def _types(self, name: Name) -> list[int]:
        node = self.zone.get_node(name)
        return [each.rdtype for each in node.rdatasets] if node else []

    def _chain_by_name(self) -> None:
        names = self._names()
        for name, following in zip(names, [*names[1:], names[0]], strict=True):
            types = [*self._types(name), RRSIG, NSEC_]
            record = NSEC(1, NSEC_, following, Bitmap.from_rdtypes(types).windows)
            self.zone.find_rdataset(name, NSEC_, create=True).add(record, 300)

    def _chain_by_hash(self) -> None:
        flags = 1 if self.denial == "opt-out" else 0
        names = set()
        for each in self._names():
            if flags and self.cut(each) == each and not self.zone.get_rdataset(each, DS):
                continue
            at = each
            while at != self.origin:
                names.add(at)
                at = at.parent()
        names.add(self.origin)
        chain = sorted((self._hashed(each), each) for each in names)
        for (place, name), (following, _) in zip(chain, [*chain[1:], chain[0]], strict=True):
            types = self._types(name)
            delegated = NS in types and SOA not in types
            types += [RRSIG] if types and (not delegated or DS in types) else []
            raw = base64.b32hexdecode(following[0].upper())
            record = NSEC3(1, NSEC3_, 1, flags, 1, b"\xab", raw, Bitmap.from_rdtypes(types).windows)
            self.zone.find_rdataset(place, NSEC3_, create=True).add(record, 300)

    def _hashed(self, name: Name) -> Name:
        return dns.name.Name((dns.dnssec.nsec3_hash(name, b"\xab", 1, 1).lower().encode(), *self.origin.labels))

    def _sign_all(self) -> None:
        for name, node in list(self.zone.nodes.items()):
            for found in list(node.rdatasets):
                delegated = self.cut(name) is not None and found.rdtype not in (DS, NSEC_)
                if found.rdtype != RRSIG and not delegated:
                    self.sign(name, found)

    def sign(self, name: Name, found: dns.rdataset.Rdataset) -> None:
        day = timedelta(days=1)
        signature = dns.dnssec.sign(
            (name, found), _KEY, self.origin, self.dnskey, inception=self._at - day, expiration=self._at + day
        )
        held = self.zone.find_rdataset(name, RRSIG, found.rdtype, create=True)
        held.clear()
        held.add(signature, 300)


def telling(*zones: MadeZone) -> Teller:
    """An honest server of these zones."""

    def tell(query: Message, _tcp: bool) -> Reply:
        (question,) = query.question
        name, kind = question.name.canonicalize(), question.rdtype
        reply = dns.message.make_response(query)
        at = name.parent() if kind == DS and name != dns.name.root else name
        above = [each for each in zones if at.is_subdomain(each.origin)]
        if not above:
            reply.set_rcode(dns.rcode.REFUSED)
            return reply
        zone = max(above, key=lambda each: len(each.origin))
        reply.flags |= dns.flags.AA
        cut = zone.cut(name, of=kind)
        if cut is not None:
            reply.flags &= ~dns.flags.AA
            reply.authority += zone.sets(cut, NS)[:1] + (zone.sets(cut, DS) or zone.denying(cut))
            for record in zone.zone.get_rdataset(cut, NS):
                reply.additional += [*zone.sets(record.target, dns.rdatatype.A)[:1]]
            return reply
        for size in range(len(zone.origin), len(name)):
            if moved := zone.sets(name.split(size)[1], dns.rdatatype.DNAME):
                reply.answer += moved
                return reply
        owner = name if zone.exists(name) else zone.wildcard(name)
        found = owner and (zone.sets(owner, kind, name) or zone.sets(owner, CNAME, name))
        if found:
            reply.answer += found
            if owner != name:
                reply.authority += zone.denying(name)
            return reply
        reply.authority += zone.sets(zone.origin, SOA)
        if owner is None:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        reply.authority += zone.denying(name)
        return reply

    return tell


class NameServers:
    """Listens on one port of several addresses of this host, UDP and TCP, a teller behind each."""

    def __init__(self, tellers: Mapping[str, Teller]) -> None:
        self.tellers = dict(tellers)
        self.asked: list[tuple[str, str, str]] = []
        """Address, name and type of every query."""
        self._sockets: list[tuple[str, socket.socket, bool]] = []
        self.port = self._bind()
        self._wake, self._waker = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _bind(self) -> int:
        for _ in range(20):
            port = 0
            try:
                for address in self.tellers:
                    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                    self._sockets.append((address, udp, False))
                    udp.bind((address, port))
                    port = udp.getsockname()[1]
                    tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
                    self._sockets.append((address, tcp, True))
                    tcp.bind((address, port))
                    tcp.listen(16)
            except OSError:
                for _, each, _ in self._sockets:
                    each.close()
                self._sockets.clear()
                continue
            return port
        raise OSError("no port is free on all addresses")

    def __enter__(self) -> "NameServers":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._waker.send(b"x")
        self._thread.join(10)
        for _, each, _ in self._sockets:
            each.close()
        self._wake.close()
        self._waker.close()

    def _run(self) -> None:
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._wake, selectors.EVENT_READ)
            for address, each, tcp in self._sockets:
                waiting.register(each, selectors.EVENT_READ, (address, tcp))
            while True:
                for key, _ in waiting.select():
                    if key.data is None:
                        return
                    with suppress(OSError):
                        (self._over_tcp if key.data[1] else self._over_udp)(key.fileobj, key.data[0])

    def _over_udp(self, listening: socket.socket, address: str) -> None:
        raw, peer = listening.recvfrom(65535)
        wire = self._wire(raw, address, False)
        if wire is not None:
            listening.sendto(wire, peer)

    def _over_tcp(self, listening: socket.socket, address: str) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.settimeout(2)
            raw = connection.recv(65537)
            if len(raw) > 2 and (wire := self._wire(raw[2:], address, True)) is not None:
                connection.sendall(struct.pack("!H", len(wire)) + wire)

    def _wire(self, raw: bytes, address: str, tcp: bool) -> bytes | None:
        query = dns.message.from_wire(raw)
        (question,) = query.question
        self.asked.append((address, question.name.canonicalize().to_text(), dns.rdatatype.to_text(question.rdtype)))
        reply = self.tellers[address](query, tcp)
        if not isinstance(reply, Message):
            return reply
        wire = reply.to_wire(max_size=65535)
        if tcp or len(wire) <= _PAYLOAD:
            return wire
        short = dns.message.make_response(query)
        short.flags |= dns.flags.TC
        return short.to_wire()


@contextmanager
def serving(tellers: Mapping[str, Teller]) -> Iterator[NameServers]:
    """Name servers for the length of a block."""
    with NameServers(tellers) as servers:
        yield servers
