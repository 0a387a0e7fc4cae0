"""One contract for all DNS providers, and what each kind does when its server misbehaves."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dns.zone
import pytest

from greatseal.domain.zones import DnsProvider, OwnZones, ProviderFailed
from greatseal.integrations.dns_providers.lexicon import LexiconProvider
from greatseal.integrations.dns_providers.rfc2136 import Rfc2136Provider, UpdateServer
from greatseal.integrations.dns_providers.route53 import Route53Account, Route53Provider
from greatseal.kernel.secret import Secret
from greatseal.storage import Storage
from made_zones import TSIG_NAME, TSIG_SECRET, ZONE, Primary, Route53, primary, route53

on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

VALUE = "_y.jkddzztszm.acm-validations.example"
OTHER = "_z.jkddzztszm.acm-validations.example"


@dataclass
class Bench:
    """A provider, and a look at what really is in the zone."""

    provider: DnsProvider
    look: Callable[[str, str], set[str]]


def _updates(server: Primary, *, secret: bytes = TSIG_SECRET, port: int | None = None) -> Rfc2136Provider:
    where = UpdateServer("127.0.0.1", port or server.port, TSIG_NAME, Secret(secret), timeout=5.0)
    return Rfc2136Provider("primary", where)


def _route53(server: Route53) -> Route53Provider:
    return Route53Provider("aws", Route53Account("AKIDEXAMPLE", Secret(b"secret"), endpoint=server.url))


def _zone_file(folder: Path) -> Path:
    path = folder / "zone"
    path.write_text(f"{ZONE}. 3600 IN SOA ns.{ZONE}. hm.{ZONE}. 1 7200 900 1209600 60\n{ZONE}. 3600 IN NS ns.{ZONE}.\n")
    return path


def _in_file(path: Path, name: str, kind: str) -> set[str]:
    found = dns.zone.from_text(path.read_text(), origin=ZONE, relativize=False).get_rdataset(f"{name}.", kind)
    return {each.to_text() for each in found or ()}


@contextmanager
def _bench(kind: str, storage: Storage, folder: Path) -> Iterator[Bench]:
    if kind == "own":
        own = OwnZones(storage=storage, zones=[ZONE])

        def looked(name: str, record_kind: str) -> set[str]:
            return {each.presented for each in own.look_up(name, record_kind).records}

        yield Bench(own, looked)
    elif kind == "rfc2136":
        with primary() as server:
            yield Bench(_updates(server), lambda name, of: set(server.table.get((name, of), {})))
    elif kind == "route53":
        with route53() as api:
            yield Bench(_route53(api), lambda name, of: set(api.table.get((name, of), {})))
    else:
        path = _zone_file(folder)
        provider = LexiconProvider("file", "localzone", options={"filename": str(path)}, secrets={})
        yield Bench(provider, lambda name, of: _in_file(path, name, of))


@pytest.fixture(params=["own", "rfc2136", "route53", "lexicon"])
def bench(request: pytest.FixtureRequest, storage: Storage, tmp_path: Path) -> Iterator[Bench]:
    with _bench(request.param, storage, tmp_path) as made:
        yield made


@on_sqlite
def test_a_record_is_there_once_however_often_it_is_made(bench: Bench) -> None:
    for _ in range(3):
        bench.provider.upsert(ZONE, f"_x.{ZONE}", "CNAME", VALUE, 300)
    assert bench.look(f"_x.{ZONE}", "CNAME") == {f"{VALUE}."}


@on_sqlite
def test_names_may_have_the_dot_at_their_end(bench: Bench) -> None:
    bench.provider.upsert(f"{ZONE}.", f"_x.{ZONE}.", "CNAME", f"{VALUE}.", 300)
    assert bench.look(f"_x.{ZONE}", "CNAME") == {f"{VALUE}."}


@on_sqlite
def test_a_cname_takes_the_place_of_another(bench: Bench) -> None:
    bench.provider.upsert(ZONE, f"_x.{ZONE}", "CNAME", OTHER, 300)
    bench.provider.upsert(ZONE, f"_x.{ZONE}", "CNAME", VALUE, 300)
    assert bench.look(f"_x.{ZONE}", "CNAME") == {f"{VALUE}."}


@on_sqlite
def test_texts_of_one_name_live_side_by_side(bench: Bench) -> None:
    name = f"_acme-challenge.{ZONE}"
    bench.provider.upsert(ZONE, name, "TXT", "one-of-two", 60)
    bench.provider.upsert(ZONE, name, "TXT", "two-of-two", 60)
    assert bench.look(name, "TXT") == {'"one-of-two"', '"two-of-two"'}
    bench.provider.remove(ZONE, name, "TXT", "one-of-two")
    assert bench.look(name, "TXT") == {'"two-of-two"'}
    bench.provider.remove(ZONE, name, "TXT", "two-of-two")
    assert bench.look(name, "TXT") == set()


@on_sqlite
def test_only_exactly_this_record_is_removed(bench: Bench) -> None:
    bench.provider.upsert(ZONE, f"_x.{ZONE}", "CNAME", VALUE, 300)
    bench.provider.remove(ZONE, f"_x.{ZONE}", "CNAME", OTHER)
    bench.provider.remove(ZONE, f"_nobody.{ZONE}", "CNAME", VALUE)
    assert bench.look(f"_x.{ZONE}", "CNAME") == {f"{VALUE}."}
    bench.provider.remove(ZONE, f"_x.{ZONE}", "CNAME", VALUE)
    assert bench.look(f"_x.{ZONE}", "CNAME") == set()


@on_sqlite
@pytest.mark.parametrize("value", ["", "a..b", "x" * 64 + ".example", "new\nline.example", "semi;colon..", "ümläut.."])
def test_what_is_no_name_is_refused(bench: Bench, value: str) -> None:
    with pytest.raises(ProviderFailed):
        bench.provider.upsert(ZONE, f"_x.{ZONE}", "CNAME", value, 300)
    assert bench.look(f"_x.{ZONE}", "CNAME") == set()


@on_sqlite
def test_a_foreign_zone_is_a_failure(storage: Storage) -> None:
    with primary() as server, pytest.raises(ProviderFailed, match="NOTZONE"):
        _updates(server).upsert("example.net", "_x.example.net", "CNAME", VALUE, 300)
    with route53() as api, pytest.raises(ProviderFailed, match="no public hosted zone"):
        _route53(api).upsert("example.net", "_x.example.net", "CNAME", VALUE, 300)
    with pytest.raises(ProviderFailed, match="none of the zones"):
        OwnZones(storage=storage, zones=[ZONE]).upsert("example.net", "_x.example.net", "CNAME", VALUE, 300)


def test_a_record_that_the_server_did_not_keep_is_a_failure() -> None:
    with primary() as server:
        server.table[f"_x.{ZONE}", "TXT"] = {'"in the way"': 60}
        with pytest.raises(ProviderFailed, match="another one is in the way"):
            _updates(server).upsert(ZONE, f"_x.{ZONE}", "CNAME", VALUE, 300)


def test_a_server_need_not_answer_questions() -> None:
    with primary() as server:
        server.answers_questions = False
        _updates(server).upsert(ZONE, f"_x.{ZONE}", "CNAME", VALUE, 300)
        assert server.table[f"_x.{ZONE}", "CNAME"] == {f"{VALUE}.": 300}


def test_a_wrong_key_and_a_silent_server_are_failures() -> None:
    with primary() as server:
        with pytest.raises(ProviderFailed):
            _updates(server, secret=b"x" * 32).upsert(ZONE, f"_x.{ZONE}", "CNAME", VALUE, 300)
        assert not server.table
        port = server.port
        provider = _updates(server, port=port)
    with pytest.raises(ProviderFailed, match="does not answer"):
        provider.upsert(ZONE, f"_x.{ZONE}", "CNAME", VALUE, 300)


def test_a_set_that_somebody_else_changes_meanwhile_is_read_again() -> None:
    name = f"_acme-challenge.{ZONE}"
    with route53() as api:
        provider = _route53(api)
        provider.upsert(ZONE, name, "TXT", "mine", 60)

        def somebody_else() -> None:
            api.before_change = lambda: None
            api.table[name, "TXT"] = {'"mine"': 60, '"theirs"': 60}

        api.before_change = somebody_else
        provider.upsert(ZONE, name, "TXT", "mine too", 60)
        assert set(api.table[name, "TXT"]) == {'"mine"', '"theirs"', '"mine too"'}


def test_what_route_53_refuses_is_told() -> None:
    with route53() as api:
        api.denies = True
        with pytest.raises(ProviderFailed, match="AccessDenied: not you"):
            _route53(api).upsert(ZONE, f"_x.{ZONE}", "CNAME", VALUE, 300)


def test_the_secrets_of_a_hoster_are_in_no_message(tmp_path: Path) -> None:
    provider = LexiconProvider("x", "localzone", options={}, secrets={"filename": Secret(b"/nowhere/hunter2")})
    with pytest.raises(ProviderFailed) as failure:
        provider.upsert(ZONE, f"_x.{ZONE}", "CNAME", VALUE, 300)
    assert "hunter2" not in str(failure.value)
    assert failure.value.__cause__ is None


def test_a_hoster_that_is_not_in_the_catalogue_is_told_at_once() -> None:
    with pytest.raises(OSError, match="Lexicon has no 'nohoster'"):
        LexiconProvider("x", "nohoster", options={}, secrets={})
