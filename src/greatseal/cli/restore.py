"""`greatseal restore`: a backup back into an empty place, or tried out and thrown away."""

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from greatseal.cli import options

if TYPE_CHECKING:
    from greatseal.app.backup.container import Keys
    from greatseal.app.backup.restoring import PutBack

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("restore")
@click.argument("backup", type=_FILE)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The new data directory; must be absent or empty.",
)
@click.option("--database", metavar="URL", help="An empty database.  [default: SQLite in the data directory]")
@click.option("--passphrase-file", type=_FILE, metavar="PATH", help="The passphrase that sealed the backup.")
@click.option("--kek-file", type=_FILE, metavar="PATH", help="The key-encryption key that sealed the backup.")
@click.option("--kek-passphrase-file", type=_FILE, metavar="PATH", help="The passphrase of the key-encryption key.")
@click.option(
    "--moved",
    is_flag=True,
    help="The service was stopped for the backup and did not run since: logs go on as they are.",
)
@click.option("--rehearse", is_flag=True, help="Put it back into a temporary place, check everything, throw it away.")
@options.as_json
@click.option("--quiet", is_flag=True, help="Say nothing of progress on standard error.")
def command(
    backup: Path,
    data: Path | None,
    database: str | None,
    passphrase_file: Path | None,
    kek_file: Path | None,
    kek_passphrase_file: Path | None,
    moved: bool,
    rehearse: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Put a backup back into an empty data directory and, if you name one, an empty database.

    Numbers move forward, never back: the audit log goes on under a new name, transparency logs are
    closed and others begin, revocation lists are made anew at the first start.  What happened since
    the backup is unknown to the restored service: docs/backup.md says how to bring revocations back.

    Exit code 0: it is back, or the rehearsal found nothing.  1: it is not back, or the rehearsal found
    something.  2: the rehearsal found something broken.

    \b
    Examples:
      greatseal restore 2026-11-21.greatseal --data /var/lib/greatseal --kek-file /etc/greatseal/kek
      greatseal restore all.greatseal --data new --database postgresql://db/greatseal \\
          --passphrase-file /run/secrets/backup
      greatseal restore all.greatseal --rehearse --passphrase-file /run/secrets/backup
    """
    keys = _keys(passphrase_file, kek_file, kek_passphrase_file)
    if rehearse:
        if data is not None or database is not None:
            raise click.UsageError("a rehearsal has a place of its own: leave out --data and --database")
        sys.exit(_rehearse(backup, keys, moved=moved, as_json=as_json, quiet=quiet))
    if data is None:
        raise click.UsageError("name the new data directory with --data, or --rehearse")
    put_back = _put_back(backup, keys, data, database, moved=moved, quiet=quiet)
    click.echo(json.dumps(_told(put_back))) if as_json else _report(put_back, data, database)


def _keys(passphrase_file: Path | None, kek_file: Path | None, kek_passphrase_file: Path | None) -> "Keys":
    from greatseal.app.backup.container import Keys
    from greatseal.integrations.kek import existing
    from greatseal.kernel.secret import Secret

    def said(path: Path | None) -> "Secret | None":
        return None if path is None else Secret(path.read_bytes().rstrip(b"\r\n"))

    try:
        return Keys(said(passphrase_file), None if kek_file is None else existing(kek_file), said(kek_passphrase_file))
    except OSError as error:
        raise click.ClickException(str(error)) from error


def _put_back(backup: Path, keys: "Keys", data: Path, database: str | None, *, moved: bool, quiet: bool) -> "PutBack":
    from greatseal.app.backup.container import BackupUnusable
    from greatseal.app.backup.restoring import Wanted, restore
    from greatseal.kernel.clock import SystemClock
    from greatseal.storage.errors import StorageError

    progress = (lambda _: None) if quiet else (lambda table: click.echo(f"  {table}", err=True))
    try:
        return restore(backup, keys, Wanted(data, database, moved), clock=SystemClock(), progress=progress)
    except (BackupUnusable, StorageError, OSError) as error:
        raise click.ClickException(f"not restored: {error}") from error


def _rehearse(backup: Path, keys: "Keys", *, moved: bool, as_json: bool, quiet: bool) -> int:
    from greatseal.app.backup.rehearsing import keyring_of
    from greatseal.cli.doctor.deep import examined, print_json, print_report

    with tempfile.TemporaryDirectory(prefix="greatseal-rehearsal-") as folder:
        place = Path(folder) / "data"
        put_back = _put_back(backup, keys, place, None, moved=moved, quiet=quiet)
        with keyring_of(place, keys) as (storage, ring, reason):
            if reason:
                click.echo(f"secrets are not opened: {reason}", err=True)
            report = examined(storage, ring, place / "objects", quiet=quiet)
    print_json(report, **_told(put_back)) if as_json else print_report(report)
    return report.exit_code


def _told(put_back: "PutBack") -> dict[str, Any]:
    manifest = put_back.manifest
    return {
        "backup": manifest.id,
        "taken_at": manifest.taken_at,
        "version": manifest.version,
        "rows": put_back.rows,
        "kek": put_back.kek,
        "kept": list(put_back.kept),
        "closed_logs": list(put_back.restore.closed),
        "missing": manifest.missing,
    }


def _report(put_back: "PutBack", data: Path, database: str | None) -> None:
    manifest = put_back.manifest
    click.echo(f"{data} is the installation of {manifest.taken_at}: {put_back.rows} rows")
    for name in put_back.kept:
        click.echo(f"{data / name} was there already and was left alone")
    if put_back.aside:
        click.echo("its settings name a database: they are in greatseal.toml.from-backup, to be looked through")
    if not put_back.kek and "kek" not in put_back.kept:
        click.echo(
            f"the key-encryption key is not in the backup: put it where the settings look, {data / 'kek'} if nowhere"
        )
    if database is not None:
        click.echo("let the settings name the new database: GREATSEAL_DATABASE")
    for log in put_back.restore.closed:
        click.echo(f"the transparency log {log} is closed; another one begins in its place")
    if put_back.restore.owes:
        click.echo("what happened since the backup is unknown; bring revocations back before you start: docs/backup.md")
