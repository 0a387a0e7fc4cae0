"""Queues on the wire: making, finding, changing and sharing them."""

import json

import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError

from doors.notices import Office, lets_in, queue_arn
from doors.organization import OTHER, second_account
from greatseal.testing.installation import ACCOUNT, REGION, sign, to_http

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def office(storage):
    return Office(storage)


def refused(code, call, text=""):
    with pytest.raises(ClientError) as caught:
        call()
    assert caught.value.response["Error"]["Code"] == code
    assert text in caught.value.response["Error"]["Message"]
    return caught.value


def test_a_queue_is_made_once(office):
    url = office.queue(VisibilityTimeout="45")
    assert url == f"https://localhost:8443/{ACCOUNT}/queue"
    assert office.queue(VisibilityTimeout="45") == url == office.queue()
    refused("QueueAlreadyExists", lambda: office.queue(VisibilityTimeout="46"), "VisibilityTimeout")
    found = office.sqs.get_queue_url(QueueName="queue", QueueOwnerAWSAccountId=ACCOUNT)
    assert found["QueueUrl"] == url


def test_a_missing_queue_has_its_old_name_and_its_new_exception(office):
    error = refused(
        "AWS.SimpleQueueService.NonExistentQueue",
        lambda: office.sqs.get_queue_url(QueueName="nothing"),
        "The specified queue does not exist.",
    )
    assert isinstance(error, office.sqs.exceptions.QueueDoesNotExist)
    for url in ("", "https://localhost/nothing", f"https://localhost/{ACCOUNT}/nothing"):
        refused("AWS.SimpleQueueService.NonExistentQueue", lambda u=url: office.sqs.delete_queue(QueueUrl=u))


@pytest.mark.parametrize("name", ["", "a b", "x" * 81, "a.b", "a.fifo.fifo", "ordered.fifo"])
def test_names_that_queues_cannot_have(office, name):
    refused("InvalidParameterValue", lambda: office.sqs.create_queue(QueueName=name))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("VisibilityTimeout", "43201"),
        ("VisibilityTimeout", "-1"),
        ("VisibilityTimeout", "ten"),
        ("DelaySeconds", "901"),
        ("MaximumMessageSize", "1023"),
        ("MessageRetentionPeriod", "59"),
        ("ReceiveMessageWaitTimeSeconds", "21"),
        ("RedrivePolicy", "no json"),
        ("RedrivePolicy", "{}"),
        ("RedrivePolicy", json.dumps({"deadLetterTargetArn": queue_arn("nothing"), "maxReceiveCount": 3})),
        ("RedrivePolicy", json.dumps({"deadLetterTargetArn": queue_arn("queue"), "maxReceiveCount": 1001})),
        ("RedriveAllowPolicy", json.dumps({"redrivePermission": "byQueue"})),
        ("FifoQueue", "false"),
        ("ContentBasedDeduplication", "true"),
        ("KmsMasterKeyId", "alias/aws/sqs"),
        ("Policy", "{}"),
    ],
)
def test_attributes_outside_their_limits(office, name, text):
    refused("InvalidAttributeValue", lambda: office.queue("other", **{name: text}))


def test_attributes_are_told_and_changed(office):
    url = office.queue(DelaySeconds="5")
    dead = office.queue("dead")
    redrive = json.dumps({"deadLetterTargetArn": queue_arn("dead"), "maxReceiveCount": "4"})
    office.sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": redrive, "VisibilityTimeout": "0"})
    told = office.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert told["QueueArn"] == queue_arn()
    assert (told["DelaySeconds"], told["VisibilityTimeout"], told["SqsManagedSseEnabled"]) == ("5", "0", "false")
    assert json.loads(told["RedrivePolicy"]) == {"deadLetterTargetArn": queue_arn("dead"), "maxReceiveCount": 4}
    some = office.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    assert some["Attributes"] == {"QueueArn": queue_arn()}
    assert office.sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [url]
    office.sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": ""})
    assert office.sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == []


def test_a_queue_for_dead_letters_may_refuse_its_sources(office):
    office.queue("dead", RedriveAllowPolicy=json.dumps({"redrivePermission": "denyAll"}))
    redrive = json.dumps({"deadLetterTargetArn": queue_arn("dead"), "maxReceiveCount": 4})
    refused("InvalidAttributeValue", lambda: office.queue(RedrivePolicy=redrive), "does not permit")


