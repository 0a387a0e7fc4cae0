"""The room of evidence: a record of every call, in a log that shows tampering.

A record is written in the transaction of the act itself, so there is no act without a record, and an act whose
record cannot be written fails. Records become leaves of a Merkle log (RFC 9162) with signed checkpoints.
Ruled by docs/audit.md. Calls no other room; the key that signs checkpoints is a port.
"""

from greatseal.domain.audit.cloudtrail import INTERNAL
from greatseal.domain.audit.log import AuditLog
from greatseal.domain.audit.model import (
    Act,
    AuditFailed,
    AuditRecord,
    InvalidLookup,
    InvalidTimeRange,
    LogDamaged,
    Lookup,
    SinkFailed,
)
from greatseal.domain.audit.ports import AuditSink
from greatseal.domain.audit.reading import last_place, newest, newest_checkpoint, prove, sequenced
from greatseal.domain.audit.seal import Seals
from greatseal.domain.audit.service import Audit
from greatseal.domain.audit.verification import Finding, Kind, Report, verify

__all__ = [
    "INTERNAL",
    "Act",
    "Audit",
    "AuditFailed",
    "AuditLog",
    "AuditRecord",
    "AuditSink",
    "Finding",
    "InvalidLookup",
    "InvalidTimeRange",
    "Kind",
    "LogDamaged",
    "Lookup",
    "Report",
    "Seals",
    "SinkFailed",
    "last_place",
    "newest",
    "newest_checkpoint",
    "prove",
    "sequenced",
    "verify",
]
