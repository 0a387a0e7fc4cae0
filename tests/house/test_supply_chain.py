"""The bill of materials is that of the lock file, and an audit that could not be made does not look like a good one."""

import http.server
import json
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import greatseal
from house.tree import ROOT

TOOL = ROOT / "tools" / "supply_chain.py"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, TOOL, *words], capture_output=True, text=True, check=False)


def test_the_bill_names_every_locked_version_with_its_hashes(tmp_path: Path) -> None:
    done = run("sbom", str(tmp_path / "bill.json"))
    assert done.returncode == 0, done.stderr
    bill = json.loads((tmp_path / "bill.json").read_text(encoding="utf-8"))
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    assert bill["metadata"]["component"]["version"] == greatseal.__version__
    locked = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    versions = {(each["name"], each.get("version")) for each in locked}
    listed = {(each["name"], each["version"]) for each in bill["components"]}
    assert listed <= versions
    project = next(each for each in locked if each["name"] == "greatseal")
    wanted = {each["name"] for each in project["dependencies"]}
    wanted |= {each["name"] for extra in project["optional-dependencies"].values() for each in extra}
    assert wanted <= {name for name, _ in listed}
    assert "pytest" not in {name for name, _ in listed}
    for each in bill["components"]:
        assert each["purl"] == f"pkg:pypi/{each['name']}@{each['version']}"
        assert any(place.get("hashes") for place in each["externalReferences"]), each["name"]


class _Osv(http.server.BaseHTTPRequestHandler):
    """Answers as OSV does; `bad` is a name that has a vulnerability."""

    bad = ""
    asked: list[Any] = []  # noqa: RUF012 - one server a test

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        _Osv.asked += body["queries"]
        found = [{"id": "PYSEC-0000-1", "modified": "2026-01-01T00:00:00Z"}]
        self._answer(
            {"results": [{"vulns": found} if each["package"]["name"] == self.bad else {} for each in body["queries"]]}
        )

    def do_GET(self) -> None:
        package = {"ecosystem": "PyPI", "name": self.bad}
        every = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]
        affected = [{"package": package, "ranges": every}]
        self._answer({"id": "PYSEC-0000-1", "modified": "2026-01-01T00:00:00Z", "summary": "bad", "affected": affected})

    def _answer(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def database() -> Iterator[str]:
    _Osv.bad, _Osv.asked = "", []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Osv)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


def test_an_audit_asks_about_the_locked_versions(database: str) -> None:
    done = run("audit", "--service-url", database)
    assert done.returncode == 0, done.stderr
    assert "no known vulnerability" in done.stdout
    asked = {each["package"]["name"] for each in _Osv.asked}
    assert {"cryptography", "sqlalchemy", "h2corn"} <= asked
    assert "pytest" not in asked


def test_an_audit_that_finds_something_fails(database: str) -> None:
    _Osv.bad = "cryptography"
    done = run("audit", "--service-url", database)
    assert done.returncode == 1, done.stderr
    assert "PYSEC-0000-1" in done.stdout + done.stderr


def test_an_audit_that_reaches_nobody_says_that_nothing_was_checked() -> None:
    done = run("audit", "--service-url", "http://127.0.0.1:9/")
    assert done.returncode == 3
    assert "NOT CHECKED" in done.stderr
    assert "no known" not in done.stdout
