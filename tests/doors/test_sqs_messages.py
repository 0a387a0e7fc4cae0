"""Messages on the wire: one receiver at a time, none lost, dead letters, order."""

import hashlib
import json
from datetime import timedelta

import pytest

from doors.notices import Office, queue_arn
from doors.test_sqs_queues import refused

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def office(storage):
    return Office(storage)


def seconds(office, count):
    office.clock.advance(timedelta(seconds=count))


def test_one_receiver_at_a_time(office):
    url = office.queue(VisibilityTimeout="30")
    sent = office.sqs.send_message(QueueUrl=url, MessageBody="hello")
    assert sent["MD5OfMessageBody"] == hashlib.md5(b"hello").hexdigest()
    [found] = office.receive(url)
    assert (found["Body"], found["MessageId"]) == ("hello", sent["MessageId"])
    assert found["Attributes"]["ApproximateReceiveCount"] == "1"
    assert office.receive(url) == []
    seconds(office, 30)
    [again] = office.receive(url)
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"
    assert again["ReceiptHandle"] != found["ReceiptHandle"]
    # The old handle is of no use any more, and says so to nobody.
    office.sqs.delete_message(QueueUrl=url, ReceiptHandle=found["ReceiptHandle"])
    seconds(office, 30)
    assert len(office.receive(url)) == 1


def test_deleted_is_deleted(office):
    url = office.queue()
    office.sqs.send_message(QueueUrl=url, MessageBody="x")
    [found] = office.receive(url)
    for _ in range(2):
        office.sqs.delete_message(QueueUrl=url, ReceiptHandle=found["ReceiptHandle"])
    seconds(office, 60)
    assert office.receive(url) == []


@SQLITE
def test_handles_of_nobody(office):
    url, other = office.queue(), office.queue("other")
    office.sqs.send_message(QueueUrl=url, MessageBody="x")
    handle = office.receive(url)[0]["ReceiptHandle"]
    for bad in ("", "x", handle[:-2], "ä"):
        refused("ReceiptHandleIsInvalid", lambda b=bad: office.sqs.delete_message(QueueUrl=url, ReceiptHandle=b))
    refused("ReceiptHandleIsInvalid", lambda: office.sqs.delete_message(QueueUrl=other, ReceiptHandle=handle))


@SQLITE
def test_attributes_of_messages(office):
    url = office.queue()
    given = {
        "text": {"DataType": "String", "StringValue": "ä"},
        "number": {"DataType": "Number.int", "StringValue": "17"},
        "octets": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    sent = office.sqs.send_message(QueueUrl=url, MessageBody="x", MessageAttributes=given)
    [found] = office.receive(url)
    assert found["MessageAttributes"] == given
    # botocore has no check of its own any more; this sum was made by hand from the documented rule.
    digest = hashlib.md5()
    for name in sorted(given):
        kind = given[name]["DataType"].encode()
        value = given[name].get("StringValue", "").encode() or given[name]["BinaryValue"]
        mark = b"\x02" if "BinaryValue" in given[name] else b"\x01"
        for part in (name.encode(), kind):
            digest.update(len(part).to_bytes(4, "big") + part)
        digest.update(mark + len(value).to_bytes(4, "big") + value)
    assert sent["MD5OfMessageAttributes"] == found["MD5OfMessageAttributes"] == digest.hexdigest()
    seconds(office, 60)
    [some] = office.receive(url, MessageAttributeNames=["te.*", "number"], AttributeNames=["SenderId"])
    assert set(some["MessageAttributes"]) == {"text", "number"}
    assert set(some["Attributes"]) == {"SenderId"}


@SQLITE
@pytest.mark.parametrize(
    ("code", "more"),
    [
        ("InvalidMessageContents", {"MessageBody": "a\x0bb"}),
        ("MissingParameter", {"MessageBody": ""}),
        ("InvalidParameterValue", {"MessageBody": "x" * (1024 * 1024 + 1)}),
        ("InvalidParameterValue", {"DelaySeconds": 901}),
        ("InvalidParameterValue", {"MessageDeduplicationId": "1"}),
        ("InvalidParameterValue", {"MessageAttributes": {"a..b": {"DataType": "String", "StringValue": "x"}}}),
        ("InvalidParameterValue", {"MessageAttributes": {"AWS.x": {"DataType": "String", "StringValue": "x"}}}),
        ("InvalidParameterValue", {"MessageAttributes": {"a": {"DataType": "Text", "StringValue": "x"}}}),
        ("InvalidParameterValue", {"MessageAttributes": {"a": {"DataType": "Number", "StringValue": "x"}}}),
        ("InvalidParameterValue", {"MessageAttributes": {"a": {"DataType": "Binary", "StringValue": "x"}}}),
        ("InvalidParameterValue", {"MessageAttributes": {"a": {"DataType": "String"}}}),
    ],
)
def test_messages_that_are_not_taken(office, code, more):
    url = office.queue()
    refused(code, lambda: office.sqs.send_message(**{"QueueUrl": url, "MessageBody": "x", **more}))
    assert office.receive(url) == []


@SQLITE
def test_delays(office):
    url = office.queue(DelaySeconds="10")
    office.sqs.send_message(QueueUrl=url, MessageBody="later")
    office.sqs.send_message(QueueUrl=url, MessageBody="now", DelaySeconds=0)
    counts = office.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert counts["ApproximateNumberOfMessagesDelayed"] == "1"
    assert office.bodies(url) == ["now"]
    seconds(office, 10)
    assert office.bodies(url) == ["later"]


@SQLITE
def test_keeping_and_giving_back(office):
    url = office.queue()
    office.sqs.send_message(QueueUrl=url, MessageBody="x")
    handle = office.receive(url)[0]["ReceiptHandle"]

    def keep(count, handle=handle):
        office.sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=count)

    keep(300)
    seconds(office, 299)
    assert office.receive(url) == []
    refused("InvalidParameterValue", lambda: keep(43200), "beyond the limit")
    refused("InvalidParameterValue", lambda: keep(43201))
    keep(0)
    refused("AWS.SimpleQueueService.MessageNotInflight", lambda: keep(10))
    assert len(office.receive(url)) == 1
    refused("InvalidParameterValue", lambda: keep(10), "does not exist or is not available")


