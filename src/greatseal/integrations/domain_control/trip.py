"""What one check may spend, and what it learns on its way: a hostile zone costs seconds and never more."""

import time
from dataclasses import dataclass

from dns.name import Name

from greatseal.domain.validation.caa import LookupFailed
from greatseal.domain.validation.ports import ControlFailure
from greatseal.integrations.domain_control.cuts import Cut, Zone


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one check."""

    seconds: float = 20.0
    """For everything that a check asks of the DNS."""
    query_seconds: float = 2.0
    queries: int = 250
    signatures: int = 200
    """Signatures that are verified: colliding key tags could make it millions (CVE-2023-50387)."""
    links: int = 8
    """Links of a chain of CNAME and DNAME records."""
    records: int = 200
    """Records of one set."""


class Trip:
    """One check on its way through the DNS. Not for threads."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.until = time.monotonic() + limits.seconds
        self.cuts: dict[Name, Cut] = {}
        """Delegations found on this trip."""
        self.zones: dict[Name, Zone] = {}
        """Zones whose keys were verified, or that are known to have none."""
        self.silent: set[str] = set()
        """Addresses of servers that did not answer: asked last from then on."""
        self._queries = limits.queries
        self._signatures = limits.signatures

    @property
    def over(self) -> bool:
        """Whether nothing more can be asked."""
        return self._queries <= 0 or time.monotonic() >= self.until

    def query(self) -> float:
        """Spends one query; how long it may take, in seconds. Raises LookupFailed."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise LookupFailed(ControlFailure.NO_ANSWER, "it took too long")
        if self._queries <= 0:
            raise LookupFailed(ControlFailure.NO_ANSWER, f"more than {self.limits.queries} queries were needed")
        self._queries -= 1
        return min(left, self.limits.query_seconds)

    def signature(self) -> None:
        """Spends the verification of one signature. Raises LookupFailed."""
        if self._signatures <= 0:
            raise LookupFailed(ControlFailure.BOGUS, f"more than {self.limits.signatures} signatures were needed")
        self._signatures -= 1
