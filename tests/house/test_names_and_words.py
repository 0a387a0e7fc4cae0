"""Modules are named after what they hold, public things say what they are for, and only the work is spoken of."""

import ast
import re
import sys
from pathlib import Path

from house.tree import named, parsed, python_files, text_files

_EMPTY_NAMES = {"utils", "util", "common", "base", "helpers", "helper", "misc", "shared", "stuff"}

# How and where somebody worked belongs into nobody's repository: programs that wrote for them, and paths of machines.
_WORKPLACE = re.compile(
    r"\b(?:ai|coding|sub|llm)[- ]?agents?\b|\blanguage models?\b|\bthis session\b"
    r"|(?<![\w.~-])/(?:root|home/\w+|work)/\w",
    re.IGNORECASE,
)


def test_modules_of_tests_are_mistaken_for_no_other() -> None:
    """Their folders are all on the path at once: a name twice stops pytest, and one of Python's is imported instead.

    `org` is tried by pickle, on behalf of Jython.
    """
    stems = [path.stem for path in python_files("tests") if path.stem not in ("conftest", "__init__")]
    assert sorted({stem for stem in stems if stems.count(stem) > 1}) == []
    assert set(stems) & {*sys.stdlib_module_names, "org"} == set()


def test_no_module_is_named_after_nothing() -> None:
    found = [named(p) for p in python_files("src", "tests", "tools") if {p.stem, p.parent.name} & _EMPTY_NAMES]
    assert found == []


def test_public_things_have_docstrings() -> None:
    missing = [where for path in python_files("src") for where in _undocumented(path)]
    assert missing == []


def _undocumented(path: Path) -> list[str]:
    tree = parsed(path)
    found = [] if ast.get_docstring(tree) or not tree.body else [named(path)]
    bodies: list[ast.Module | ast.ClassDef] = [tree]
    while bodies:
        for node in bodies.pop().body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            if node.name.startswith("_") or _is_overload(node):
                continue
            if not ast.get_docstring(node):
                found.append(f"{named(path)}:{node.lineno} {node.name}")
            if isinstance(node, ast.ClassDef):
                bodies.append(node)
    return found


def _is_overload(node: ast.AST) -> bool:
    decorators = getattr(node, "decorator_list", [])
    return any(isinstance(each, ast.Name) and each.id == "overload" for each in decorators)


def test_no_file_speaks_of_its_workplace() -> None:
    found = [
        f"{named(path)}:{number}: {line.strip()[:100]}"
        for path in text_files()
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if _WORKPLACE.search(line)
    ]
    assert found == []
