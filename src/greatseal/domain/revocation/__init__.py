"""The room of revocation: which certificates must not be trusted any more.

Ruled by docs/revocation.md, whose numbered steps `publication.py` follows. Calls authorities, keys, events and
audit.
"""

from greatseal.domain.revocation.model import Revocation, RevocationReason
from greatseal.domain.revocation.points import DistributionPoints
from greatseal.domain.revocation.ports import CrlTarget, TargetUnavailable
from greatseal.domain.revocation.publication import Publications
from greatseal.domain.revocation.service import Revocations

__all__ = [
    "CrlTarget",
    "DistributionPoints",
    "Publications",
    "Revocation",
    "RevocationReason",
    "Revocations",
    "TargetUnavailable",
]
