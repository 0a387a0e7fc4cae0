"""What the brokers have in common: where they are, who we are there, and how messages name themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from greatseal.domain.delivery import Parcel, Undeliverable
from greatseal.kernel.secret import Secret

MESSAGE_ID = "greatseal-message-id"
"""The header of a message that stays the same when it is repeated."""

Route = TypeVar("Route", bound="Broker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """A broker of a channel."""

    servers: tuple[tuple[str, int], ...]
    tls: bool = False
    ca_file: Path | None = None
    user: str | None = None
    password: Secret | None = field(default=None, repr=False)
    timeout: float = 10.0
    """Seconds for a whole delivery."""


def route_of(channels: Mapping[str, Route], parcel: Parcel) -> Route:
    """The channel of a parcel. Raises Undeliverable."""
    name = parcel.address.get("channel", "")
    if name not in channels:
        raise Undeliverable(f"there is no channel {name} of the kind {parcel.kind} in the settings", final=True)
    return channels[name]
