"""What tests of the event bus share: an installation whose deliveries end in lists."""

import json
from dataclasses import dataclass, field
from typing import Any

from doors.pki import refused
from greatseal.app.bus import Carriers
from greatseal.domain.delivery import Parcel, Undeliverable
from greatseal.testing import Installation

__all__ = ["QUEUE", "TOPIC", "Bus", "Receiver", "refused"]

ACCOUNT = "111122223333"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:inbox"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:news"
CHANNEL = f"arn:aws:greatseal:us-east-1:{ACCOUNT}:channel/ops"


@dataclass
class Receiver:
    """A carrier that keeps what it is given; `broken` makes it refuse for good."""

    parcels: list[Parcel] = field(default_factory=list)
    broken: str | None = None

    def carry(self, parcel: Parcel) -> None:
        if self.broken is not None:
            raise Undeliverable(self.broken, final=True)
        self.parcels.append(parcel)


class Bus:
    """An installation, its clients, and what its targets received."""

    def __init__(self, storage: Any, **more: Any) -> None:
        self.received = {kind: Receiver() for kind in ("queue", "topic", "webhook", "syslog")}
        carriers = Carriers(by_kind=self.received, channels={"ops": "syslog"})
        self.storage = storage
        self.installation = Installation(storage, carriers=carriers, **more)
        for kind, receiver in self.received.items():
            # In place of our own queues and topics, which have tests of their own.
            self.installation.rooms.bus.deliveries.employ(kind, receiver)
        self.clock = self.installation.clock
        self.events = self.installation.client("events")

    def rule(self, name: str = "all", *targets: dict[str, Any], pattern: Any = None, **more: Any) -> str:
        """A rule with targets; a queue unless others are named."""
        if pattern is not None:
            more["EventPattern"] = pattern if isinstance(pattern, str) else json.dumps(pattern)
        arn: str = self.events.put_rule(Name=name, **more)["RuleArn"]
        bus = {"EventBusName": more["EventBusName"]} if "EventBusName" in more else {}
        chosen = list(targets) or [{"Id": "inbox", "Arn": QUEUE}]
        answer = self.events.put_targets(Rule=name, Targets=chosen, **bus)
        assert answer["FailedEntryCount"] == 0, answer
        return arn

    def put(self, *details: Any, source: str = "my.app", kind: str = "order", **more: Any) -> list[str]:
        """Puts events; their ids."""
        entries = [
            {"Source": source, "DetailType": kind, "Detail": d if isinstance(d, str) else json.dumps(d), **more}
            for d in details
        ]
        answer = self.events.put_events(Entries=entries)
        assert answer["FailedEntryCount"] == 0, answer
        return [each["EventId"] for each in answer["Entries"]]

    def work(self) -> None:
        self.installation.rooms.audit_log.catch_up()
        self.installation.work()

    def taken(self, kind: str = "queue") -> list[Any]:
        """The bodies that arrived since the last look."""
        parcels, self.received[kind].parcels = self.received[kind].parcels, []
        return [json.loads(each.body) for each in parcels]
