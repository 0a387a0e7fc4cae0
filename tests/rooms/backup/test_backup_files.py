"""The file of a backup: nothing in it can be changed, cut off or opened with another key; and half of a restore."""

import io
import os
import signal
import subprocess
import sys

import pytest

from greatseal.app.backup.container import (
    MAGIC,
    BackupUnusable,
    BackupWriter,
    End,
    FilePart,
    Keys,
    Lock,
    Manifest,
    read,
)
from greatseal.crypto.sealed_stream import CHUNK_SIZE, TAG_SIZE, StreamOpener, StreamSealer
from greatseal.crypto.wrap import CannotOpen, key_from_passphrase
from greatseal.storage import installation, open_storage
from greatseal.storage.errors import DataDirectoryForeign, DataDirectoryRefused
from greatseal.storage.migrate import migrate
from greatseal.storage.owner import UNFINISHED, DataDirectory
from greatseal.testing import FakeClock, FakeEntropy
from made_backups import KEK, KEYS, LOCK, put_back, secret

MANIFEST = Manifest("1", "2026-01-15T12:00:00+00:00", "0", "0001", "sqlite", "111122223333")
CLOCK = FakeClock()


def sealed(lock=LOCK, size=3 * CHUNK_SIZE):
    file = io.BytesIO()
    writer = BackupWriter(file, lock, FakeEntropy("file"))
    writer.write(MANIFEST)
    writer.write(FilePart("objects/a", b"x" * size))
    writer.write(End(0, 0, 1))
    writer.close()
    return file.getvalue()


def opened(data, keys=KEYS):
    return list(read(io.BytesIO(data), keys))


@pytest.mark.parametrize("size", [0, 1, CHUNK_SIZE, 3 * CHUNK_SIZE, 3 * CHUNK_SIZE + 1])
def test_what_went_in_comes_out(size):
    assert opened(sealed(size=size)) == [MANIFEST, FilePart("objects/a", b"x" * size), End(0, 0, 1)]


def test_a_stream_that_ends_with_a_full_chunk():
    sizes = range(CHUNK_SIZE - 250, CHUNK_SIZE - 50)
    assert any((len(sealed(size=size)) - len(sealed(size=0)) + 300) % CHUNK_SIZE < 300 for size in sizes)
    for size in sizes:
        assert opened(sealed(size=size))[1].data == b"x" * size


def test_every_octet_of_the_header_and_every_region_of_the_rest_is_bound():
    whole = sealed()
    header = len(MAGIC) + 2 + int.from_bytes(whole[len(MAGIC) : len(MAGIC) + 2], "big")
    chunk = CHUNK_SIZE + TAG_SIZE
    places = {
        *range(header),
        header,
        header + chunk - 1,
        header + chunk,
        header + 2 * chunk,
        *range(len(whole) - 20, len(whole)),
    }
    for place in sorted(places):
        for bit in (0x01, 0x80):
            changed = bytearray(whole)
            changed[place] ^= bit
            with pytest.raises(BackupUnusable):
                opened(bytes(changed))


def test_a_backup_that_is_cut_off_anywhere():
    whole = sealed()
    chunk = CHUNK_SIZE + TAG_SIZE
    start = len(whole) % chunk
    for size in {0, 5, len(MAGIC), len(MAGIC) + 1, 60, *range(start, len(whole), chunk), len(whole) - 1}:
        with pytest.raises(BackupUnusable):
            opened(whole[:size])


def test_chunks_cannot_be_swapped_repeated_or_added():
    whole = sealed()
    chunk = CHUNK_SIZE + TAG_SIZE
    first = len(MAGIC) + 2 + int.from_bytes(whole[len(MAGIC) : len(MAGIC) + 2], "big")
    one, two = whole[first : first + chunk], whole[first + chunk : first + 2 * chunk]
    rest = whole[first + 2 * chunk :]
    for changed in (
        two + one + rest,
        one + one + two + rest,
        two + rest,
        one + two + rest + b"x",
        one + two + rest + one,
    ):
        with pytest.raises(BackupUnusable):
            opened(whole[:first] + changed)


def test_wrong_keys_are_told_apart():
    by_passphrase, by_kek = sealed(Lock(passphrase=secret("right"))), sealed()
    salt = b"s" * 16
    kek = key_from_passphrase(secret("kek"), salt)
    salted = sealed(Lock(kek=kek, kek_salt=salt))
    assert opened(by_passphrase, Keys(passphrase=secret("right")))
    assert opened(salted, Keys(kek_passphrase=secret("kek")))
    for data, keys, text in (
        (by_passphrase, Keys(passphrase=secret("wrong")), "does not open"),
        (by_passphrase, KEYS, "--passphrase-file"),
        (by_kek, Keys(), "--kek-file"),
        (by_kek, Keys(kek=secret("k" * 32)), "and .* was given"),
        (salted, Keys(), "--kek-passphrase-file"),
        (salted, Keys(kek_passphrase=secret("other")), "and .* was given"),
        (b"greatseal-backup/2\n" + by_kek[len(MAGIC) :], KEYS, "later format"),
        (b"PK\x03\x04", KEYS, "not a backup"),
    ):
        with pytest.raises(BackupUnusable, match=text):
            opened(data, keys)


def test_the_stream_refuses_chunks_of_the_wrong_size():
    with pytest.raises(ValueError, match="full"):
        StreamSealer(KEK).seal(b"short", last=False)
    with pytest.raises(CannotOpen):
        StreamOpener(KEK).open(StreamSealer(KEK).seal(b"short", last=True), last=False)


