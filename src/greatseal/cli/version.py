"""`greatseal version`: the versions that a bug report needs."""

import platform
import sqlite3

import click

from greatseal import __version__
from greatseal.cli import options


@click.command("version")
@options.as_json
def command(as_json: bool) -> None:
    """Print the versions of Greatseal, Python, OpenSSL and SQLite.

    \b
    Examples:
      greatseal version
      greatseal version --json
    """
    import cryptography
    from cryptography.hazmat.backends.openssl import backend

    versions = {
        "greatseal": __version__,
        "python": platform.python_version(),
        "cryptography": cryptography.__version__,
        # The library inside the cryptography wheel, which signs; not the one that Python's ssl module uses.
        "openssl": backend.openssl_version_text(),
        "sqlite": sqlite3.sqlite_version,
        "platform": platform.platform(),
    }
    if as_json:
        import json

        click.echo(json.dumps(versions))
        return
    for name, value in versions.items():
        click.echo(f"{name:<13} {value}")
