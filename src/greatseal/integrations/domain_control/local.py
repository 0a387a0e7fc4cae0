"""Domain control as it is seen from here."""

from collections.abc import Callable, Iterable
from functools import lru_cache

from greatseal.domain.validation import caa
from greatseal.domain.validation.caa import LookupFailed
from greatseal.domain.validation.ports import ControlFailure, Finding
from greatseal.integrations.addresses import is_elsewhere, is_public
from greatseal.integrations.domain_control.http_probe import HttpProbe
from greatseal.integrations.domain_control.resolver import Resolver


class LocalControl:
    """Implements `domain.validation.ports.ControlCheck` with one resolver."""

    def __init__(
        self,
        resolver: Resolver,
        probe: HttpProbe,
        issuers: Iterable[str] = caa.ISSUERS,
        *,
        is_private: Callable[[str], bool] = lambda name: False,
    ) -> None:
        """`issuers` are the names in CAA records that mean us; `is_private` says which names the public DNS has not."""
        self._resolver = resolver
        self._probe = probe
        self._issuers = tuple(issuers)
        self._is_private = is_private

    def cname(self, name: str, value: str) -> Finding:
        """As in the port."""
        wanted, link = _folded(value), ""
        try:
            for link in self._resolver.links(name, self._resolver.trip()):
                if link in (wanted, wanted.removeprefix("_")):
                    return Finding(True)
        except LookupFailed as failed:
            return Finding(False, failed.failure, str(failed))
        if not link:
            return Finding(False, ControlFailure.NOT_FOUND, f"there is no CNAME record at {_folded(name)}")
        return Finding(False, ControlFailure.WRONG_VALUE, f"the CNAME record of {_folded(name)} leads to {link}")

    def http(self, url: str, content: str) -> Finding:
        """As in the port."""
        return self._probe.check(url, content)

    def caa(self, domain: str, *, wildcard: bool, method: str, account_uri: str) -> Finding:
        """As in the port."""
        return self.caa_for(self._issuers, domain, wildcard=wildcard, method=method, account_uri=account_uri)

    def caa_for(self, issuers: Iterable[str], domain: str, *, wildcard: bool, method: str, account_uri: str) -> Finding:
        """As `caa`, for somebody whom other names mean."""
        trip = self._resolver.trip()
        return caa.check(
            domain,
            lambda name: self._resolver.caa(name, trip),
            issuers=issuers,
            wildcard=wildcard,
            method=method,
            account_uri=account_uri,
            is_private=self._is_private,
        )


def allowed_addresses(private_hosts: Iterable[str], *, here: bool = False) -> Callable[[str, str], bool]:
    """Whether a host may be at an address: public ones; for names at or below `private_hosts` also private networks.

    Never metadata of a cloud; this very host only with `here`.
    """
    suffixes = tuple(_folded(each) for each in private_hosts)

    @lru_cache(1024)
    def private(host: str) -> bool:
        return any(host == each or host.endswith(f".{each}") for each in suffixes)

    def allowed(host: str, address: str) -> bool:
        if private(_folded(host)):
            return is_elsewhere(address, or_here=here)
        return is_public(address)

    return allowed


def _folded(name: str) -> str:
    return name.rstrip(".").lower()
