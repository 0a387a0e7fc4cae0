"""Managed certificates over all accounts and regions, as watchers and reports look at them (workflows.md 16, 18)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from greatseal.domain.certificates.model import ManagedCertificate
from greatseal.domain.certificates.store import expiry as store
from greatseal.domain.certificates.store.certificates import issuer_name
from greatseal.kernel.clock import Clock
from greatseal.storage import Storage, Tx
from greatseal.x509.certificate import Certificate

_RUN = 500


@dataclass(frozen=True, slots=True)
class Imported:
    """An imported certificate and who issued it, in the service's own short form."""

    certificate: ManagedCertificate
    issuer: str
    not_before: datetime


class Watchlist:
    """Reads the inventory of the whole installation."""

    def __init__(self, *, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    def places(self, tx: Tx, start: datetime, end: datetime) -> set[tuple[str, str]]:
        """Accounts and regions with certificates that end in `[start, end)`."""
        return store.places(tx, start, end)

    def ending(self, account: str, region: str, start: datetime, end: datetime) -> Iterator[ManagedCertificate]:
        """The certificates of one place that end in `[start, end)`, the first end first, read a run at a time."""
        after: tuple[datetime, str] | None = None
        while True:

            def work(tx: Tx, after: tuple[datetime, str] | None = after) -> list[ManagedCertificate]:
                return store.ending(tx, account, region, start, end, after=after, limit=_RUN)

            found = self._storage.read(work)
            yield from found
            if len(found) < _RUN:
                return
            assert found[-1].not_after is not None
            after = (found[-1].not_after, found[-1].id)

    def imported(self) -> Iterator[Imported]:
        """Every imported certificate of every key type, read a run at a time."""
        after = ""
        while True:
            found = self._storage.read(lambda tx, after=after: store.imported(tx, after=after, limit=_RUN))  # type: ignore[misc]
            yield from map(_imported, found)
            if len(found) < _RUN:
                return
            after = found[-1].id

    def imported_from(self, tx: Tx, issuers: Sequence[str]) -> list[Imported]:
        """The imported certificates of these issuers that have not ended; an index finds them."""
        return [_imported(each) for each in store.imported_from(tx, issuers, self._clock.now())] if issuers else []


def _imported(item: ManagedCertificate) -> Imported:
    assert item.material is not None
    parsed = Certificate.parse(item.material.certificate)
    return Imported(item, issuer_name(parsed), parsed.not_before)
