"""EventBridge: archives and replays."""

from collections.abc import Mapping
from typing import Any

from greatseal.aws import events_shapes as shapes
from greatseal.aws.door import OperationFunction
from greatseal.aws.events_asking import Asking
from greatseal.aws.events_shapes import Parameters, present, refuse
from greatseal.domain.access import Access
from greatseal.domain.events.desk import own
from greatseal.domain.events.room import EventBuses
from greatseal.kernel.caller import Caller
from greatseal.kernel.pages import Page

Result = Mapping[str, Any] | None


class EventArchives:
    """The operations on archives and replays."""

    def __init__(self, *, access: Access, room: EventBuses) -> None:
        self._ask = Asking(access)
        self._archives = room.archives
        self._replays = room.replays

    def create_archive(self, caller: Caller, p: Parameters) -> Result:
        """CreateArchive"""
        refuse(p, "KmsKeyIdentifier")
        self._ask(caller, _arn(caller, "archive", p["ArchiveName"]))
        made = self._archives.create(
            caller,
            p["ArchiveName"],
            p["EventSourceArn"],
            description=p.get("Description"),
            pattern=p.get("EventPattern") or None,
            retention_days=p.get("RetentionDays", 0),
        )
        return {"ArchiveArn": made.arn, "State": "ENABLED", "CreationTime": made.created_at}

    def describe_archive(self, caller: Caller, p: Parameters) -> Result:
        """DescribeArchive"""
        self._ask(caller, _arn(caller, "archive", p["ArchiveName"]))
        archive = self._archives.find(own(caller, p["ArchiveName"]))
        more = {
            "ArchiveArn": archive.arn,
            "Description": archive.description,
            "EventPattern": archive.pattern,
        }
        return {**shapes.archive_wire(archive), **present(more)}

    def update_archive(self, caller: Caller, p: Parameters) -> Result:
        """UpdateArchive"""
        refuse(p, "KmsKeyIdentifier")
        self._ask(caller, _arn(caller, "archive", p["ArchiveName"]))
        given = {
            "description": p.get("Description"),
            "pattern": p.get("EventPattern"),
            "retention_days": p.get("RetentionDays"),
        }
        changed = self._archives.update(caller, p["ArchiveName"], present(given))
        return {"ArchiveArn": changed.arn, "State": "ENABLED", "CreationTime": changed.created_at}

    def delete_archive(self, caller: Caller, p: Parameters) -> Result:
        """DeleteArchive"""
        self._ask(caller, _arn(caller, "archive", p["ArchiveName"]))
        self._archives.delete(caller, p["ArchiveName"])
        return {}

    def list_archives(self, caller: Caller, p: Parameters) -> Result:
        """ListArchives"""
        self._ask(caller, "*")
        if p.get("State", "ENABLED") != "ENABLED":
            # Archives here have no other state.
            return {"Archives": []}
        page = self._archives.page(caller, shapes.wanted(p), bus_arn=p.get("EventSourceArn"))
        return shapes.listed("Archives", page, [shapes.archive_wire(each) for each in page.items])

    def start_replay(self, caller: Caller, p: Parameters) -> Result:
        """StartReplay"""
        self._ask(caller, p["EventSourceArn"])
        self._ask(caller, _arn(caller, "replay", p["ReplayName"]))
        destination = p["Destination"]
        replay = self._replays.start(
            caller,
            p["ReplayName"],
            p["EventSourceArn"],
            destination["Arn"],
            filter_arns=tuple(destination.get("FilterArns") or ()),
            span=(p["EventStartTime"], p["EventEndTime"]),
            description=p.get("Description"),
        )
        return {"ReplayArn": replay.arn, "State": replay.state.value, "ReplayStartTime": replay.started_at}

    def describe_replay(self, caller: Caller, p: Parameters) -> Result:
        """DescribeReplay"""
        self._ask(caller, _arn(caller, "replay", p["ReplayName"]))
        replay = self._replays.find(own(caller, p["ReplayName"]))
        destination: dict[str, Any] = {"Arn": replay.bus_arn}
        if replay.filter_arns:
            destination["FilterArns"] = list(replay.filter_arns)
        more = {"ReplayArn": replay.arn, "Description": replay.description, "Destination": destination}
        return {**shapes.replay_wire(replay), **present(more)}

    def list_replays(self, caller: Caller, p: Parameters) -> Result:
        """ListReplays"""
        self._ask(caller, "*")
        page: Page[Any] = self._replays.page(
            caller, shapes.wanted(p), archive_arn=p.get("EventSourceArn"), state=p.get("State")
        )
        return shapes.listed("Replays", page, [shapes.replay_wire(each) for each in page.items])

    def cancel_replay(self, caller: Caller, p: Parameters) -> Result:
        """CancelReplay"""
        self._ask(caller, _arn(caller, "replay", p["ReplayName"]))
        replay = self._replays.cancel(caller, p["ReplayName"])
        return {"ReplayArn": replay.arn, "State": replay.state.value}

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "CreateArchive": self.create_archive,
            "DescribeArchive": self.describe_archive,
            "UpdateArchive": self.update_archive,
            "DeleteArchive": self.delete_archive,
            "ListArchives": self.list_archives,
            "StartReplay": self.start_replay,
            "DescribeReplay": self.describe_replay,
            "ListReplays": self.list_replays,
            "CancelReplay": self.cancel_replay,
        }


def _arn(caller: Caller, kind: str, name: str) -> str:
    return str(caller.arn("events", f"{kind}/{name}"))
