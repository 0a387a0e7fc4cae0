"""The trust services of a running service, as Java, OpenSSL and curl see them (workflows.md 13)."""

import json
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from interop.conftest import GREATSEAL
from interop.programs import Workbench, running

JAVA = Path(__file__).with_name("TrustTester.java")
DOMAIN = "trust.example.com"
SETTINGS = f"""
[trust_services]
issuers = 1
endpoint_domain = "{DOMAIN}"
endpoint_listen = "127.0.0.1:0"
[publication]
crl_delay_seconds = 0
"""
_PATIENCE = 120


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trust")
    (folder / "settings.toml").write_text(SETTINGS, encoding="utf-8")
    words = ("serve", "--data", "data", "--config", "settings.toml", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0")
    with running(GREATSEAL, *words, folder=folder, ready=r"ready https://\S+ http://(\S+)") as address:
        bench = Workbench(folder)
        bench.plain = f"http://{address[1]}"
        bench.table = until(lambda: complete(bench.plain))
        bench.put(roots=fetched(f"{bench.plain}/trust/roots.pem"))
        yield bench


def fetched(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()


def complete(plain):
    """The table of roots, once all have a valid and a revoked endpoint."""
    found = json.loads(fetched(f"{plain}/trust/index.json"))
    places = [root["endpoints"] for root in found["roots"] if not root["crossSigns"]]
    return found if len(places) == 4 and all(each["valid"] and each["revoked"] for each in places) else None


def until(look):
    """What `look` finds, as soon as it finds something."""
    end = time.monotonic() + _PATIENCE
    while (found := look()) is None:
        assert time.monotonic() < end, "it never came"
        threading.Event().wait(0.5)
    return found


def places(table, state):
    found = [root["endpoints"].get(state) for root in table.table["roots"] if not root["crossSigns"]]
    return [each.removeprefix("https://").rstrip("/") for each in found]


def test_java_finds_out(table):
    """The messages of the source post's tester, word for word."""
    wanted = [*places(table, "valid"), *places(table, "revoked")]

    def look():
        said = table.run("java", str(JAVA), "roots.pem", *wanted).splitlines()[-len(wanted) :]
        # A list that was fetched before the revocation was on it says that all is well.
        return said if all("revoked" in each for each in said[4:]) else None

    said = until(look)
    assert all(each.endswith("Connection successful") for each in said[:4]), said
    assert all("Certificate has been revoked, reason: UNSPECIFIED" in each for each in said[4:]), said


def test_openssl_trusts_either_root(table):
    """Root 3 itself, or the older root alone, by way of the cross-certificate that the server sends."""
    host, _, port = places(table, "valid")[2].partition(":")
    for number in (3, 0):
        table.put(one=fetched(f"{table.plain}/trust/root{number}.pem"))
        said = table.run(
            *("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", host, "-verify_hostname", host),
            *("-CAfile", "one.pem", "-verify_return_error", "-no-CApath", "-no-CAstore"),
        )
        assert "Verify return code: 0 (ok)" in said
    table.put(other=fetched(f"{table.plain}/trust/root1.pem"))
    assert "unable to get" in table.fail(
        *("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", host),
        *("-CAfile", "other.pem", "-verify_return_error", "-no-CApath", "-no-CAstore"),
    )


def test_curl_reads_the_page(table):
    host, _, port = places(table, "valid")[0].partition(":")
    said = table.run(
        *("curl", "-sS", "--cacert", "roots.pem", "--resolve", f"{host}:{port}:127.0.0.1", f"https://{host}:{port}/")
    )
    assert "Its certificate is valid" in said


def test_the_command_prints_the_same(table):
    place = ("--data", "data", "--config", "settings.toml")
    shown = json.loads(table.run(str(GREATSEAL), "trust", "show", *place, "--json"))
    digests = [(root["spkiSha256"], root["certificateSha256"]) for root in shown["roots"]]
    assert digests == [(root["spkiSha256"], root["certificateSha256"]) for root in table.table["roots"]]
    pems = table.run(str(GREATSEAL), "trust", "roots", *place)
    assert pems.count("BEGIN CERTIFICATE") == 5
    for each in shown["roots"]:
        url = f"{table.plain}{each['certificate']}"
        table.put(root=fetched(url))
        table.run("openssl", "x509", "-in", "root.pem", "-noout", "-pubkey", "-out", "key.pem")
        table.run("openssl", "pkey", "-pubin", "-in", "key.pem", "-outform", "DER", "-out", "key.der")
        assert each["spkiSha256"] in table.run("openssl", "dgst", "-sha256", "key.der")
