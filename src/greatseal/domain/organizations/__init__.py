"""The room of organizations: accounts in a tree, and the service control policies that limit them (iam.md 10).

The access room asks `Memberships` where an account belongs and what reaches it; everything that changes the answer
raises that room's generation. Calls the access, audit and tags rooms.
"""

from greatseal.domain.organizations.memberships import Memberships
from greatseal.domain.organizations.paging import Wanted
from greatseal.domain.organizations.service import Organizations

__all__ = ["Memberships", "Organizations", "Wanted"]
