"""A migrated database is what the code declares, on both databases."""

import importlib.util
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData

from greatseal.storage.migrate import migrate
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
