"""What the access room needs from above."""

from typing import Protocol

from greatseal.domain.access.model import Membership
from greatseal.storage import Tx


class Organizations(Protocol):
    """Knows which organization an account belongs to."""

    def membership(self, tx: Tx, account: str) -> Membership | None:
        """The account's place, or None outside every organization."""
        ...
