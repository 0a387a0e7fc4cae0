"""What the room needs from outside: somebody who speaks ACME with the CA."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from greatseal.crypto.signature import Signer


class Problem(Exception):
    """A problem document (RFC 7807, RFC 8555 section 6.7), or that there was no answer at all: then without `kind`."""

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        status: int = 0,
        retry_after: timedelta | None = None,
        inner: Sequence["Problem"] = (),
    ) -> None:
        """`kind` is the error's name without its prefix, for instance `rateLimited`."""
        super().__init__(f"{kind or 'no answer'}: {detail}")
        self.kind = kind
        self.detail = detail
        self.status = status
        self.retry_after = retry_after
        self.inner = tuple(inner)

    @property
    def is_passing(self) -> bool:
        """Whether the same request may succeed later."""
        passing = ("", "serverInternal", "rateLimited", "badNonce", "orderNotReady")
        return self.kind in passing or self.status >= 500 or self.status == 429

    def kinds(self) -> set[str]:
        """Its kind and those of the problems inside it."""
        return {self.kind}.union(*(each.kinds() for each in self.inner))


@dataclass(frozen=True, slots=True)
class Account:
    """Who we are there; `url` is the account's, None before there is one."""

    signer: Signer
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A resource: its members, where it is, and how long to wait before asking again."""

    members: Mapping[str, Any]
    url: str = ""
    retry_after: timedelta | None = None


class AcmeServer(Protocol):
    """Speaks ACME with one CA. Every verb is one request (and its repetition with a fresh nonce) and raises Problem."""

    @property
    def directory_url(self) -> str:
        """Where its directory is."""
        ...

    def directory(self) -> Mapping[str, Any]:
        """The URLs of its resources by name, and what it tells about itself in `meta`."""
        ...

    def new_account(self, account: Account, *, contact: Sequence[str], binding: tuple[str, bytes] | None) -> str:
        """Makes the account, or finds the one of this key; its URL. `binding` is key id and key of an external one."""
        ...

    def new_order(self, account: Account, names: Sequence[str], *, profile: str | None, replaces: str | None) -> Answer:
        """Begins an order for DNS names. `replaces` is the identifier of a certificate (RFC 9773 section 5)."""
        ...

    def look(self, account: Account, url: str) -> Answer:
        """An order or an authorization as it is now."""
        ...

    def post(self, account: Account, url: str, members: Mapping[str, Any]) -> Answer:
        """Answers a challenge (without members), finalizes an order (`csr`), revokes (`certificate`, `reason`)."""
        ...

    def certificate(self, account: Account, url: str) -> bytes:
        """A certificate and its chain, in PEM."""
        ...

    def renewal_window(self, url: str) -> tuple[datetime, datetime, timedelta | None]:
        """The window that the CA suggests for a renewal, and when to ask again."""
        ...
