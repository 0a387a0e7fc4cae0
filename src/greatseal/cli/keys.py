"""`greatseal keys`: what protects the private keys, changed by whoever holds the data directory."""

from pathlib import Path

import click

from greatseal.cli import options
from greatseal.cli.desk import desk_of


@click.group("keys")
def command() -> None:
    """Replace the key-encryption key, under which every private key is sealed.

    \b
    Examples:
      greatseal keys rotate-kek
      greatseal keys rotate-kek --to-passphrase-file /run/credentials/greatseal/passphrase
      greatseal keys rotate-kek --to-store hsm
    """


@command.command("rotate-kek")
@options.data
@options.config
@click.option(
    "--to-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PATH",
    help="Keep the new key in this file, which is made.",
)
@click.option(
    "--to-passphrase-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="PATH",
    help="Derive the new key from the passphrase in this file.",
)
@click.option("--to-store", metavar="NAME", help="Let the token of this key store open the new key.")
def rotate_kek(
    data: Path | None,
    config: Path | None,
    to_file: Path | None,
    to_passphrase_file: Path | None,
    to_store: str | None,
) -> None:
    """Make a new key-encryption key and seal everything under it, while the service runs or not.

    Both keys open everything until the change is finished, so that dying on the way harms nothing:
    run the command again, or start the service, and it is carried on.  Without an option the key in
    the file is replaced by one in the same file.  Otherwise let the settings name the new key
    afterwards, on every node, and start the service anew.  The service retires the old key five
    minutes after the begin at the earliest, and not before its own settings name the new one.

    \b
    Examples:
      greatseal keys rotate-kek
      greatseal keys rotate-kek --to-file /etc/greatseal/kek
    """
    from greatseal.app.kek_rotation import Target, begin
    from greatseal.crypto.signature import SignerUnavailable

    if sum(given is not None for given in (to_file, to_passphrase_file, to_store)) > 1:
        raise click.UsageError("name one place for the new key")
    with desk_of("keys", data, config) as desk:
        try:
            begun = begin(desk.settings, desk.rooms, Target(to_file, to_passphrase_file, to_store))
        except SignerUnavailable as error:
            raise click.ClickException(str(error)) from error
        change = begun.change
        click.echo(f"from {change.before} to {change.after}, {change.source}")
        click.echo(f"{desk.rooms.kek_change.reseal()} secrets were sealed under the new key")
        if begun.setting is not None:
            click.echo(f"let the settings say: {begun.setting}")
        if desk.rooms.kek_change.finish():
            click.echo("the old key opens nothing any more")
        else:
            click.echo("the old key opens everything until the service has finished the change: greatseal doctor tells")
