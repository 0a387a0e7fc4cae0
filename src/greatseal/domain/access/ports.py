"""What the access room needs from above."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from greatseal.domain.access.model import Membership
from greatseal.storage import Tx


class Organizations(Protocol):
    """Knows which organization an account belongs to."""

    def membership(self, tx: Tx, account: str) -> Membership | None:
        """The account's place, or None outside every organization."""
        ...


class Grants(Protocol):
    """Knows the grants on KMS keys."""

    def policy(self, tx: Tx, key_arn: str, principals: Sequence[str]) -> str | None:
        """The grants on a key to any of these names, as a document of statements that allow; None for no grant."""
        ...


class IssuerKeys(Protocol):
    """Fetches the signature keys of OpenID Connect providers."""

    def of(self, issuer: str, *, fresh: bool = False) -> Mapping[str, Any]:
        """The JSON Web Key Set (RFC 7517) of an issuer URL; `fresh` asks the provider again.

        Raises RequestFailed when the provider does not answer as it must.
        """
        ...
