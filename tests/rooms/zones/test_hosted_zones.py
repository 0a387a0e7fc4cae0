"""Records that providers create for us: whose zone, by which job, and what becomes of failures."""

from datetime import timedelta
from typing import Any

import pytest

from greatseal.domain.zones import Hosted, HostedZones, OwnZones, ProviderFailed, Record, ZoneRefused
from greatseal.domain.zones.exports import FORMS, Needed
from greatseal.domain.zones.model import Wish
from greatseal.storage import Storage
from greatseal.testing import Installation

on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


class Provider:
    """A provider whose server the test holds."""

    def __init__(self, name: str = "made") -> None:
        self.name = name
        self.records: dict[str, tuple[str, str, str, int]] = {}
        self.asked = 0
        self.fails = False

    def upsert(self, zone: str, name: str, kind: str, value: str, ttl: int) -> None:
        self.asked += 1
        if self.fails:
            raise ProviderFailed("the server is down")
        self.records[name] = (zone, kind, value, ttl)

    def remove(self, zone: str, name: str, kind: str, value: str) -> None:
        del self.records[name]


class Bench:
    """An installation with one zone at a provider."""

    def __init__(self, storage: Storage, *, auto_create: bool = True) -> None:
        self.installation = Installation(storage)
        self.provider = Provider()
        hosted = Hosted(self.provider, ("example.com",), auto_create=auto_create, ttl=120)
        self.zones: HostedZones = self.installation.rooms.zones.hosted
        self.installation.rooms.zones.employ([], [hosted])
        self.acm = self.installation.client("acm")

    def request(self, *names: str) -> dict[str, Any]:
        arn = self.acm.request_certificate(
            DomainName=names[0], SubjectAlternativeNames=list(names), ValidationMethod="DNS"
        )["CertificateArn"]
        self.installation.work()
        found: dict[str, Any] = self.acm.describe_certificate(CertificateArn=arn)["Certificate"]
        return found


def needed(found: dict[str, Any]) -> set[tuple[str, str]]:
    records = [each["ResourceRecord"] for each in found["DomainValidationOptions"]]
    return {(each["Name"].rstrip("."), each["Value"].rstrip(".")) for each in records}


@on_sqlite
def test_a_request_creates_its_records_once_for_apex_and_wildcard(storage: Storage) -> None:
    bench = Bench(storage)
    found = bench.request("example.com", "*.example.com", "www.example.com")
    made = {(name, value) for name, (_, _, value, _) in bench.provider.records.items()}
    assert made == needed(found)
    assert len(made) == 2
    assert {(zone, kind, ttl) for zone, kind, _, ttl in bench.provider.records.values()} == {
        ("example.com", "CNAME", 120)
    }
    assert bench.provider.asked == 2
    assert {each.state for each in bench.zones.wishes()} == {Wish.CREATED}
    # The next certificate wants them again: somebody may have removed them.
    bench.request("www.example.com")
    assert bench.provider.asked == 3


@on_sqlite
def test_other_zones_are_left_alone(storage: Storage) -> None:
    bench = Bench(storage)
    bench.request("www.example.org", "notexample.com")
    assert bench.provider.asked == 0
    assert bench.zones.wishes() == []


@on_sqlite
def test_without_auto_create_only_who_asks_gets_it(storage: Storage) -> None:
    bench = Bench(storage, auto_create=False)
    (pair,) = needed(bench.request("www.example.com"))
    assert bench.provider.asked == 0
    storage.transact(lambda tx: bench.zones.want(tx, *pair, asked=True))
    bench.installation.work()
    assert set(bench.provider.records) == {pair[0]}


@on_sqlite
def test_a_provider_that_fails_fails_no_request_and_is_asked_again(storage: Storage) -> None:
    bench = Bench(storage)
    bench.provider.fails = True
    found = bench.request("www.example.com")
    assert found["Status"] == "PENDING_VALIDATION"
    (wish,) = bench.zones.wishes()
    assert (wish.state, wish.detail) == (Wish.FAILED, "the server is down")
    bench.provider.fails = False
    bench.installation.clock.advance(timedelta(minutes=1))
    bench.installation.work()
    (wish,) = bench.zones.wishes()
    assert (wish.state, wish.detail) == (Wish.CREATED, "")


