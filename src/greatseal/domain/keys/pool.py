"""Ready RSA keys, so that a request does not wait for a prime number.

The pool lives in memory: what it holds is unused, so nothing is lost when the process ends. `fill_one`
is the step; the thread around it belongs to `app`.
"""

import threading
from collections import deque
from collections.abc import Mapping

from greatseal.crypto import keypair
from greatseal.crypto.algorithms import KeyAlgorithm
from greatseal.kernel.secret import Secret


class KeyPool:
    """Keeps `targets[algorithm]` keys of each algorithm ready."""

    def __init__(self, targets: Mapping[KeyAlgorithm, int]) -> None:
        self._targets = dict(targets)
        self._ready: dict[KeyAlgorithm, deque[Secret]] = {algorithm: deque() for algorithm in targets}
        self.wanted = threading.Event()
        self.wanted.set()

    def take(self, algorithm: KeyAlgorithm) -> Secret:
        """A private key (PKCS#8 DER) that nobody else has; generated now when none is ready."""
        ready = self._ready.get(algorithm)
        if ready is None:
            return keypair.generate(algorithm)
        self.wanted.set()
        try:
            return ready.popleft()
        except IndexError:
            return keypair.generate(algorithm)

    def fill_one(self) -> bool:
        """Generates one key where the pool is emptiest. False, and `wanted` is cleared, when it is full."""
        self.wanted.clear()
        missing = [a for a, target in self._targets.items() if len(self._ready[a]) < target]
        if not missing:
            return False
        algorithm = min(missing, key=lambda a: len(self._ready[a]) / self._targets[a])
        self._ready[algorithm].append(keypair.generate(algorithm))
        self.wanted.set()
        return True

    def ready(self) -> dict[KeyAlgorithm, int]:
        """How many keys of each algorithm are ready, for metrics."""
        return {algorithm: len(keys) for algorithm, keys in self._ready.items()}
