"""The room of IAM Roles Anywhere: certificates instead of access keys (iam.md 11).

An account names CAs (trust anchors) and roles (profiles); whoever holds a certificate below an anchor gets temporary
credentials for a role. Paths and attributes are pure. Calls authorities, access, audit and tags.
"""

from greatseal.domain.anywhere.anchors import TrustAnchors
from greatseal.domain.anywhere.crls import Crls
from greatseal.domain.anywhere.profiles import Profiles, ProfileValues
from greatseal.domain.anywhere.service import Anywhere
from greatseal.domain.anywhere.subjects import Subjects
from greatseal.domain.anywhere.vending import Application, Trusted, Vended, Vending

__all__ = [
    "Anywhere",
    "Application",
    "Crls",
    "ProfileValues",
    "Profiles",
    "Subjects",
    "TrustAnchors",
    "Trusted",
    "Vended",
    "Vending",
]
