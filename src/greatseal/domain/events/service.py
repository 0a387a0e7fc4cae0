"""What other rooms do with the bus: tell it what happened."""

from greatseal.domain.events.model import Event
from greatseal.domain.events.posting import TOPIC
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.ids import new_uuid
from greatseal.storage import Tx, outbox


class Events:
    """Puts events into the outbox, ordered per first resource. The router does the rest after the commit."""

    def __init__(self, *, clock: Clock, entropy: Entropy) -> None:
        self._clock = clock
        self._entropy = entropy

    def emit(self, tx: Tx, *events: Event) -> None:
        """Writes the events in the transaction of the change; one statement, however many they are."""
        at = self._clock.now()
        messages = [(event.resources[0], event.envelope(new_uuid(self._entropy), at)) for event in events]
        outbox.put(tx, topic=TOPIC, at=at, messages=messages)
