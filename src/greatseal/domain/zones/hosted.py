"""Zones that are entrusted to us at DNS providers: which of them a name is in, and records created there by jobs.

A wish and its job are written in the transaction of whoever wants the record. The job may run any number of times; a
provider that fails is asked again for some hours, and what it said stays visible. Nothing that was created is ever
removed: renewals look for the same record (acm.md 8.1).
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from greatseal.domain.delivery import DELIVERY_TOPIC
from greatseal.domain.zones import store
from greatseal.domain.zones.model import Record, Wanted, Wish, ZoneRefused, longest_zone, plain_name
from greatseal.domain.zones.ports import DnsProvider, ProviderFailed
from greatseal.kernel.clock import Clock
from greatseal.storage import Storage, Tx, queue

log = logging.getLogger(__name__)

CREATE_RECORD_JOB = "dns-create-record"

Recorder = Callable[[Tx, str, dict[str, str]], None]
"""Writes an audit record of an act (`operation`, details) in the transaction that does it."""


@dataclass(frozen=True, slots=True)
class Hosted:
    """Zones at a provider. `settles_after` is how many seconds its name servers take until all of them know."""

    provider: DnsProvider
    zones: tuple[str, ...]
    auto_create: bool = False
    ttl: int = 300
    settles_after: int = 0


class HostedZones:
    """Finds zones by name and has records created in them."""

    def __init__(self, *, storage: Storage, clock: Clock, record: Recorder, hosted: Sequence[Hosted] = ()) -> None:
        """`record` writes what was created into the audit trail."""
        self._storage = storage
        self._clock = clock
        self._record = record
        self._hosted: dict[str, Hosted] = {}
        self.employ(hosted)

    def employ(self, hosted: Sequence[Hosted]) -> None:
        """Takes these zones over from now on. Raises ZoneRefused."""
        self._hosted = {plain_name(zone): each for each in hosted for zone in each.zones}

    def __iter__(self) -> Iterator[tuple[str, Hosted]]:
        return iter(self._hosted.items())

    def serving(self, name: str) -> tuple[str, Hosted] | None:
        """The zone with the longest suffix of a name, and who hosts it. Raises ZoneRefused."""
        zone = longest_zone(plain_name(name), self._hosted)
        return None if zone is None else (zone, self._hosted[zone])

    def want(self, tx: Tx, name: str, value: str, *, kind: str = "CNAME", asked: bool = False) -> bool:
        """Has a record created, where the settings say so (`auto_create`) or somebody `asked`; False: nothing to do.

        Never fails: whoever wants a certificate can still create the record by hand.
        """
        try:
            found = self.serving(name)
            if found is None or not (asked or found[1].auto_create):
                return False
            zone, hosted = found
            record = Record.of(name, kind, value, hosted.ttl)
        except ZoneRefused as refused:
            log.warning("a record is not created: %s", refused)
            return False
        now = self._clock.now()
        # Also when it was created before: somebody may have removed it since.
        store.want(tx, Wanted(record, hosted.provider.name, zone, Wish.WAITING, "", now))
        key = f"{record.kind}/{record.name}"
        queue.enqueue(tx, kind=CREATE_RECORD_JOB, key=key, payload={"name": record.name, "kind": record.kind}, due=now)
        tx.announce(DELIVERY_TOPIC)
        return True

    def carry_out(self, job: Mapping[str, object]) -> None:
        """Creates the record that a job names. Raises ProviderFailed when it has to be tried again."""
        wanted = self._storage.read(lambda tx: store.wanted_at(tx, str(job["name"]), str(job["kind"])))
        if wanted is None or wanted.state is Wish.CREATED:
            return
        record, hosted = wanted.record, self._hosted.get(wanted.zone)
        try:
            if hosted is None:
                raise ProviderFailed(f"the zone {wanted.zone} is in no provider's settings any more")
            hosted.provider.upsert(wanted.zone, record.name, record.kind, record.value, record.ttl)
        except ProviderFailed as failure:
            log.warning("the record %s was not created by %s: %s", record.name, wanted.provider, failure)
            text = str(failure)
            self._storage.transact(lambda tx: store.note(tx, wanted, Wish.FAILED, text, self._clock.now()))
            raise

        def created(tx: Tx) -> None:
            store.note(tx, wanted, Wish.CREATED, "", self._clock.now())
            details = {"zone": wanted.zone, "provider": wanted.provider, "name": record.name, "value": record.value}
            self._record(tx, "CreateDnsRecord", details)

        self._storage.transact(created)

    def wishes(self) -> list[Wanted]:
        """What was wanted, and what became of it."""
        return self._storage.read(store.wishes)
