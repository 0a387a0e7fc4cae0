"""Our own name server: what it answers, what it leaves unanswered, and how little it lends itself to floods."""

import socket
from collections.abc import Iterator

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.tsigkeyring
import dns.update
import pytest
from hypothesis import given
from hypothesis import strategies as st

from greatseal.domain.zones import OwnZones
from greatseal.domain.zones.own import Answer, Outcome
from greatseal.integrations.zone_server import Answering, Authority, ZoneServer
from greatseal.integrations.zone_server.restraint import Restraint, Verdict
from greatseal.storage import Storage

ZONE = "v.example.net"
DELEGATED = "_acme-challenge.www.example.org"
on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
AUTHORITY = Authority(("ns1.example.net", "ns2.example.net"))


@pytest.fixture
def own(storage: Storage) -> OwnZones:
    return OwnZones(storage=storage, zones=[ZONE, DELEGATED])


@pytest.fixture
def answering(own: OwnZones) -> Answering:
    return Answering(look_up=own.look_up, authority=AUTHORITY)


@pytest.fixture
def server(answering: Answering) -> Iterator[ZoneServer]:
    made = ZoneServer("127.0.0.1", 0, answering=answering)
    made.start()
    yield made
    made.stop()


def ask(answering: Answering, name: str, kind: str, *, udp: bool = True, **more: object) -> dns.message.Message:
    question = dns.message.make_query(name, kind, **more)  # type: ignore[arg-type]
    packet = answering.answer(question.to_wire(), over_udp=udp)
    assert packet is not None
    answer = dns.message.from_wire(packet)
    assert question.is_response(answer)
    assert not answer.flags & dns.flags.RA
    return answer


def texts(answer: dns.message.Message) -> list[str]:
    return [line for rrset in answer.answer for line in rrset.to_text().splitlines()]


def soa(answer: dns.message.Message) -> dns.rdatatype.RdataType:
    (only,) = answer.authority
    assert only.rdtype == dns.rdatatype.SOA
    return only[0]  # type: ignore[return-value]


