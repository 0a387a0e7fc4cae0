"""Pebble as the CA upstream, over ACME; it validates with our own name server and our own plain listener."""

import ipaddress
import json
import os
import ssl
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from greatseal.app.upstream import UpstreamWishes
from greatseal.domain.upstream import Wishes
from greatseal.domain.zones import OwnZones
from greatseal.integrations.upstream import AcmeClient
from greatseal.integrations.upstream.transport import Transport
from greatseal.integrations.zone_server import Answering, Authority, ZoneServer
from greatseal.kernel.secret import Secret
from greatseal.storage import Storage
from greatseal.testing import FakeClock, Installation
from greatseal.web import acme_challenges
from made_servers import free_port, plain_server

pytestmark = [pytest.mark.interop, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]

DOMAIN = "www.example.com"
EAB_KEY = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"


class Pebble:
    """A running Pebble."""

    def __init__(self, port: int, management: int, ca_file: Path) -> None:
        self.directory = f"https://127.0.0.1:{port}/dir"
        self.ca_file = ca_file
        self._management = f"https://127.0.0.1:{management}"

    def root(self) -> x509.Certificate:
        context = ssl.create_default_context(cafile=str(self.ca_file))
        with urllib.request.urlopen(f"{self._management}/roots/0", context=context, timeout=10) as answer:
            return x509.load_pem_x509_certificate(answer.read())


@contextmanager
def pebble(folder: Path, *, dns: tuple[str, int], http_port: int = 5002, binding: bool = False) -> Iterator[Pebble]:
    """Pebble, until the end of the block; it looks names up at `dns`, and rejects many a nonce."""
    port, management = free_port(), free_port()
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Pebble's own")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    ca_file, key_file = folder / "pebble.pem", folder / "pebble.key"
    ca_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    wanted: dict[str, Any] = {
        "listenAddress": f"127.0.0.1:{port}",
        "managementListenAddress": f"127.0.0.1:{management}",
        "certificate": str(ca_file),
        "privateKey": str(key_file),
        "httpPort": http_port,
        "tlsPort": 5001,
        "externalAccountBindingRequired": binding,
    }
    if binding:
        wanted["externalAccountMACKeys"] = {"kid-1": EAB_KEY}
    config = folder / "pebble.json"
    config.write_text(json.dumps({"pebble": wanted}))
    environment = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "30"}
    command = ["pebble", "-config", str(config), "-dnsserver", f"{dns[0]}:{dns[1]}", "-strict"]
    with (
        (folder / "pebble.log").open("wb") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment, cwd=folder) as process,
    ):
        try:
            assert process.stdout is not None
            for line in process.stdout:
                log.write(line)
                if b"Listening on" in line and str(port).encode() in line:
                    break
            drain = threading.Thread(target=lambda: log.writelines(process.stdout or ()), daemon=True)
            drain.start()
            yield Pebble(port, management, ca_file)
        finally:
            process.terminate()
            process.wait(20)


class Bench:
    """An installation with a CA upstream, and the name server that the CA asks."""

    def __init__(self, storage: Storage, ca: Pebble, own: list[str], **more: Any) -> None:
        self.clock = FakeClock(datetime.now(UTC))
        transport = Transport(ca_file=ca.ca_file, timeout=10)
        server = AcmeClient(ca.directory, transport=transport, clock=self.clock)
        challenge = more.pop("challenge", "dns-01")
        wishes = UpstreamWishes(server, Wishes(contact=("mailto:ca@example.com",), **more), challenge)
        self.installation = Installation(storage, clock=self.clock, upstream=wishes)
        self.installation.rooms.zones.employ(own, [])
        self.acm = self.installation.client("acm")

    def request(self, *names: str) -> str:
        arn: str = self.acm.request_certificate(
            DomainName=names[0],
            SubjectAlternativeNames=list(names),
            ValidationMethod="DNS",
            KeyAlgorithm="EC_prime256v1",
        )["CertificateArn"]
        tokens = self.installation.rooms.publics.validating.validation.tokens
        for name in names:
            record = tokens.record("111122223333", name)
            self.installation.control.cnames[record.name] = record.value
        return arn

    def until_settled(self, arn: str) -> dict[str, Any]:
        for _ in range(200):
            self.installation.work()
            found: dict[str, Any] = self.acm.describe_certificate(CertificateArn=arn)["Certificate"]
            if found["Status"] != "PENDING_VALIDATION":
                return found
            self.clock.advance(timedelta(seconds=15))
        raise AssertionError(found)


