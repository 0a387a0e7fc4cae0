"""The resolver on a small internet of its own: a signed root, top-level domains of each kind, lying servers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from greatseal.domain.validation.caa import LookupFailed
from greatseal.domain.validation.ports import ControlFailure as Failure
from greatseal.integrations.domain_control.dnssec import Validator, read_anchors
from greatseal.integrations.domain_control.exchange import Exchange, Server
from greatseal.integrations.domain_control.http_probe import HttpProbe
from greatseal.integrations.domain_control.iterative import Iterative
from greatseal.integrations.domain_control.local import LocalControl, allowed_addresses
from greatseal.integrations.domain_control.recursive import Recursive
from greatseal.integrations.domain_control.resolver import Resolver
from greatseal.integrations.domain_control.trip import Limits
from greatseal.kernel.entropy import SystemEntropy
from greatseal.testing.clock import START, FakeClock
from made_dns import MadeZone, NameServers, Teller, telling

ROOT, TOP, OWN = (f"127.0.0.{last}" for last in (11, 12, 13))
TOPS = ("com", "org", "net")
LIMITS = Limits(seconds=10, query_seconds=0.3)
VALUE = "_val.abcdefghij.acm-validations.aws"
RECORDS = f"""
@ NS ns.{{zone}}.
ns A {OWN}
_token CNAME {VALUE}.
_chain CNAME link1
link1 CNAME link2
link2 CNAME {VALUE}.
_loop CNAME loop2
loop2 CNAME _loop
_away CNAME _token.plain.com.
_wrong CNAME elsewhere.example.
a.deep.ent A 192.0.2.1
*.wild CNAME {VALUE}.
@ CAA 0 issue "amazon.com"
never CAA 0 issue ";"
alias CNAME never
_under.dname-target CNAME {VALUE}.
dname DNAME dname-target
host A 192.0.2.7
host AAAA 2001:db8::7
"""
LONG = "\n".join(f"link{n} CNAME link{n + 1}" for n in range(40)) + "\n_long CNAME link0\n"


@dataclass
class World:
    servers: NameServers
    control: LocalControl
    resolver: Resolver
    clock: FakeClock
    zones: dict[str, MadeZone]

    def lie(self, teller: Teller, address: str = OWN) -> None:
        self.servers.tellers[address] = teller

    def twist(self, change) -> None:
        """Changes every answer of the servers of domains."""
        honest = self.servers.tellers[OWN]

        def tell(query, tcp):
            return change(query, honest(query, tcp), tcp)

        self.servers.tellers[OWN] = tell


@cache
def _internet() -> dict[str, MadeZone]:
    """Zones by name; the root's is the empty one."""
    zones: dict[str, MadeZone] = {}

    def add(name: str, text: str, denial: str) -> MadeZone:
        zones[name] = MadeZone(name or ".", text.format(zone=name), denial=denial, at=START)
        return zones[name]

    for top, kind in (("com", "opt-out"), ("org", "nsec"), ("net", "nsec3")):
        below = ""
        for child, denial in (("one", "nsec"), ("three", "nsec3"), ("plain", "")):
            name = f"{child}.{top}"
            made = add(name, RECORDS, denial)
            below += f"{child} NS ns.{name}.\nns.{name}. A {OWN}\n" + (f"{made.ds}\n" if denial else "")
        below += f"without-glue NS ns.one.{top}.\n"
        add(f"without-glue.{top}", f"@ NS ns.one.{top}.\n_token CNAME {VALUE}.\n", "")
        add(top, f"@ NS ns.{top}.\nns.{top}. A {TOP}\n{below}", kind)
    tops = "".join(f"{top} NS ns.{top}.\nns.{top}. A {TOP}\n{zones[top].ds}\n" for top in TOPS)
    add("", f"@ NS ns.\nns. A {ROOT}\n{tops}", "nsec")
    return zones