class TestAnswers:
    """RFC 1034 section 4.3, 2308."""

    @on_sqlite
    def test_the_top_of_a_zone(self, answering: Answering) -> None:
        answer = ask(answering, ZONE, "SOA")
        assert texts(answer) == [
            f"{ZONE}. 3600 IN SOA ns1.example.net. hostmaster.{ZONE}. 1 7200 900 1209600 60",
        ]
        assert answer.flags & dns.flags.AA
        assert sorted(texts(ask(answering, ZONE, "NS"))) == [
            f"{ZONE}. 3600 IN NS ns1.example.net.",
            f"{ZONE}. 3600 IN NS ns2.example.net.",
        ]

    @on_sqlite
    def test_records_of_each_kind(self, own: OwnZones, answering: Answering) -> None:
        own.upsert(ZONE, f"_x.{ZONE}", "CNAME", "_y.acm-validations.example", 60)
        own.upsert(ZONE, f"t.{ZONE}", "TXT", 'with "quotes" and ; and \\', 60)
        own.upsert(ZONE, f"t.{ZONE}", "CAA", '0 issue "ca.example"', 60)
        own.upsert(ZONE, f"ns.{ZONE}", "A", "192.0.2.1", 60)
        own.upsert(ZONE, f"ns.{ZONE}", "AAAA", "2001:DB8::1", 60)
        assert texts(ask(answering, f"_x.{ZONE}", "CNAME")) == [f"_x.{ZONE}. 60 IN CNAME _y.acm-validations.example."]
        (rrset,) = ask(answering, f"t.{ZONE}", "TXT").answer
        assert rrset[0].strings == (b'with "quotes" and ; and \\',)
        assert texts(ask(answering, f"t.{ZONE}", "CAA")) == [f't.{ZONE}. 60 IN CAA 0 issue "ca.example"']
        assert texts(ask(answering, f"ns.{ZONE}", "A")) == [f"ns.{ZONE}. 60 IN A 192.0.2.1"]
        assert texts(ask(answering, f"ns.{ZONE}", "AAAA")) == [f"ns.{ZONE}. 60 IN AAAA 2001:db8::1"]

    @on_sqlite
    def test_a_zone_that_was_delegated_by_ns_records(self, own: OwnZones, answering: Answering) -> None:
        own.upsert(DELEGATED, DELEGATED, "TXT", "token", 60)
        assert texts(ask(answering, DELEGATED, "TXT")) == [f'{DELEGATED}. 60 IN TXT "token"']
        assert ask(answering, "www.example.org", "A").rcode() == dns.rcode.REFUSED

    @on_sqlite
    def test_a_cname_is_followed_at_home_and_left_at_the_border(self, own: OwnZones, answering: Answering) -> None:
        own.upsert(ZONE, f"a.{ZONE}", "CNAME", f"b.{ZONE}", 60)
        own.upsert(ZONE, f"b.{ZONE}", "CNAME", DELEGATED, 60)
        own.upsert(DELEGATED, DELEGATED, "TXT", "token", 60)
        assert texts(ask(answering, f"a.{ZONE}", "TXT")) == [
            f"a.{ZONE}. 60 IN CNAME b.{ZONE}.",
            f"b.{ZONE}. 60 IN CNAME {DELEGATED}.",
            f'{DELEGATED}. 60 IN TXT "token"',
        ]
        own.upsert(ZONE, f"b.{ZONE}", "CNAME", "elsewhere.example", 60)
        away = ask(answering, f"a.{ZONE}", "TXT")
        assert texts(away)[-1] == f"b.{ZONE}. 60 IN CNAME elsewhere.example."
        assert away.rcode() == dns.rcode.NOERROR
        assert not away.authority

    @on_sqlite
    def test_a_loop_of_cnames_ends(self, own: OwnZones, answering: Answering) -> None:
        own.upsert(ZONE, f"a.{ZONE}", "CNAME", f"b.{ZONE}", 60)
        own.upsert(ZONE, f"b.{ZONE}", "CNAME", f"a.{ZONE}", 60)
        assert 0 < len(ask(answering, f"a.{ZONE}", "TXT").answer) <= 2

    @on_sqlite
    def test_no_such_name_and_no_such_record(self, own: OwnZones, answering: Answering) -> None:
        own.upsert(ZONE, f"a.deep.{ZONE}", "TXT", "x", 60)
        nobody = ask(answering, f"nobody.{ZONE}", "TXT")
        assert nobody.rcode() == dns.rcode.NXDOMAIN
        assert nobody.flags & dns.flags.AA
        assert soa(nobody).serial == 2  # type: ignore[attr-defined]
        for name, kind in ((f"a.deep.{ZONE}", "A"), (f"deep.{ZONE}", "TXT"), (ZONE, "A")):
            nothing = ask(answering, name, kind)
            assert (nothing.rcode(), nothing.answer) == (dns.rcode.NOERROR, [])
            soa(nothing)
        own.remove(ZONE, f"a.deep.{ZONE}", "TXT", "x")
        assert ask(answering, f"deep.{ZONE}", "TXT").rcode() == dns.rcode.NXDOMAIN

    @on_sqlite
    def test_the_case_of_the_question_comes_back(self, own: OwnZones, answering: Answering) -> None:
        own.upsert(ZONE, f"t.{ZONE}", "TXT", "x", 60)
        asked = "T.v.ExAmPlE.nEt."
        assert ask(answering, asked, "TXT").answer[0].name.to_text() == asked

    @on_sqlite
    def test_the_serial_counts_changes_only(self, own: OwnZones, answering: Answering) -> None:
        for _ in range(3):
            own.upsert(ZONE, f"t.{ZONE}", "TXT", "x", 60)
            own.remove(ZONE, f"t.{ZONE}", "TXT", "y")
        assert own.look_up(f"t.{ZONE}", "TXT").serial == 2

    def test_a_database_that_fails_is_servfail(self) -> None:
        def look_up(name: str, kind: str) -> Answer:
            raise OSError("no database")

        answer = ask(Answering(look_up=look_up, authority=AUTHORITY), f"x.{ZONE}", "TXT")
        assert answer.rcode() == dns.rcode.SERVFAIL


