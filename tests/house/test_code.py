"""Rules that neither ruff nor import-linter can say."""

import ast
from collections.abc import Iterator
from pathlib import Path

from house.tree import SOURCE, named, parsed, python_files

_SQL = ("sqlalchemy", "greatseal.storage.schema", "greatseal.storage.engine")


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_only_stores_speak_sql_in_the_domain() -> None:
    found = [
        named(path)
        for path in (SOURCE / "domain").rglob("*.py")
        if path.stem != "store"
        and path.parent.name != "store"
        and any(name == sql or name.startswith(sql + ".") for name in _imports(path) for sql in _SQL)
    ]
    assert found == []


def test_only_the_command_line_exits() -> None:
    found = [
        f"{named(path)}:{node.lineno}"
        for path in python_files("src")
        if (SOURCE / "cli") not in path.parents
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("sys.exit", "os._exit", "exit", "quit")
    ]
    assert found == []


def test_tests_never_sleep() -> None:
    found = [
        f"{named(path)}:{node.lineno}"
        for path in python_files("tests")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "sleep"
    ]
    assert found == []
