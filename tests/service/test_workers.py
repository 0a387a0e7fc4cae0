"""`--workers 2`: a worker that is killed comes back, nothing that was answered is lost, and the counts add up."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from faults import census
from faults.load import Load
from faults.nodes import Client, Node, children_of, gone

PATIENCE = 60.0


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    settings = {"GREATSEAL_PUBLICATION_CRL_DELAY_SECONDS": "1", "GREATSEAL_PUBLICATION_CRL_RETRY_SECONDS": "2"}
    made = Node(tmp_path / "data", "--workers", "2", **settings)
    try:
        yield made.start()
    finally:
        if made.process is not None:
            made.stop()


def until(holds: Callable[[], bool], what: str) -> None:
    """Looks until it holds."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, what
        threading.Event().wait(0.05)


def counted(client: Client, operation: str) -> float:
    """How many requests for an operation `/metrics` knows of, whichever worker is asked."""
    text = client.fetch(0, "/metrics").decode()
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "greatseal_http_requests_total" and sample.labels.get("operation") == operation
    )


def test_a_killed_worker_comes_back_and_nothing_is_lost(node: Node) -> None:
    with Client(node) as client:
        authority = census.authority(client)
        load = Load(client, authority).start()
        for seat in (0, 1):
            before = children_of(node)
            assert len(before) == 2
            had = len(load.memory.issued)
            until(lambda had=had: len(load.memory.issued) > had + 20, "the load does not move")  # type: ignore[misc]
            os.kill(before[seat], signal.SIGKILL)
            until(
                lambda before=before, seat=seat: (  # type: ignore[misc]
                    len(children_of(node)) == 2 and before[seat] not in children_of(node)
                ),
                "the worker is not replaced",
            )
        memory = load.stop()
    assert node.process is not None
    assert node.process.poll() is None
    with Client(node) as client:
        census.take(client, authority, memory, 1)
        assert client.fetch(0, "/healthz")
    family = node.family()
    assert len(family) >= 3
    assert node.stop() == 0
    until(lambda: all(map(gone, family)), "a process is left behind")


def test_the_counts_of_all_workers_add_up(node: Node) -> None:
    with Client(node) as known:
        before = counted(known, "acm:ListCertificates")
    for _ in range(40):
        # A connection each: who takes it is the system's choice.
        with Client(node) as client:
            client.call(0, "acm", "ListCertificates")
    with Client(node) as client:
        # Each worker tells the others once a second; each request here comes by a connection of its own.
        until(
            lambda: {counted(client, "acm:ListCertificates") for _ in range(10)} == {before + 40},
            "the counts do not add up",
        )


def test_workers_end_with_their_supervisor(node: Node) -> None:
    family = node.family()
    node.kill()
    until(lambda: all(map(gone, family)), "a process is left behind")
    node.start()
    with Client(node) as client:
        assert client.call(0, "acm", "ListCertificates")["CertificateSummaryList"] == []
