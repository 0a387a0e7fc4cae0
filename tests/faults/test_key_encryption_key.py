"""A start with the wrong key-encryption key, or none, is refused with the remedy, and nothing is changed."""

import base64
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from faults.services import refused, running
from greatseal.integrations import kek
from greatseal.kernel.secret import Secret
from greatseal.storage import open_storage
from greatseal.storage.migrate import migrate
from greatseal.testing import FakeEntropy

PASSPHRASE = "correct horse battery staple"


@pytest.fixture(scope="module")
def sealed_by_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("file") / "data"
    with running(data):
        assert (data / "kek").stat().st_mode & 0o777 == 0o600
    return data


@pytest.fixture(scope="module")
def sealed_by_passphrase(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("passphrase") / "data"
    with running(data, GREATSEAL_KEK_PASSPHRASE=PASSPHRASE):
        assert not (data / "kek").exists()
    return data


def copied(data: Path, tmp_path: Path) -> Path:
    return shutil.copytree(data, tmp_path / "data")


def contents(data: Path) -> tuple[dict[str, tuple[int, bytes]], list[str]]:
    """Every file but the lock and the database, byte for byte, and every row of the database."""
    files = {
        str(path.relative_to(data)): (path.stat().st_mode, path.read_bytes())
        for path in data.rglob("*")
        if path.is_file() and path.name != "lock" and not path.name.startswith("greatseal.db")
    }
    connection = sqlite3.connect(data / "greatseal.db")
    rows = list(connection.iterdump())
    connection.close()
    return files, rows


def _other(path: Path) -> None:
    path.write_bytes(base64.b64encode(bytes(32)))


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "put the file back from its backup"),
    "another": (_other, "Put the file of the first start back."),
    "cut short": (lambda path: path.write_bytes(path.read_bytes()[:20]), "Put the file back from its backup."),
    "empty": (lambda path: path.write_bytes(b""), "Put the file back from its backup."),
    "binary": (lambda path: path.write_bytes(bytes(range(256))), "Put the file back from its backup."),
    "open to others": (lambda path: path.chmod(0o644), "chmod 600"),
    "a directory": (_directory, "Is a directory"),
}


@pytest.mark.parametrize("how", SPOILED)
def test_a_file_that_is_not_the_key(sealed_by_file, tmp_path, how):
    data = copied(sealed_by_file, tmp_path)
    spoil, remedy = SPOILED[how]
    spoil(data / "kek")
    before = contents(data)
    said = refused(data)
    assert remedy in said
    assert str(data / "kek") in said
    assert contents(data) == before


def test_a_passphrase_where_a_file_was(sealed_by_file, tmp_path):
    data = copied(sealed_by_file, tmp_path)
    before = contents(data)
    assert "Take the passphrase out of the settings." in refused(data, GREATSEAL_KEK_PASSPHRASE=PASSPHRASE)
    assert contents(data) == before


def test_another_passphrase_or_none(sealed_by_passphrase, tmp_path):
    data = copied(sealed_by_passphrase, tmp_path)
    before = contents(data)
    said = refused(data, GREATSEAL_KEK_PASSPHRASE="incorrect horse")
    assert "the passphrase is not the key-encryption key of this installation" in said
    assert "Give that of the first start." in said
    assert PASSPHRASE not in said
    assert "incorrect horse" not in said
    assert "give the passphrase" in refused(data)
    assert contents(data) == before


def test_an_empty_passphrase_protects_nothing(tmp_path):
    (tmp_path / "empty").write_text("\n")
    assert "the passphrase of the key-encryption key is empty" in refused(
        tmp_path / "data", GREATSEAL_KEK_PASSPHRASE_FILE=str(tmp_path / "empty")
    )