@on_sqlite
def test_a_zone_that_left_the_settings_is_told(storage: Storage) -> None:
    bench = Bench(storage)
    storage.transact(lambda tx: bench.zones.want(tx, "_x.example.com", "_y.example"))
    bench.zones.employ([])
    bench.installation.work()
    (wish,) = bench.zones.wishes()
    assert wish.state is Wish.FAILED
    assert "any more" in wish.detail


@on_sqlite
@pytest.mark.parametrize(
    "name", ["", "a..example.com", "sp ace.example.com", f"{'x' * 64}.example.com", f"{'a.' * 130}example.com"]
)
def test_a_name_that_is_none_is_no_failure(storage: Storage, name: str) -> None:
    bench = Bench(storage)
    assert storage.transact(lambda tx: bench.zones.want(tx, name, "_y.example")) is False


@on_sqlite
def test_the_longest_zone_wins(storage: Storage) -> None:
    bench = Bench(storage)
    inner = Provider("inner")
    bench.zones.employ([Hosted(bench.provider, ("example.com",)), Hosted(inner, ("Dev.Example.com.",))])

    def who(name: str) -> str | None:
        found = bench.zones.serving(name)
        return None if found is None else found[1].provider.name

    assert who("_x.www.dev.example.com.") == "inner"
    assert who("dev.example.com") == "inner"
    assert who("notdev.example.com") == "made"
    assert who("example.net") is None


def test_own_zones_keep_the_rules_of_dns_on_both_databases(storage: Storage) -> None:
    own = OwnZones(storage=storage, zones=["v.example.net"])
    own.upsert("v.example.net", "t.v.example.net", "TXT", "x", 60)
    with pytest.raises(ProviderFailed, match="beside other records"):
        own.upsert("v.example.net", "t.v.example.net", "CNAME", "a.example", 60)
    with pytest.raises(ProviderFailed, match="cannot be a CNAME"):
        own.upsert("v.example.net", "v.example.net", "CNAME", "a.example", 60)
    own.upsert("v.example.net", "deep.er.v.example.net", "TXT", "y", 60)
    assert [each.name for each in own.records()] == ["deep.er.v.example.net", "t.v.example.net"]
    own.remove("v.example.net", "deep.er.v.example.net", "TXT", "y")
    assert own.look_up("er.v.example.net", "TXT").serial == 4


class TestExports:
    """The forms of `greatseal dns records`."""

    needed = (
        Needed("example.com", Record.of("_a.example.com", "CNAME", "_b.acm-validations.example")),
        Needed("x.example.com", Record.of("_c.x.example.com", "TXT", 'say "hi" ${var.x}', 60), "FAILED", "down"),
    )

    def test_a_zone_file(self) -> None:
        assert FORMS["bind"](self.needed) == (
            "_a.example.com. 300 IN CNAME _b.acm-validations.example.\n"
            '_c.x.example.com. 60 IN TXT "say \\"hi\\" ${var.x}"\n'
        )

    def test_csv_with_the_columns_of_the_console(self) -> None:
        lines = FORMS["csv"](self.needed).splitlines()
        assert lines[0] == "Domain Name,Record Name,Record Type,Record Value"
        assert lines[1] == "example.com,_a.example.com.,CNAME,_b.acm-validations.example."

    def test_terraform_has_no_templates_of_strangers(self) -> None:
        text = FORMS["terraform"](self.needed)
        assert 'resource "aws_route53_record" "_a_example_com" {' in text
        assert "${var.x}" not in text.replace("$${var.x}", "")

    def test_json_says_what_became_of_it(self) -> None:
        assert '"creation": "FAILED"' in FORMS["json"](self.needed)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("A", "1.2.3"), ("AAAA", "::g"), ("CAA", "issue ca"), ("MX", "10 m.example"), ("TXT", ""), ("TXT", "x" * 5000)],
)
def test_records_that_cannot_be(kind: str, value: str) -> None:
    with pytest.raises(ZoneRefused):
        Record.of("x.example.com", kind, value)
