"""What the room needs from outside."""

from typing import Protocol

from greatseal.domain.delivery.model import Parcel


class Carrier(Protocol):
    """Brings parcels of one kind to their receivers."""

    def carry(self, parcel: Parcel) -> None:
        """Returns once the receiver has the parcel. Raises Undeliverable.

        Ends within some seconds whatever the receiver does. May be called again with a parcel that arrived.
        """
        ...
