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


# Whoever has set one of these means that place, not the data directory of this user.
_AWS_PLACES = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KMS", "AWS_ENDPOINT_URL_ACM_PCA", "AWS_PROFILE")


class NoService(click.ClickException):
    """There is no service to talk to, so that nothing can begin."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Wire:
    """A service. `plain_url` is where relying parties reach its lists; None when only AWS clients know it."""

    service: "AwsService"
    plain_url: str | None


def wire_of(data: Path | None, config: Path | None) -> Wire:
    """The service of `--data` or `--config`; else that of the AWS environment; else that of the default directory.

    Raises NoService.
    """
    from greatseal.integrations.aws_service import AwsService, ServicePoint
    from greatseal.kernel.secret import Secret

    if data is None and config is None and any(os.environ.get(name) for name in _AWS_PLACES):
        return Wire(AwsService(None), None)
    try:
        settings = options.read_settings(config, data=data)
        client = read_client(settings.paths, os.environ)
    except (NotStarted, click.ClickException) as error:
        raise NoService(error.message if isinstance(error, click.ClickException) else str(error)) from None
    point = ServicePoint(
        client.endpoint.https,
        client.endpoint.region,
        str(client.ca_bundle),
        client.credential.access_key_id,
        Secret(client.credential.secret_access_key.encode()),
    )
    return Wire(AwsService(point), settings.publication.base_url or client.endpoint.http)
