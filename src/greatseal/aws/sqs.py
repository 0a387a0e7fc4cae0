"""SQS: queues and their messages (workflows.md 0.2, 16)."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from greatseal.aws import sqs_shapes as shapes
from greatseal.aws.door import OperationFunction
from greatseal.aws.errors import code_for
from greatseal.aws.tags import conditions
from greatseal.domain.access import Access, Question
from greatseal.domain.queues import QueueRoom
from greatseal.domain.queues.model import LARGEST_BATCH, LONGEST_WAIT
from greatseal.domain.queues.refusals import (
    EmptyBatch,
    EntryIdsNotDistinct,
    InvalidEntryId,
    NoSuchQueue,
    TooManyEntries,
)
from greatseal.domain.tags import Tag
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import InvalidParameter, Refusal

_Parameters = dict[str, Any]
_Result = Mapping[str, Any] | None

_URL = re.compile(r"(?:https?://[^/]+)?/?(\d{12})/([^/]+)/?")
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")


class Queues:
    """The operations of SQS. A queue is named by its URL, of which only account and name count."""

    def __init__(self, *, access: Access, room: QueueRoom, endpoint: Callable[[], str]) -> None:
        """`endpoint` is where the AWS wire is reached from outside, without a slash at the end."""
        self._access = access
        self._directory = room.directory
        self._sending = room.sending
        self._receiving = room.receiving
        self._endpoint = endpoint

    def create_queue(self, caller: Caller, p: _Parameters) -> _Result:
        """CreateQueue."""
        tags = [Tag(key, value) for key, value in (p.get("tags") or {}).items()]
        arn = str(caller.arn("sqs", p["QueueName"]))
        self._access.authorize(caller, Question("sqs:CreateQueue", arn, conditions(tags)))
        wanted, policy = shapes.settings_of(p.get("Attributes") or {})
        made = self._directory.create(caller, p["QueueName"], wanted=wanted, policy=policy or None, tags=tags)
        return {"QueueUrl": self._url(made)}

    def get_queue_url(self, caller: Caller, p: _Parameters) -> _Result:
        """GetQueueUrl."""
        account = p.get("QueueOwnerAWSAccountId") or caller.account
        arn = str(Arn(caller.partition, "sqs", caller.region, account, p["QueueName"]))
        self._access.authorize(caller, Question("sqs:GetQueueUrl", arn))
        return {"QueueUrl": self._url(self._directory.find(arn).arn)}

    def list_queues(self, caller: Caller, p: _Parameters) -> _Result:
        """ListQueues."""
        self._access.authorize(caller, Question("sqs:ListQueues", str(caller.arn("sqs", "*"))))
        limit = _page_size(p)
        page = self._directory.list(
            caller, prefix=p.get("QueueNamePrefix") or "", limit=limit, token=p.get("NextToken")
        )
        # The real service leaves an empty list out.
        return {"QueueUrls": [self._url(each.arn) for each in page.items] or None, "NextToken": page.next_token}

    def list_dead_letter_source_queues(self, caller: Caller, p: _Parameters) -> _Result:
        """ListDeadLetterSourceQueues."""
        arn = self._asked(caller, p)
        page = self._directory.sources(caller, arn, limit=_page_size(p), token=p.get("NextToken"))
        return {"queueUrls": [self._url(each.arn) for each in page.items], "NextToken": page.next_token}

    def get_queue_attributes(self, caller: Caller, p: _Parameters) -> _Result:
        """GetQueueAttributes."""
        arn = self._asked(caller, p)
        wanted = frozenset(p.get("AttributeNames") or ())
        shapes.check_names(wanted)
        found = shapes.attributes_of(*self._directory.describe(arn))
        told = {name: text for name, text in found.items() if "All" in wanted or name in wanted}
        return {"Attributes": told or None}

    def set_queue_attributes(self, caller: Caller, p: _Parameters) -> _Result:
        """SetQueueAttributes."""
        arn = self._asked(caller, p)
        changes, policy = shapes.settings_of(p["Attributes"])
        self._directory.change(caller, arn, changes, policy=policy)
        return None

    def delete_queue(self, caller: Caller, p: _Parameters) -> _Result:
        """DeleteQueue."""
        self._directory.delete(caller, self._asked(caller, p))
        return None

    def purge_queue(self, caller: Caller, p: _Parameters) -> _Result:
        """PurgeQueue."""
        self._directory.purge(caller, self._asked(caller, p))
        return None

    def add_permission(self, caller: Caller, p: _Parameters) -> _Result:
        """AddPermission."""
        arn = self._asked(caller, p)
        _require(p, "AWSAccountIds", "Actions")
        self._directory.add_permission(caller, arn, label=p["Label"], accounts=p["AWSAccountIds"], actions=p["Actions"])
        return None

    def remove_permission(self, caller: Caller, p: _Parameters) -> _Result:
        """RemovePermission."""
        self._directory.remove_permission(caller, self._asked(caller, p), p["Label"])
        return None

    def tag_queue(self, caller: Caller, p: _Parameters) -> _Result:
        """TagQueue."""
        tags = [Tag(key, value) for key, value in p["Tags"].items()]
        self._directory.tag(caller, self._asked(caller, p, context=conditions(tags)), tags)
        return None

    def untag_queue(self, caller: Caller, p: _Parameters) -> _Result:
        """UntagQueue."""
        context = {"aws:TagKeys": tuple(p["TagKeys"])}
        self._directory.untag(caller, self._asked(caller, p, context=context), p["TagKeys"])
        return None

    def list_queue_tags(self, caller: Caller, p: _Parameters) -> _Result:
        """ListQueueTags."""
        found = self._directory.tags(self._asked(caller, p))
        return {"Tags": {tag.key: tag.value or "" for tag in found} or None}

    def send_message(self, caller: Caller, p: _Parameters) -> _Result:
        """SendMessage."""
        message = shapes.message_of(p)
        sent = self._sending.send(caller, self._asked(caller, p), message)
        return {**shapes.sent_digests(message), "MessageId": sent.message_id, "SequenceNumber": sent.sequence}

    def send_message_batch(self, caller: Caller, p: _Parameters) -> _Result:
        """SendMessageBatch."""
        arn = self._asked(caller, p, "sqs:SendMessage")
        ids = _ids(p["Entries"], "SendMessageBatchRequestEntry")
        batch = [shapes.message_of(entry) for entry in p["Entries"]]
        done, failed = [], []
        for entry_id, message, outcome in zip(ids, batch, self._sending.send_batch(caller, arn, batch), strict=True):
            if isinstance(outcome, Refusal):
                failed.append(_failure(entry_id, outcome))
                continue
            told = {"Id": entry_id, "MessageId": outcome.message_id, "SequenceNumber": outcome.sequence}
            done.append({**told, **shapes.sent_digests(message)})
        return {"Successful": done, "Failed": failed or None}

    def receive_message(self, caller: Caller, p: _Parameters) -> _Result:
        """ReceiveMessage."""
        arn = self._asked(caller, p)
        limit = _ranged(p, "MaxNumberOfMessages", 1, LARGEST_BATCH)
        visibility = _ranged(p, "VisibilityTimeout", 0, 43_200)
        wait = _ranged(p, "WaitTimeSeconds", 0, LONGEST_WAIT)
        found = self._receiving.receive(arn, limit=1 if limit is None else limit, visibility=visibility, wait=wait)
        system = [*(p.get("AttributeNames") or ()), *(p.get("MessageSystemAttributeNames") or ())]
        shapes.check_names(system)
        names = p.get("MessageAttributeNames") or ()
        return {"Messages": [shapes.received(each, system, names) for each in found] or None}

    def delete_message(self, caller: Caller, p: _Parameters) -> _Result:
        """DeleteMessage."""
        self._receiving.delete(caller, self._asked(caller, p), p["ReceiptHandle"])
        return None

    def delete_message_batch(self, caller: Caller, p: _Parameters) -> _Result:
        """DeleteMessageBatch."""
        arn = self._asked(caller, p, "sqs:DeleteMessage")
        ids = _ids(p["Entries"], "DeleteMessageBatchRequestEntry")
        outcomes = self._receiving.delete_batch(caller, arn, [entry["ReceiptHandle"] for entry in p["Entries"]])
        return _batch_result(ids, outcomes)

    def change_message_visibility(self, caller: Caller, p: _Parameters) -> _Result:
        """ChangeMessageVisibility."""
        arn = self._asked(caller, p)
        self._receiving.keep(caller, arn, p["ReceiptHandle"], p["VisibilityTimeout"])
        return None

    def change_message_visibility_batch(self, caller: Caller, p: _Parameters) -> _Result:
        """ChangeMessageVisibilityBatch."""
        arn = self._asked(caller, p, "sqs:ChangeMessageVisibility")
        ids = _ids(p["Entries"], "ChangeMessageVisibilityBatchRequestEntry")
        # An entry without a time gives its message back, as the real service has it.
        entries = [(entry["ReceiptHandle"], entry.get("VisibilityTimeout") or 0) for entry in p["Entries"]]
        return _batch_result(ids, self._receiving.keep_batch(caller, arn, entries))

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "AddPermission": self.add_permission,
            "ChangeMessageVisibility": self.change_message_visibility,
            "ChangeMessageVisibilityBatch": self.change_message_visibility_batch,
            "CreateQueue": self.create_queue,
            "DeleteMessage": self.delete_message,
            "DeleteMessageBatch": self.delete_message_batch,
            "DeleteQueue": self.delete_queue,
            "GetQueueAttributes": self.get_queue_attributes,
            "GetQueueUrl": self.get_queue_url,
            "ListDeadLetterSourceQueues": self.list_dead_letter_source_queues,
            "ListQueueTags": self.list_queue_tags,
            "ListQueues": self.list_queues,
            "PurgeQueue": self.purge_queue,
            "ReceiveMessage": self.receive_message,
            "RemovePermission": self.remove_permission,
            "SendMessage": self.send_message,
            "SendMessageBatch": self.send_message_batch,
            "SetQueueAttributes": self.set_queue_attributes,
            "TagQueue": self.tag_queue,
            "UntagQueue": self.untag_queue,
        }

    def _asked(
        self,
        caller: Caller,
        p: _Parameters,
        action: str | None = None,
        *,
        context: Mapping[str, str | tuple[str, ...]] | None = None,
    ) -> str:
        """The ARN of the queue of a request, once the caller may do this to it. Raises NoSuchQueue, AccessDenied."""
        found = _URL.fullmatch(p["QueueUrl"])
        if found is None:
            raise NoSuchQueue
        arn = str(Arn(caller.partition, "sqs", caller.region, found[1], found[2]))
        self._access.authorize(caller, Question(action or caller.operation, arn, context or {}))
        return arn

    def _url(self, arn: str) -> str:
        queue = Arn.parse(arn)
        return f"{self._endpoint()}/{queue.account}/{queue.resource}"


def _page_size(p: _Parameters) -> int | None:
    return _ranged(p, "MaxResults", 1, 1000)


def _ranged(p: _Parameters, name: str, least: int, most: int) -> int | None:
    """A number of a request that the model does not limit. Raises InvalidParameter."""
    value: int | None = p.get(name)
    if value is not None and not least <= value <= most:
        raise InvalidParameter(
            f"Value {value} for parameter {name} is invalid. Reason: Must be between {least} and {most}, if provided."
        )
    return value


def _require(p: _Parameters, *names: str) -> None:
    for name in names:
        if not p[name]:
            raise InvalidParameter(f"The request must contain the parameter {name}.")


def _ids(entries: Sequence[Mapping[str, Any]], what: str) -> list[str]:
    """The ids of a batch. Raises EmptyBatch, TooManyEntries, InvalidEntryId and EntryIdsNotDistinct."""
    if not entries:
        raise EmptyBatch(what)
    if len(entries) > LARGEST_BATCH:
        raise TooManyEntries(len(entries))
    ids: list[str] = []
    for entry in entries:
        if not _ENTRY_ID.fullmatch(entry["Id"]):
            raise InvalidEntryId
        if entry["Id"] in ids:
            raise EntryIdsNotDistinct(entry["Id"])
        ids.append(entry["Id"])
    return ids


def _failure(entry_id: str, refusal: Refusal) -> dict[str, Any]:
    return {"Id": entry_id, "SenderFault": True, "Code": code_for("sqs", type(refusal)), "Message": refusal.message}


def _batch_result(ids: Sequence[str], outcomes: Sequence[Refusal | None]) -> _Result:
    pairs = list(zip(ids, outcomes, strict=True))
    failed = [_failure(entry_id, refusal) for entry_id, refusal in pairs if refusal is not None]
    return {
        "Successful": [{"Id": entry_id} for entry_id, refusal in pairs if refusal is None],
        "Failed": failed or None,
    }
