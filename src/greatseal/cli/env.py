"""`greatseal env`: settings for AWS clients."""

import json
import os
import shlex
from pathlib import Path

import click

from greatseal.cli import options
from greatseal.cli.aws_profile import ProfileInUse, write_profile
from greatseal.cli.client import NotStarted, read_client

# Left over from work with another account, each of these would win over or spoil what `env` exports.
_SPOILERS = ("AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_REGION")


@click.command("env")
@options.data
@options.config
@options.as_json
@click.option(
    "--write-profile",
    "profile",
    is_flag=False,
    flag_value="greatseal",
    metavar="[NAME]",
    help='Add or update a profile of the AWS configuration instead.  [NAME defaults to "greatseal"]',
)
def command(data: Path | None, config: Path | None, as_json: bool, profile: str | None) -> None:
    """Print what the AWS CLI and SDKs need to reach the service.

    \b
    Examples:
      eval "$(greatseal env)"                   # this shell
      greatseal env --json                      # for programs, the same names
      greatseal env --write-profile             # ~/.aws/config and ~/.aws/credentials
      aws --profile greatseal acm list-certificates

    The AWS CLI reads the endpoint from the environment since 2.13 (version 1: 1.29).  With an older
    one add `--endpoint-url "$AWS_ENDPOINT_URL"` to each command.
    """
    settings = options.read_settings(config, data=data)
    try:
        client = read_client(settings.paths, os.environ)
        if profile is not None:
            for path in write_profile(profile, client, os.environ):
                click.echo(f"profile {profile} written to {path}", err=True)
            return
    except (NotStarted, ProfileInUse) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(client.variables()))
        return
    if stale := [name for name in _SPOILERS if name in os.environ]:
        click.echo("unset " + " ".join(stale))
    for name, value in client.variables().items():
        click.echo(f"export {name}={shlex.quote(value)}")
