"""Our logs in the form in which browsers list the logs that they trust (schema 3). They do not list ours.

`log_type` says `test`, which in these lists means: not for the web. Relying parties of an installation may take the
list all the same, if they want to see every certificate of its trust services.
"""

import base64
from datetime import UTC, datetime

from greatseal.domain.transparency.logs import Logs
from greatseal.domain.transparency.model import MERGE_DELAY, LogRecord


def log_list(logs: Logs, at: datetime) -> dict[str, object]:
    """The list as a JSON value, the operators in the order in which their logs began."""
    operators: dict[str, list[dict[str, object]]] = {}
    for record in logs.records():
        operators.setdefault(record.operator, []).append(_log(logs, record))
    return {
        "version": "3",
        "log_list_timestamp": _iso(at),
        "operators": [
            {"name": name, "email": [], "logs": [], "tiled_logs": tiled} for name, tiled in operators.items()
        ],
    }


def _log(logs: Logs, record: LogRecord) -> dict[str, object]:
    state = (
        {"usable": {"timestamp": _iso(record.created_at)}}
        if record.retired_at is None
        else {"retired": {"timestamp": _iso(record.retired_at)}}
    )
    return {
        "description": f"Greatseal log '{record.id}' of a private installation; no browser knows it",
        "log_id": base64.b64encode(record.log_id).decode("ascii"),
        "key": base64.b64encode(record.spki).decode("ascii"),
        "submission_url": logs.url(record),
        "monitoring_url": logs.url(record),
        "mmd": int(MERGE_DELAY.total_seconds()),
        "log_type": "test",
        "state": state,
    }


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