@pytest.fixture
def backup(storage, tmp_path):
    """A backup of a small installation."""
    from greatseal.app.backup.taking import Order, take
    from greatseal.settings import load

    storage.transact(lambda tx: installation.remember(tx, "a fact", b"a value"))
    settings = load({}, {"data": tmp_path / "source"}, None)
    take(storage, Order(settings, LOCK), tmp_path / "backup", clock=CLOCK, entropy=FakeEntropy("small"))
    return tmp_path / "backup"


ONE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@ONE
def test_only_an_empty_place_is_filled(backup, tmp_path, storage):
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "somebody's").write_text("file", encoding="utf-8")
    with pytest.raises(DataDirectoryForeign, match="not empty"):
        put_back(backup, taken, CLOCK)
    assert [each.name for each in taken.iterdir()] == ["somebody's"]
    DataDirectory.open(tmp_path / "ours").close()
    with pytest.raises(DataDirectoryForeign, match="already"):
        put_back(backup, tmp_path / "ours", CLOCK)
    full = f"sqlite:///{tmp_path}/full.db"
    there = open_storage(full)
    migrate(there)
    there.close()
    with pytest.raises(DataDirectoryForeign, match="database is not empty"):
        put_back(backup, tmp_path / "new", CLOCK, database=full)


@ONE
def test_files_that_the_operator_has_put_there_stay(backup, tmp_path):
    new = tmp_path / "new"
    new.mkdir()
    (new / "kek").write_text("mine", encoding="utf-8")
    put_back(backup, new, CLOCK)
    assert (new / "kek").read_text(encoding="utf-8") == "mine"
    with DataDirectory.open(new) as directory:
        assert not directory.new


@ONE
def test_a_clock_before_the_backup_is_refused(backup, tmp_path):
    early = FakeClock(CLOCK.at.replace(year=2025))
    with pytest.raises(BackupUnusable, match="set the clock"):
        put_back(backup, tmp_path / "new", early)


@ONE
def test_a_damaged_backup_leaves_nothing_that_starts(backup, tmp_path):
    whole = backup.read_bytes()
    for name, changed in (("cut", whole[:-1]), ("flipped", whole[:-1] + bytes([whole[-1] ^ 1]))):
        (tmp_path / name).write_bytes(changed)
        with pytest.raises(BackupUnusable):
            put_back(tmp_path / name, tmp_path / f"new-{name}", CLOCK)
        if (tmp_path / f"new-{name}").exists():
            with pytest.raises(DataDirectoryRefused):
                DataDirectory.open(tmp_path / f"new-{name}")


@ONE
def test_a_backup_never_replaces_a_file(backup):
    from greatseal.app.backup.taking import Order, take
    from greatseal.settings import load

    with pytest.raises(FileExistsError):
        take(None, Order(load({}, {}, None), LOCK), backup, clock=CLOCK, entropy=FakeEntropy("x"))


_DYING = """
import os, signal, sys
from pathlib import Path
from greatseal.app.backup import restoring
from greatseal.storage import owner, restored
from made_backups import put_back
from greatseal.testing import FakeClock

backup, data, url, point = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] or None, sys.argv[4]
def die(*a, **k): os.kill(os.getpid(), signal.SIGKILL)
def after(owner_, name):
    real = getattr(owner_, name)
    setattr(owner_, name, lambda *a, **k: (real(*a, **k), die())[0])
def before(owner_, name):
    setattr(owner_, name, die)
{
    "first row": lambda: after(restoring.snapshot, "fill"),
    "before the end": lambda: before(restoring.settling, "prepare"),
    "before the commit": lambda: after(restoring.restored, "begun"),
    "after the commit": lambda: before(owner.VacantDirectory, "complete"),
    "before the marker": lambda: before(owner, "_initialise"),
    "after the marker": lambda: after(owner.VacantDirectory, "complete"),
}[point]()
put_back(backup, data, FakeClock(), database=url)
"""


@pytest.mark.parametrize(
    "point",
    ["first row", "before the end", "before the commit", "after the commit", "before the marker", "after the marker"],
)
def test_a_killed_restore_is_no_installation(backup, tmp_path, point, database_kind, request):
    from greatseal.app.backup.settling import refuse_unfinished

    url, name, server = "", "", None
    if database_kind == "postgresql":
        server = request.getfixturevalue("postgresql_server")
        name = server.create()
        url = server.url(name)
    new = tmp_path / "new"
    environment = {**os.environ, "PYTHONPATH": "src:tests"}
    run = subprocess.run(
        [sys.executable, "-c", _DYING, str(backup), str(new), url, point], env=environment, check=False
    )
    assert run.returncode == -signal.SIGKILL
    storage = open_storage(url or f"sqlite:///{new}/greatseal.db")
    try:
        # With a database elsewhere nothing of it is in the directory; the database itself says that it is unfinished.
        if point == "after the marker" or (url and point == "before the marker"):
            assert not (new / UNFINISHED).exists()
            with pytest.raises(DataDirectoryRefused, match="did not end"):
                refuse_unfinished(storage)
        else:
            with pytest.raises(DataDirectoryForeign):
                DataDirectory.open(new)
            with pytest.raises(DataDirectoryForeign):
                put_back(backup, new, CLOCK, database=url or None)
        if point in ("first row", "before the end", "before the commit"):
            # Nothing was committed: the database can be used again.
            storage.read(lambda tx: tx.dialect)
            again = put_back(backup, tmp_path / "again", CLOCK, database=url or None)
            assert again.rows > 0
    finally:
        storage.close()
        if server is not None:
            server.drop(name)
