"""The log on standard error: structlog, also for what libraries log through the standard library."""

import asyncio
import logging
import sys
from collections.abc import Callable, Mapping
from typing import TextIO

import msgspec
import structlog
from structlog.types import Processor

from greatseal.edge.asgi import AccessLog
from greatseal.kernel.clock import Clock

_ACCESS = "greatseal.access"
_GATHER_SECONDS = 0.05


def is_text(form: str) -> bool:
    """Whether people read the log: text for a terminal, one JSON object a line otherwise."""
    return form == "text" or (form == "auto" and sys.stderr.isatty())


class JsonAccessLog:
    """The access log as JSON, written by the event loop: a line costs a tenth of what it costs through the processors.

    Lines wait a moment for each other. Whatever must not be lost is in the audit trail.
    """

    def __init__(self, clock: Clock, stream: TextIO) -> None:
        self._clock = clock
        self._stream = stream
        self._lines: list[bytes] = []

    def __call__(self, entry: Mapping[str, object]) -> None:
        """Takes one entry, on the running loop."""
        at = self._clock.now().isoformat().replace("+00:00", "Z")
        line = {**entry, "event": "request", "logger": _ACCESS, "level": "info", "timestamp": at}
        self._lines.append(msgspec.json.encode(line))
        if len(self._lines) == 1:
            asyncio.get_running_loop().call_later(_GATHER_SECONDS, self.flush)

    def flush(self) -> None:
        """Writes what has gathered."""
        lines, self._lines = self._lines, []
        if lines:
            self._stream.write(b"\n".join(lines).decode() + "\n")
            self._stream.flush()


def access_log(form: str, clock: Clock) -> tuple[AccessLog, Callable[[], None]]:
    """Where requests are logged as `configure` was told to, and what writes the last of them at the end."""
    logger = logging.getLogger(_ACCESS)
    if not logger.isEnabledFor(logging.INFO):
        return (lambda entry: None), (lambda: None)
    if is_text(form):
        bound = structlog.get_logger(_ACCESS)
        return (lambda entry: bound.info("request", **entry)), (lambda: None)
    log = JsonAccessLog(clock, sys.stderr)
    return log, log.flush


def configure(level: str, form: str) -> None:
    """Sets the log up; a line never has the local variables of a traceback."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # rich's tracebacks show local variables, and with them keys and requests: plain ones do not.
    last: list[Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if is_text(form)
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # Libraries speak up for warnings only.
    for name in ("alembic", "sqlalchemy", "h2corn", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)
