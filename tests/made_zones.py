"""DNS providers of other people, small ones: a primary server that takes updates, and the API of Route 53."""

import http.server
import re
import socketserver
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from xml.sax.saxutils import escape

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.update

TSIG_NAME = "greatseal.key."
TSIG_SECRET = bytes(range(32))
ZONE = "example.com"

Table = dict[tuple[str, str], dict[str, int]]


class Primary:
    """Takes updates of one zone over TCP, as RFC 2136 has them, and answers questions about it."""

    def __init__(self, zone: str = ZONE) -> None:
        self.zone = dns.name.from_text(zone)
        self.table: Table = {}
        self.answers_questions = True
        self._key = dns.tsig.Key(TSIG_NAME, TSIG_SECRET, "hmac-sha256")
        outer = self

        class One(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                length = int.from_bytes(self.rfile.read(2), "big")
                answer = outer.respond(self.rfile.read(length))
                if answer is not None:
                    self.wfile.write(len(answer).to_bytes(2, "big") + answer)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), One)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def respond(self, packet: bytes) -> bytes | None:
        try:
            message = dns.message.from_wire(packet, keyring={self._key.name: self._key})
        except dns.exception.DNSException:
            refused = dns.message.make_response(dns.message.from_wire(packet, ignore_trailing=True, keyring=False))
            refused.set_rcode(dns.rcode.NOTAUTH)
            return refused.to_wire()
        response = dns.message.make_response(message)
        if message.had_tsig is False:
            response.set_rcode(dns.rcode.REFUSED)
        elif isinstance(message, dns.update.UpdateMessage):
            self._update(message, response)
        elif not self.answers_questions:
            response.set_rcode(dns.rcode.REFUSED)
        else:
            asked = message.question[0]
            for value, ttl in self._at(asked.name, asked.rdtype).items():
                kind = dns.rdatatype.to_text(asked.rdtype)
                response.answer.append(dns.rrset.from_text(asked.name, ttl, "IN", kind, value))
        return response.to_wire()

    def _update(self, message: dns.update.UpdateMessage, response: dns.message.Message) -> None:
        if message.zone[0].name != self.zone:
            response.set_rcode(dns.rcode.NOTZONE)
            return
        for rrset in message.update:
            there = self._at(rrset.name, rrset.rdtype)
            if rrset.deleting == dns.rdataclass.ANY:
                there.clear()
            elif rrset.deleting == dns.rdataclass.NONE:
                for rdata in rrset:
                    there.pop(rdata.to_text(), None)
            else:
                kinds = {kind for (name, kind), found in self.table.items() if name == _text(rrset.name) and found}
                kind = dns.rdatatype.to_text(rrset.rdtype)
                if (kind == "CNAME" and kinds - {"CNAME"}) or (kind != "CNAME" and "CNAME" in kinds):
                    continue  # ignored without a word (RFC 2136 section 3.4.2.2)
                if kind == "CNAME":
                    there.clear()
                for rdata in rrset:
                    there[rdata.to_text()] = rrset.ttl

    def _at(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> dict[str, int]:
        return self.table.setdefault((_text(name), dns.rdatatype.to_text(kind)), {})


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


class Route53:
    """The part of the API of Route 53 that changes records, with its rule that a batch fits to what is there."""

    def __init__(self) -> None:
        self.table: Table = {}
        self.before_change = lambda: None
        self.denies = False
        self.hosted = [("Z0PRIVATE", f"{ZONE}.", "true"), ("Z1PUBLIC", f"{ZONE}.", "false")]
        outer = self

        class One(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._say(*outer.read(self.path))

            def do_POST(self) -> None:
                self._say(*outer.change(self.path, self.rfile.read(int(self.headers["content-length"]))))

            def _say(self, status: int, body: str) -> None:
                raw = body.encode()
                self.send_response(status)
                self.send_header("content-type", "text/xml")
                self.send_header("content-length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), One)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def read(self, path: str) -> tuple[int, str]:
        if self.denies:
            return 403, _error("AccessDenied", "not you")
        if path.startswith("/2013-04-01/hostedzonesbyname"):
            zones = "".join(
                f"<HostedZone><Id>/hostedzone/{zone}</Id><Name>{name}</Name><CallerReference>r</CallerReference>"
                f"<Config><PrivateZone>{private}</PrivateZone></Config></HostedZone>"
                for zone, name, private in self.hosted
            )
            inner = f"<HostedZones>{zones}</HostedZones><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems>"
            return 200, _answer("ListHostedZonesByNameResponse", inner)
        assert path.startswith("/2013-04-01/hostedzone/Z1PUBLIC/rrset?"), path
        name, kind = (re.search(rf"[?&]{key}=([^&]*)", path)[1] for key in ("name", "type"))  # type: ignore[index]
        records = self.table.get((name.rstrip(".").lower(), kind), {})
        there = ""
        if records:
            values = "".join(f"<ResourceRecord><Value>{escape(each)}</Value></ResourceRecord>" for each in records)
            there = (
                f"<ResourceRecordSet><Name>{name}</Name><Type>{kind}</Type><TTL>{next(iter(records.values()))}</TTL>"
                f"<ResourceRecords>{values}</ResourceRecords></ResourceRecordSet>"
            )
        inner = (
            f"<ResourceRecordSets>{there}</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>1</MaxItems>"
        )
        return 200, _answer("ListResourceRecordSetsResponse", inner)

    def change(self, path: str, body: bytes) -> tuple[int, str]:
        assert path.rstrip("/") == "/2013-04-01/hostedzone/Z1PUBLIC/rrset", path
        self.before_change()
        new = dict(self.table)
        tree = ET.fromstring(re.sub(rb' xmlns="[^"]*"', b"", body))
        for change in tree.iter("Change"):
            action = change.findtext("Action")
            rrset = change.find("ResourceRecordSet")
            assert rrset is not None
            key = ((rrset.findtext("Name") or "").rstrip(".").lower(), rrset.findtext("Type") or "")
            ttl = int(rrset.findtext("TTL") or 0)
            values = {each.text or "": ttl for each in rrset.iter("Value")}
            if action == "DELETE":
                if new.get(key) != values:
                    return 400, _error("InvalidChangeBatch", "but the values provided do not match the current values")
                del new[key]
            else:
                assert action == "CREATE"
                if new.get(key):
                    return 400, _error("InvalidChangeBatch", "but it already exists")
                new[key] = values
        self.table = new
        inner = "<ChangeInfo><Id>/change/C1</Id><Status>PENDING</Status><SubmittedAt>2026-11-21T00:00:00Z</SubmittedAt>"
        return 200, _answer("ChangeResourceRecordSetsResponse", f"{inner}</ChangeInfo>")


def _answer(name: str, inner: str) -> str:
    return f'<?xml version="1.0"?><{name} xmlns="https://route53.amazonaws.com/doc/2013-04-01/">{inner}</{name}>'


def _error(code: str, message: str) -> str:
    return (
        '<?xml version="1.0"?><ErrorResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Error>'
        f"<Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    )


@contextmanager
def primary(zone: str = ZONE) -> Iterator[Primary]:
    made = Primary(zone)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def route53() -> Iterator[Route53]:
    made = Route53()
    try:
        yield made
    finally:
        made.close()
