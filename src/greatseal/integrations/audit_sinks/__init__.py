"""Blocking copies of the audit trail: a file, a syslog receiver, a webhook.

Each is a `domain.audit.AuditSink`: it takes the canonical bytes of records, one a line, before the act commits, and
raises OSError when it cannot keep them, which makes the act fail. All of them pass the same contract tests.
"""

from urllib.parse import urlsplit

from greatseal.domain.audit import AuditSink
from greatseal.integrations.audit_sinks.file import FileSink
from greatseal.integrations.audit_sinks.syslog import SyslogSink
from greatseal.integrations.audit_sinks.webhook import WebhookSink
from greatseal.kernel.clock import Clock
from greatseal.kernel.secret import Secret

__all__ = ["FileSink", "SyslogSink", "WebhookSink", "sink_at"]


def sink_at(url: str, *, clock: Clock, hostname: str, token: Secret | None = None, timeout: float = 5.0) -> AuditSink:
    """The sink that a URL names; nothing is opened yet. Raises ValueError.

    `file:///PATH`, `udp://HOST:PORT`, `tcp://HOST:PORT` and `unix:///PATH` (syslog), `https://…` (webhook, with `token`
    as its bearer token). `timeout` is in seconds and holds for each step on the network.
    """
    parts = urlsplit(url)
    match parts.scheme:
        case "file" if parts.path.startswith("/") and not parts.netloc:
            return FileSink(parts.path)
        case "udp" | "tcp" if parts.hostname and parts.port:
            address = (parts.hostname, parts.port)
            return SyslogSink(parts.scheme, address, clock=clock, hostname=hostname, timeout=timeout)
        case "unix" if parts.path.startswith("/") and not parts.netloc:
            return SyslogSink("unix", parts.path, clock=clock, hostname=hostname, timeout=timeout)
        case "https" | "http":
            return WebhookSink(url, token=token, timeout=timeout)
        case _:
            raise ValueError("expected file:///PATH, udp://HOST:PORT, tcp://HOST:PORT, unix:///PATH or https://…")
