"""The room of evidence: an append-only record of every act that changes or uses a key.

A record is written in the transaction of the act itself, so there is no act without a record, and an
act whose record cannot be written fails. Calls no other room.
"""

from greatseal.domain.audit.model import AuditRecord
from greatseal.domain.audit.service import Audit

__all__ = ["Audit", "AuditRecord"]
