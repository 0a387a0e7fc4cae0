"""The room of topics: who wants to hear of something, and whether they really do.

A subscription counts once its endpoint has said so: nobody is sent anything before, except the question itself. A
message is turned into parcels, one for each subscription whose filter lets it through, in one transaction; deliveries
carry them. Topics carry policies, by which rules of the event bus and other accounts may publish. Calls events (for the
pattern language), access, delivery, audit and tags.
"""

from greatseal.domain.notifications.gate import TopicGate
from greatseal.domain.notifications.ports import Seal, Signatory
from greatseal.domain.notifications.service import NotificationRoom

__all__ = ["NotificationRoom", "Seal", "Signatory", "TopicGate"]
