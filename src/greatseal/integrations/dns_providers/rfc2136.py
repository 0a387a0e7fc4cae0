"""Dynamic updates (RFC 2136), signed with TSIG (RFC 8945): BIND, Knot, PowerDNS, Windows and most others.

A server that finds a CNAME in the way ignores an addition and says that all went well (RFC 2136 section 3.4.2.2), so
the record is asked for afterwards, under the same key.
"""

import socket
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.update

from greatseal.domain.zones.model import ZoneRefused, rdata_of
from greatseal.domain.zones.ports import ProviderFailed
from greatseal.kernel.secret import Secret


@dataclass(frozen=True, slots=True)
class UpdateServer:
    """The primary server of zones, and the key that it knows us by. `host` may be a name; `secret` is not in base64."""

    host: str
    port: int
    key_name: str
    secret: Secret
    algorithm: str = "hmac-sha256"
    timeout: float = 10.0


class Rfc2136Provider:
    """Changes zones by dynamic updates over TCP."""

    def __init__(self, name: str, server: UpdateServer) -> None:
        """Raises OSError for a key that cannot be used."""
        self.name = name
        self._server = server
        try:
            self._key = dns.tsig.Key(
                dns.name.from_text(server.key_name), server.secret.reveal(), dns.name.from_text(server.algorithm)
            )
        except dns.exception.DNSException as error:
            raise OSError(f"the TSIG key of the DNS provider {name} cannot be used: {error}") from None

    def upsert(self, zone: str, name: str, kind: str, value: str, ttl: int) -> None:
        """As `DnsProvider.upsert`."""
        update, owner = self._update(zone), _absolute(name)
        # A CNAME takes the place of another one by itself (RFC 2136 section 3.4.2.2). To remove and add it in one
        # message is what Knot 3.2 makes nothing of.
        update.add(owner, ttl, _rdata(kind, value))
        self._send(update)
        self._check(owner, kind, value)

    def remove(self, zone: str, name: str, kind: str, value: str) -> None:
        """As `DnsProvider.remove`."""
        update = self._update(zone)
        update.delete(_absolute(name), _rdata(kind, value))
        self._send(update)

    def _update(self, zone: str) -> dns.update.UpdateMessage:
        update = dns.update.UpdateMessage(_absolute(zone))
        update.use_tsig(self._key)
        return update

    def _check(self, owner: dns.name.Name, kind: str, value: str) -> None:
        question = dns.message.make_query(owner, kind)
        question.flags &= ~dns.flags.RD
        question.use_tsig(self._key)
        answer = self._ask(question)
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            return  # a server that takes updates need not answer questions
        there = [rdata for rrset in answer.answer for rdata in rrset if rrset.rdtype == dns.rdatatype.from_text(kind)]
        if _rdata(kind, value) not in there:
            raise ProviderFailed(
                f"the server took the record of {owner} and did not keep it: another one is in the way"
            )

    def _send(self, update: dns.update.UpdateMessage) -> None:
        answer = self._ask(update)
        if answer.rcode() != dns.rcode.NOERROR:
            raise ProviderFailed(f"the server refused the update: {dns.rcode.to_text(answer.rcode())}")

    def _ask(self, message: dns.message.Message) -> dns.message.Message:
        server = self._server
        try:
            found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
            return dns.query.tcp(message, str(found[0][4][0]), timeout=server.timeout, port=server.port)
        except (dns.tsig.PeerError, dns.message.UnknownTSIGKey) as error:
            raise ProviderFailed(f"the server does not accept the TSIG key: {error}") from None
        except (OSError, dns.exception.DNSException) as error:
            raise ProviderFailed(
                f"the server {server.host} does not answer: {str(error) or type(error).__name__}"
            ) from None


def _absolute(name: str) -> dns.name.Name:
    try:
        return dns.name.from_text(name, origin=dns.name.root)
    except dns.exception.DNSException as error:
        raise ProviderFailed(f"{name[:260]!r} is no name: {error}") from None


def _rdata(kind: str, value: str) -> dns.rdata.Rdata:
    try:
        return rdata_of(kind, value)
    except ZoneRefused as error:
        raise ProviderFailed(error.message) from None
