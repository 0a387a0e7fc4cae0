"""Knot DNS as the primary server of a zone: dynamic updates with TSIG."""

import base64
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.query
import pytest

from greatseal.domain.zones import ProviderFailed
from greatseal.integrations.dns_providers.rfc2136 import Rfc2136Provider, UpdateServer
from greatseal.kernel.secret import Secret
from interop.programs import running
from made_servers import free_port

pytestmark = pytest.mark.interop

ZONE = "example.com"
SECRET = bytes(range(32))
VALUE = "_y.jkddzztszm.acm-validations.example"


@pytest.fixture
def knot(tmp_path: Path) -> Iterator[int]:
    """Knot with one signed zone; yields its port."""
    port = free_port()
    (tmp_path / "zone").write_text(
        f"$ORIGIN {ZONE}.\n@ 3600 SOA ns hostmaster 1 7200 900 1209600 60\n@ 3600 NS ns\nns 3600 A 127.0.0.1\n"
        'taken 60 TXT "in the way"\n'
    )
    (tmp_path / "knot.conf").write_text(
        f"server:\n  rundir: {tmp_path}\n  listen: 127.0.0.1@{port}\n"
        f"database:\n  storage: {tmp_path}\n"
        f"key:\n  - id: greatseal\n    algorithm: hmac-sha256\n    secret: {base64.b64encode(SECRET).decode()}\n"
        "acl:\n  - id: updates\n    key: greatseal\n    action: update\n"
        f"template:\n  - id: default\n    storage: {tmp_path}\n"
        f"zone:\n  - domain: {ZONE}\n    file: zone\n    acl: updates\n    dnssec-signing: on\n"
    )
    command = ("knotd", "-c", tmp_path / "knot.conf")
    # Zones are loaded and signed before it says so.
    with running(*command, folder=tmp_path, ready=r".*server started in the foreground"):
        yield port


def provider(port: int, secret: bytes = SECRET) -> Rfc2136Provider:
    return Rfc2136Provider("knot", UpdateServer("127.0.0.1", port, "greatseal", Secret(secret), timeout=5.0))


def records(port: int, name: str, kind: str) -> set[str]:
    answer = dns.query.tcp(dns.message.make_query(name, kind), "127.0.0.1", 5, port)
    return {each.to_text() for rrset in answer.answer for each in rrset}


def test_records_come_change_and_go(knot: int) -> None:
    made = provider(knot)
    for value in (f"other.{VALUE}", VALUE, VALUE):
        made.upsert(ZONE, f"_x.{ZONE}", "CNAME", value, 300)
    assert records(knot, f"_x.{ZONE}", "CNAME") == {f"{VALUE}."}
    for text in ("one", "two"):
        made.upsert(ZONE, f"_acme-challenge.{ZONE}", "TXT", text, 60)
    made.remove(ZONE, f"_acme-challenge.{ZONE}", "TXT", "one")
    assert records(knot, f"_acme-challenge.{ZONE}", "TXT") == {'"two"'}
    made.remove(ZONE, f"_x.{ZONE}", "CNAME", VALUE)
    made.remove(ZONE, f"_x.{ZONE}", "CNAME", VALUE)
    assert records(knot, f"_x.{ZONE}", "CNAME") == set()


def test_what_knot_does_not_keep_or_allow_is_a_failure(knot: int) -> None:
    with pytest.raises(ProviderFailed):
        provider(knot).upsert(ZONE, f"taken.{ZONE}", "CNAME", VALUE, 300)
    with pytest.raises(ProviderFailed):
        provider(knot, b"x" * 32).upsert(ZONE, f"_x.{ZONE}", "CNAME", VALUE, 300)
    with pytest.raises(ProviderFailed):
        provider(knot).upsert("example.net", "_x.example.net", "CNAME", VALUE, 300)
    assert records(knot, f"_x.{ZONE}", "CNAME") == set()
