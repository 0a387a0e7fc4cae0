"""Domain control against Knot DNS with zones that it signs itself, and nginx that serves the HTTP validation."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from greatseal.app.domain_control import domain_control
from greatseal.domain.validation.ports import ControlFailure as Failure
from greatseal.kernel.clock import SystemClock
from greatseal.kernel.entropy import SystemEntropy
from greatseal.settings import load
from interop.programs import Workbench, running

pytestmark = pytest.mark.interop
VALUE = "_val.abcdefghij.acm-validations.aws"
SIGNED = {".": "nsec", "test": "opt-out", "own.test": "nsec", "hashed.test": "nsec3", "mixed.own.test": "nsec3"}
RECORDS = f"""
_token CNAME {VALUE}.
_chain CNAME link
link CNAME {VALUE}.
_loop CNAME loop
loop CNAME _loop
_moved.dname CNAME {VALUE}.
old DNAME dname
*.wild CNAME {VALUE}.
a.deep.ent TXT "x"
alias CNAME never
@ CAA 0 issue "amazon.com; validationmethods=ca-tbr-7"
never CAA 0 issue ";"
never CAA 0 iodef "mailto:abuse@own.test"
wildly CAA 0 issue "amazon.com"
wildly CAA 0 issuewild ";"
strange CAA 128 tbs "x"
mine CAA 0 issue "amazonaws.com; accounturi=acct:111122223333@here.test"
page A 127.0.0.1
"""


@dataclass(frozen=True)
class Zones:
    bench: Workbench
    port: int
    anchor: str

    def control(self, **more: object):
        """Looks at domains as a service with these settings would."""
        (self.bench.folder / "anchor").write_text(self.anchor)
        lines = [f"{key} = {json.dumps(value)}" for key, value in more.items()]
        (self.bench.folder / "greatseal.toml").write_text(
            f'[resolver]\nhints = ["127.0.0.1"]\nport = {self.port}\nanchors_file = "anchor"\nquery_seconds = 1.0\n'
            + "\n".join(lines)
        )
        settings = load({"HOME": str(self.bench.folder)}, config=self.bench.folder / "greatseal.toml")
        return domain_control(settings, SystemClock(), SystemEntropy())


def _free_port() -> int:
    with socket.socket() as tcp:
        tcp.bind(("127.0.0.1", 0))
        return int(tcp.getsockname()[1])


ABOVE, BELOW = "127.0.0.1", "127.0.0.2"
ZONES = {ABOVE: (".", "test"), BELOW: ("own.test", "hashed.test", "mixed.own.test", "plain.test")}


def _configuration(folder: Path, address: str, port: int) -> str:
    lines = [
        "server:",
        f"  rundir: {folder}",
        f"  listen: {address}@{port}",
        "log:",
        "  - target: stdout",
        "    any: info",
    ]
    lines += ["database:", f"  storage: {folder}", "template:", "  - id: default", f"    storage: {folder}", "policy:"]
    for denial in ("nsec", "nsec3", "opt-out"):
        lines += [f"  - id: {denial}", "    manual: on", "    single-type-signing: on"]
        lines += [] if denial == "nsec" else ["    nsec3: on", "    nsec3-iterations: 0", "    nsec3-salt-length: 0"]
        lines += ["    nsec3-opt-out: on"] if denial == "opt-out" else []
    lines.append("zone:")
    for zone in ZONES[address]:
        lines += [f"  - domain: {zone}", f"    file: {zone.strip('.') or 'root'}.zone", "    zonefile-sync: -1"]
        if zone in SIGNED:
            lines += ["    zonefile-load: difference-no-serial", "    journal-content: all"]
            lines += ["    dnssec-signing: on", f"    dnssec-policy: {SIGNED[zone]}"]
    return "\n".join(lines) + "\n"


def _keyed(bench: Workbench, zone: str) -> str:
    """Makes the zone's key; its DS record with SHA-256."""
    bench.run("keymgr", "-c", "knot.conf", zone, "generate", "algorithm=ECDSAP256SHA256", "ksk=yes", "zsk=yes")
    printed = bench.run("keymgr", "-c", "knot.conf", zone, "ds")
    return next(line for line in printed.splitlines() if " 13 2 " in line)


@pytest.fixture(scope="module")
def zones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zones]:
    port = _free_port()
    benches = {address: Workbench(tmp_path_factory.mktemp("knot")) for address in ZONES}
    keys, texts = {}, {zone: "" for each in ZONES.values() for zone in each}
    for address, bench in benches.items():
        (bench.folder / "knot.conf").write_text(_configuration(bench.folder, address, port))
        keys |= {zone: _keyed(bench, zone) for zone in ZONES[address] if zone in SIGNED}
    for zone in [each for each in texts if each != "."]:
        above = max((each for each in texts if zone.endswith(f".{each}")), key=len, default=".")
        address = ABOVE if zone == "test" else BELOW
        texts[above] += f"{zone}. NS ns.{zone}.\nns.{zone}. A {address}\n{keys.get(zone, '')}\n"
    for address, bench in benches.items():
        for zone in ZONES[address]:
            server = f"ns.{zone.strip('.')}".rstrip(".") + "."
            head = f"$ORIGIN {zone.strip('.')}.\n$TTL 60\n@ SOA {server} hostmaster.test. 1 60 60 8640 60\n"
            head += f"@ NS {server}\n{server} A {address}\n" + (RECORDS if address == BELOW else "")
            (bench.folder / f"{zone.strip('.') or 'root'}.zone").write_text(head + texts[zone])
    with ExitStack() as stack:
        for bench in benches.values():
            stack.enter_context(running("knotd", "-c", "knot.conf", folder=bench.folder, ready=r".*server started"))
        yield Zones(Workbench(tmp_path_factory.mktemp("looks")), port, keys["."])