@SQLITE
def test_old_messages_are_gone(office):
    url = office.queue(MessageRetentionPeriod="60")
    office.sqs.send_message(QueueUrl=url, MessageBody="x")
    seconds(office, 60)
    assert office.receive(url) == []
    assert office.rooms.notices.queues.sweep() == 1


def test_dead_letters(office):
    dead = office.queue("dead")
    redrive = json.dumps({"deadLetterTargetArn": queue_arn("dead"), "maxReceiveCount": 2})
    url = office.queue(RedrivePolicy=redrive, VisibilityTimeout="0")
    office.sqs.send_message(QueueUrl=url, MessageBody="poison")
    for _ in range(2):
        assert office.bodies(url) == ["poison"]
    assert office.bodies(url) == []
    [letter] = office.receive(dead)
    assert letter["Attributes"]["DeadLetterQueueSourceArn"] == queue_arn()


@SQLITE
def test_batches(office):
    url = office.queue()
    entries = [{"Id": "a", "MessageBody": "1"}, {"Id": "b", "MessageBody": "\x01"}, {"Id": "c", "MessageBody": "3"}]
    answer = office.sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert [each["Id"] for each in answer["Successful"]] == ["a", "c"]
    assert [(each["Id"], each["Code"], each["SenderFault"]) for each in answer["Failed"]] == [
        ("b", "InvalidMessageContents", True)
    ]
    found = office.receive(url)
    assert sorted(each["Body"] for each in found) == ["1", "3"]
    kept = office.sqs.change_message_visibility_batch(
        QueueUrl=url,
        Entries=[
            {"Id": str(i), "ReceiptHandle": m["ReceiptHandle"], "VisibilityTimeout": 5} for i, m in enumerate(found)
        ],
    )
    assert len(kept["Successful"]) == 2
    gone = office.sqs.delete_message_batch(
        QueueUrl=url,
        Entries=[{"Id": "x", "ReceiptHandle": "bad"}, {"Id": "y", "ReceiptHandle": found[0]["ReceiptHandle"]}],
    )
    assert [each["Id"] for each in gone["Successful"]] == ["y"]
    assert gone["Failed"][0]["Code"] == "ReceiptHandleIsInvalid"


@SQLITE
@pytest.mark.parametrize(
    ("code", "ids"),
    [
        ("EmptyBatchRequest", []),
        ("TooManyEntriesInBatchRequest", [str(number) for number in range(11)]),
        ("BatchEntryIdsNotDistinct", ["a", "a"]),
        ("InvalidBatchEntryId", ["a b"]),
    ],
)
def test_batches_that_are_not_taken(office, code, ids):
    url = office.queue()
    entries = [{"Id": each, "MessageBody": "x"} for each in ids]
    refused(f"AWS.SimpleQueueService.{code}", lambda: office.sqs.send_message_batch(QueueUrl=url, Entries=entries))


def ordered(office, **more):
    return office.queue("queue.fifo", FifoQueue="true", **more)


def test_order_within_a_group(office):
    url = ordered(office, ContentBasedDeduplication="true")
    for group, body in (("a", "a1"), ("b", "b1"), ("a", "a2")):
        office.sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=group)
    [first] = office.receive(url, most=1)
    assert first["Body"] == "a1"
    # Nothing of the group while its first is in somebody's hands.
    [second] = office.receive(url)
    assert second["Body"] == "b1"
    assert first["Attributes"]["SequenceNumber"] < second["Attributes"]["SequenceNumber"]
    office.sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    assert office.bodies(url) == ["a2"]
    seconds(office, 30)
    refused(
        "InvalidParameterValue",
        lambda: office.sqs.delete_message(QueueUrl=url, ReceiptHandle=second["ReceiptHandle"]),
        "expired",
    )


@SQLITE
def test_repetitions_in_ordered_queues(office):
    url = ordered(office)
    refused("MissingParameter", lambda: office.sqs.send_message(QueueUrl=url, MessageBody="x"))
    refused(
        "InvalidParameterValue",
        lambda: office.sqs.send_message(QueueUrl=url, MessageBody="x", MessageGroupId="g"),
        "ContentBasedDeduplication",
    )

    def send(body):
        return office.sqs.send_message(
            QueueUrl=url, MessageBody=body, MessageGroupId="g", MessageDeduplicationId="same"
        )

    first, second = send("1"), send("2")
    assert (first["MessageId"], first["SequenceNumber"]) == (second["MessageId"], second["SequenceNumber"])
    [found] = office.receive(url)
    office.sqs.delete_message(QueueUrl=url, ReceiptHandle=found["ReceiptHandle"])
    send("3")
    assert office.receive(url) == []
    seconds(office, 301)
    send("4")
    assert office.bodies(url) == ["4"]