def test_queues_are_listed_in_pages(office):
    urls = [office.queue(name) for name in ("a1", "a2", "b1")]
    assert office.sqs.list_queues()["QueueUrls"] == urls
    assert office.sqs.list_queues(QueueNamePrefix="a")["QueueUrls"] == urls[:2]
    assert "QueueUrls" not in office.sqs.list_queues(QueueNamePrefix="c")
    first = office.sqs.list_queues(MaxResults=2)
    assert first["QueueUrls"] == urls[:2]
    rest = office.sqs.list_queues(MaxResults=2, NextToken=first["NextToken"])
    assert rest["QueueUrls"] == urls[2:]
    assert "NextToken" not in rest


def test_tags(office):
    url = office.sqs.create_queue(QueueName="queue", tags={"team": "seals"})["QueueUrl"]
    office.sqs.tag_queue(QueueUrl=url, Tags={"more": "1"})
    assert office.sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"team": "seals", "more": "1"}
    office.sqs.untag_queue(QueueUrl=url, TagKeys=["team"])
    assert office.sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"more": "1"}
    office.sqs.delete_queue(QueueUrl=url)
    assert "Tags" not in office.sqs.list_queue_tags(QueueUrl=office.queue())


def test_a_queue_takes_everything_along(office):
    url = office.queue()
    office.sqs.send_message(QueueUrl=url, MessageBody="old")
    office.sqs.delete_queue(QueueUrl=url)
    assert office.bodies(office.queue()) == []


def test_a_queue_is_emptied_once_a_minute(office):
    url = office.queue()
    office.sqs.send_message(QueueUrl=url, MessageBody="gone")
    office.sqs.purge_queue(QueueUrl=url)
    assert office.bodies(url) == []
    refused("AWS.SimpleQueueService.PurgeQueueInProgress", lambda: office.sqs.purge_queue(QueueUrl=url))


def test_another_account_needs_the_policy(office):
    url = office.queue()
    stranger = office.installation.client("sqs", credential=second_account(office.installation))
    refused("AccessDenied", lambda: stranger.send_message(QueueUrl=url, MessageBody="x"))
    office.sqs.add_permission(QueueUrl=url, Label="friend", AWSAccountIds=[OTHER], Actions=["SendMessage"])
    stranger.send_message(QueueUrl=url, MessageBody="x")
    refused("AccessDenied", lambda: stranger.receive_message(QueueUrl=url))
    refused(
        "InvalidParameterValue",
        lambda: office.sqs.add_permission(QueueUrl=url, Label="friend", AWSAccountIds=[OTHER], Actions=["*"]),
        "Already exists",
    )
    office.sqs.remove_permission(QueueUrl=url, Label="friend")
    refused("AccessDenied", lambda: stranger.send_message(QueueUrl=url, MessageBody="x"))
    refused("InvalidParameterValue", lambda: office.sqs.remove_permission(QueueUrl=url, Label="friend"))


def test_the_policy_is_an_attribute(office):
    policy = lets_in("events.amazonaws.com", "sqs:SendMessage", "arn:aws:events:us-east-1:111122223333:rule/r")
    url = office.queue(Policy=policy)
    told = office.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]
    assert json.loads(told["Policy"]) == json.loads(policy)
    office.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    assert "Attributes" not in office.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])


def test_bodies_are_not_in_the_trail(office):
    url = office.queue()
    office.sqs.send_message(QueueUrl=url, MessageBody="nobody's business")
    office.receive(url)
    records = office.rooms.storage.read(lambda tx: office.rooms.audit.recent(tx, ACCOUNT, 10))
    assert any("SendMessage" in str(each) for each in records)
    assert "nobody's business" not in str(records)


@pytest.mark.parametrize(("path", "status"), [(f"/{ACCOUNT}/queue", 200), (f"/{ACCOUNT}/a/b", 404)])
def test_a_queues_url_may_be_the_address_of_requests(office, path, status):
    url = office.queue()
    request = AWSRequest(
        "POST",
        f"https://localhost:8443{path}",
        {"X-Amz-Target": "AmazonSQS.SendMessage", "Content-Type": "application/x-amz-json-1.0"},
        json.dumps({"QueueUrl": url, "MessageBody": "there"}).encode(),
    )
    signed = sign(request, office.installation.credential, "sqs", REGION, office.clock)
    assert office.installation.handle(to_http(signed, "id")).status == status
    assert office.bodies(url) == (["there"] if status == 200 else [])
