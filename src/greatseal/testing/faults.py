"""Faults on purpose: a database that fails or kills at a given call, and signers that lie.

storage = FaultyStorage(url)
storage.fail(at=2, applied=True)        # the second write is committed, and its answer is lost
installation = Installation(storage)
"""

import os
import signal
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from sqlalchemy.sql import Executable

from greatseal.crypto.algorithms import KeyAlgorithm, SignatureAlgorithm
from greatseal.crypto.signature import Signer
from greatseal.storage.errors import OutcomeUnknown, StorageUnavailable
from greatseal.storage.tx import Storage, Tx, open_storage

T = TypeVar("T")
Observer = Callable[[str], None]


def die() -> NoReturn:
    """Ends this process as `kill -9` does: nothing is flushed, closed or rolled back by us."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


class FaultyStorage(Storage):
    """A Storage over `url` whose calls are counted, watched, and fail on request.

    `observe` hears `before-write`, `after-write`, `before-read`, `after-read` around every call.
    """

    def __init__(self, url: str, *, observe: Observer | None = None) -> None:
        super().__init__(open_storage(url)._engines)
        self.observe: Observer = observe or (lambda point: None)
        self.calls = 0
        self._fail_at = 0
        self._applied = False

    def fail(self, *, at: int, applied: bool) -> None:
        """Lets the call number `at`, counted from now and from 1, fail: before it starts, or after its commit."""
        self.calls, self._fail_at, self._applied = 0, at, applied

    @property
    def failed(self) -> bool:
        """Whether the call that had to fail was reached."""
        return 0 < self._fail_at <= self.calls

    def heal(self) -> None:
        """No call fails any more."""
        self._fail_at = 0

    def transact(self, work: Callable[[Tx], T]) -> T:
        """As the parent's, unless it is this call's turn to fail."""
        return self._call("write", lambda: super(FaultyStorage, self).transact(work))

    def read(self, work: Callable[[Tx], T]) -> T:
        """As the parent's, unless it is this call's turn to fail."""
        return self._call("read", lambda: super(FaultyStorage, self).read(work))

    def glance(self, query: Executable) -> Any:
        """As the parent's, unless it is this call's turn to fail; counts as a read."""
        return self._call("read", lambda: super(FaultyStorage, self).glance(query))

    def _call(self, kind: str, call: Callable[[], T]) -> T:
        self.calls += 1
        fails = self.calls == self._fail_at
        if fails and not self._applied:
            raise StorageUnavailable(f"{kind} {self.calls} fails on purpose")
        self.observe(f"before-{kind}")
        result = call()
        self.observe(f"after-{kind}")
        if fails:
            raise OutcomeUnknown(f"the answer of {kind} {self.calls} is lost on purpose")
        return result


class TamperedSigner:
    """A signer whose signatures go through `tamper`, which may change them, delay them, raise or kill."""

    def __init__(self, signer: Signer, tamper: Callable[[bytes], bytes]) -> None:
        self._signer = signer
        self._tamper = tamper

    @property
    def algorithm(self) -> KeyAlgorithm:
        """The algorithm of the key behind it."""
        return self._signer.algorithm

    @property
    def spki(self) -> bytes:
        """The public key behind it."""
        return self._signer.spki

    def sign(self, data: bytes, algorithm: SignatureAlgorithm) -> bytes:
        """What `tamper` makes of the signature."""
        return self._tamper(self._signer.sign(data, algorithm))

    def sign_digest(self, digest: bytes, algorithm: SignatureAlgorithm) -> bytes:
        """As `sign`, over data of which only the hash is given."""
        return self._tamper(self._signer.sign_digest(digest, algorithm))
