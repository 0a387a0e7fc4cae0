"""Renders the pages of docs/ that are made from code; `--check` only tells whether they are current.

A test runs the same functions, so that a page that nobody rendered again cannot be merged.
"""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
from botocore.session import get_session
from prometheus_client import CollectorRegistry

from greatseal.cli.group import COMMANDS, greatseal
from greatseal.settings import Field, fields

DOCS = Path(__file__).resolve().parent.parent / "docs"
NOTICE = "<!-- Rendered by `make docs`; edit the code that it is made from. -->\n"
WIDTH = 100

# Everything that registers metrics takes the registry as its only argument.
METRICS = (
    "greatseal.app.certificate_metrics:CertificateMetrics",
    "greatseal.app.vital_metrics:VitalMetrics",
    "greatseal.app.work_metrics:WorkMetrics",
    "greatseal.edge.metrics:EdgeMetrics",
    "greatseal.edge.metrics:DeliveryMetrics",
)


def settings_page() -> str:
    """docs/settings.md: every setting with its default, its variable and its line of documentation."""
    lines = [
        "# Settings",
        "",
        "Greatseal reads, the later winning: its defaults, `greatseal.toml` in the data directory (or the file of",
        "`--config`), the environment, and the options of `greatseal serve`. A name that does not exist is an error.",
        "In the environment, lists are separated by commas. Secrets are read from the environment only.",
    ]
    section: str | None = None
    for field in fields():
        table, _, key = field.name.rpartition(".")
        if table != section:
            section = table
            lines += ["", f"## `[{table}]`" if table else "## At the top of the file", ""]
            lines += ["| key | default | environment | meaning |", "|---|---|---|---|"]
        shown = f"`{key}`" if not field.hidden else f"`{key}` (environment only)"
        lines.append(f"| {shown} | {_default(field)} | `{field.environment}` | {field.description.replace('|', '/')} |")
    return "\n".join(lines) + "\n"


def _default(field: Field) -> str:
    if field.default is None:
        return "none"
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    if isinstance(field.default, tuple):
        return "`[]`"
    return f"`{field.default}`"


def cli_page() -> str:
    """docs/cli.md: the help of every command."""
    top = click.Context(greatseal, info_name="greatseal", terminal_width=WIDTH, **greatseal.context_settings)
    lines = ["# The command line", "", "```", greatseal.get_help(top), "```"]
    for name in COMMANDS:
        command = greatseal.get_command(top, name)
        assert command is not None
        lines += _help(command, click.Context(command, parent=top, info_name=name), "##")
    return "\n".join(lines) + "\n"


def _help(command: click.Command, context: click.Context, heading: str) -> list[str]:
    """The help of a command and, one heading deeper, of those below it."""
    lines = ["", f"{heading} {context.command_path}", "", "```", command.get_help(context), "```"]
    for name, below in sorted(command.commands.items() if isinstance(command, click.Group) else ()):
        lines += _help(below, click.Context(below, parent=context, info_name=name), heading + "#")
    return lines


class _Recorder(CollectorRegistry):
    """Remembers the collectors, with the labels that an exposition without samples would not show."""

    def __init__(self) -> None:
        super().__init__()
        self.collectors: list[Any] = []

    def register(self, collector: Any) -> None:
        super().register(collector)
        self.collectors.append(collector)


def metrics_page() -> str:
    """docs/metrics.md: every time series of `/metrics`."""
    recorder = _Recorder()
    for place in METRICS:
        module, _, name = place.partition(":")
        getattr(importlib.import_module(module), name)(recorder)
    lines = ["# Metrics", "", "Prometheus metrics of one process.", ""]
    lines += ["| name | kind | labels | meaning |", "|---|---|---|---|"]
    for collector in sorted(recorder.collectors, key=lambda each: str(each._name)):
        suffix = "_total" if collector._type == "counter" else ""
        labels = ", ".join(f"`{label}`" for label in collector._labelnames) or "none"
        lines.append(f"| `{collector._name}{suffix}` | {collector._type} | {labels} | {collector._documentation} |")
    return "\n".join(lines) + "\n"


def coverage_page() -> str:
    """docs/aws-coverage.md: every operation of every served model, and why the missing ones are missing."""
    from greatseal.aws import catalogue

    lines = [
        "# AWS operations",
        "",
        "Every operation of the served models. One that is not served yet answers a clear error.",
    ]
    for service in sorted(catalogue.SERVICES):
        names = sorted(get_session().get_service_model(service).operation_names)
        done = catalogue.implemented(service)
        reasons = catalogue.NOT_YET.get(service, {})
        lines += ["", f"## {service}: {len(done)} of {len(names)}", "", "| operation | served | |", "|---|---|---|"]
        lines += [f"| {name} | {'yes' if name in done else 'not yet'} | {reasons.get(name, '')} |" for name in names]
    return "\n".join(lines) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "aws-coverage.md": coverage_page,
    "cli.md": cli_page,
    "metrics.md": metrics_page,
    "settings.md": settings_page,
}


def page(name: str) -> str:
    """The whole text of one page."""
    return NOTICE + PAGES[name]()


def stale() -> Iterator[str]:
    """The pages that differ from what the code says."""
    for name in PAGES:
        path = DOCS / name
        if not path.is_file() or path.read_text(encoding="utf-8") != page(name):
            yield name


def main() -> int:
    """Writes the pages, or with `--check` lists the stale ones."""
    if "--check" in sys.argv[1:]:
        old = list(stale())
        for name in old:
            print(f"docs/{name} is not current: run `make docs`", file=sys.stderr)
        return 1 if old else 0
    for name in PAGES:
        (DOCS / name).write_text(page(name), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
