"""The files that the house rules look at."""

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCE = ROOT / "src" / "greatseal"
_TEXT = {".py", ".md", ".toml", ".ini", ".txt", ".service", ".yml", ".yaml", ".json", ".sh", ".cfg"}
_FOLDERS = ("src", "tests", "tools", "docs", "deploy", "bench", ".ci")


def python_files(*folders: str) -> list[Path]:
    """Every Python file below these folders of the repository."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def text_files() -> list[Path]:
    """Every text file that belongs to the repository."""
    inside = [
        path for folder in _FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in _TEXT or _plain(path)
    ]
    return sorted(path for path in [*inside, *ROOT.glob("*")] if path.is_file() and path.name != "uv.lock")


def _plain(path: Path) -> bool:
    return path.is_file() and path.suffix == "" and path.parent.name in ("tools", "deploy", ".ci")


def documents() -> list[Path]:
    """Every page of documentation."""
    return [path for path in text_files() if path.suffix == ".md"]


def named(path: Path) -> str:
    """The path as people write it."""
    return path.relative_to(ROOT).as_posix()


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), named(path))


def functions(path: Path) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every function and method with its dotted name."""

    def walk(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                if not isinstance(child, ast.ClassDef):
                    yield prefix + child.name, child
                yield from walk(child, f"{prefix}{child.name}.")
            else:
                yield from walk(child, prefix)

    yield from walk(parsed(path), "")


@cache
def reasons(kind: str) -> dict[str, str]:
    """The exceptions of `reasons.toml`, by what they excuse."""
    listed: dict[str, str] = tomllib.loads((Path(__file__).parent / "reasons.toml").read_text(encoding="utf-8"))[kind]
    return listed
