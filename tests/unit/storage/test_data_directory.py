"""A data directory has one owner and no foreign files."""

import sys
from pathlib import Path

import pytest
from processes import child

from greatseal.storage.errors import DataDirectoryForeign, DataDirectoryRefused, DataDirectoryTaken
from greatseal.storage.owner import DataDirectory

_OWNER = """
import sys
from greatseal.storage.owner import DataDirectory
directory = DataDirectory.open(sys.argv[1])
print("ready", flush=True)
sys.stdin.read()
"""


def test_an_absent_directory_is_made_private(tmp_path: Path) -> None:
    with DataDirectory.open(tmp_path / "deep" / "data") as directory:
        assert directory.new
        assert directory.path == tmp_path / "deep" / "data"
        assert directory.path.stat().st_mode & 0o777 == 0o700
    with DataDirectory.open(tmp_path / "deep" / "data") as directory:
        assert not directory.new


def test_an_empty_directory_is_taken_over(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    (data / "lost+found").mkdir()
    with DataDirectory.open(data) as directory:
        assert directory.new
    assert data.stat().st_mode & 0o777 == 0o700


def test_a_foreign_directory_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(DataDirectoryForeign, match=r"thesis\.txt"):
        DataDirectory.open(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataDirectoryRefused, match="file"):
        DataDirectory.open(tmp_path / "file")


def test_a_format_of_the_future_is_refused(tmp_path: Path) -> None:
    DataDirectory.open(tmp_path / "data").close()
    (tmp_path / "data" / "greatseal-data").write_text("This directory belongs to Greatseal. Format 2\n")
    with pytest.raises(DataDirectoryRefused, match="format"):
        DataDirectory.open(tmp_path / "data")


def test_the_second_owner_is_told_who_the_first_is_and_kill_9_frees_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with child(_OWNER, str(data)) as process:
        with pytest.raises(DataDirectoryTaken, match=f"in use by process {process.pid};") as caught:
            DataDirectory.open(data)
        assert caught.value.pid == process.pid
    with DataDirectory.open(data) as directory:
        assert not directory.new
        with pytest.raises(DataDirectoryTaken):
            DataDirectory.open(data)
    DataDirectory.open(data).close()


def test_errors_and_owner_stay_light() -> None:
    program = (
        "import sys, greatseal.storage.owner, greatseal.storage; print('ready', flush=True); "
        "assert 'sqlalchemy' not in sys.modules; from greatseal.storage import Storage; sys.stdin.read()"
    )
    with child(program) as process:
        assert sys.executable
        assert process.poll() is None