@pytest.fixture
def world() -> Iterator[World]:
    zones = _internet()
    tellers = {
        ROOT: telling(zones[""]),
        TOP: telling(*(zones[each] for each in TOPS)),
        OWN: telling(*(each for name, each in zones.items() if "." in name)),
    }
    with NameServers(tellers) as servers:
        clock = FakeClock()
        yield World(servers, *_control(servers, zones[""], clock), clock, zones)


def _control(servers: NameServers, root: MadeZone, clock: FakeClock) -> tuple[LocalControl, Resolver]:
    asking = Iterative(Exchange(SystemEntropy()), [ROOT], allowed=lambda _: True, port=servers.port)
    resolver = Resolver(asking, Validator(asking, read_anchors([root.ds]), clock), LIMITS)
    probe = HttpProbe(resolver, allowed=allowed_addresses([]))
    return LocalControl(resolver, probe), resolver


ZONES = [f"{child}.{top}" for top in TOPS for child in ("one", "three", "plain")]
SIGNED = [each for each in ZONES if not each.startswith("plain")]


@pytest.mark.parametrize("zone", ZONES)
def test_every_kind_of_zone(world, zone):
    for name in ("_token", "_chain", "x.wild", "_away", "_under.dname"):
        assert world.control.cname(f"{name}.{zone}.", f"{VALUE}.").ok, name
    assert world.control.cname(f"_TOKEN.{zone.upper()}", VALUE.upper()).ok
    assert world.control.cname(f"_token.{zone}", VALUE.replace("_val", "_other")).failure == Failure.WRONG_VALUE
    assert world.control.cname(f"_token.{zone}", f"_{VALUE}").ok  # a provider that takes no underscore
    for name in ("_none", "host", "deep.ent", "ent", "b.host", ""):
        found = world.control.cname(f"{name}.{zone}".lstrip("."), VALUE)
        assert found.failure == Failure.NOT_FOUND, (name, found)
    wrong = world.control.cname(f"_wrong.{zone}", VALUE)
    assert wrong.failure == Failure.WRONG_VALUE
    assert "elsewhere.example" in wrong.detail
    trip = world.resolver.trip()
    assert world.resolver.addresses(f"host.{zone}", trip) == ["2001:db8::7", "192.0.2.7"]


@pytest.mark.parametrize("zone", ZONES)
def test_caa_climbs(world, zone):
    def allowed(name, **more):
        return world.control.caa(name, **({"wildcard": False, "method": "dns", "account_uri": ""} | more))

    assert allowed(zone).ok
    assert allowed(f"a.b.host.{zone}").ok
    assert allowed(f"a.never.{zone}").failure == Failure.CAA
    assert allowed(f"alias.{zone}").failure == Failure.CAA
    assert allowed(f"x.alias.{zone}").failure == Failure.CAA
    assert allowed(f"alias.{zone}", wildcard=True).failure == Failure.CAA


def test_a_loop_and_a_long_chain(world):
    assert "circle" in world.control.cname("_loop.one.com", VALUE).detail
    world.lie(telling(MadeZone("plain.com", LONG)))
    assert "follow each other" in world.control.cname("_long.plain.com", VALUE).detail


def test_signatures_end(world):
    assert world.control.cname("_token.one.org", VALUE).ok
    world.clock.advance(timedelta(days=2))
    assert world.control.cname("_token.one.org", VALUE).failure == Failure.BOGUS
    world.clock.advance(timedelta(days=-4))
    assert world.control.cname("_token.one.org", VALUE).failure == Failure.BOGUS


def _stripped(_query, reply, _tcp):
    for section in (reply.answer, reply.authority):
        section[:] = [
            each for each in section if each.rdtype not in map(dns.rdatatype.from_text, ("RRSIG", "NSEC", "NSEC3"))
        ]
    return reply


def _altered(query, reply, _tcp):
    for each in list(reply.answer):
        if each.rdtype == dns.rdatatype.CNAME:
            reply.answer.remove(each)
            reply.answer.append(dns.rrset.from_text(each.name, 300, "IN", "CNAME", f"{VALUE}."))
    return reply


