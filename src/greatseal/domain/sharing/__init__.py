"""The room of sharing: private CAs that one account lets others use (acm-pca.md 12, iam.md 12).

A share ties resources, principals and one managed permission together and writes its part of each resource's policy,
which is all that authorization reads. Outsiders are invited first; accounts of an organization that shares are not.
Calls authorities, access, audit and tags.
"""

from greatseal.domain.sharing.invitations import Invitations
from greatseal.domain.sharing.listing import Listings
from greatseal.domain.sharing.policies import AuthorityPolicies
from greatseal.domain.sharing.service import Sharing
from greatseal.domain.sharing.shares import NewShare, Shares

__all__ = ["AuthorityPolicies", "Invitations", "Listings", "NewShare", "Shares", "Sharing"]
