"""Which issued certificates end in a span of time, for whoever watches expiry (workflows.md 16)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from greatseal.domain.authorities.issued import JournalEntry
from greatseal.domain.authorities.model import UsageMode
from greatseal.domain.authorities.store import authorities, journal
from greatseal.storage import Storage, Tx
from greatseal.x509.certificate import read_holder

_RUN = 500


@dataclass(frozen=True, slots=True)
class Ending:
    """A certificate that ends, or has ended; `authority_id` and `serial` name it to its CA."""

    arn: str
    subject: str
    not_after: datetime
    authority_id: str
    serial: str


class Endings:
    """Reads the journals of all CAs by the ends of certificates."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def places(self, tx: Tx, start: datetime, end: datetime) -> set[tuple[str, str]]:
        """Accounts and regions with certificates that end in `[start, end)`."""
        return journal.places_ending(tx, start, end)

    def of(self, account: str, region: str, start: datetime, end: datetime) -> Iterator[Ending]:
        """The certificates of one place that end in `[start, end)`, the first end first, read a run at a time.

        Certificates that a service had issued are that service's to watch. Those of CAs for short-lived certificates
        always end soon, and nobody needs to hear of each.
        """
        after: tuple[datetime, str] | None = None
        while True:

            def work(tx: Tx, after: tuple[datetime, str] | None = after) -> tuple[list[JournalEntry], set[str]]:
                entries = journal.ending(tx, account, region, start, end, after=after, limit=_RUN)
                return entries, {each for each in {e.authority_id for e in entries} if _is_short_lived(tx, each)}

            entries, short_lived = self._storage.read(work)
            yield from (_ending(entry) for entry in entries if entry.authority_id not in short_lived)
            if len(entries) < _RUN:
                return
            after = (entries[-1].not_after, entries[-1].arn)


def _is_short_lived(tx: Tx, authority_id: str) -> bool:
    found = authorities.find(tx, authority_id)
    return found is not None and found.usage_mode is UsageMode.SHORT_LIVED_CERTIFICATE


def _ending(entry: JournalEntry) -> Ending:
    assert entry.certificate is not None
    _, not_after, subject = read_holder(entry.certificate)
    return Ending(entry.arn, subject.rfc2253(), not_after, entry.authority_id, entry.serial)
