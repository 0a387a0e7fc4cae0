"""What the sharing room needs from above."""

from datetime import datetime
from typing import Protocol

from greatseal.domain.access import Membership
from greatseal.storage import Tx


class Organizations(Protocol):
    """Knows which organization an account belongs to, and which services that works with."""

    def membership(self, tx: Tx, account: str) -> Membership | None:
        """The account's place, or None outside every organization."""
        ...

    def trusts(self, tx: Tx, organization_id: str, service: str) -> bool:
        """Whether the organization works with this service."""
        ...

    def trust(self, tx: Tx, organization_id: str, service: str, at: datetime) -> None:
        """Lets the organization work with this service; once more changes nothing."""
        ...
