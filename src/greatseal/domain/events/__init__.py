"""The room of events: the bus. What happened, in the shape that subscribers of the real service know.

An event is written to the outbox in the transaction of the change it tells of, never to the network (acm-pca.md 13.1,
acm.md 11). The router matches it with the rules of its bus and posts parcels for their targets (workflows.md 5, 15).
Ruled by docs/events.md. Calls the access, audit, tags and delivery rooms; all above may call it.
"""

from greatseal.domain.events.archives import REPLAY_JOB
from greatseal.domain.events.desk import Desk, Wanted
from greatseal.domain.events.model import Event
from greatseal.domain.events.room import EventBuses
from greatseal.domain.events.router import Post, Router
from greatseal.domain.events.service import Events
from greatseal.domain.events.targets import Targets, dead_letter

__all__ = [
    "REPLAY_JOB",
    "Desk",
    "Event",
    "EventBuses",
    "Events",
    "Post",
    "Router",
    "Targets",
    "Wanted",
    "dead_letter",
]
