"""What keeps a log from signing two trees: checkpoints outside the database, and closing a log for good."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from ct_room import Room, chain
from sqlalchemy import update

from greatseal.domain.transparency.guard import ProcessKeeper
from greatseal.domain.transparency.log import NotLogged
from greatseal.domain.transparency.model import LogBehind, LogClosed
from greatseal.domain.transparency.store import logs as store
from greatseal.domain.transparency.store.logs import ct_tile
from greatseal.integrations.checkpoint_folders import CheckpointFolders
from greatseal.kernel.caller import Caller
from greatseal.storage import open_storage
from greatseal.storage.migrate import migrate

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


class BrokenKeeper(ProcessKeeper):
    """Cannot write while it is broken."""

    broken = False

    def keep(self, log: str, checkpoint: str) -> None:
        if self.broken:
            raise OSError("disk full")
        super().keep(log, checkpoint)


def caller(room: Room) -> Caller:
    return Caller(
        account="111122223333",
        region="us-east-1",
        principal_arn="arn:aws:iam::111122223333:root",
        access_key_id="",
        request_id="r-1",
        operation="greatseal:RetireLog",
        at=room.installation.clock.now(),
    )


def test_a_database_that_was_put_back_signs_nothing(database_url, tmp_path):
    """The real thing: a copy of the database file, and the folder beside it that is not part of the copy."""
    storage = open_storage(database_url)
    migrate(storage)
    keeper = CheckpointFolders((tmp_path / "checkpoints", tmp_path / "elsewhere"))
    room = Room(storage, keeper=keeper)
    first = room.add(chain(1))
    storage.close()
    database = Path(database_url.removeprefix("sqlite:///"))
    backup = database.read_bytes()
    storage = open_storage(database_url)
    Room(storage, keeper=keeper).add(chain(2))
    storage.close()
    database.write_bytes(backup)
    storage = open_storage(database_url)
    room = Room(storage, keeper=keeper)
    with pytest.raises(LogBehind, match="has signed 2 entries, and the database holds 1") as caught:
        room.add(chain(3))
    assert "greatseal transparency retire alder" in caught.value.message
    room.installation.clock.advance(timedelta(seconds=7200))
    with pytest.raises(LogBehind):
        room.log.refresh()
    with pytest.raises(LogBehind):
        room.add(chain(1))
    assert room.reading.signed_head().head.size == 1, "what it holds can still be read"
    # One of the two copies is enough.
    (tmp_path / "checkpoints" / "alder.checkpoint").unlink()
    with pytest.raises(LogBehind):
        Room(storage, keeper=keeper).add(chain(3))
    # What the operator may do: another log with another key.
    closed = room.logs.retire(caller(room), "alder")
    assert closed.retired_at is not None
    assert [each.record.id for each in room.logs.active()] == ["alder-2", "birch"]
    again = room.add(chain(1))
    assert again.log_id != first.log_id
    with pytest.raises(LogClosed):
        room.logs.find("alder").add(room.logs.candidate(chain(4), precertificate=True))
    storage.close()


def test_a_tree_that_was_altered_signs_nothing(storage):
    room = Room(storage)
    for number in range(3):
        room.add(chain(number))
    kept = room.keeper.last("alder")
    forged = bytes(96)
    storage.transact(lambda tx: tx.execute(update(ct_tile).where(ct_tile.c.height == 0).values(hashes=forged)))
    room = Room(storage, keeper=room.keeper)
    room.add(chain(3))  # the head goes on from its own frontier; the forged tile shows with the next checkpoint
    assert room.keeper.last("alder") != kept
    other = ProcessKeeper()
    other.keep("alder", kept or "")
    with pytest.raises(LogBehind, match="not those that it has signed"):
        Room(storage, keeper=other).add(chain(4))


def test_a_checkpoint_of_somebody_else_stops_the_log(storage):
    room = Room(storage)
    room.add(chain(1))
    room.keeper.keep("alder", room.logs.reading("birch").checkpoint())
    with pytest.raises(LogBehind, match="cannot be used"):
        room.add(chain(2))


def test_no_timestamp_leaves_before_its_checkpoint_is_kept(storage):
    keeper = BrokenKeeper()
    room = Room(storage, keeper=keeper)
    room.add(chain(1))
    keeper.broken = True
    with pytest.raises(NotLogged):
        room.add(chain(2))
    with pytest.raises(NotLogged):
        room.add(chain(2))
    keeper.broken = False
    stamp = room.add(chain(2))
    assert room.reading.signed_head().head.size == 2
    assert keeper.last("alder") == room.reading.checkpoint()
    assert room.add(chain(2)) == stamp


def test_a_log_that_is_behind_keeps_no_other_from_signing_anew(storage):
    keeper = ProcessKeeper()
    room = Room(storage, keeper=keeper)
    assert [each.record.id for each in room.logs.active()] == ["alder", "birch"]
    keeper.keep("alder", "the checkpoint of somebody else\n1\n")
    room.installation.clock.advance(timedelta(hours=2))
    with pytest.raises(LogBehind):
        room.logs.refresh()
    stamped = room.logs.reading("birch").signed_head().head.timestamp
    assert stamped == int(room.installation.clock.now().timestamp() * 1000)


def test_an_older_checkpoint_never_replaces_a_newer_one(storage):
    keeper = ProcessKeeper()
    room, other = Room(storage, keeper=keeper), Room(storage, keeper=keeper)
    room.add(chain(1))
    old = storage.read(lambda tx: store.head(tx, "alder"))
    other.add(chain(2))
    room.log._guard.keep(old)
    assert keeper.last("alder") == other.reading.checkpoint()


def test_a_log_that_another_node_has_closed_takes_nothing(storage):
    room = Room(storage)
    log = room.log
    Room(storage).logs.retire(caller(room), "alder")
    with pytest.raises(LogClosed):
        log.add(room.logs.candidate(chain(1), precertificate=True))
    assert storage.read(lambda tx: store.open_head(tx, "alder")) is None
    head = storage.read(lambda tx: store.head(tx, "alder"))
    assert not storage.transact(lambda tx: store.advance(tx, "alder", head, head)), "not even by compare and swap"


def test_a_folder_that_is_written_to_at_once_keeps_the_newest(tmp_path, database_kind):
    """As by the nodes of an installation, or by a batch and the job that signs a quiet log anew."""
    sizes = [*range(1, 161)]
    random.Random(7).shuffle(sizes)
    with ThreadPoolExecutor(8) as crew:
        list(crew.map(lambda n: CheckpointFolders((tmp_path,)).keep("alder", f"origin\n{n}\nroot\n"), sizes))
    assert CheckpointFolders((tmp_path,)).last("alder") == "origin\n160\nroot\n"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["alder.checkpoint", "alder.checkpoint.lock"]


def test_folders(tmp_path, database_kind):
    folders = CheckpointFolders((tmp_path / "a", tmp_path / "b"))
    assert folders.last("alder") is None
    folders.keep("alder", "origin\n7\nroot\n")
    (tmp_path / "b" / "alder.checkpoint").write_text("origin\n12\nroot\n")
    assert folders.last("alder") == "origin\n12\nroot\n"
    (tmp_path / "a" / "alder.checkpoint").write_bytes(b"\xff\xfe")
    with pytest.raises(OSError, match="not a checkpoint"):
        folders.last("alder")
