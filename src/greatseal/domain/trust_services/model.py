"""What the hierarchy consists of, and what an installation decides about it. Pure."""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from greatseal.crypto.algorithms import KeyAlgorithm, SignatureAlgorithm
from greatseal.domain.authorities.model import SubjectSpec

OLD = 0
"""The number of the older root, which cross-signs the others."""
OLD_YEARS, ROOT_YEARS, CROSS_YEARS, ISSUER_YEARS = 25, 20, 15, 10
"""How long certificates live: no longer than what signs them, and roots no longer than BR section 7.1.2.1.1 allows."""
MOST_DAYS = 200
LEAST_LEFT = timedelta(days=365)
"""An issuing CA whose certificate ends sooner issues no more, and another one takes its place."""

_LIES = re.compile(r"amazon|starfield|public(ly)?[\s-]+trusted", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Tier:
    """A root and the issuing CAs below it, which have keys of the same kind."""

    number: int
    key: KeyAlgorithm
    signing: SignatureAlgorithm
    leaf: KeyAlgorithm
    """The key of certificates that are issued here for test endpoints."""
    label: str
    """In the names of its issuing CAs."""


TIERS = (
    Tier(OLD, KeyAlgorithm.RSA_2048, SignatureAlgorithm.SHA256WITHRSA, KeyAlgorithm.RSA_2048, "RSA 2048"),
    Tier(1, KeyAlgorithm.RSA_2048, SignatureAlgorithm.SHA256WITHRSA, KeyAlgorithm.RSA_2048, "RSA 2048"),
    Tier(2, KeyAlgorithm.RSA_4096, SignatureAlgorithm.SHA384WITHRSA, KeyAlgorithm.RSA_2048, "RSA 4096"),
    Tier(
        3,
        KeyAlgorithm.EC_prime256v1,
        SignatureAlgorithm.SHA256WITHECDSA,
        KeyAlgorithm.EC_prime256v1,
        "ECDSA 256",
    ),
    Tier(
        4,
        KeyAlgorithm.EC_secp384r1,
        SignatureAlgorithm.SHA384WITHECDSA,
        KeyAlgorithm.EC_secp384r1,
        "ECDSA 384",
    ),
)
"""By number (workflows.md 13.1)."""
ROOTS = TIERS[1:]

TIER_OF_LEAF = {
    KeyAlgorithm.RSA_2048: TIERS[1],
    KeyAlgorithm.EC_prime256v1: TIERS[3],
    KeyAlgorithm.EC_secp384r1: TIERS[4],
}
"""Who issues for which key: an issuer of the same kind (acm.md 7.4)."""


class Chain(Enum):
    """Which certificates are handed out above a leaf; a switch changes them for all that were issued, too."""

    SHORT = "short"
    """The issuing CA alone: for clients that know the root itself."""
    CROSS_SIGNED = "cross_signed"
    """And the root as the older root signed it: for those that know one of both."""
    LONG = "long"
    """And the older root itself, as for years before a cross-sign is removed (workflows.md 13.4)."""


@dataclass(frozen=True, slots=True)
class Names:
    """What CAs that are made from now on are called. Raises ValueError for names that claim somebody else's trust."""

    organization: str
    brand: str = "Greatseal"
    country: str = "US"

    def __post_init__(self) -> None:
        for text in (self.organization, self.brand):
            if _LIES.search(text):
                raise ValueError(f"a certificate authority of this installation cannot be called {text!r}")

    def root(self, number: int) -> SubjectSpec:
        """The subject of a root."""
        kind = "Services Root CA" if number == OLD else f"Root CA {number}"
        return self._subject(f"{self.brand} {kind}")

    def issuer(self, tier: Tier, number: int) -> SubjectSpec:
        """The subject of an issuing CA."""
        return self._subject(f"{self.brand} {tier.label} M{number:02}")

    def _subject(self, common_name: str) -> SubjectSpec:
        return SubjectSpec(
            standard=(("Country", self.country), ("Organization", self.organization), ("CommonName", common_name))
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What the settings decide. `issuers` is how many issuing CAs a root has at least."""

    brand: str = "Greatseal"
    organization: str | None = None
    """None for one that nobody else has."""
    country: str = "US"
    issuers: int = 3
    days: int = 198
    client_auth: bool = False
    chain: Chain = Chain.CROSS_SIGNED
    endpoints: str | None = None
    """The domain of the test endpoints; None for none."""

    def __post_init__(self) -> None:
        if not 1 <= self.days <= MOST_DAYS:
            raise ValueError(f"public certificates live for 1 to {MOST_DAYS} days, not for {self.days}")
        if self.issuers < 1:
            raise ValueError("a root has at least one issuing CA")
        # Refuses what no CA may be called before anything is made.
        Names(self.organization or "", self.brand, self.country)


def root_role(number: int) -> str:
    """The name of a root in the table of this room."""
    return f"root/{number}"


def issuer_role(tier: int, number: int) -> str:
    """The name of an issuing CA in the table of this room."""
    return f"issuer/{tier}/{number}"
