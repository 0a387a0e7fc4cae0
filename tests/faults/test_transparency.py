"""Our logs under `kill -9` and failing databases: no promise without an entry, one tree, one timestamp for an entry."""

from collections.abc import Callable, Iterator
from hashlib import sha256

import pytest

from faults import dying_logs
from faults.logged import chain, opened
from faults.striking import striker
from greatseal.crypto import merkle
from greatseal.domain.transparency import Logs
from greatseal.domain.transparency.entries import read_tile
from greatseal.domain.transparency.guard import ProcessKeeper
from greatseal.domain.transparency.log import NotLogged
from greatseal.integrations.checkpoint_folders import CheckpointFolders
from greatseal.storage import open_storage
from greatseal.storage.errors import StorageError
from greatseal.testing.faults import FaultyStorage
from greatseal.x509 import sct
from greatseal.x509.certificate import Certificate
from made_certificates import SUBORDINATE

KILLED = -9
POINTS = ["before-write", "after-write", "before checkpoint", "after checkpoint", "before-read", "after-read"]


@pytest.fixture(scope="module")
def die_at() -> Iterator[Callable[..., int]]:
    """Has a process log certificates and die; returns its exit code."""
    with striker(dying_logs) as die:
        yield die


def check(logs: Logs) -> int:
    """The log is one tree, each entry is in it once, and every stored timestamp verifies. How many entries."""
    log = logs.active()[0]
    reading = logs.reading(log.record.id)
    head = reading.signed_head().head
    leaves = list(read_tile(reading.data_tile(0, head.size) or b""))
    assert merkle.root_of([each.hash for each in leaves]) == head.root
    assert reading.tile(0, 0, head.size) == b"".join(each.hash for each in leaves) or head.size == 0
    assert len({sha256(each.entry).digest() for each in leaves}) == len(leaves) == head.size
    return head.size


def entry_of(number: int) -> bytes:
    return sct.precertificate_entry(SUBORDINATE.key, Certificate.parse(chain(number)[0]).tbs)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("point", POINTS)
def test_killed_anywhere(point, die_at, storage_url, tmp_path):
    storage = open_storage(storage_url)
    keeper = CheckpointFolders((tmp_path / "checkpoints",))
    opened(storage, keeper).active()[0].add(opened(storage, keeper).candidate(chain(1), precertificate=True))
    storage.close()
    notes = tmp_path / "notes"
    where = {"url": storage_url, "folder": str(tmp_path / "checkpoints"), "notes": str(notes)}
    assert die_at(point=point, **where) == KILLED
    storage = open_storage(storage_url)
    logs = opened(storage, keeper, "after")
    size = check(logs)
    assert size == (1 if point in ("before-write", "before-read", "after-read") else 2)
    assert not notes.exists()
    assert die_at(point="never", **where) == 0
    logs = opened(storage, keeper, "after")
    assert check(logs) == 4
    for number, line in enumerate(notes.read_text().splitlines(), 10):
        stamp = sct.Sct.parse(bytes.fromhex(line))
        assert sct.verify(stamp, logs.active()[0].record.spki, entry_of(number))
        assert logs.active()[0].add(logs.candidate(chain(number), precertificate=True)) == stamp
    storage.close()


@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3, 4, 5])
def test_a_database_that_fails_anywhere(storage_url, at, applied):
    storage = FaultyStorage(storage_url)
    keeper = ProcessKeeper()
    logs = opened(storage, keeper)
    log = logs.active()[0]
    log.add(logs.candidate(chain(1), precertificate=True))
    candidate = logs.candidate(chain(2), precertificate=True)
    storage.fail(at=at, applied=applied)
    first = None
    try:
        first = log.add(candidate)
    except (NotLogged, StorageError):
        assert storage.failed
    storage.heal()
    stamp = log.add(candidate)
    assert first in (None, stamp)
    assert sct.verify(stamp, log.record.spki, entry_of(2))
    assert check(logs) == 2
    storage.close()
