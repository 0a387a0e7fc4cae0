"""A public certificate and what our logs say of it, over the real listeners, checked by code that is not ours."""

import asyncio
import base64
import gzip
import json
import ssl
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from prometheus_client import CollectorRegistry

from doors.acm_material import Acm
from greatseal.app import identity
from greatseal.app.doors import plain_mounts, secure_mounts
from greatseal.app.listeners import Listener, tls_files
from greatseal.app.seats import bind
from greatseal.app.worker_metrics import WorkerMetrics
from greatseal.edge.asgi import EdgeApp
from greatseal.edge.metrics import EdgeMetrics
from greatseal.edge.reading import Limits
from greatseal.kernel.entropy import SystemEntropy
from greatseal.settings import Address
from rooms.transparency import ct_checker as checker

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


class Wire:
    """A client of the service's addresses."""

    def __init__(self, base: str) -> None:
        self.base = base
        # The certificate of the listener is of the year that the installation believes in, and TLS has its own tests.
        self._context = ssl._create_unverified_context() if base.startswith("https") else None

    def get(self, path: str, body: bytes | None = None, **query: Any) -> bytes:
        asked = f"{self.base}{path}?{urlencode(query)}" if query else f"{self.base}{path}"
        request = urllib.request.Request(asked, body, {"accept-encoding": "gzip"})
        with urllib.request.urlopen(request, timeout=30, context=self._context) as answer:
            content: bytes = answer.read()
            return gzip.decompress(content) if answer.headers["content-encoding"] == "gzip" else content

    def json(self, path: str, body: bytes | None = None, **query: Any) -> Any:
        return json.loads(self.get(path, body, **query))


