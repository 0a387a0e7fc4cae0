"""Watching the bus from beside it: what is put on it, as it comes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from greatseal.domain.events import posting
from greatseal.domain.events.patterns import Pattern, nested
from greatseal.domain.events.tokens import NotJson, read_event
from greatseal.storage import Storage, outbox

_MOST = 5000
# A transaction may commit later than one that began after it: so far back is looked again.
_LOOK_BACK = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Seen:
    """An event that was put on a bus."""

    bus_arn: str
    text: str
    event: Mapping[str, object]


@dataclass(slots=True)
class Watch:
    """Looks at the outbox again and again; each event is seen once."""

    storage: Storage
    since: datetime
    source: str | None = None
    pattern: Pattern | None = None
    _known: dict[int, datetime] = field(default_factory=dict)

    def look(self) -> Iterator[Seen]:
        """What is new since the last look, and wanted. Raises StorageError."""
        start = max([self.since, *(at - _LOOK_BACK for at in self._known.values())])
        found = self.storage.read(lambda tx: outbox.since(tx, at=start, topic=posting.TOPIC, limit=_MOST))
        fresh = [message for message in found if message.id not in self._known]
        if found:
            newest = max(message.at for message in found)
            self._known = {each.id: each.at for each in found if each.at >= newest - 2 * _LOOK_BACK}
        for message in fresh:
            posted = posting.read(message.payload)
            try:
                event = read_event(posted.text)
            except NotJson:
                continue
            if isinstance(event, dict) and self._wants(event):
                yield Seen(posted.bus_arn, posted.text, event)

    def _wants(self, event: Mapping[str, object]) -> bool:
        if self.source is not None and event.get("source") != self.source:
            return False
        return self.pattern is None or self.pattern(nested(event))