def _denied(query, reply, _tcp):
    """There is nothing, says the server, with the statements of the zone about another name."""
    if reply.question[0].rdtype in (dns.rdatatype.DNSKEY, dns.rdatatype.DS):
        return reply
    reply.answer.clear()
    reply.set_rcode(dns.rcode.NXDOMAIN)
    return reply


@pytest.mark.parametrize("zone", SIGNED)
def test_a_signed_zone_cannot_be_lied_about(world, zone):
    world.twist(_stripped)
    for name in ("_token", "_none"):
        assert world.control.cname(f"{name}.{zone}", VALUE).failure == Failure.BOGUS
    assert world.control.caa(zone, wildcard=False, method="dns", account_uri="").failure == Failure.BOGUS


@pytest.mark.parametrize("zone", SIGNED)
def test_changed_records(world, zone):
    world.twist(_altered)
    assert world.control.cname(f"_wrong.{zone}", VALUE).failure == Failure.BOGUS
    world.twist(_denied)
    assert world.control.cname(f"_token.{zone}", VALUE).failure == Failure.BOGUS


@pytest.mark.parametrize("zone", SIGNED)
def test_statements_about_other_names_prove_nothing(world, zone):
    made = world.zones[zone]
    name = dns.name.from_text(f"never.{zone}")
    elsewhere = dns.name.from_text(f"_nothing.{zone}")

    def deny(query, reply, _tcp):
        if query.question[0].rdtype != dns.rdatatype.CAA or query.question[0].name != name:
            return reply
        made_up = dns.message.make_response(query)
        made_up.flags |= dns.flags.AA
        made_up.set_rcode(dns.rcode.NXDOMAIN)
        made_up.authority += made.sets(made.origin, dns.rdatatype.SOA) + made.denying(elsewhere)
        return made_up

    world.twist(deny)
    found = world.control.caa(f"never.{zone}", wildcard=False, method="dns", account_uri="")
    assert found.failure == Failure.BOGUS


@pytest.mark.parametrize("top", ["com", "org", "net"])
def test_the_parent_cannot_deny_for_its_child(world, top):
    """NSEC and NSEC3 of a delegation say nothing about the names below it (RFC 6840 section 4.1)."""
    parent = world.zones[top]

    def deny(query, reply, _tcp):
        if query.question[0].rdtype != dns.rdatatype.CAA:
            return reply
        made_up = dns.message.make_response(query)
        made_up.flags |= dns.flags.AA
        delegation = dns.name.from_text(f"one.{top}")
        made_up.authority += parent.sets(parent.origin, dns.rdatatype.SOA) + parent.denying(delegation)
        return made_up

    world.twist(deny)
    for name in (f"one.{top}", f"never.one.{top}"):
        assert world.control.caa(name, wildcard=False, method="dns", account_uri="").failure == Failure.BOGUS


@pytest.mark.parametrize("top", TOPS)
def test_servers_whose_addresses_must_be_found(world, top):
    assert world.control.cname(f"_token.without-glue.{top}", VALUE).ok


def test_an_unsigned_zone_can_only_be_believed(world):
    world.twist(_altered)
    assert world.control.cname("_wrong.plain.org", VALUE).ok


@pytest.mark.parametrize("top", ["com", "org", "net"])
def test_a_parent_that_hides_the_keys(world, top):
    """Without its DS record a signed zone must not pass for an unsigned one."""

    def hide(query, tcp):
        reply = telling(*(world.zones[each] for each in TOPS))(query, tcp)
        gone = [each for each in reply.answer + reply.authority if dns.rdatatype.DS in (each.rdtype, each.covers)]
        for section in (reply.answer, reply.authority):
            section[:] = [each for each in section if each not in gone]
        return reply

    world.lie(hide, TOP)
    world.twist(_stripped)
    assert world.control.cname(f"_token.one.{top}", VALUE).failure == Failure.BOGUS
    assert world.control.cname(f"_token.three.{top}", VALUE).failure == Failure.BOGUS


