"""The room of access: which principal a credential stands for, and whether it may do what it asks.

For now an installation has one account and its root principal; every operation nevertheless names
its action, its resource and its condition keys here, so that policies change this room alone (iam.md).
Calls the audit room.
"""

from greatseal.domain.access.model import Credential, Question
from greatseal.domain.access.service import Access

__all__ = ["Access", "Credential", "Question"]
