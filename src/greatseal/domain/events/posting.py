"""How events wait for the router: a message of the outbox for each.

Events of services are stored as members, those of others as the very text that was sent, because numbers and the order
of members are nobody's to change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from greatseal.domain.events.model import DEFAULT_BUS, MEMBERS, BusKey
from greatseal.kernel.arn import partition_of
from greatseal.storage import Tx, outbox

TOPIC = "event"
"""The topic of the outbox."""


@dataclass(frozen=True, slots=True)
class Posted:
    """An event on a bus."""

    text: str
    """The whole envelope as JSON, in one line."""
    bus_arn: str
    hops: int = 0
    """How many buses it has passed."""
    rules: tuple[str, ...] = ()
    """The only rules that take part, by ARN: those of a replay."""
    firing: str = ""
    """The rule whose schedule this is; its targets get the event without any matching."""
    replayed: bool = False


def post(tx: Tx, event: Posted, order_key: str, at: datetime) -> None:
    """Puts an event on its bus. Events with one key stay in order."""
    payload: dict[str, Any] = {"text": event.text, "bus": event.bus_arn}
    if event.hops:
        payload["hops"] = event.hops
    if event.rules:
        payload["rules"] = list(event.rules)
    if event.firing:
        payload["firing"] = event.firing
    if event.replayed:
        payload["replayed"] = True
    outbox.put(tx, topic=TOPIC, at=at, messages=[(order_key, payload)])


def read(payload: Mapping[str, Any]) -> Posted:
    """The event in a message of the outbox."""
    if "text" in payload:
        return Posted(
            payload["text"],
            payload["bus"],
            payload.get("hops", 0),
            tuple(payload.get("rules", ())),
            payload.get("firing", ""),
            payload.get("replayed", False),
        )
    region, account = payload["region"], payload["account"]
    return Posted(text_of(payload), BusKey(partition_of(region), region, account, DEFAULT_BUS).arn)


def text_of(envelope: Mapping[str, Any]) -> str:
    """The JSON of an envelope, its members in the order in which everybody shows them."""
    return msgspec.json.encode({name: envelope[name] for name in MEMBERS if name in envelope}).decode()