def _wrong_id(query, reply, _tcp):
    reply.id ^= 1
    return reply


def _other_question(query, reply, _tcp):
    reply.question[0] = dns.rrset.RRset(dns.name.from_text("other.example"), 1, reply.question[0].rdtype)
    return reply


def _failing(rcode):
    def fail(query, _reply, _tcp):
        made = dns.message.make_response(query)
        made.set_rcode(rcode)
        return made

    return fail


def _cut(query, reply, tcp):
    if tcp:
        return None
    made = dns.message.make_response(query)
    made.flags |= dns.flags.TC | dns.flags.AA
    return made


@pytest.mark.parametrize(
    "twist",
    [
        lambda *_: None,
        lambda *_: b"\x00" * 5,
        _wrong_id,
        _other_question,
        _failing(dns.rcode.SERVFAIL),
        _failing(dns.rcode.REFUSED),
        _failing(dns.rcode.FORMERR),
        _cut,
    ],
    ids=["silent", "garbage", "wrong-id", "other-question", "servfail", "refused", "formerr", "cut-off"],
)
def test_servers_that_do_not_answer(world, twist):
    world.twist(twist)
    for found in (
        world.control.cname("_token.plain.org", VALUE),
        world.control.caa("plain.org", wildcard=False, method="dns", account_uri=""),
    ):
        assert not found.ok
        assert found.failure == Failure.NO_ANSWER


def test_a_server_that_is_not_authoritative(world):
    def heard(_query, reply, _tcp):
        reply.flags &= ~dns.flags.AA
        return reply

    world.twist(heard)
    assert world.control.cname("_token.plain.org", VALUE).failure == Failure.NO_ANSWER


def test_a_thousand_records(world):
    def many(query, reply, _tcp):
        if query.question[0].rdtype == dns.rdatatype.CAA:
            texts = [f'0 issue "ca{each}.example"' for each in range(1000)]
            reply.answer = [dns.rrset.from_text_list(query.question[0].name, 300, "IN", "CAA", texts)]
        return reply

    world.twist(many)
    found = world.control.caa("host.plain.org", wildcard=False, method="dns", account_uri="")
    assert found.failure == Failure.NO_ANSWER
    assert "more than 200 records" in found.detail


def test_over_tcp_when_it_does_not_fit(world):
    text = RECORDS.format(zone="plain.org") + "".join(f'_big CAA 0 iodef "mailto:{n:0180}@x.org"\n' for n in range(20))
    world.lie(telling(MadeZone("plain.org", text)))
    assert len(world.resolver.caa("_big.plain.org", world.resolver.trip())) == 20


def test_delegations_without_end(world):
    def deeper(query, _reply, _tcp):
        name = query.question[0].name
        made = dns.message.make_response(query)
        made.authority = [
            dns.rrset.from_text(name, 300, "IN", "NS", f"ns{n}.{m}.one.org.") for n, m in ((1, 2), (2, 3))
        ]
        return made

    world.twist(deeper)
    before = len(world.servers.asked)
    assert world.control.cname("_token.plain.org", VALUE).failure == Failure.NO_ANSWER
    assert len(world.servers.asked) - before < 300


def test_private_name_servers_are_not_asked(world):
    asking = Iterative(
        Exchange(SystemEntropy()), [ROOT], allowed=lambda address: address == ROOT, port=world.servers.port
    )
    resolver = Resolver(asking, Validator(asking, {}, world.clock))
    control = LocalControl(resolver, HttpProbe(resolver, allowed=allowed_addresses([])))
    found = control.cname("_token.plain.org", VALUE)
    assert found.failure == Failure.REFUSED_ADDRESS
    assert {address for address, _, _ in world.servers.asked} == {ROOT}


