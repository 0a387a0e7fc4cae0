"""The room of authorities: private CAs, their life, and every certificate that they issue.

Ruled by docs/issuance.md, whose numbered steps `issuance.py` follows. Calls keys, objects, policy, events,
tags and audit.
"""

from greatseal.domain.authorities.issuance import Issuance, Ordered
from greatseal.domain.authorities.lifecycle import Lifecycle
from greatseal.domain.authorities.permissions import Permissions
from greatseal.domain.authorities.registry import Registry
from greatseal.domain.authorities.reports import AuditReports

__all__ = ["AuditReports", "Issuance", "Lifecycle", "Ordered", "Permissions", "Registry"]
