"""The room of trust services: the installation's own public-style hierarchy, and the certificates that it issues.

Four roots, an older one that cross-signs them, several issuing CAs each, test endpoints (workflows.md 13, acm.md 7.4).
Ruled by docs/trust-services.md. Calls authorities, revocation, keys and transparency (through a port).
"""

from greatseal.domain.trust_services.endpoints import Endpoints
from greatseal.domain.trust_services.hierarchy import Hierarchy
from greatseal.domain.trust_services.model import Chain, Names, Plan
from greatseal.domain.trust_services.repository import TrustRepository
from greatseal.domain.trust_services.service import TrustServices

__all__ = ["Chain", "Endpoints", "Hierarchy", "Names", "Plan", "TrustRepository", "TrustServices"]
