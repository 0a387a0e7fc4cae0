"""What a hybrid post-quantum key exchange costs: the table of one thread that asks KMS, classical beside hybrid.

One thread sends GenerateDataKey again and again, with a connection for each request and on one that stays open; each
sample is the number of answers in one second. The four cases take turns, so that what else the machine does falls on
all alike. The client is the OpenSSL inside `cryptography`: 3.5 or newer knows X25519MLKEM768.
"""

import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL

from compared import processes
from compared.plan import DURABLE, Plan
from compared.processes import Server
from compared.requests import Request, aws_request, client
from compared.results import Figure, Handshakes, Results, Row

PART = "handshakes"
HYBRID, CLASSICAL = "X25519MLKEM768", "P-256"
PERCENTILES = (1, 10, 25, 50, 75, 90, 99)
_GROUPS = {CLASSICAL: ("prime256v1", "secp256r1", "P-256"), HYBRID: (HYBRID,)}
# A signature is good for a quarter of an hour.
_SIGN_AGAIN = 300.0
_HANDSHAKES = 30


def measure(plan: Plan, results: Results) -> None:
    """The table, and what a handshake weighs."""
    with plan.room() as folder, processes.greatseal(folder / "data", plan.workers) as server:
        peers = {group: _Peer(server, group) for group in _GROUPS}
        for group, peer in peers.items():
            if (agreed := peer.agreed()) not in _GROUPS[group]:
                results.missing[PART] = f"the client's OpenSSL agreed on {agreed} where {group} was wanted"
                return
        key = client(server, "kms").create_key()["KeyMetadata"]["KeyId"]
        sign = partial(aws_request, server, "kms", "GenerateDataKey", {"KeyId": key, "KeySpec": "AES_256"})
        cases = [(group, reuse) for reuse in (False, True) for group in _GROUPS]
        counts: dict[tuple[str, bool], list[int]] = {case: [] for case in cases}
        request, signed = sign(), time.monotonic()
        for _ in range(plan.samples):
            for group, reuse in cases:
                counts[group, reuse].append(peers[group].second(request, reuse))
            if time.monotonic() - signed > _SIGN_AGAIN:
                request, signed = sign(), time.monotonic()
        results.handshakes += [_line(*case, counts[case]) for case in cases]
        results.handshake_facts = {"samples": plan.samples} | {g: p.facts() for g, p in peers.items()}
        results.rows += list(_rows(results))


def _line(group: str, reuse: bool, counts: list[int]) -> Handshakes:
    cuts = statistics.quantiles(counts, n=100, method="inclusive") if len(counts) > 1 else counts * 99
    percentiles = {f"p{each:02}": round(cuts[each - 1], 1) for each in PERCENTILES}
    return Handshakes(group, reuse, sum(counts), round(statistics.fmean(counts), 1), percentiles)


def _rows(results: Results) -> Iterator[Row]:
    for reuse, name in ((False, "a connection each"), (True, "one connection")):
        found = {each.group: each.average for each in results.handshakes if each.reuse == reuse}
        hybrid = Figure("greatseal", found[HYBRID])
        classical = Figure(f"with {CLASSICAL}", found[CLASSICAL], says="the same service, classical key exchange")
        yield Row(
            PART,
            f"GenerateDataKey with {HYBRID}, {name}",
            "/s",
            "more",
            hybrid,
            (classical,),
            "its audit record, " + DURABLE,
        )


class _Peer:
    """Connections to the service that offer one key exchange."""

    def __init__(self, server: Server, group: str) -> None:
        parts = urlsplit(server.url)
        self._address = (parts.hostname or "", parts.port or 0)
        self._context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        self._context.set_min_proto_version(SSL.TLS1_3_VERSION)
        self._context.load_verify_locations(server.client["AWS_CA_BUNDLE"])
        self._context.set_verify(SSL.VERIFY_PEER)
        if group == CLASSICAL:
            self._context.set_tmp_ecdh(ec.SECP256R1())

    def agreed(self) -> str | None:
        """The key exchange that a handshake ends with."""
        with self._connection() as connection:
            return connection.get_group_name()

    def second(self, request: Request, reuse: bool) -> int:
        """Answers within one second. Raises RuntimeError when one of them is a refusal."""
        headers = request.headers if reuse else {**request.headers, "connection": "close"}
        octets = Request(request.url, headers, request.body).octets()
        count, end = 0, time.perf_counter() + 1
        if reuse:
            with self._connection() as connection:
                while time.perf_counter() < end:
                    _ask(connection, octets)
                    count += 1
            return count
        while time.perf_counter() < end:
            with self._connection() as connection:
                _ask(connection, octets)
            count += 1
        return count

    def facts(self) -> dict[str, float]:
        """The octets of a handshake each way, and the milliseconds that it takes, the median."""
        taken = []
        for _ in range(_HANDSHAKES):
            start = time.perf_counter()
            with self._connection():
                taken.append((time.perf_counter() - start) * 1000)
        sent, received = self._weigh()
        return {"octets sent": sent, "octets received": received, "handshake ms": round(statistics.median(taken), 2)}

    @contextmanager
    def _connection(self) -> Iterator[SSL.Connection]:
        with socket.create_connection(self._address) as raw:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = SSL.Connection(self._context, raw)
            connection.set_tlsext_host_name(b"localhost")
            connection.set_connect_state()
            connection.do_handshake()
            yield connection
            with suppress(SSL.Error):
                connection.shutdown()

    def _weigh(self) -> tuple[int, int]:
        connection = SSL.Connection(self._context, None)
        connection.set_tlsext_host_name(b"localhost")
        connection.set_connect_state()
        sent = received = 0
        with socket.create_connection(self._address) as raw:
            while True:
                with suppress(SSL.WantReadError):
                    connection.do_handshake()
                with suppress(SSL.WantReadError):
                    while flight := connection.bio_read(65536):
                        raw.sendall(flight)
                        sent += len(flight)
                if connection.get_finished():
                    return sent, received
                flight = raw.recv(65536)
                received += len(flight)
                connection.bio_write(flight)


def _ask(connection: SSL.Connection, octets: bytes) -> None:
    """Sends a request and reads its answer whole."""
    connection.sendall(octets)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(65536)
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    if b" 200" not in lines[0]:
        raise RuntimeError(answer.decode(errors="replace"))
    length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:"))
    while len(body) < length:
        body += connection.recv(65536)
