"""The room of deliveries: parcels for the outside, written with what they tell of and carried after the commit.

Every channel (an e-mail address, a webhook, a queue, a broker) is a lane of its own with its own job, so that one that
hangs delays no other. Within a lane, parcels with one order key arrive in the order in which they were posted, each at
least once and with the same id each time. What cannot be delivered is kept as a dead letter, visible and replayable.
Calls no other room.
"""

from greatseal.domain.delivery.model import Census, DeadLetter, Parcel, Undeliverable
from greatseal.domain.delivery.ports import Carrier
from greatseal.domain.delivery.service import DELIVER_JOB, DELIVERY_TOPIC, Deliveries, Patience

__all__ = [
    "DELIVERY_TOPIC",
    "DELIVER_JOB",
    "Carrier",
    "Census",
    "DeadLetter",
    "Deliveries",
    "Parcel",
    "Patience",
    "Undeliverable",
]
