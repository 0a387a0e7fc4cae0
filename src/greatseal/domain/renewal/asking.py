"""Asks a CA upstream, while there is time, whether it wants certificates renewed earlier than planned (RFC 9773 4.2).

A CA moves the window of a certificate that it has to revoke: whoever asks only when the old window opens learns of it
too late. A round goes through the certificates in batches, each of them a job, because the CA may be slow.
"""

from datetime import datetime, timedelta

from greatseal.domain.certificates.model import ManagedCertificate
from greatseal.domain.certificates.ports import PublicIssuer
from greatseal.domain.certificates.store import renewals as looks
from greatseal.kernel.clock import Clock
from greatseal.storage import Storage, Tx, queue

ASK_JOB = "renewal-ask-issuer"
"""Asks about one batch; its key is the id of the last certificate of the batch before."""

EVERY = timedelta(hours=6)
"""How often a round begins; how often the CA is asked about one certificate is for the CA to say."""

# So many answers of a CA at its slowest come within the lease of a job.
_BATCH = 10


class Asking:
    """Pulls the next look at a renewal forward to the moment that the issuer wants."""

    def __init__(self, *, storage: Storage, issuer: PublicIssuer, clock: Clock) -> None:
        self._storage = storage
        self._issuer = issuer
        self._clock = clock

    def begin(self) -> None:
        """Begins a round."""
        now = self._clock.now()
        self._storage.transact(lambda tx: queue.enqueue(tx, kind=ASK_JOB, key="", payload={}, due=now))

    def carry_on(self, after: str) -> int:
        """Asks about the certificates behind this id, and has the next batch asked about; how many are pulled."""
        now = self._clock.now()
        found = self._storage.read(lambda tx: looks.planned(tx, now, after, _BATCH))
        wanted = [(item, at) for item in found if (at := self._wanted(item)) is not None]
        if not wanted and len(found) < _BATCH:
            return 0

        def work(tx: Tx) -> int:
            if len(found) == _BATCH:
                queue.enqueue(tx, kind=ASK_JOB, key=found[-1].id, payload={}, due=now)
            return sum(looks.pull(tx, item, at) for item, at in wanted)

        return self._storage.transact(work)

    def _wanted(self, item: ManagedCertificate) -> datetime | None:
        return None if item.material is None else self._issuer.renews_at(item.material.certificate)
