"""Users, groups and roles, their keys and policies: what administrators of an account manage (iam.md 3, 8, 10).

`Directory` has what the three kinds share; the other classes have a noun each. Every change raises the generation
and is recorded in the transaction that makes it.
"""

from greatseal.domain.access.identities.administration import Administration
from greatseal.domain.access.identities.attachments import Attachments, path_of
from greatseal.domain.access.identities.directory import Directory, Found, NewIdentity
from greatseal.domain.access.identities.holdings import Detail, Holdings
from greatseal.domain.access.identities.inline import InlinePolicies
from greatseal.domain.access.identities.keys import AccessKey, AccessKeys, KeyUse
from greatseal.domain.access.identities.library import Library, Scope, Usage, Used
from greatseal.domain.access.identities.memberships import Memberships
from greatseal.domain.access.identities.providers import IdentityProviders, ShownProvider, place_of, provider_arn
from greatseal.domain.access.identities.registrar import Registrar, partition
from greatseal.domain.access.identities.roles import Roles, service_role_arn
from greatseal.domain.access.identities.simulation import Result, Scenario, Simulation
from greatseal.domain.access.identities.sources import Category, Exclusion
from greatseal.domain.access.identities.tagging import Tagging

__all__ = [
    "AccessKey",
    "AccessKeys",
    "Administration",
    "Attachments",
    "Category",
    "Detail",
    "Directory",
    "Exclusion",
    "Found",
    "Holdings",
    "IdentityProviders",
    "InlinePolicies",
    "KeyUse",
    "Library",
    "Memberships",
    "NewIdentity",
    "Registrar",
    "Result",
    "Roles",
    "Scenario",
    "Scope",
    "ShownProvider",
    "Simulation",
    "Tagging",
    "Usage",
    "Used",
    "partition",
    "path_of",
    "place_of",
    "provider_arn",
    "service_role_arn",
]
