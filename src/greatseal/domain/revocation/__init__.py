"""The room of revocation: which certificates must not be trusted any more.

Ruled by docs/revocation.md. For now revocations are recorded; CRLs and OCSP answers are made from the
same table. Calls authorities, events and audit.
"""

from greatseal.domain.revocation.model import Revocation, RevocationReason
from greatseal.domain.revocation.service import Revocations

__all__ = ["Revocation", "RevocationReason", "Revocations"]
