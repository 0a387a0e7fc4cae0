"""`greatseal report`: questions about all certificates of an installation, answered from its database."""

import csv
import io
import json
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from greatseal.cli import options
from greatseal.cli.database import opened

if TYPE_CHECKING:
    from greatseal.domain.certificates.watchlist import Imported
    from greatseal.domain.watch import Distrusted

_FLAGGED = 3
_FIELDS = (
    "certificate_arn",
    "account",
    "region",
    "domain_name",
    "alternate_domain_names",
    "key_algorithm",
    "issued_at",
    "not_before",
    "not_after",
    "cert_issuer",
    "flagged_ca",
)


@click.group("report")
def command() -> None:
    """Answer questions about all certificates, over every account, region and key type.

    \b
    Examples:
      greatseal report issuers --flag 'Entrust, Inc.' --not-before-after 2024-10-31
    """


@command.command("issuers")
@options.data
@options.config
@click.option("--flag", "flagged", multiple=True, required=True, metavar="NAME", help="An issuer to flag; repeatable.")
@click.option(
    "--not-before-after",
    "after",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Flag only certificates that begin after this day (UTC).",
)
@click.option("--only-flagged", is_flag=True, help="Leave out the others.")
@click.option("--output", type=click.Choice(("text", "json", "csv")), default="text", show_default=True)
def issuers_command(
    data: Path | None,
    config: Path | None,
    flagged: tuple[str, ...],
    after: datetime | None,
    only_flagged: bool,
    output: str,
) -> None:
    """List imported certificates with their issuers, and flag those of issuers that are not trusted.

    An issuer is named by its organization, else its common name, exactly as `aws acm
    describe-certificate` shows it.  Exit code 0: none is flagged.  3: some are.  2: the database could
    not be read.

    \b
    Examples:
      greatseal report issuers --flag 'Entrust, Inc.' --flag Symantec --output csv
    """
    from greatseal.domain.certificates.watchlist import Watchlist
    from greatseal.domain.watch import Distrusted
    from greatseal.kernel.clock import SystemClock

    day: date | None = None if after is None else after.date()
    wanted = [Distrusted(name, day) for name in flagged]
    hits = 0
    write = {"text": _text, "json": _json, "csv": _csv}[output]
    with opened(data, config) as (_, storage):

        def rows() -> Iterator[dict[str, Any]]:
            nonlocal hits
            for item in Watchlist(storage=storage, clock=SystemClock()).imported():
                row = _row(item, wanted)
                hits += row["flagged_ca"]
                if row["flagged_ca"] or not only_flagged:
                    yield row

        for piece in write(rows()):
            click.echo(piece, nl=False)
    sys.exit(_FLAGGED if hits else 0)


def _row(item: "Imported", wanted: "list[Distrusted]") -> dict[str, Any]:
    found = item.certificate
    return {
        "certificate_arn": found.arn,
        "account": found.account,
        "region": found.region,
        "domain_name": found.domain_name,
        "alternate_domain_names": list(found.names),
        "key_algorithm": found.key_algorithm,
        "issued_at": None if found.imported_at is None else _iso(found.imported_at),
        "not_before": _iso(item.not_before),
        "not_after": None if found.not_after is None else _iso(found.not_after),
        "cert_issuer": item.issuer,
        "flagged_ca": any(each.covers(item.issuer, item.not_before) for each in wanted),
    }


def _text(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        mark = click.style("FLAGGED", fg="red") if row["flagged_ca"] else "ok     "
        yield f"{mark} {row['certificate_arn']}\n        {row['domain_name']}, from {row['not_before']}, "
        yield f"issued by {row['cert_issuer']}\n"


def _json(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    separator = "["
    for row in rows:
        yield separator + json.dumps(row, ensure_ascii=False)
        separator = ",\n"
    yield "]\n" if separator != "[" else "[]\n"


def _csv(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield ",".join(_FIELDS) + "\n"
    for row in rows:
        line = io.StringIO()
        names = " ".join(row["alternate_domain_names"])
        values = {**row, "alternate_domain_names": names, "flagged_ca": str(row["flagged_ca"]).lower()}
        csv.DictWriter(line, _FIELDS, lineterminator="\n").writerow(values)
        yield line.getvalue()


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
