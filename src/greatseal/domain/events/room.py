"""The bus as a whole, for whoever serves it."""

from dataclasses import dataclass

from greatseal.crypto.wrap import Sealer
from greatseal.domain.access import Access
from greatseal.domain.events.archives import Archives, Replays
from greatseal.domain.events.buses import Buses
from greatseal.domain.events.carrier import BusCarrier
from greatseal.domain.events.connections import Connections, Destinations
from greatseal.domain.events.desk import Desk
from greatseal.domain.events.putting import Putting
from greatseal.domain.events.router import Post, Router
from greatseal.domain.events.rules import Rules
from greatseal.domain.events.tagging import Tagging
from greatseal.domain.events.targets import Targets


@dataclass(frozen=True, slots=True)
class EventBuses:
    """The verbs of the bus by noun, and the carrier of parcels of the kind `bus`."""

    desk: Desk
    targets: Targets
    buses: Buses
    rules: Rules
    putting: Putting
    archives: Archives
    replays: Replays
    connections: Connections
    destinations: Destinations
    tagging: Tagging
    carrier: BusCarrier

    @classmethod
    def over(cls, desk: Desk, *, access: Access, sealer: Sealer, targets: Targets) -> "EventBuses":
        """Builds the room."""
        return cls(
            desk=desk,
            targets=targets,
            buses=Buses(desk),
            rules=Rules(desk, targets),
            putting=Putting(desk, access),
            archives=Archives(desk),
            replays=Replays(desk),
            connections=Connections(desk, sealer),
            destinations=Destinations(desk),
            tagging=Tagging(desk),
            carrier=BusCarrier(storage=desk.storage, access=access, clock=desk.clock),
        )

    def router(self, deliveries: Post, *, owner: str) -> Router:
        """A router that hands parcels to `deliveries`. No two processes have one owner."""
        desk = self.desk
        return Router(
            storage=desk.storage,
            clock=desk.clock,
            entropy=desk.entropy,
            deliveries=deliveries,
            targets=self.targets,
            owner=owner,
        )
