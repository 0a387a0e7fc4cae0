"""Names of a network of one's own, looked at by an installation that reaches nothing else (docs/domain-control.md)."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from greatseal.app.domain_control import domain_control
from greatseal.domain.validation.ports import ControlCheck
from greatseal.domain.validation.ports import ControlFailure as Failure
from greatseal.kernel.clock import SystemClock
from greatseal.kernel.entropy import SystemEntropy
from greatseal.settings import load
from made_dns import MadeZone, NameServers, telling

ROOT, OWN = "127.0.0.1", "127.0.0.2"
VALUE = "_val.abcdefghij.acm-validations.aws"
RECORDS = f"""
@ NS ns
ns A {OWN}
_token CNAME {VALUE}.
forbidden CAA 0 issue "other.example"
a.forbidden A 192.0.2.1
host A 192.0.2.1
"""


@pytest.fixture
def servers() -> Iterator[NameServers]:
    """A server of the private zone, and silence where the root of the internet would be."""
    with NameServers({ROOT: lambda query, tcp: None, OWN: telling(MadeZone("corp.internal", RECORDS))}) as made:
        yield made


def control(servers: NameServers, folder: Path, suffixes: list[str]) -> ControlCheck:
    """Looks as a service with these private suffixes does."""
    config = folder / "greatseal.toml"
    config.write_text(
        f'[resolver]\nhints = ["{ROOT}"]\nport = {servers.port}\nzones = ["corp.internal={OWN}:{servers.port}"]\n'
        f"query_seconds = 0.1\n[domain_control]\nprivate_suffixes = {json.dumps(suffixes)}\n"
    )
    return domain_control(load({"HOME": str(folder)}, config=config), SystemClock(), SystemEntropy())


def test_nobody_above_the_suffix_is_asked_for_caa(servers: NameServers, tmp_path: Path) -> None:
    here = control(servers, tmp_path, ["corp.internal"])
    for name in ("host.corp.internal", "HOST.corp.internal.", "a.b.c.corp.internal", "corp.internal"):
        for wildcard in (False, True):
            found = here.caa(name, wildcard=wildcard, method="dns", account_uri="")
            assert found.ok, (name, found)
    assert {address for address, _, _ in servers.asked} == {OWN}
    assert {name.casefold() for _, name, _ in servers.asked} >= {"corp.internal.", "c.corp.internal."}


def test_caa_inside_the_suffix_counts(servers: NameServers, tmp_path: Path) -> None:
    here = control(servers, tmp_path, ["corp.internal"])
    for name in ("forbidden.corp.internal", "a.forbidden.corp.internal"):
        assert here.caa(name, wildcard=False, method="dns", account_uri="").failure is Failure.CAA
    assert here.cname("_token.corp.internal", VALUE).ok
    assert {address for address, _, _ in servers.asked} == {OWN}


def test_a_name_that_only_ends_alike_is_looked_up_in_public(servers: NameServers, tmp_path: Path) -> None:
    here = control(servers, tmp_path, ["corp.internal"])
    for name in ("notcorp.internal", "internal"):
        assert here.caa(name, wildcard=False, method="dns", account_uri="").failure is Failure.NO_ANSWER
    without = control(servers, tmp_path, [])
    assert without.caa("host.corp.internal", wildcard=False, method="dns", account_uri="").failure is Failure.NO_ANSWER
