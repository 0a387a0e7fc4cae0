"""What everybody may know of the hierarchy: its roots, what signs them, and where to try them (workflows.md 13.1)."""

from dataclasses import dataclass

from greatseal.domain.authorities.model import Authority
from greatseal.domain.trust_services.endpoints import Endpoints, State
from greatseal.domain.trust_services.hierarchy import Hierarchy
from greatseal.domain.trust_services.model import OLD, Tier
from greatseal.x509.certificate import Certificate


@dataclass(frozen=True, slots=True)
class IssuerEntry:
    """An issuing CA. `id` is that of its page in the repository."""

    id: str
    certificate: Certificate


@dataclass(frozen=True, slots=True)
class EndpointEntry:
    """A test endpoint; `url` is None while it is not what it says."""

    state: State
    url: str | None


@dataclass(frozen=True, slots=True)
class RootEntry:
    """A root. `cross` is its key under the older root's signature, None for the older root itself."""

    tier: Tier
    id: str
    certificate: Certificate
    cross: Certificate | None
    issuers: tuple[IssuerEntry, ...]
    endpoints: tuple[EndpointEntry, ...]

    @property
    def is_old(self) -> bool:
        """Whether it is the one that cross-signs the others."""
        return self.tier.number == OLD


class TrustRepository:
    """Reads the hierarchy for everybody."""

    def __init__(self, hierarchy: Hierarchy, endpoints: Endpoints) -> None:
        self._hierarchy = hierarchy
        self._endpoints = endpoints

    def roots(self) -> tuple[RootEntry, ...]:
        """The roots that there are, the older one last; none before anybody needed one."""
        below: dict[int, list[IssuerEntry]] = {}
        for role, authority in self._hierarchy.roles():
            if role.number is not None and authority.certificate is not None:
                below.setdefault(role.tier, []).append(IssuerEntry(authority.id, _certificate(authority)))
        true = {(each.tier.number, each.state) for each in self._endpoints.shown()}
        found = []
        for root in self._hierarchy.roots():
            tier = root.tier
            places = [
                EndpointEntry(state, self._endpoints.url(tier, state) if (tier.number, state) in true else None)
                for state in State
                if tier.number != OLD
            ]
            found.append(
                RootEntry(
                    tier=tier,
                    id=root.authority.id,
                    certificate=Certificate.parse(root.der),
                    cross=None if root.cross is None else Certificate.parse(root.cross),
                    issuers=tuple(below.get(tier.number, ())),
                    endpoints=tuple(places),
                )
            )
        return tuple(sorted(found, key=lambda each: (each.is_old, each.tier.number)))


def _certificate(authority: Authority) -> Certificate:
    assert authority.certificate is not None
    return Certificate.parse(authority.certificate.der)