@pytest.mark.parametrize("zone", ["own.test", "hashed.test", "mixed.own.test", "plain.test"])
def test_records_of_every_kind_of_zone(zones, zone):
    control = zones.control(private_servers=True)
    for name in ("_token", "_chain", "_moved.old", "a.wild"):
        found = control.cname(f"{name}.{zone}", VALUE)
        assert found.ok, (name, found)
    for name in ("_none", "page", "ent", "b.ent", "x.y.z"):
        found = control.cname(f"{name}.{zone}", VALUE)
        assert found.failure == Failure.NOT_FOUND, (name, found)
    assert "circle" in control.cname(f"_loop.{zone}", VALUE).detail


@pytest.mark.parametrize("zone", ["own.test", "hashed.test", "mixed.own.test", "plain.test"])
def test_caa(zones, zone):
    control = zones.control(private_servers=True)

    def asked(name, wildcard=False, method="dns", account="acct:111122223333@here.test"):
        return control.caa(f"{name}.{zone}", wildcard=wildcard, method=method, account_uri=account)

    assert asked("deep.page").ok
    assert asked("page", method="http").failure == Failure.CAA
    assert "mailto:abuse@own.test" in asked("never").detail
    assert asked("alias").failure == Failure.CAA
    assert asked("wildly").ok
    assert asked("wildly", wildcard=True).failure == Failure.CAA
    assert asked("strange").failure == Failure.CAA
    assert asked("mine").ok
    assert asked("mine", account="acct:999999999999@here.test").failure == Failure.CAA
    assert control.caa("nowhere.test", wildcard=False, method="dns", account_uri="").ok


def test_another_anchor(zones):
    other = Zones(zones.bench, zones.port, ". DS 20326 8 2 " + "E0" * 32)
    for zone in ("own.test", "plain.test"):
        found = other.control(private_servers=True).cname(f"_token.{zone}", VALUE)
        assert found.failure == Failure.BOGUS


def test_servers_at_private_addresses(zones):
    assert zones.control().cname("_token.own.test", VALUE).failure == Failure.REFUSED_ADDRESS


def test_as_a_zone_of_our_own(zones):
    """Asked as a recursive server would be, and verified where there is an anchor for it."""
    own = Zones(zones.bench, zones.port, zones.anchor)
    control = own.control(zones=[f"own.test={BELOW}:{zones.port}", f"plain.test={BELOW}:{zones.port}"])
    assert control.cname("_token.own.test", VALUE).ok
    assert (
        own.control(zones=[f"test={ABOVE}:{zones.port}"]).cname("_token.own.test", VALUE).failure == Failure.NO_ANSWER
    )
    assert control.caa("never.plain.test", wildcard=False, method="dns", account_uri="").failure == Failure.CAA


@contextmanager
def _nginx(bench: Workbench, port: int) -> Iterator[None]:
    (bench.folder / "pages").mkdir(exist_ok=True)
    (bench.folder / "pages" / "token.txt").write_text("0123456789abcdef\n")
    pages = "/.well-known/pki-validation/"
    places = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    lines = [
        "daemon off; master_process off; pid nginx.pid; error_log stderr notice; events {}",
        "http { access_log off; default_type text/plain; gzip on; gzip_min_length 1; gzip_types text/plain;",
        *(f"{each}_temp_path {bench.folder}/{each};" for each in places),
        f"server {{ listen 127.0.0.1:{port};",
        f"location {pages} {{ alias {bench.folder}/pages/; }}",
        f"location /moved {{ return 301 http://page.own.test{pages}token.txt; }}",
        "location /loop { return 302 http://page.own.test/loop; } } }",
    ]
    (bench.folder / "nginx.conf").write_text("\n".join(lines) + "\n")
    # nginx says on standard error when it is ready; `running` reads standard output.
    command = ("sh", "-c", f"exec nginx -p {bench.folder} -c nginx.conf -e stderr 2>&1")
    with running(*command, folder=bench.folder, ready=r".*start worker process|.*using the .* event method"):
        yield


def test_a_page_of_nginx(zones, monkeypatch):
    port = _free_port()
    control = zones.control(private_servers=True)
    probe = control._probe
    monkeypatch.setattr(probe, "_ports", {80: port})
    page = "http://page.own.test/.well-known/pki-validation/token.txt"
    assert control.http(page, "0123456789abcdef").failure == Failure.REFUSED_ADDRESS
    monkeypatch.setattr(probe, "_allowed", lambda host, address: address == "127.0.0.1")
    with ExitStack() as stack:
        stack.enter_context(_nginx(zones.bench, port))
        assert control.http(page, "0123456789abcdef").ok
        assert control.http("http://page.hashed.test/moved", "0123456789abcdef").ok
        assert control.http(page, "other").failure == Failure.WRONG_VALUE
        assert control.http("http://page.own.test/.well-known/pki-validation/no.txt", "x").failure == Failure.NOT_FOUND
        assert control.http("http://page.own.test/loop", "x").failure == Failure.NO_ANSWER