@contextmanager
def names(storage: Storage, zones: list[str]) -> Iterator[tuple[ZoneServer, OwnZones]]:
    """A name server for zones over the records of an installation."""
    own = OwnZones(storage=storage, zones=zones)
    server = ZoneServer(
        "127.0.0.1",
        0,
        answering=Answering(look_up=own.look_up, authority=Authority(("ns.example.net",))),
        per_second=10000,
    )
    server.start()
    try:
        yield server, own
    finally:
        server.stop()


def check(bench: Bench, ca: Pebble, arn: str, expected: set[str]) -> x509.Certificate:
    found = bench.until_settled(arn)
    assert found["Status"] == "ISSUED", found
    got = bench.acm.get_certificate(CertificateArn=arn)
    leaf, *rest = x509.load_pem_x509_certificates((got["Certificate"] + got["CertificateChain"]).encode())
    assert (
        set(
            leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
        )
        == expected
    )
    path = [leaf, *rest, ca.root()]
    for below, above in pairwise(path):
        if below != above:
            below.verify_directly_issued_by(above)
    return leaf


def test_dns_01_in_a_zone_of_ours_and_a_renewal(storage: Storage, tmp_path: Path) -> None:
    with ExitStack() as stack:
        server, own = stack.enter_context(names(storage, ["example.com"]))
        ca = stack.enter_context(pebble(tmp_path, dns=server.address))
        bench = Bench(storage, ca, ["example.com"])
        arn = bench.request(DOMAIN, "example.com", "*.example.com")
        first = check(bench, ca, arn, {DOMAIN, "example.com", "*.example.com"})
        assert not [each for each in own.records() if each.kind == "TXT"]
        bench.installation.rooms.upstream.issuer.revoke(first.public_bytes(serialization.Encoding.DER), 4)


def test_dns_01_delegated_by_a_cname(storage: Storage, tmp_path: Path) -> None:
    with ExitStack() as stack:
        server, own = stack.enter_context(names(storage, ["v.example.net", "example.com"]))
        ca = stack.enter_context(pebble(tmp_path, dns=server.address))
        bench = Bench(storage, ca, ["v.example.net"])
        alias = bench.installation.rooms.upstream.challenges.alias(DOMAIN)
        assert alias is not None
        own.upsert("example.com", f"_acme-challenge.{DOMAIN}", "CNAME", alias, 60)
        check(bench, ca, bench.request(DOMAIN), {DOMAIN})


def test_http_01_at_the_plain_listener(storage: Storage, tmp_path: Path) -> None:
    with ExitStack() as stack:
        server, own = stack.enter_context(names(storage, ["example.com"]))
        own.upsert("example.com", DOMAIN, "A", "127.0.0.1", 60)
        later: list[Any] = []
        port = stack.enter_context(plain_server(lambda request: later[0](request)))
        ca = stack.enter_context(pebble(tmp_path, dns=server.address, http_port=port))
        bench = Bench(storage, ca, [], challenge="http-01")
        later.append(acme_challenges.handler(bench.installation.rooms.upstream.challenges.file))
        check(bench, ca, bench.request(DOMAIN), {DOMAIN})


def test_an_external_account(storage: Storage, tmp_path: Path) -> None:
    with ExitStack() as stack:
        server, _ = stack.enter_context(names(storage, ["example.com"]))
        ca = stack.enter_context(pebble(tmp_path, dns=server.address, binding=True))
        bench = Bench(storage, ca, ["example.com"], binding=("kid-1", Secret(EAB_KEY.encode())))
        check(bench, ca, bench.request(DOMAIN), {DOMAIN})


def test_a_challenge_that_cannot_be_met_is_a_failure(storage: Storage, tmp_path: Path) -> None:
    with ExitStack() as stack:
        server, _ = stack.enter_context(names(storage, ["somewhere.example"]))
        ca = stack.enter_context(pebble(tmp_path, dns=server.address))
        bench = Bench(storage, ca, ["example.com"])
        found = bench.until_settled(bench.request(DOMAIN))
        assert (found["Status"], found["FailureReason"]) == ("FAILED", "DOMAIN_VALIDATION_DENIED")