class TestRefusals:
    """What this server does not do."""

    @on_sqlite
    @pytest.mark.parametrize("kind", ["AXFR", "IXFR"])
    def test_zones_are_not_transferred(self, answering: Answering, kind: str) -> None:
        assert ask(answering, ZONE, kind, udp=False).rcode() == dns.rcode.REFUSED

    @on_sqlite
    @pytest.mark.parametrize(("name", "kind"), [("example.net", "A"), ("com", "NS"), (".", "NS"), (".", "ANY")])
    def test_it_asks_nobody(self, answering: Answering, name: str, kind: str) -> None:
        answer = ask(answering, name, kind)
        assert answer.rcode() == dns.rcode.REFUSED
        assert not answer.answer
        assert not answer.authority
        assert not answer.flags & dns.flags.AA

    @on_sqlite
    def test_another_class(self, answering: Answering) -> None:
        assert ask(answering, "version.bind", "TXT", rdclass=dns.rdataclass.CH).rcode() == dns.rcode.REFUSED

    @on_sqlite
    def test_updates_and_notifies(self, answering: Answering) -> None:
        update = dns.update.UpdateMessage(ZONE)
        update.add(f"x.{ZONE}", 60, "TXT", "mine")
        packet = answering.answer(update.to_wire(), over_udp=False)
        assert packet is not None
        assert dns.message.from_wire(packet).rcode() == dns.rcode.NOTIMP

    @on_sqlite
    def test_any_gets_one_small_record(self, own: OwnZones, answering: Answering) -> None:
        own.upsert(ZONE, f"t.{ZONE}", "TXT", "x" * 1000, 60)
        assert texts(ask(answering, f"t.{ZONE}", "ANY")) == [f't.{ZONE}. 3600 IN HINFO "RFC8482" ""']
        assert ask(answering, f"nobody.{ZONE}", "ANY").rcode() == dns.rcode.NXDOMAIN

    @on_sqlite
    def test_a_version_of_edns_that_nobody_knows(self, answering: Answering) -> None:
        question = dns.message.make_query(ZONE, "SOA", use_edns=1)
        packet = answering.answer(question.to_wire(), over_udp=True)
        assert packet is not None
        answer = dns.message.from_wire(packet)
        assert (answer.rcode(), answer.edns, answer.answer) == (dns.rcode.BADVERS, 0, [])


class TestPackets:
    """Sizes, EDNS, and packets that are none."""

    @on_sqlite
    def test_what_does_not_fit_is_cut_short(self, own: OwnZones, answering: Answering) -> None:
        for number in range(10):
            own.upsert(ZONE, f"t.{ZONE}", "TXT", f"{number}" * 200, 60)
        question = dns.message.make_query(f"t.{ZONE}", "TXT")
        plain = answering.answer(question.to_wire(), over_udp=True)
        assert plain is not None
        assert len(plain) < 100
        assert dns.message.from_wire(plain).flags & dns.flags.TC
        question.use_edns(0, payload=65000)
        modern = answering.answer(question.to_wire(), over_udp=True)
        assert modern is not None
        assert len(modern) <= 1232
        assert dns.message.from_wire(modern).flags & dns.flags.TC
        whole = answering.answer(question.to_wire(), over_udp=False)
        assert whole is not None
        assert len(dns.message.from_wire(whole).answer[0]) == 10

    @on_sqlite
    def test_edns_is_for_those_who_speak_it(self, answering: Answering) -> None:
        assert ask(answering, ZONE, "SOA").edns == -1
        spoken = ask(
            answering, ZONE, "SOA", use_edns=0, payload=4096, options=[dns.edns.GenericOption(10, b"12345678")]
        )
        assert (spoken.edns, spoken.payload, spoken.options) == (0, 1232, ())

    @on_sqlite
    def test_two_questions_at_once(self, answering: Answering) -> None:
        question = dns.message.make_query(ZONE, "SOA")
        question.question.append(dns.message.make_query(ZONE, "NS").question[0])
        packet = answering.answer(question.to_wire(), over_udp=True)
        assert packet is None or dns.message.from_wire(packet).rcode() == dns.rcode.FORMERR

    @on_sqlite
    def test_answers_are_not_answered(self, answering: Answering) -> None:
        question = dns.message.make_query(ZONE, "SOA")
        answer = answering.answer(question.to_wire(), over_udp=True)
        assert answer is not None
        assert answering.answer(answer, over_udp=True) is None

    @given(packet=st.binary(max_size=600))
    def test_whatever_comes_nothing_breaks(self, packet: bytes) -> None:
        answering = Answering(look_up=lambda name, kind: Answer(Outcome.ELSEWHERE), authority=AUTHORITY)
        answer = answering.answer(packet, over_udp=True)
        assert answer is None or len(answer) <= max(len(packet) + 32, 100)

    @given(cut=st.integers(0, 60), flip=st.integers(0, 60), value=st.integers(0, 255))
    def test_damaged_questions(self, cut: int, flip: int, value: int) -> None:
        answering = Answering(look_up=lambda name, kind: Answer(Outcome.ELSEWHERE), authority=AUTHORITY)
        packet = bytearray(dns.message.make_query(f"a.b.{ZONE}", "TXT", use_edns=0).to_wire())
        packet[flip % len(packet)] = value
        answering.answer(bytes(packet[:cut] if cut < 40 else packet), over_udp=True)


