"""The zones that our own name server answers for: whose records they have, and what a question is answered with.

Users delegate to them, by CNAME (`_acme-challenge.example.com` to a name in one of these zones) or by NS records (then
`_acme-challenge.example.com` is such a zone itself). There are no wildcards and no delegations below.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from greatseal.domain.zones import store
from greatseal.domain.zones.model import Record, ZoneRefused, longest_zone, plain_name
from greatseal.domain.zones.ports import ProviderFailed
from greatseal.storage import Storage, Tx

_LONGEST_CHAIN = 8


class Outcome(Enum):
    """How a question ends."""

    FOUND = "found"
    NO_DATA = "no data"
    """The name exists, without such a record (or exists only because names below it do)."""
    NO_NAME = "no name"
    ELSEWHERE = "elsewhere"
    """The name is in none of our zones."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known about a name: records in the order of the chain that leads to them, and the zone it ended in."""

    outcome: Outcome
    records: tuple[Record, ...] = ()
    zone: str = ""
    serial: int = 1
    """Of the zone."""
    asked_last: str = ""
    """The name at the end of the chain."""


class OwnZones:
    """Records of our own zones. Also a DNS provider, for these zones."""

    name = "own"

    def __init__(self, *, storage: Storage, zones: Sequence[str] = ()) -> None:
        self._storage = storage
        self._zones = tuple(map(plain_name, zones))

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones, in the order of the settings."""
        return self._zones

    def employ(self, zones: Sequence[str]) -> None:
        """Answers for these zones from now on. Raises ZoneRefused."""
        self._zones = tuple(map(plain_name, zones))

    def upsert(self, zone: str, name: str, kind: str, value: str, ttl: int) -> None:
        """As `DnsProvider.upsert`."""
        try:
            record = Record.of(name, kind, value, ttl)
            self._storage.transact(lambda tx: self.put(tx, record))
        except ZoneRefused as error:
            raise ProviderFailed(error.message) from None

    def remove(self, zone: str, name: str, kind: str, value: str) -> None:
        """As `DnsProvider.remove`."""
        try:
            record = Record.of(name, kind, value)
            self._storage.transact(lambda tx: self.take(tx, record))
        except ZoneRefused as error:
            raise ProviderFailed(error.message) from None

    def put(self, tx: Tx, record: Record) -> None:
        """Makes a record be there. Raises ZoneRefused for one outside our zones or beside a CNAME."""
        zone = self._zone_of(record.name)
        others = [each for each in store.at(tx, record.name) if each.kind != record.kind]
        if any(record.kind == "CNAME" or each.kind == "CNAME" for each in others):
            raise ZoneRefused(f"{record.name} cannot have a CNAME beside other records (RFC 1034 section 3.6.2).")
        if record.kind == "CNAME":
            if record.name == zone:
                raise ZoneRefused(f"{zone} is a zone, which cannot be a CNAME.")
            for other in store.at(tx, record.name):
                if other.value != record.value:
                    store.remove(tx, other)
        if store.add(tx, record):
            store.raise_serial(tx, zone)

    def take(self, tx: Tx, record: Record) -> bool:
        """Takes a record away; False when it was not there. Raises ZoneRefused for one outside our zones."""
        zone = self._zone_of(record.name)
        found = store.remove(tx, record)
        if found:
            store.raise_serial(tx, zone)
        return found

    def records(self) -> list[Record]:
        """All records, zone by zone."""
        return self._storage.read(lambda tx: [each for zone in self._zones for each in store.within(tx, zone)])

    def look_up(self, name: str, kind: str) -> Answer:
        """What a name server answers; `name` is in lower case without the dot at its end. Follows CNAMEs at home."""
        if longest_zone(name, self._zones) is None:
            return Answer(Outcome.ELSEWHERE)  # most of what a stranger asks costs no look at the database
        return self._storage.read(lambda tx: self._look_up(tx, name, kind))

    def _look_up(self, tx: Tx, name: str, kind: str) -> Answer:
        chain: list[Record] = []
        home = ""
        while True:
            zone = longest_zone(name, self._zones)
            if zone is None or len(chain) > _LONGEST_CHAIN:
                # The rest of the chain is somebody else's, or never ends: resolvers go on by themselves.
                return Answer(Outcome.FOUND, tuple(chain), home)
            home = zone
            there = store.at(tx, name)
            serial = store.serial(tx, zone)
            found = [each for each in there if each.kind == kind]
            if found:
                return Answer(Outcome.FOUND, (*chain, *found), zone, serial, name)
            alias = next((each for each in there if each.kind == "CNAME"), None)
            if alias is None:
                # The apex has records that are not in the table.
                exists = there or name == zone or store.has_below(tx, name)
                outcome = Outcome.NO_DATA if exists else Outcome.NO_NAME
                return Answer(outcome, tuple(chain), zone, serial, name)
            chain.append(alias)
            name = alias.value

    def _zone_of(self, name: str) -> str:
        zone = longest_zone(name, self._zones)
        if zone is None:
            raise ZoneRefused(f"{name} is in none of the zones that this name server answers for.")
        return zone
