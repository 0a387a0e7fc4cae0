"""The room of events: what happened, in the shape that subscribers of the real service know.

An event is written to the outbox in the transaction of the change it tells of, never to the network
(acm-pca.md 13.1, acm.md 11). Calls no other room.
"""

from greatseal.domain.events.model import Event
from greatseal.domain.events.service import Events

__all__ = ["Event", "Events"]
