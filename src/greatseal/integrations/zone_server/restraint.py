"""How many UDP answers a network gets: senders of UDP can be forged, and what we answer hits whom they name.

Each network has a bucket that fills again with time. Over the limit every second question is answered with "ask again
over TCP", which a forger cannot do and which is no larger than the question; the others are dropped.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from enum import Enum

_MOST_NETWORKS = 20_000
_PREFIX = {4: 24, 6: 56}


class Verdict(Enum):
    """What becomes of a question."""

    ANSWER = "answer"
    CUT_SHORT = "cut short"
    DROP = "drop"


class Restraint:
    """Buckets by network. Used by one thread."""

    def __init__(self, per_second: int, *, monotonic: Callable[[], float]) -> None:
        """A network may ask so much at once, too. `monotonic` tells seconds."""
        self._rate = float(per_second)
        self._monotonic = monotonic
        # Network → (answers left, when, questions over the limit); the longest unseen first.
        self._networks: OrderedDict[str, tuple[float, float, int]] = OrderedDict()

    def weigh(self, address: str) -> Verdict:
        """Counts a question from an address."""
        network, now = _network(address), self._monotonic()
        left, before, over = self._networks.pop(network, (self._rate, now, 0))
        left = min(self._rate, left + max(now - before, 0.0) * self._rate)
        verdict = Verdict.ANSWER
        if left >= 1.0:
            left, over = left - 1.0, 0
        else:
            over += 1
            verdict = Verdict.DROP if over % 2 else Verdict.CUT_SHORT
        self._networks[network] = (left, now, over)
        if len(self._networks) > _MOST_NETWORKS:
            self._networks.popitem(last=False)
        return verdict


def _network(address: str) -> str:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return str(ipaddress.ip_network(f"{parsed}/{_PREFIX[parsed.version]}", strict=False))