class TestRestraint:
    """A network gets so many answers, and then hints that cannot be used against it."""

    def test_over_the_limit_every_second_question_is_cut_short(self) -> None:
        now = [0.0]
        restraint = Restraint(2, monotonic=lambda: now[0])
        verdicts = [restraint.weigh(f"192.0.2.{host}") for host in range(6)]
        assert verdicts[:2] == [Verdict.ANSWER] * 2
        assert verdicts[2:] == [Verdict.DROP, Verdict.CUT_SHORT] * 2
        assert restraint.weigh("198.51.100.1") is Verdict.ANSWER
        assert restraint.weigh("::ffff:192.0.2.9") is Verdict.DROP
        now[0] = 1.0
        assert restraint.weigh("192.0.2.1") is Verdict.ANSWER

    def test_networks_of_ipv6_are_larger(self) -> None:
        restraint = Restraint(1, monotonic=lambda: 0.0)
        assert restraint.weigh("2001:db8:0:1::1") is Verdict.ANSWER
        assert restraint.weigh("2001:db8:0:2::1") is Verdict.DROP
        assert restraint.weigh("2001:db8:1::1") is Verdict.ANSWER

    def test_many_networks_take_no_more_memory(self) -> None:
        restraint = Restraint(1, monotonic=lambda: 0.0)
        for number in range(30_000):
            restraint.weigh(f"10.{number >> 8 & 255}.{number & 255}.1")
        assert len(restraint._networks) <= 20_000


class TestSockets:
    """Real sockets, and a client that is not ours."""

    @on_sqlite
    def test_udp_and_tcp_on_one_port(self, own: OwnZones, server: ZoneServer) -> None:
        host, port = server.address
        own.upsert(ZONE, f"t.{ZONE}", "TXT", "x" * 1000, 60)
        question = dns.message.make_query(f"t.{ZONE}", "TXT")
        answer, over_tcp = dns.query.udp_with_fallback(question, host, port=port, timeout=10)
        assert over_tcp
        assert len(answer.answer) == 1

    @on_sqlite
    def test_a_connection_may_ask_several_times_and_rubbish_ends_it(self, server: ZoneServer) -> None:
        question = dns.message.make_query(ZONE, "SOA")
        with socket.create_connection(server.address, 10) as connection:
            for _ in range(3):
                dns.query.send_tcp(connection, question)
                dns.query.receive_tcp(connection)
            connection.sendall(b"\x00\x05hello")
            assert connection.recv(100) == b""

    @on_sqlite
    def test_rubbish_gets_no_answer_and_the_next_question_does(self, server: ZoneServer) -> None:
        question = dns.message.make_query(ZONE, "SOA").to_wire()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(10)
            for packet in (b"", b"x", question[:20], b"\xff" * 512, question):
                client.sendto(packet, server.address)
            assert client.recv(4096)[:2] == question[:2]

    @on_sqlite
    def test_a_flood_is_answered_with_less_than_it_sends(self, answering: Answering) -> None:
        server = ZoneServer("127.0.0.1", 0, answering=answering, per_second=1, monotonic=lambda: 0.0)
        server.start()
        try:
            question = dns.message.make_query(ZONE, "NS").to_wire()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.settimeout(10)
                for _ in range(5):
                    client.sendto(question, server.address)
                whole, *others = [client.recv(4096) for _ in range(3)]
        finally:
            server.stop()
        assert not dns.message.from_wire(whole).flags & dns.flags.TC
        for other in others:
            assert dns.message.from_wire(other).flags & dns.flags.TC
            assert len(other) <= len(question)

    @on_sqlite
    def test_it_ends_while_somebody_is_connected(self, answering: Answering) -> None:
        server = ZoneServer("127.0.0.1", 0, answering=answering)
        server.start()
        with socket.create_connection(server.address, 10) as connection:
            dns.query.send_tcp(connection, dns.message.make_query(ZONE, "SOA"))
            dns.query.receive_tcp(connection)
            server.stop()
            assert connection.recv(1) == b""
