"""`greatseal perspective`: look at domains from elsewhere, for an installation that asks."""

from pathlib import Path

import click

from greatseal.cli import options

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("perspective")
def command() -> None:
    """Run a remote perspective: a small server that looks at domains from where it stands.

    \b
    Examples:
      greatseal perspective serve --listen 0.0.0.0:8553 --certificate osaka.pem --key osaka.key --ca ours.pem
    """


@command.command("serve")
@click.option("--listen", metavar="HOST:PORT", required=True, help="Where it answers; port 0 picks a free one.")
@click.option("--certificate", type=_FILE, required=True, help="Certificate chain (PEM) that it shows.")
@click.option("--key", type=_FILE, required=True, help="Its private key (PEM).")
@click.option("--ca", type=_FILE, required=True, help="The CA (PEM) of those who may ask, and no other.")
@options.config
def serve(listen: str, certificate: Path, key: Path, ca: Path, config: Path | None) -> None:
    """Answer until Ctrl-C or SIGTERM.

    Of the settings it uses [resolver] and [domain_control].  It needs no database, no keys and no
    data directory, and writes nothing.  When it answers, one line `ready https://HOST:PORT` is
    printed on standard output.

    \b
    Example:
      greatseal perspective serve --listen 0.0.0.0:8553 --certificate osaka.pem --key osaka.key --ca ours.pem
    """
    settings = options.read_settings(config)
    from greatseal.app.perspective import serve as run
    from greatseal.settings.values import Address

    try:
        run(settings, Address(listen), certificate=certificate, key=key, ca=ca, ready=click.echo)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
