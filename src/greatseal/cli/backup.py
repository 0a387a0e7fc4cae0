"""`greatseal backup`: one encrypted file with everything, taken while the service runs."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from greatseal.cli import options
from greatseal.cli.database import opened
from greatseal.settings import Settings

if TYPE_CHECKING:
    from greatseal.app.backup.container import Lock
    from greatseal.kernel.secret import Secret
    from greatseal.storage import Storage


@click.command("backup")
@options.data
@options.config
@options.as_json
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="Made; must not exist.",
)
@click.option(
    "--passphrase-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="PATH",
    help="Seal it with the passphrase in this file.  [default: with the key-encryption key]",
)
@click.option("--with-kek", is_flag=True, help="Put the key-encryption key into it; only with a passphrase.")
@click.option("--quiet", is_flag=True, help="Do not name the tables on standard error.")
def command(
    data: Path | None,
    config: Path | None,
    as_json: bool,
    out: Path,
    passphrase_file: Path | None,
    with_kek: bool,
    quiet: bool,
) -> None:
    """Write an encrypted copy of the database, the contents of objects and the settings file.

    The service may run: what is copied is one moment.  The copy of either kind of database can be
    put back into the other.  Without the key that sealed it nothing can be read; private keys are
    sealed once more inside, under the key-encryption key, which is not in it unless you say so.
    docs/backup.md has the format, and what is not in it.

    \b
    Examples:
      greatseal backup --out /backup/$(date +%F).greatseal
      greatseal backup --out all.greatseal --passphrase-file /run/secrets/backup --with-kek
    """
    if with_kek and passphrase_file is None:
        raise click.UsageError("the key-encryption key goes into a backup that a passphrase seals: --passphrase-file")
    from greatseal.app.backup.taking import Order, take
    from greatseal.kernel.clock import SystemClock
    from greatseal.kernel.entropy import SystemEntropy

    progress = (lambda _: None) if quiet else (lambda table: click.echo(f"  {table}", err=True))
    with opened(data, config) as (settings, storage):
        try:
            kek = _kek(settings, storage) if with_kek or passphrase_file is None else None
            order = Order(settings, _lock(settings, storage, passphrase_file, kek), kek if with_kek else None)
            taken = take(storage, order, out, clock=SystemClock(), entropy=SystemEntropy(), progress=progress)
        except OSError as error:
            raise click.ClickException(str(error)) from error
    if as_json:
        told = {"file": str(out), "backup": taken.manifest.id, "taken_at": taken.manifest.taken_at}
        counts = {"tables": taken.tables, "rows": taken.rows, "files": taken.files, "bytes": taken.size}
        click.echo(json.dumps({**told, **counts, "missing": taken.manifest.missing}))
        return
    click.echo(f"{out}: {taken.rows} rows of {taken.tables} tables and {taken.files} files, {taken.size} bytes")
    if taken.manifest.missing:
        click.echo(f"the contents of {taken.manifest.missing} objects are missing: greatseal doctor --deep", err=True)


def _kek(settings: Settings, storage: "Storage") -> "Secret":
    """The key-encryption key that seals now. Raises OSError, for an installation that never had one too."""
    from greatseal.app import protection
    from greatseal.domain.keys.key_encryption import FINGERPRINT
    from greatseal.integrations.kek import KekError
    from greatseal.kernel.entropy import SystemEntropy
    from greatseal.storage import installation

    if storage.read(lambda tx: installation.recall(tx, FINGERPRINT)) is None:
        raise KekError("this installation has no key-encryption key yet: start the service once, or give a passphrase")
    return protection.open_keyring(settings, storage, SystemEntropy(), protection.key_stores(settings)).key


def _lock(settings: Settings, storage: "Storage", passphrase_file: Path | None, kek: "Secret | None") -> "Lock":
    """What seals the backup. Raises OSError."""
    from greatseal.app.backup.container import Lock
    from greatseal.integrations.kek import salt_of
    from greatseal.kernel.secret import Secret

    if passphrase_file is not None:
        passphrase = passphrase_file.read_bytes().rstrip(b"\r\n")
        if not passphrase:
            raise OSError(f"the passphrase in {passphrase_file} is empty")
        return Lock(passphrase=Secret(passphrase))
    if settings.kek.store is not None:
        raise OSError(
            "the key-encryption key is opened by a token with the help of the database, which would be inside of the "
            "backup: name a passphrase with --passphrase-file"
        )
    given = settings.kek.passphrase is not None or settings.kek.passphrase_file is not None
    return Lock(kek=kek, kek_salt=salt_of(storage) if given else None)
