"""What an owner may permit, and to whom (acm-pca.md 2.15)."""

from dataclasses import dataclass
from datetime import datetime

from greatseal.kernel.errors import InvalidArgument

ACM_PRINCIPAL = "acm.amazonaws.com"
RENEWAL_ACTIONS = frozenset({"IssueCertificate", "GetCertificate", "ListPermissions"})


@dataclass(frozen=True, slots=True)
class Permission:
    """A service principal that may use a CA on behalf of an account."""

    principal: str
    source_account: str
    actions: tuple[str, ...]
    created_at: datetime


def check_principal(principal: str) -> None:
    """Raises InvalidArgument: only ACM takes permissions."""
    if principal != ACM_PRINCIPAL:
        raise InvalidArgument(
            f"The principal {principal} is not supported. The only valid principal is {ACM_PRINCIPAL}."
        )
