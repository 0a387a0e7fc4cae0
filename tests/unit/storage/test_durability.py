"""What was committed survives the process; what was not does not; and many nodes may start at once."""

import subprocess
import sys
from pathlib import Path

import pytest
from processes import child
from sqlalchemy import insert, select, text

from greatseal.storage.errors import SchemaTooNew
from greatseal.storage.migrate import head, migrate
from greatseal.storage.schema import installation
from greatseal.storage.tx import Storage, open_storage

_WRITER = """
import sys
from sqlalchemy import insert
from greatseal.storage.schema import installation
from greatseal.storage.tx import open_storage

def put(tx, key):
    tx.execute(insert(installation), {"key": key, "value": b"x"})

def die(tx):
    put(tx, "uncommitted")
    print("ready", flush=True)
    sys.stdin.read()

storage = open_storage(sys.argv[1])
storage.transact(lambda tx: put(tx, "committed"))
storage.transact(die)
"""


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_kill_9_keeps_commits_and_nothing_else(storage_url: str) -> None:
    with child(_WRITER, storage_url):
        pass
    storage = open_storage(storage_url)
    rows = storage.read(lambda tx: tx.all(select(installation.c.key)))
    storage.transact(lambda tx: tx.execute(insert(installation), {"key": "next", "value": b"x"}))
    storage.close()
    assert [row.key for row in rows] == ["committed"]


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_the_database_file_is_private(database_url: str, tmp_path: Path) -> None:
    storage = open_storage(database_url)
    storage.transact(lambda tx: tx.execute(text("CREATE TABLE t (x INTEGER)")))
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    storage.close()
    assert modes
    assert set(modes.values()) == {0o600}


def test_migrate_twice_changes_nothing(storage: Storage) -> None:
    storage.transact(lambda tx: tx.execute(insert(installation), {"key": "a", "value": b"x"}))
    assert migrate(storage) == head()
    assert storage.read(lambda tx: tx.scalar(select(installation.c.key))) == "a"


def test_a_database_of_a_later_version_is_refused(storage: Storage) -> None:
    storage.transact(lambda tx: tx.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(SchemaTooNew, match="9999"):
        migrate(storage)


def test_nodes_may_migrate_at_once(database_url: str) -> None:
    program = (
        "import sys; from greatseal.storage.migrate import migrate; from greatseal.storage.tx import open_storage; "
        "storage = open_storage(sys.argv[1]); sys.stdin.read(); print(migrate(storage)); storage.close()"
    )
    nodes = [
        subprocess.Popen(
            [sys.executable, "-c", program, database_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    answers = [node.communicate(timeout=60)[0] for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0, 0]
    assert answers == [f"{head()}\n"] * 3
