"""The room of access: accounts, principals, their credentials, and whether they may do what they ask (iam.md).

Every operation names its action, its resource and its condition keys here. Policies are read and weighed by
`language`, which is pure. Calls the audit and tags rooms.
"""

from greatseal.domain.access.accounts import Accounts
from greatseal.domain.access.assuming import Assumed, Assuming, Assumption
from greatseal.domain.access.assuming import Limits as SessionLimits
from greatseal.domain.access.model import Account, Credential, Identity, IdentityKind, Membership, Question
from greatseal.domain.access.resource_policies import ResourcePolicies, UnknownPrincipals
from greatseal.domain.access.service import Access
from greatseal.domain.access.sessions import SessionExpired, SessionInvalid, Sessions
from greatseal.domain.access.web_identity import WebIdentities

__all__ = [
    "Access",
    "Account",
    "Accounts",
    "Assumed",
    "Assuming",
    "Assumption",
    "Credential",
    "Identity",
    "IdentityKind",
    "Membership",
    "Question",
    "ResourcePolicies",
    "SessionExpired",
    "SessionInvalid",
    "SessionLimits",
    "Sessions",
    "UnknownPrincipals",
    "WebIdentities",
]
