"""A migrated database is what the code declares, on both databases."""

import importlib.util
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData

from greatseal.storage import migrate as steps_of
from greatseal.storage.migrate import migrate
from greatseal.storage.revision import steps
from greatseal.storage.tx import open_storage

_TOOL = Path(__file__).parents[2] / "tools" / "make_migration.py"


def _all_tables() -> MetaData:
    spec = importlib.util.spec_from_file_location("make_migration", _TOOL)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    tables: MetaData = tool.all_tables()
    return tables


def test_files_are_numbered_as_their_steps_follow_each_other() -> None:
    directory = ScriptDirectory(str(Path(steps_of.__file__).parent / "migrations"))
    assert steps() == tuple(each.revision for each in reversed(list(directory.walk_revisions())))


# SQLite cannot show indexes of expressions, so that they are compared on PostgreSQL only.
@pytest.mark.filterwarnings("ignore:.*expression-based index")
def test_a_migrated_database_equals_the_tables_of_the_code(database_url: str) -> None:
    tables = _all_tables()
    storage = open_storage(database_url)
    try:
        migrate(storage)
        options = {"compare_type": True, "compare_server_default": True}
        differences = storage.transact(
            lambda tx: compare_metadata(MigrationContext.configure(tx.connection, opts=options), tables)
        )
    finally:
        storage.close()
    assert differences == [], "run tools/make_migration.py"
