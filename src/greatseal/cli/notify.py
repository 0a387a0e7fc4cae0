"""`greatseal notify`: proves that notifications get out, with the settings of the service and without the service."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from greatseal.cli import options
from greatseal.settings import Settings

if TYPE_CHECKING:
    from greatseal.domain.delivery import Parcel

_TEXT = "This message was sent by `greatseal notify test`. Nothing has happened."


@click.group("notify")
def command() -> None:
    """Prove that channels, mail and webhooks work.

    docs/notifications.md describes the settings of channels, and what receivers get.

    \b
    Examples:
      greatseal notify test oncall
      greatseal notify test mailto:ann@example.com
    """


@command.command("test")
@options.data
@options.config
@options.as_json
@click.argument("receiver", metavar="CHANNEL|mailto:ADDRESS|https://…")
def test_command(data: Path | None, config: Path | None, as_json: bool, receiver: str) -> None:
    """Send one message to a channel of the settings, an address or a URL, and wait until it is taken.

    It takes the way that every notification takes, and waits once: there are no further attempts.
    Exit code 0: the receiver has it.  1: it does not, and the reason is printed.  2: the settings
    cannot be used, or there is no such channel.

    \b
    Examples:
      greatseal notify test oncall --data /var/lib/greatseal
      greatseal notify test https://hooks.example.com/greatseal --json
    """
    try:
        settings = options.read_settings(config, data=data)
        parcel = _parcel(settings, receiver)
        reason = _send(settings, parcel)
    except OSError as error:
        raise _Unusable(str(error)) from error
    except click.ClickException as error:
        raise _Unusable(error.message) from error
    if as_json:
        click.echo(json.dumps({"delivered": reason is None, "reason": reason, "message_id": parcel.message_id}))
    elif reason is None:
        click.echo(f"{receiver} has message {parcel.message_id}")
    if reason is not None:
        if not as_json:
            click.echo(f"{receiver} did not take the message: {reason}", err=True)
        raise SystemExit(1)


class _Unusable(click.ClickException):
    """Nothing was sent."""

    exit_code = 2


def _parcel(settings: Settings, receiver: str) -> "Parcel":
    """The message. Raises click.ClickException for a receiver that is none."""
    from greatseal.domain.delivery import Parcel
    from greatseal.kernel.clock import SystemClock
    from greatseal.kernel.entropy import SystemEntropy
    from greatseal.kernel.ids import new_uuid

    message_id = new_uuid(SystemEntropy())
    if receiver.startswith("mailto:"):
        kind, address = "email", {"to": receiver.removeprefix("mailto:")}
    elif receiver.startswith(("https://", "http://")):
        kind, address = "webhook", {"url": receiver}
    elif receiver in settings.channels:
        kind, address = settings.channels[receiver].kind, {"channel": receiver}
    else:
        known = ", ".join(sorted(settings.channels)) or "none"
        raise click.ClickException(f"there is no channel {receiver} in the settings; there is: {known}")
    body = {
        "id": message_id,
        "source": "greatseal",
        "detail-type": "Greatseal Notification Test",
        "time": SystemClock().now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "account": settings.account_id,
        "region": settings.region,
        "detail": {"message": _TEXT},
    }
    text = _TEXT if kind == "email" else json.dumps(body)
    return Parcel(
        f"{kind}:test", kind, address, text, message_id, attributes={"subject": "Greatseal notification test"}
    )


def _send(settings: Settings, parcel: "Parcel") -> str | None:
    """None when it arrived, and else why not. Raises OSError when the carrier cannot be made."""
    from greatseal.app.carriers import carriers
    from greatseal.domain.delivery import Undeliverable
    from greatseal.kernel.clock import SystemClock

    try:
        carriers(settings, clock=SystemClock())[parcel.kind].carry(parcel)
    except Undeliverable as error:
        return str(error)
    return None
