"""Token buckets by key: how often something may happen, in constant time, in bounded memory and without a lock.

A bucket is one number, the instant at which it will be full again (the generic cell rate algorithm, ITU-T I.371). A
bucket that nobody has taken from for a while is full, and so is one that is not remembered: nothing is ever swept.
"""

from collections.abc import Hashable


class Limit:
    """How often: `rate` times a second, and up to `burst` at once after a rest."""

    __slots__ = ("interval", "tolerance")

    def __init__(self, rate: float, burst: float) -> None:
        """`rate` above 0; a `burst` below 1 would let nothing through, and counts as 1."""
        self.interval = 1 / rate
        # A thousandth of a token is given away: sums of fractions are never exact.
        self.tolerance = (max(burst, 1.0) - 0.999) / rate


class Buckets:
    """The buckets of one process, by key. Threads may share them: in a race one token more is taken, never fewer."""

    def __init__(self, most: int = 65536) -> None:
        """At most twice `most` keys are remembered, those that were used last."""
        self._most = most
        self._young: dict[Hashable, float] = {}
        self._old: dict[Hashable, float] = {}

    def take(self, key: Hashable, limit: Limit, now: float) -> float:
        """Takes a token and returns 0, or takes none and returns the seconds until there will be one.

        `now` is in seconds since any instant; the same clock each time, which does not go back.
        """
        full = self._young.get(key)
        if full is None:
            if len(self._young) >= self._most:
                self._young, self._old = {}, self._young
            full = self._old.get(key, now)
        wait = full - limit.tolerance - now
        if wait > 0:
            # Whoever asks in vain is not forgotten for it.
            self._young[key] = full
            return wait
        self._young[key] = (full if full > now else now) + limit.interval
        return 0.0

    def give_back(self, key: Hashable, limit: Limit) -> None:
        """Undoes a `take` that took one."""
        full = self._young.get(key)
        if full is not None:
            self._young[key] = full - limit.interval

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
