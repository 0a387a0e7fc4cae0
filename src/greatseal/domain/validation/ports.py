"""What the room of validation needs from outside: somebody who looks at domains (see `zones` for what changes them)."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class ControlFailure(Enum):
    """Why control over a domain was not found. Only `REFUSED_NAME` cannot change by itself."""

    NOT_FOUND = "not-found"
    """There is no such record, name or page."""
    WRONG_VALUE = "wrong-value"
    """There is one, and it says something else."""
    NO_ANSWER = "no-answer"
    """Servers were silent, broken or refused to answer; loops and excesses count as broken."""
    BOGUS = "bogus"
    """The zone is signed (DNSSEC) and the answer does not verify."""
    REFUSED_ADDRESS = "refused-address"
    """The host leads to an address that nothing is sent to, such as a private one."""
    REFUSED_NAME = "refused-name"
    """The text is no name that can be looked up, or no URL that is fetched."""
    CAA = "caa"
    """CAA records of the domain do not let us issue (RFC 8659)."""
    DISAGREEMENT = "disagreement"
    """It looks right from here, but not from enough other places."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check has found; `detail` is one sentence for the person who asked."""

    ok: bool
    failure: ControlFailure | None = None
    detail: str = ""
    perspectives: tuple[tuple[str, bool, str], ...] = ()
    """Name of each remote perspective, whether it found the same, and what it said if not. Empty: nobody was asked."""


class ControlCheck(Protocol):
    """Looks at a domain as it is right now: nothing that an earlier check has found is used again.

    Each call takes seconds at most, never raises for what the network or a stranger does, and is safe in threads.
    Names may have a trailing dot; case does not matter. From other perspectives is looked only at what is right here.
    """

    def cname(self, name: str, value: str) -> Finding:
        """Whether the CNAME record of `name` is `value`, there or at the end of a chain of CNAME records (acm.md 8.1).

        The value itself need not exist, and may lack its leading underscore: some providers of DNS do not take it.
        """
        ...

    def http(self, url: str, content: str) -> Finding:
        """Whether a GET of this http URL on port 80 answers `content`, white space around it aside.

        Redirects are followed to ports 80 and 443 (Baseline Requirements 3.2.2.4.18).
        """
        ...

    def caa(self, domain: str, *, wildcard: bool, method: str, account_uri: str) -> Finding:
        """Whether CAA lets us issue for `domain`, or for `*.domain` with `wildcard`. Give the domain without the star.

        `method` is `dns`, `http` or `email`, how control was shown; `account_uri` names who asks (RFC 8657).
        """
        ...
