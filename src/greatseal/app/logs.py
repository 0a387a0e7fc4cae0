"""The log on standard error: structlog, also for what libraries log through the standard library."""

import logging
import sys

import structlog
from structlog.types import Processor


def configure(level: str, form: str) -> None:
    """Text for a terminal, one JSON object a line otherwise; never the local variables of a traceback."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    text = form == "text" or (form == "auto" and sys.stderr.isatty())
    # rich's tracebacks show local variables, and with them keys and requests: plain ones do not.
    last: list[Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if text
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
