"""The documentation is about this code: generated pages are current, links lead somewhere, lists are complete."""

import importlib.util
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from house.tree import ROOT, documents, named

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")


def _renderer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("render_docs", ROOT / "tools" / "render_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["render_docs"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["aws-coverage.md", "cli.md", "metrics.md", "settings.md"])
def test_generated_pages_are_current(name: str) -> None:
    page = ROOT / "docs" / name
    assert page.is_file(), f"docs/{name} does not exist: run `make docs`"
    assert page.read_text(encoding="utf-8") == _renderer().page(name), f"docs/{name} is not current: run `make docs`"


def test_every_dependency_has_a_line() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [
        *project["project"]["dependencies"],
        *(each for group in project["project"].get("optional-dependencies", {}).values() for each in group),
        *(each for group in project["dependency-groups"].values() for each in group),
        *project["build-system"]["requires"],
    ]
    names = {re.split(r"[\[<>=!~; ]", each)[0] for each in wanted}
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE))
    assert listed == names


def test_internal_links_resolve() -> None:
    broken = [f"{named(page)}: {target}" for page in documents() for target in _broken(page)]
    assert broken == []


def _broken(page: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return [target for target in _LINK.findall(text) if "://" not in target and not _leads(page, target)]


def _leads(page: Path, target: str) -> bool:
    if target.startswith("mailto:"):
        return True
    path, _, anchor = target.partition("#")
    destination = (page.parent / path).resolve() if path else page
    if not destination.exists():
        return False
    return not anchor or destination.suffix != ".md" or anchor in _anchors(destination)


def _anchors(page: Path) -> set[str]:
    """The anchors of the headings, as the forges make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
