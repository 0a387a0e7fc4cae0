"""The commands that people and scripts rely on exist and explain themselves."""

import os
import re

from house.tree import ROOT

_TARGETS = ("setup", "demo", "test", "interop", "check", "bench", "serve", "help")


def test_every_target_of_make_has_its_line_of_help() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    helped = set(re.findall(r"^([a-z]+):[^#\n]*## \S", makefile, re.MULTILINE))
    phony = set(re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[0].split())
    assert set(_TARGETS) <= helped
    assert helped == phony


def test_ci_runs_three_commands_and_nothing_else() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = [line for line in script.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if line.startswith("make ")] == ["make check", "make test", "make interop"]
    assert [line.split()[0] for line in lines if not line.startswith("make ")] == ["set", "cd"]
