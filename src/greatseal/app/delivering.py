"""Deliveries of a running service: the carriers of its settings, the threads that carry, and what they count."""

from datetime import datetime, timedelta

from greatseal.app.carriers import carriers
from greatseal.app.rooms import Rooms
from greatseal.domain.delivery import DELIVERY_TOPIC
from greatseal.edge.metrics import DeliveryMetrics
from greatseal.settings import Settings
from greatseal.storage import queue
from greatseal.work.crew import GROWTH, Crew
from greatseal.work.runner import Runner

_CENSUS_EVERY = timedelta(seconds=10)


def employ(settings: Settings, rooms: Rooms) -> None:
    """Gives the rooms the carriers of the settings. Raises OSError for a file or an extra that is missing."""
    secrets = rooms.bus.buses.connections.secrets
    for kind, carrier in carriers(settings, clock=rooms.clock, secrets=secrets).items():
        rooms.bus.deliveries.employ(kind, carrier)


def delivery_crew(settings: Settings, rooms: Rooms, metrics: DeliveryMetrics, owner: str) -> Crew:
    """The threads that carry parcels, not started yet. They hold their jobs as `owner`."""
    rooms.bus.deliveries.listen(metrics.attempted)
    runner = Runner(
        storage=rooms.storage,
        clock=rooms.clock,
        entropy=rooms.entropy,
        handlers=rooms.delivery_handlers(),
        last_words=rooms.last_words(),
        owner=owner,
    )
    counted: list[datetime] = []
    most = settings.deliveries.threads * GROWTH

    def waiting() -> int:
        now = rooms.clock.now()
        if not counted or not timedelta(0) <= now - counted[-1] < _CENSUS_EVERY:
            counted[:] = [now]
            census = rooms.bus.deliveries.census()
            age = timedelta(0) if census.oldest is None else now - census.oldest
            metrics.seen(waiting=census.waiting, oldest_seconds=max(age.total_seconds(), 0.0), dead=census.dead)
        return rooms.storage.read(lambda tx: queue.due_count(tx, rooms.delivery_handlers(), now, limit=most))

    return Crew(
        storage=rooms.storage,
        runner=runner,
        waiting=waiting,
        topic=DELIVERY_TOPIC,
        size=settings.deliveries.threads,
    )
