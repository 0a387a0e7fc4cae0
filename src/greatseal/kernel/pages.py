"""Pagination tokens: opaque, bound to one listing of one caller, and useless when altered."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Generic, TypeVar

from greatseal.kernel.errors import InvalidToken
from greatseal.kernel.secret import Secret

T = TypeVar("T")
_MAC_SIZE = 16


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items of a listing and, unless it is the last page, the token for the next."""

    items: tuple[T, ...]
    next_token: str | None = None


@dataclass(frozen=True, slots=True)
class PageTokens:
    """Makes and opens tokens under the installation's own key.

    `scope` names everything that the token must not be carried over to: account, region, operation,
    filters. A token opened with another scope is refused like an altered one.
    """

    key: Secret

    def issue(self, scope: tuple[str, ...], position: list[str | int]) -> str:
        """A token that remembers `position`, the sort key of the last item handed out."""
        body = json.dumps(position, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._mac(scope, body) + body).decode("ascii")

    def open(self, scope: tuple[str, ...], token: str) -> list[str | int]:
        """The position in the token. Raises InvalidToken when it is not one of ours for this scope."""
        try:
            raw = base64.b64decode(token, altchars=b"-_", validate=True)
        except ValueError:
            raise InvalidToken("The pagination token is not valid.") from None
        mac, body = raw[:_MAC_SIZE], raw[_MAC_SIZE:]
        if not hmac.compare_digest(mac, self._mac(scope, body)):
            raise InvalidToken("The pagination token is not valid.")
        position: list[str | int] = json.loads(body)
        return position

    def _mac(self, scope: tuple[str, ...], body: bytes) -> bytes:
        material = json.dumps(scope).encode() + b"\0" + body
        return hmac.digest(self.key.reveal(), material, hashlib.sha256)[:_MAC_SIZE]