@contextmanager
def listening(app: EdgeApp, certfile: Path | None = None, keyfile: Path | None = None) -> Iterator[str]:
    """Where the listener answers, which runs in a loop and a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(wanted: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(wanted, loop).result(30)

    listener = Listener(bind(Address("127.0.0.1:0")), max_body_bytes=1024 * 1024)
    try:
        run(listener.start(app, certfile=certfile, keyfile=keyfile))
        yield listener.address
        run(listener.stop())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def acm(storage):
    return Acm(storage)


@pytest.fixture(params=["plain", "secure"])
def wire(request, acm, tmp_path):
    rooms = acm.installation.rooms
    registry = CollectorRegistry()
    counted = WorkerMetrics(registry)
    is_plain = request.param == "plain"
    mounts = plain_mounts(rooms, counted, None) if is_plain else secure_mounts(rooms, acm.installation.door)
    app = EdgeApp(mounts, limits=Limits(), metrics=EdgeMetrics(registry), entropy=SystemEntropy())
    with ExitStack() as stack:
        stack.callback(app.close)
        if is_plain:
            yield Wire(f"http://{stack.enter_context(listening(app))}")
            return
        shown = identity.ensure(rooms, region="us-east-1", names=("127.0.0.1",))
        files = stack.enter_context(tls_files(tmp_path, shown))
        yield Wire(f"https://{stack.enter_context(listening(app, *files))}")


def issued(acm: Acm) -> list[bytes]:
    """Certificate and chain (DER) of a request whose records are there."""
    arn = acm.acm.request_certificate(
        DomainName="www.example.com", ValidationMethod="DNS", KeyAlgorithm="EC_prime256v1"
    )["CertificateArn"]
    for each in acm.detail(arn)["DomainValidationOptions"]:
        acm.installation.control.cnames[each["ResourceRecord"]["Name"]] = each["ResourceRecord"]["Value"]
    for _ in range(30):
        acm.work()
        acm.advance(minutes=1)
        if acm.detail(arn)["Status"] == "ISSUED":
            break
    body = acm.body(arn)
    both = (body["Certificate"] + "\n" + body["CertificateChain"]).encode()
    return [each.public_bytes(Encoding.DER) for each in x509.load_pem_x509_certificates(both)]


def stamps(leaf: bytes) -> list[bytes]:
    """The encoded SCTs of a certificate."""
    found = x509.load_der_x509_certificate(leaf).extensions.get_extension_for_oid(x509.ObjectIdentifier(checker.SCTS))
    data = core.OctetString.load(found.value.public_bytes()).native
    whole, each_one = data[2:], []
    assert int.from_bytes(data[:2], "big") == len(whole)
    while whole:
        size = int.from_bytes(whole[:2], "big")
        each_one.append(whole[2 : 2 + size])
        whole = whole[2 + size :]
    return each_one


def test_what_the_certificate_promises_is_in_the_logs(acm, wire):
    leaf, issuer, *_ = issued(acm)
    [*operators] = wire.json("/ct/log_list.json")["operators"]
    logs = {each["log_id"]: each for operator in operators for each in operator["tiled_logs"]}
    entry = checker.precert_entry(issuer, leaf)
    told = stamps(leaf)
    assert {base64.b64encode(each[1:33]).decode() for each in told} == logs.keys()
    assert len(operators) == len(logs) == 2
    for stamp in told:
        log = logs[base64.b64encode(stamp[1:33]).decode()]
        below = "/ct/" + log["submission_url"].rstrip("/").rpartition("/")[2]
        key = base64.b64decode(log["key"])
        timestamp, extensions, index = checker.check_sct(key, stamp, entry)
        promised = checker.leaf_input(timestamp, entry, extensions)
        _check_rfc6962(wire, below, key, promised, index)
        _check_tiles(wire, below, log, promised, index, leaf, issuer)


def _check_rfc6962(wire: Wire, below: str, key: bytes, promised: bytes, index: int) -> None:
    head = wire.json(f"{below}/ct/v1/get-sth")
    size, root = head["tree_size"], base64.b64decode(head["sha256_root_hash"])
    checker.check_head(key, size, root, head["timestamp"], base64.b64decode(head["tree_head_signature"]))
    hashed = checker.h_leaf(promised)
    asked = {"hash": base64.b64encode(hashed).decode(), "tree_size": size}
    proof = wire.json(f"{below}/ct/v1/get-proof-by-hash", **asked)
    assert proof["leaf_index"] == index
    path = [base64.b64decode(each) for each in proof["audit_path"]]
    assert checker.root_from_path(index, size, hashed, path) == root
    [entry] = wire.json(f"{below}/ct/v1/get-entries", start=index, end=index)["entries"]
    assert base64.b64decode(entry["leaf_input"]) == promised


def _check_tiles(
    wire: Wire, below: str, log: dict[str, Any], promised: bytes, index: int, leaf: bytes, issuer: bytes
) -> None:
    note = wire.get(f"{below}/checkpoint").decode()
    size, root, _ = checker.check_checkpoint(note, note.partition("\n")[0], base64.b64decode(log["key"]))
    assert log["submission_url"].partition("://")[2].rstrip("/") == note.partition("\n")[0]
    entries = checker.read_tile_leaves(wire.get(f"{below}/tile/data/000.p/{size}"))
    hashes = wire.get(f"{below}/tile/0/000.p/{size}")
    assert b"".join(checker.h_leaf(each) for each, *_ in entries) == hashes
    assert checker.mth([hashes[at : at + 32] for at in range(0, len(hashes), 32)]) == root
    found, precertificate, chain = entries[index]
    assert found == promised
    assert checker.bare_tbs(precertificate) == checker.bare_tbs(leaf)
    x509.load_der_x509_certificate(precertificate).verify_directly_issued_by(x509.load_der_x509_certificate(issuer))
    above = [wire.get(f"{below}/issuer/{each.hex()}") for each in chain]
    assert [sha256(each).digest() for each in above] == chain
    assert above[0] == issuer


def test_the_certificate_itself_is_taken_and_the_log_continues(acm, wire):
    """As a crawler submits it: add-chain, and the proof that the tree of before is the beginning of the new one."""
    leaf, *above = issued(acm)
    before = wire.json("/ct/alder/ct/v1/get-sth")
    [log] = [
        each
        for operator in wire.json("/ct/log_list.json")["operators"]
        for each in operator["tiled_logs"]
        if each["submission_url"].endswith("/alder/")
    ]
    sent = json.dumps({"chain": [base64.b64encode(each).decode() for each in (leaf, *above)]}).encode()
    answer = wire.json("/ct/alder/ct/v1/add-chain", sent)
    assert wire.json("/ct/alder/ct/v1/add-chain", sent) == answer
    extensions = base64.b64decode(answer["extensions"])
    promised = checker.leaf_input(answer["timestamp"], checker.x509_entry(leaf), extensions)
    checker.verify_signature(base64.b64decode(log["key"]), base64.b64decode(answer["signature"]), promised)
    after = wire.json("/ct/alder/ct/v1/get-sth")
    sizes = (before["tree_size"], after["tree_size"])
    assert sizes == (1, 2)
    proof = wire.json("/ct/alder/ct/v1/get-sth-consistency", first=sizes[0], second=sizes[1])["consistency"]
    roots = [base64.b64decode(each["sha256_root_hash"]) for each in (before, after)]
    assert checker.is_consistent(*sizes, [base64.b64decode(each) for each in proof], *roots)
    accepted = [base64.b64decode(each) for each in wire.json("/ct/alder/ct/v1/get-roots")["certificates"]]
    assert public_key(above[-1]) in {public_key(each) for each in accepted}, "the cross-certificate is of a root"


def public_key(certificate: bytes) -> bytes:
    key = x509.load_der_x509_certificate(certificate).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
