"""Queues and topics for tests of their doors: clients, policies, and carriers that keep what they are given."""

import json
from typing import Any

from greatseal.app.bus import Carriers
from greatseal.domain.delivery import Parcel, Undeliverable
from greatseal.edge.messages import HttpRequest, HttpResponse
from greatseal.edge.mounts import Mounts
from greatseal.storage import Storage
from greatseal.testing import FakeEntropy, Installation
from greatseal.testing.installation import ACCOUNT, REGION


class Postbox:
    """A carrier that keeps what it carries, unless it is told that the way is blocked."""

    def __init__(self) -> None:
        self.parcels: list[Parcel] = []
        self.blocked: Undeliverable | None = None

    def carry(self, parcel: Parcel) -> None:
        if self.blocked is not None:
            raise self.blocked
        self.parcels.append(parcel)

    def take(self) -> list[Parcel]:
        """What arrived since the last time."""
        found, self.parcels = self.parcels, []
        return found


class Office:
    """An installation with clients of SQS, SNS and the event bus, and with postboxes outside."""

    def __init__(self, storage: Storage, *, seed: str = "office", **more: Any) -> None:
        self.mail, self.web = Postbox(), Postbox()
        carriers = Carriers({"email": self.mail, "webhook": self.web})
        self.installation = Installation(storage, entropy=FakeEntropy(seed), carriers=carriers, **more)
        self.rooms = self.installation.rooms
        self.clock = self.installation.clock
        self.sqs = self.installation.client("sqs")
        self.sns = self.installation.client("sns")

    def work(self) -> None:
        self.installation.work()

    def queue(self, name: str = "queue", **attributes: str) -> str:
        """The URL of a new queue."""
        url: str = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url

    def topic(self, name: str = "topic", **attributes: str) -> str:
        """The ARN of a new topic."""
        arn: str = self.sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
        return arn

    def receive(self, url: str, most: int = 10, **more: Any) -> list[dict[str, Any]]:
        answer = self.sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=most,
            **{"AttributeNames": ["All"], "MessageAttributeNames": ["All"], **more},
        )
        found: list[dict[str, Any]] = answer.get("Messages", [])
        return found

    def bodies(self, url: str, **more: Any) -> list[str]:
        return [each["Body"] for each in self.receive(url, **more)]

    def visit(self, method: str, url: str, mounts: Mounts, body: bytes = b"") -> HttpResponse:
        """What a browser or a program gets at a link."""
        path, _, query = url.partition("://")[2].partition("/")[2].partition("?")
        raw_path = b"/" + path.encode()
        mount = mounts.find(raw_path)
        assert mount is not None
        request = HttpRequest(method, raw_path, query.encode(), (), body, "id", "192.0.2.9", "http")
        return mount.handle(request)


def queue_arn(name: str = "queue") -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def lets_in(service: str, action: str, source: str) -> str:
    """The policy by which a service sends or publishes for one source."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": action,
        "Resource": "*",
        "Condition": {"ArnEquals": {"aws:SourceArn": source}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
