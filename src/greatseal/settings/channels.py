"""What the settings of mail and channels must have: the checks that no single value shows."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from greatseal.settings.tree import ChannelSettings

SCHEMES = {
    "webhook": ("https", "http"),
    "syslog": ("udp", "tcp", "tls", "unix"),
    "nats": ("nats", "tls"),
    "amqp": ("amqp", "amqps"),
    "kafka": ("kafka", "kafka+tls"),
}
"""The schemes of the URL of a channel, by kind; other kinds have none."""

_HOST = r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}"
# One server, or several with a comma between them. Who signs in stands elsewhere.
_BROKERS = re.compile(rf"[a-z+]+://({_HOST})(,{_HOST})*")
_SERVER = re.compile(rf"[a-z+]+://{_HOST}")
_HOOK = re.compile(r"https?://[^/?#@\s]+([/?][!-~]*)?")
_SOCKET = re.compile(r"unix:///.+")
_FORMS = {"webhook": _HOOK, "syslog": _SERVER, "amqp": _SERVER, "nats": _BROKERS, "kafka": _BROKERS}
_ONLY = {
    "to": ("email",),
    "argv": ("command",),
    "secret_file": ("webhook",),
    "user": ("nats", "amqp", "kafka"),
    "password_file": ("nats", "amqp", "kafka"),
    "ca_file": ("syslog", "nats", "amqp", "kafka"),
    "subject": ("nats",),
    "jetstream": ("nats",),
    "timeout_seconds": ("syslog", "command", "nats", "amqp", "kafka"),
    "topic": ("kafka",),
    "exchange": ("amqp",),
    "routing_key": ("amqp",),
    "virtual_host": ("amqp",),
}
_NEEDED = {"email": "to", "command": "argv", "nats": "subject", "kafka": "topic"}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def beside(folder: Path, channel: ChannelSettings) -> ChannelSettings:
    """The channel with its files found from the folder of the settings file."""
    names = ("secret_file", "password_file", "ca_file")
    return msgspec.structs.replace(
        channel, **{name: folder / path for name in names if (path := getattr(channel, name)) is not None}
    )


def channel_problems(chosen: Mapping[str, Any]) -> list[str]:
    """What is wrong with `mail.*`, `webhooks.*` and `channels`, a line a problem."""
    problems = _mail(chosen)
    for name, channel in chosen.get("channels", {}).items():
        problems += [f"channels.{name}: {problem}" for problem in _channel(channel)]
        if channel.kind == "email" and not chosen.get("mail.host"):
            problems.append(f"channels.{name}: mail needs a server: set mail.host and mail.sender")
    return problems


def _mail(chosen: Mapping[str, Any]) -> list[str]:
    host = chosen.get("mail.host")
    passwords = [name for name in ("mail.password", "mail.password_file") if chosen.get(name)]
    problems = []
    if bool(host) != bool(chosen.get("mail.sender")):
        problems.append("mail.host and mail.sender go together: set both or none")
    if len(passwords) == 2:
        problems.append("mail.password and mail.password_file exclude each other: set one")
    if bool(chosen.get("mail.user")) != bool(passwords):
        problems.append("mail.user and its password go together: set both or none")
    if passwords and chosen.get("mail.tls") == "none" and host not in _LOOPBACK:
        problems.append("mail.tls: a password in the clear is for a server on this host only")
    return problems


def _channel(channel: ChannelSettings) -> list[str]:
    kind = channel.kind
    defaults = ChannelSettings(kind=kind)
    problems = [
        f"`{field}` is not for the kind {kind}"
        for field, kinds in _ONLY.items()
        if kind not in kinds and getattr(channel, field) != getattr(defaults, field)
    ]
    needed = _NEEDED.get(kind)
    if needed is not None and not getattr(channel, needed):
        problems.append(f"the kind {kind} needs `{needed}`")
    if kind == "amqp" and not (channel.exchange or channel.routing_key):
        problems.append("the kind amqp needs `exchange`, or `routing_key` with the name of a queue")
    if (channel.user is None) != (channel.password_file is None):
        problems.append("`user` and `password_file` go together: set both or none")
    schemes = SCHEMES.get(kind, ())
    if not schemes:
        return [*problems, f"`url` is not for the kind {kind}"] if channel.url else problems
    url = channel.url or ""
    form = _SOCKET if url.startswith("unix:") else _FORMS[kind]
    if url.partition("://")[0] not in schemes or not form.fullmatch(url):
        problems.append(
            f"`url` must be {' or '.join(f'{scheme}://…' for scheme in schemes)}, without user and password"
        )
    elif kind == "webhook" and url.startswith("http:") and channel.secret_file is None:
        problems.append("a webhook over plain http needs a `secret_file` that signs it")
    return problems
