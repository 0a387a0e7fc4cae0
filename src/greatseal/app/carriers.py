"""What brings notifications outside, from the settings: one carrier a kind, and the channels that they know."""

import socket
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from greatseal.domain.delivery import Carrier
from greatseal.integrations.carriers.command import Command, CommandCarrier
from greatseal.integrations.carriers.mail import MailCarrier, MailServer
from greatseal.integrations.carriers.syslog import SyslogCarrier
from greatseal.integrations.carriers.webhook import Hook, Secrets, WebhookCarrier, no_secrets
from greatseal.integrations.syslog_wire import SyslogLine
from greatseal.kernel.clock import Clock
from greatseal.kernel.secret import Secret
from greatseal.settings import Settings
from greatseal.settings.tree import ChannelSettings

_MAIL_PORTS = {"starttls": 587, "tls": 465, "none": 25}


def channels(settings: Settings) -> dict[str, str]:
    """The kind of each channel, by its name."""
    return {name: channel.kind for name, channel in settings.channels.items()}


def carriers(settings: Settings, *, clock: Clock, secrets: Secrets = no_secrets) -> dict[str, Carrier]:
    """A carrier for each kind that can be used, by kind; nothing is connected yet.

    `secrets` gives those of connections. Raises OSError for a file that cannot be read or an extra that is missing.
    """
    hostname = socket.gethostname()
    by_kind: dict[str, dict[str, ChannelSettings]] = {}
    for name, channel in settings.channels.items():
        by_kind.setdefault(channel.kind, {})[name] = channel

    made: dict[str, Carrier] = {
        "email": MailCarrier(
            _mail_server(settings),
            clock=clock,
            channels={name: each.to for name, each in by_kind.get("email", {}).items()},
        ),
        "webhook": WebhookCarrier(
            clock=clock,
            secrets=secrets,
            channels={name: _hook(each) for name, each in by_kind.get("webhook", {}).items()},
            allow=settings.webhooks.allow,
            ca_file=settings.webhooks.ca_file,
            timeout=settings.webhooks.timeout_seconds,
        ),
    }
    if "syslog" in by_kind:
        lines = {name: _line(each) for name, each in by_kind["syslog"].items()}
        made["syslog"] = SyslogCarrier(lines, clock=clock, hostname=hostname)
    if "command" in by_kind:
        commands = {name: Command(each.argv, each.timeout_seconds) for name, each in by_kind["command"].items()}
        made["command"] = CommandCarrier(commands)
    for kind in ("nats", "amqp", "kafka"):
        if kind in by_kind:
            made[kind] = _broker(kind, by_kind[kind])
    return made


def _mail_server(settings: Settings) -> MailServer | None:
    mail = settings.mail
    if mail.host is None or mail.sender is None:
        return None
    password = None if mail.password is None else Secret(mail.password.encode())
    if mail.password_file is not None:
        password = _secret(mail.password_file)
    return MailServer(
        host=mail.host,
        port=mail.port or _MAIL_PORTS[mail.tls],
        sender=mail.sender,
        tls=mail.tls,
        user=mail.user,
        password=password,
        context=None if mail.ca_file is None else _trusting(mail.ca_file),
        timeout=mail.timeout_seconds,
    )


def _hook(channel: ChannelSettings) -> Hook:
    return Hook(channel.url or "", None if channel.secret_file is None else _secret(channel.secret_file))


def _line(channel: ChannelSettings) -> SyslogLine:
    parts = urlsplit(channel.url or "")
    timeout = channel.timeout_seconds
    context = None if channel.ca_file is None else _trusting(channel.ca_file)
    match parts.scheme:
        case "unix":
            return SyslogLine("unix", parts.path, timeout=timeout)
        case "udp" | "tcp" | "tls":
            assert parts.hostname is not None
            assert parts.port is not None
            return SyslogLine(parts.scheme, (parts.hostname, parts.port), timeout=timeout, context=context)
        case _:
            raise OSError(f"{channel.url} is no address of a syslog receiver")


def _broker(kind: str, found: Mapping[str, ChannelSettings]) -> Carrier:
    """The carrier of a kind whose client is an extra. Raises OSError."""
    try:
        if kind == "nats":
            from greatseal.integrations.carriers.nats import NatsCarrier, NatsRoute

            return NatsCarrier(
                {
                    name: NatsRoute(**_where(each), subject=each.subject or "", jetstream=each.jetstream)
                    for name, each in found.items()
                }
            )
        if kind == "amqp":
            from greatseal.integrations.carriers.amqp import AmqpCarrier, AmqpRoute

            return AmqpCarrier(
                {
                    name: AmqpRoute(
                        **_where(each),
                        exchange=each.exchange,
                        routing_key=each.routing_key,
                        virtual_host=each.virtual_host,
                    )
                    for name, each in found.items()
                }
            )
        from greatseal.integrations.carriers.kafka import KafkaCarrier, KafkaRoute

        return KafkaCarrier({name: KafkaRoute(**_where(each), topic=each.topic or "") for name, each in found.items()})
    except ImportError:
        raise OSError(f"channels of the kind {kind} need its client: pip install 'greatseal[{kind}]'") from None


def _where(channel: ChannelSettings) -> dict[str, Any]:
    """What `Broker` has, from the settings of a channel."""
    scheme, _, servers = (channel.url or "").partition("://")
    pairs = (each.rpartition(":") for each in servers.split(","))
    return {
        "servers": tuple((host.strip("[]"), int(port)) for host, _, port in pairs),
        "tls": scheme in ("tls", "amqps", "kafka+tls"),
        "ca_file": channel.ca_file,
        "user": channel.user,
        "password": None if channel.password_file is None else _secret(channel.password_file),
        "timeout": channel.timeout_seconds,
    }


def _secret(path: Path) -> Secret:
    """What a file holds, without the line end that editors leave. Raises OSError."""
    value = path.read_bytes().strip()
    if not value:
        raise OSError(f"{path} is empty")
    return Secret(value)


def _trusting(ca_file: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except ssl.SSLError as error:
        raise OSError(f"{ca_file} has no certificates: {error.reason}") from None
