"""Writes the schema's migrations from the tables that the code declares.

    .venv/bin/python tools/make_migration.py --initial      rewrites versions/0001_initial.py from nothing
    .venv/bin/python tools/make_migration.py "add a thing"  writes the next numbered step: what the migrations lack

`--initial` is for the time before the first release only. Afterwards a step is written once, read by a human,
edited where data must move or SQLite needs `op.batch_alter_table`, and never changed again.
`tests/house/test_migrations.py` fails while the migrated database and the tables differ.

Tables are found by importing every module of `greatseal.domain` that has a path component named `store` or
`tables`, or ending in `_store` or `_tables`.

An index of an expression is written with its table. One that an existing table gets is written by hand: on SQLite it
cannot be found again, and is only compared on PostgreSQL.
"""

import argparse
import importlib
import pkgutil
import re
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

from alembic.autogenerate import api, produce_migrations, render
from alembic.migration import MigrationContext
from alembic.operations import ops
from sqlalchemy import Column, Index, MetaData, create_engine
from sqlalchemy.types import TypeDecorator

import greatseal
from greatseal.storage.migrate import head, migrate
from greatseal.storage.schema import metadata
from greatseal.storage.tx import open_storage

VERSIONS = Path(greatseal.__file__).parent / "storage" / "migrations" / "versions"

_STEP = '''"""{title}."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision: str | None = {parent!r}


{parts}


def upgrade() -> None:
    """Makes the step."""
{calls}
'''


def all_tables() -> MetaData:
    """The MetaData of storage and of every room."""
    domain = Path(greatseal.__file__).parent / "domain"
    for module in pkgutil.walk_packages([str(domain)], "greatseal.domain."):
        if re.search(r"[._](store|tables)(\.|$)", module.name):
            importlib.import_module(module.name)
    return metadata


def render_item(kind: str, item: Any, context: api.AutogenContext) -> str | bool:
    """Renders our column types as what they are stored as: a migration must not change when the code does."""
    if kind == "type" and isinstance(item, TypeDecorator):
        plain: str = render._repr_type(item.impl_instance, context)
        return plain
    return False


def make(title: str, *, initial: bool) -> Path | None:
    """Writes a step and returns its file; None when there is nothing to do."""
    tables = all_tables()
    parent = None if initial else head()
    revision = "0001" if parent is None else f"{int(parent) + 1:04d}"
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/database"
        if not initial:
            storage = open_storage(url)
            migrate(storage)
            storage.close()
        engine = create_engine(url)
        with engine.connect() as connection, warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*expression-based index")
            options = {"render_item": render_item, "user_module_prefix": None, "compare_type": True}
            context = MigrationContext.configure(connection, opts={**options, "target_metadata": tables})
            script = produce_migrations(context, tables)
            autogen = api.AutogenContext(context, tables, opts={**context.opts, **_RENDER})
            parts = _parts(script.upgrade_ops, autogen)
        engine.dispose()
    if not parts:
        return None
    slug = re.sub(r"\W+", "_", title.lower()).strip("_")
    path = VERSIONS / f"{revision}_{slug}.py"
    functions = "\n\n\n".join(
        f"def {name}() -> None:\n" + "\n".join(f"    {line}" for op in lines for line in op.split("\n"))
        for name, lines in parts.items()
    )
    calls = "\n".join(f"    {name}()" for name in parts)
    path.write_text(
        _STEP.format(title=title.capitalize(), revision=revision, parent=parent, parts=functions, calls=calls)
    )
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", str(path)], check=True)
    subprocess.run([sys.executable, "-m", "ruff", "check", "--quiet", "--fix", str(path)], check=True)
    return path


_RENDER: dict[str, Any] = {
    "alembic_module_prefix": "op.",
    "sqlalchemy_module_prefix": "sa.",
    "render_item": render_item,
    "user_module_prefix": None,
}


def _parts(upgrade: ops.UpgradeOps | None, autogen: api.AutogenContext) -> dict[str, list[str]]:
    """One function a table, in the order of their foreign keys."""
    parts: dict[str, list[str]] = {}
    for operation in upgrade.ops if upgrade else ():
        table = getattr(operation, "table_name", None) or "rest"
        parts.setdefault(f"_{table}", []).extend(render.render_op(autogen, operation))
        if isinstance(operation, ops.CreateTableOp):
            for index in _of_expressions(operation):
                made = ops.CreateIndexOp.from_index(index)
                parts.setdefault(f"_{table}", []).extend(render.render_op(autogen, made))
    return parts


def _of_expressions(new: ops.CreateTableOp) -> list[Index]:
    """Indexes that Alembic leaves out, because it cannot find them again on SQLite."""
    indexes = metadata.tables[new.table_name].indexes
    found = [each for each in indexes if not all(isinstance(part, Column) for part in each.expressions)]
    return sorted(found, key=lambda index: str(index.name))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="write a schema migration")
    parser.add_argument("title", nargs="?")
    parser.add_argument("--initial", action="store_true", help="rewrite 0001 from an empty database")
    arguments = parser.parse_args()
    if bool(arguments.title) == arguments.initial:
        parser.error("give a title, or --initial")
    print(make(arguments.title or "initial", initial=arguments.initial) or "the migrations are complete")


if __name__ == "__main__":
    main()