@pytest.mark.parametrize(("table", "column"), [("credential", "sealed_secret"), ("key", "sealed")])
def test_a_database_that_was_altered(sealed_by_file, tmp_path, table, column):
    data = copied(sealed_by_file, tmp_path)
    connection = sqlite3.connect(data / "greatseal.db")
    connection.execute(f"UPDATE {table} SET {column} = CAST(substr({column}, 1, 40) || zeroblob(30) AS BLOB)")
    connection.commit()
    connection.close()
    said = refused(data)
    assert "the database was altered or damaged" in said
    assert "Put the database back from its backup." in said


def test_the_right_key_still_starts(sealed_by_file, sealed_by_passphrase, tmp_path):
    """What was refused above was refused for its reason only: the same copies start with the right key."""
    with running(copied(sealed_by_file, tmp_path / "a")):
        pass
    with running(copied(sealed_by_passphrase, tmp_path / "b"), GREATSEAL_KEK_PASSPHRASE=PASSPHRASE):
        pass


_DYING = """
import os, signal, sys
from pathlib import Path
from greatseal.integrations import kek
from greatseal.kernel.entropy import SystemEntropy
from greatseal.storage import open_storage

path, database, wanted = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
def around(owner, name):
    function = getattr(owner, name)
    def called(*arguments, **named):
        if wanted == f"before {name}":
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*arguments, **named)
        if wanted == f"after {name}":
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    setattr(owner, name, called)
storage = open_storage(database)
for owner, names in ((os, ("open", "fsync", "link")), (Path, ("unlink",)), (type(storage), ("transact",))):
    for name in names:
        around(owner, name)
kek.from_file(path, storage, SystemEntropy())
"""


@pytest.mark.parametrize(
    "point",
    ["before open", "after open", "after fsync", "before link", "after link", "after unlink", "after transact"],
)
def test_a_crash_while_the_key_is_made_leaves_a_whole_key_or_none(tmp_path, point):
    url, path = f"sqlite:///{tmp_path}/greatseal.db", tmp_path / "kek"
    storage = open_storage(url)
    migrate(storage)
    ended = subprocess.run([sys.executable, "-c", _DYING, str(path), url, point], check=False, timeout=60)
    assert ended.returncode == -9
    left = path.read_bytes() if path.exists() else None
    made = kek.from_file(path, storage, FakeEntropy())
    assert left in (None, path.read_bytes())
    assert base64.b64decode(path.read_bytes()) == made.reveal()
    assert kek.from_file(path, storage, FakeEntropy("later")).reveal() == made.reveal()
    assert path.stat().st_mode & 0o777 == 0o600
    storage.close()


def test_of_two_first_starts_over_one_file_one_key_stays(storage, tmp_path, monkeypatch):
    """The rival's key is in use already when ours is ready: it must not be replaced."""
    path = tmp_path / "kek"
    rivals = base64.b64encode(b"r" * 32)

    def late(source, target):
        path.write_bytes(rivals)
        path.chmod(0o600)
        raise FileExistsError(target)

    monkeypatch.setattr("os.link", late)
    assert kek.from_file(path, storage, FakeEntropy()).reveal() == b"r" * 32
    assert [each.name for each in tmp_path.iterdir() if "kek" in each.name] == ["kek"]


def test_a_file_system_without_links(storage, tmp_path, monkeypatch):
    def refuse(source, target):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    made = kek.from_file(tmp_path / "kek", storage, FakeEntropy())
    assert kek.from_file(tmp_path / "kek", storage, FakeEntropy()).reveal() == made.reveal()


def test_a_directory_that_does_not_exist(storage, tmp_path):
    with pytest.raises(kek.KekError, match="does not exist"):
        kek.from_file(tmp_path / "nowhere" / "kek", storage, FakeEntropy())


def test_the_passphrase_of_the_first_start_gives_the_same_key(storage):
    first = kek.from_passphrase(Secret(b"horse"), storage, FakeEntropy("a"))
    assert kek.from_passphrase(Secret(b"horse"), storage, FakeEntropy("b")).reveal() == first.reveal()
    with pytest.raises(kek.KekError, match="is not the key-encryption key"):
        kek.from_passphrase(Secret(b"Horse"), storage, FakeEntropy("c"))
