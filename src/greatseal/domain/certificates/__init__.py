"""The room of certificates as ACM knows them: requested or imported, kept with their keys, renewed, exported.

Calls authorities (which sign), revocation, keys, events, tags and audit (acm.md).
"""

from greatseal.domain.certificates.associations import Associations
from greatseal.domain.certificates.expiry import Expiry
from greatseal.domain.certificates.exporting import Exports
from greatseal.domain.certificates.imports import Imports
from greatseal.domain.certificates.inventory import Inventory
from greatseal.domain.certificates.renewing import Renewing
from greatseal.domain.certificates.requests import Requests

__all__ = ["Associations", "Expiry", "Exports", "Imports", "Inventory", "Renewing", "Requests"]
