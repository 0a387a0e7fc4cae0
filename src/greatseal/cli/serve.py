"""`greatseal serve`: start the service."""

from pathlib import Path

import click

from greatseal.cli import options
from greatseal.kernel.errors import Refusal
from greatseal.storage.errors import StorageError


@click.command("serve")
@options.data
@options.config
@click.option(
    "--listen", metavar="HOST:PORT", help="HTTPS listener; port 0 picks a free one.  [default: 127.0.0.1:8443]"
)
@click.option("--http", metavar="HOST:PORT", help="Plain listener: CRL, OCSP, AIA, health.  [default: 127.0.0.1:8080]")
@click.option(
    "--insecure-http-api",
    is_flag=True,
    default=None,
    help="Serve the AWS API on the plain listener too; only for tests and behind a proxy.",
)
@click.option("--account-id", metavar="ID", help="The account that owns every resource.  [default: 100000000000]")
@click.option("--region", metavar="REGION", help="The region of the service itself.  [default: us-east-1]")
@click.option(
    "--database", metavar="URL", help="postgresql://… or sqlite:///PATH.  [default: SQLite in the data directory]"
)
@click.option("--workers", type=int, metavar="N", help="Server processes on this machine.  [default: 1]")
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="The least that is logged.")
@click.option("--log-format", type=click.Choice(["auto", "text", "json"]), help="How log lines look.")
def command(
    data: Path | None,
    config: Path | None,
    listen: str | None,
    http: str | None,
    insecure_http_api: bool | None,
    account_id: str | None,
    region: str | None,
    database: str | None,
    workers: int | None,
    log_level: str | None,
    log_format: str | None,
) -> None:
    """Start the service and run until Ctrl-C or SIGTERM.

    An absent or empty data directory is initialised without a question: a key-encryption key, the
    database, a root credential and the CA of the HTTPS certificate are made.  When the service
    answers, one line `ready https://HOST:PORT http://HOST:PORT` is printed on standard output; the
    log goes to standard error.

    \b
    Examples:
      greatseal serve
      greatseal serve --data /var/lib/greatseal --listen 0.0.0.0:443 --http 0.0.0.0:80
      greatseal serve --data "$(mktemp -d)" --listen 127.0.0.1:0 --http 127.0.0.1:0
      GREATSEAL_KEK_PASSPHRASE=… greatseal serve --database postgresql://db/greatseal

    \b
    Next:
      eval "$(greatseal env)"      in another terminal, with the same --data
      greatseal doctor             check that everything is in order
    """
    settings = options.read_settings(
        config,
        data=data,
        server__listen=listen,
        server__http=http,
        server__insecure_http_api=insecure_http_api,
        account_id=account_id,
        region=region,
        database=database,
        server__workers=workers,
        log__level=log_level,
        log__format=log_format,
    )
    # The service needs imports that `--help` and settings errors should not wait for.
    from greatseal.app import serve

    try:
        serve(settings, announce=lambda line: click.echo(line))
    except (Refusal, StorageError, OSError) as refusal:
        raise click.ClickException(f"the service did not start: {refusal}") from refusal
