"""The room of Certificate Transparency: our own logs, SCTs for precertificates, and a monitor of logs.

Ruled by docs/transparency.md. Calls keys, findings, events and audit; others' logs, the checkpoints that are kept
outside the database, and what the installation issued are ports.
"""

from greatseal.domain.transparency.log import OwnLog
from greatseal.domain.transparency.logs import Logs
from greatseal.domain.transparency.model import LogRecord, OwnLogName
from greatseal.domain.transparency.monitor import FOLLOW_JOB, FollowedLog, Monitor, Watch
from greatseal.domain.transparency.submission import Demand, KnownLog, Submission

__all__ = [
    "FOLLOW_JOB",
    "Demand",
    "FollowedLog",
    "KnownLog",
    "LogRecord",
    "Logs",
    "Monitor",
    "OwnLog",
    "OwnLogName",
    "Submission",
    "Watch",
]
