"""Which service a command that works over the wire talks to: of a data directory, or of the AWS environment."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from greatseal.cli import options
from greatseal.cli.client import NotStarted, read_client

if TYPE_CHECKING:
    from greatseal.integrations.aws_service import AwsService


@dataclass(frozen=True, slots=True)
class Wire:
    """A service. `plain_url` is where relying parties reach its lists; None when only AWS clients know it."""

    service: "AwsService"
    plain_url: str | None


def wire_of(data: Path | None, config: Path | None) -> Wire:
    """The service of `--data` or `--config`; else that of AWS_ENDPOINT_URL; else that of the default directory.

    Raises click.ClickException.
    """
    from greatseal.integrations.aws_service import AwsService, ServicePoint
    from greatseal.kernel.secret import Secret

    if data is None and config is None and "AWS_ENDPOINT_URL" in os.environ:
        return Wire(AwsService(None), None)
    settings = options.read_settings(config, data=data)
    try:
        client = read_client(settings.paths, os.environ)
    except NotStarted as error:
        raise click.ClickException(str(error)) from error
    point = ServicePoint(
        client.endpoint.https,
        client.endpoint.region,
        str(client.ca_bundle),
        client.credential.access_key_id,
        Secret(client.credential.secret_access_key.encode()),
    )
    return Wire(AwsService(point), settings.publication.base_url or client.endpoint.http)