def test_a_server_that_spells_names_its_own_way(world):
    def lower(query, reply, tcp):
        if not tcp:
            reply.question[0] = dns.rrset.RRset(query.question[0].name.canonicalize(), 1, query.question[0].rdtype)
        return reply

    world.twist(lower)
    assert world.control.cname("_token.one.org", VALUE).ok


def _asking_others(zones):
    """A recursive server: the whole chain in one answer, with what each zone says about it."""
    tell = telling(*zones)

    def ask(query, tcp):
        reply = tell(query, tcp)
        at = query.question[0].name
        for _ in range(10):
            links = [each for each in reply.answer if each.name == at and each.rdtype == dns.rdatatype.CNAME]
            if not links or query.question[0].rdtype == dns.rdatatype.CNAME:
                break
            at = links[0][0].target
            further = tell(dns.message.make_query(at, query.question[0].rdtype), tcp)
            reply.answer += further.answer
            reply.authority += further.authority
            reply.set_rcode(further.rcode())
        reply.flags = (reply.flags & ~dns.flags.AA) | dns.flags.RA
        return reply

    return ask


@pytest.mark.parametrize("zone", ZONES)
def test_through_recursive_servers(world, zone):
    world.lie(_asking_others(world.zones.values()))
    asking = Recursive(Exchange(SystemEntropy()), [Server(OWN, world.servers.port)])
    resolver = Resolver(asking, Validator(asking, read_anchors([world.zones[""].ds]), world.clock), LIMITS)
    control = LocalControl(resolver, HttpProbe(resolver, allowed=allowed_addresses([])))
    for name in ("_token", "_chain", "x.wild", "_away", "_under.dname"):
        assert control.cname(f"{name}.{zone}", VALUE).ok, name
    assert control.cname(f"_none.{zone}", VALUE).failure == Failure.NOT_FOUND
    assert control.caa(f"host.{zone}", wildcard=False, method="dns", account_uri="").ok
    for name in ("alias", "never", "x.never"):
        found = control.caa(f"{name}.{zone}", wildcard=False, method="dns", account_uri="")
        assert found.failure == Failure.CAA, name


def test_a_recursive_server_that_is_down_costs_one_wait(world):
    world.lie(_asking_others(world.zones.values()))
    world.lie(lambda *_: None, TOP)
    asking = Recursive(Exchange(SystemEntropy()), [Server(each, world.servers.port) for each in (TOP, OWN)])
    resolver = Resolver(asking, Validator(asking, read_anchors([world.zones[""].ds]), world.clock), LIMITS)
    assert list(resolver.links("_token.three.org", resolver.trip())) == [VALUE]
    assert len([address for address, _, _ in world.servers.asked if address == TOP]) == 1


def test_a_recursive_server_that_only_refers(world):
    asking = Recursive(Exchange(SystemEntropy()), [Server(ROOT, world.servers.port)])
    resolver = Resolver(asking, Validator(asking, {}, world.clock))
    with pytest.raises(LookupFailed, match="neither answers"):
        resolver.caa("never.plain.org", resolver.trip())


def test_names_that_are_none(world):
    for name in ("", "..", "a..b", "x" * 64 + ".org", "ü.org", ".".join(["a" * 60] * 5)):
        found = world.control.cname(name, VALUE)
        assert found.failure in (Failure.REFUSED_NAME, Failure.NOT_FOUND), name
        assert not found.ok
    assert world.servers.asked == [] or {name for _, name, _ in world.servers.asked} <= {"."}


def test_top_level_domains_are_asked_once(world):
    world.control.cname("_token.one.org", VALUE)
    before = len(world.servers.asked)
    world.control.cname("_token.one.org", VALUE)
    assert ROOT not in {address for address, _, _ in world.servers.asked[before:]}


@pytest.mark.parametrize("line", ["", "x", ". A 1.2.3.4", ". DS 1 8 1 " + "ab" * 20, ". DS 1 8 2 zz"])
def test_anchors_that_are_none(line):
    with pytest.raises(ValueError, match=r".*"):
        read_anchors([line])
