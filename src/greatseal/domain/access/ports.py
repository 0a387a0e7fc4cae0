"""What the access room needs from above."""

from collections.abc import Mapping
from typing import Any, Protocol

from greatseal.domain.access.model import Membership
from greatseal.storage import Tx


class Organizations(Protocol):
    """Knows which organization an account belongs to."""

    def membership(self, tx: Tx, account: str) -> Membership | None:
        """The account's place, or None outside every organization."""
        ...


class IssuerKeys(Protocol):
    """Fetches the signature keys of OpenID Connect providers."""

    def of(self, issuer: str, *, fresh: bool = False) -> Mapping[str, Any]:
        """The JSON Web Key Set (RFC 7517) of an issuer URL; `fresh` asks the provider again.

        Raises RequestFailed when the provider does not answer as it must.
        """
        ...
