"""Two nodes on one PostgreSQL under load, one of them killed every few seconds: nothing lost, doubled or unknown.

The counting is done by `faults.census`, which knows nothing but the API and the certificates.
"""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults import census
from faults.load import Load
from faults.nodes import Client, Node

pytestmark = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)

BETWEEN_KILLS = 3.0
LONG = pytest.mark.faults


@pytest.fixture
def nodes(database_url: str, tmp_path: Path) -> Iterator[list[Node]]:
    """Two services over one database, which share the key-encryption key and nothing else."""
    settings = {
        "GREATSEAL_DATABASE": database_url,
        "GREATSEAL_KEK_FILE": str(tmp_path / "kek"),
        "GREATSEAL_PUBLICATION_CRL_DELAY_SECONDS": "1",
        "GREATSEAL_PUBLICATION_CRL_RETRY_SECONDS": "2",
        "GREATSEAL_PUBLICATION_BASE_URL": "http://crl.example.com",
    }
    made = [Node(tmp_path / f"node-{number}", **settings) for number in range(2)]
    try:
        for each in made:
            each.start()
        yield made
    finally:
        for each in made:
            if each.process is not None:
                each.stop()


@pytest.mark.parametrize("seconds", [20, pytest.param(300, marks=LONG)])
def test_one_is_killed_every_few_seconds(nodes: list[Node], seconds: int) -> None:
    with Client(*nodes) as client:
        authority = census.authority(client)
        watch = census.CrlWatch(client, authority, len(nodes)).start()
        load = Load(client, authority).start()
        began, kills = time.monotonic(), 0
        while time.monotonic() - began < seconds or kills < 2:
            threading.Event().wait(BETWEEN_KILLS)
            nodes[kills % 2].kill()
            nodes[kills % 2].start()
            kills += 1
        memory = load.stop()
    # Another client: connections of the first may lead to nodes that are no more.
    with Client(*nodes) as client:
        found = census.take(client, authority, memory, len(nodes))
    watch.stop()
    print(
        f"{kills} kills in {time.monotonic() - began:.0f} s: {len(found.certificates)} certificates, "
        f"{memory.repeated} requests repeated, the slowest took {memory.slowest:.1f} s, "
        f"{len(found.managed)} requested of ACM, {len(found.revoked)} revoked, CRL {watch.seen[-1]}"
    )
    assert len(memory.issued) > 50
    assert memory.repeated > 0, "no kill has hurt anybody"
