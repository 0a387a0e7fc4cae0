"""Topics on the wire: making, finding, changing and sharing them, and publishing to nobody."""

import json

import pytest

from doors.notices import Office
from doors.organization import OTHER, second_account
from doors.test_sqs_queues import refused
from greatseal.testing.installation import ACCOUNT, REGION

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
ARN = f"arn:aws:sns:{REGION}:{ACCOUNT}:topic"


@pytest.fixture
def office(storage):
    return Office(storage)


def attributes(office, arn=ARN):
    return office.sns.get_topic_attributes(TopicArn=arn)["Attributes"]


def test_a_topic_is_made_once(office):
    assert office.topic(DisplayName="Seals") == ARN == office.topic(DisplayName="Seals") == office.topic()
    refused("InvalidParameter", lambda: office.topic(DisplayName="Others"), "different attributes")
    tags = [{"Key": "a", "Value": "b"}]
    refused("InvalidParameter", lambda: office.sns.create_topic(Name="topic", Tags=tags), "different tags")


@pytest.mark.parametrize("name", ["", "a b", "x" * 257, "topic.fifo", "a:b"])
def test_names_that_topics_cannot_have(office, name):
    refused("InvalidParameter", lambda: office.topic(name), "Topic Name")


def test_attributes(office):
    office.topic(DisplayName="Seals")
    told = attributes(office)
    assert (told["TopicArn"], told["Owner"], told["DisplayName"]) == (ARN, ACCOUNT, "Seals")
    assert json.loads(told["Policy"])["Statement"][0]["Resource"] == ARN
    assert told["SubscriptionsConfirmed"] == told["SubscriptionsPending"] == "0"
    office.sns.set_topic_attributes(TopicArn=ARN, AttributeName="DisplayName", AttributeValue="")
    assert attributes(office)["DisplayName"] == ""
    for name, value in (
        ("DisplayName", "x" * 101),
        ("Policy", "{}"),
        ("SignatureVersion", "1"),
        ("KmsMasterKeyId", "alias/x"),
        ("DeliveryPolicy", "[]"),
        ("Nothing", "x"),
    ):
        refused(
            "InvalidParameter",
            lambda n=name, v=value: office.sns.set_topic_attributes(TopicArn=ARN, AttributeName=n, AttributeValue=v),
        )


def test_topics_are_listed_in_pages(office):
    made = [office.topic(f"t{number:03d}") for number in range(103)]
    first = office.sns.list_topics()
    rest = office.sns.list_topics(NextToken=first["NextToken"])
    assert [each["TopicArn"] for page in (first, rest) for each in page["Topics"]] == made
    assert "NextToken" not in rest


def test_what_is_not_there(office):
    gone = f"{ARN}x"
    for call in (
        lambda: office.sns.get_topic_attributes(TopicArn=gone),
        lambda: office.sns.publish(TopicArn=gone, Message="x"),
        lambda: office.sns.list_subscriptions_by_topic(TopicArn=gone),
        lambda: office.sns.subscribe(TopicArn=gone, Protocol="email", Endpoint="a@example.com"),
    ):
        refused("NotFound", call, "Topic does not exist")
    office.sns.delete_topic(TopicArn=gone)
    refused("ResourceNotFound", lambda: office.sns.list_tags_for_resource(ResourceArn=gone))
    for bad in ("topic", f"{ARN}:x", ARN.replace(":sns:", ":sqs:"), ARN.replace(REGION, "eu-west-1")):
        refused("InvalidParameter", lambda b=bad: office.sns.publish(TopicArn=b, Message="x"))


def test_tags(office):
    office.sns.create_topic(Name="topic", Tags=[{"Key": "a", "Value": "1"}])
    office.sns.tag_resource(ResourceArn=ARN, Tags=[{"Key": "b", "Value": "2"}])
    office.sns.untag_resource(ResourceArn=ARN, TagKeys=["a"])
    assert office.sns.list_tags_for_resource(ResourceArn=ARN)["Tags"] == [{"Key": "b", "Value": "2"}]
    office.sns.delete_topic(TopicArn=ARN)
    assert office.sns.list_tags_for_resource(ResourceArn=office.topic())["Tags"] == []


def test_another_account_needs_the_policy(office):
    office.topic()
    stranger = office.installation.client("sns", credential=second_account(office.installation))
    refused("AuthorizationError", lambda: stranger.publish(TopicArn=ARN, Message="x"))
    office.sns.add_permission(TopicArn=ARN, Label="friend", AWSAccountId=[OTHER], ActionName=["Publish"])
    stranger.publish(TopicArn=ARN, Message="x")
    again = {"TopicArn": ARN, "Label": "friend", "AWSAccountId": [OTHER], "ActionName": ["Publish"]}
    refused("InvalidParameter", lambda: office.sns.add_permission(**again), "already exists")
    office.sns.remove_permission(TopicArn=ARN, Label="friend")
    refused("AuthorizationError", lambda: stranger.publish(TopicArn=ARN, Message="x"))
    assert office.sns.publish(TopicArn=ARN, Message="x")["MessageId"]


@pytest.mark.parametrize(
    "more",
    [
        {"Message": ""},
        {"Message": "x" * (256 * 1024 + 1)},
        {"Subject": ""},
        {"Subject": "two\nlines"},
        {"Subject": "x" * 101},
        {"MessageStructure": "json", "Message": "no json"},
        {"MessageStructure": "json", "Message": '{"email": "x"}'},
        {"MessageStructure": "xml"},
        {"MessageDeduplicationId": "x"},
        {"MessageAttributes": {"a": {"DataType": "Number", "StringValue": "x"}}},
        {"MessageAttributes": {"a": {"DataType": "String.Array", "StringValue": "[{}]"}}},
        {"MessageAttributes": {"a": {"DataType": "String"}}},
        {"MessageAttributes": {"aws.a": {"DataType": "String", "StringValue": "x"}}},
        {"TopicArn": "", "PhoneNumber": "+15550100"},
    ],
)
def test_messages_that_are_not_taken(office, more):
    office.topic()
    refused("InvalidParameter", lambda: office.sns.publish(**{"TopicArn": ARN, "Message": "x", **more}))


def test_batches(office):
    office.topic()

    def publish(*entries):
        return office.sns.publish_batch(TopicArn=ARN, PublishBatchRequestEntries=list(entries))

    answer = publish({"Id": "a", "Message": "1"}, {"Id": "b", "Message": ""}, {"Id": "c", "Message": "3"})
    assert [each["Id"] for each in answer["Successful"]] == ["a", "c"]
    assert [(each["Id"], each["Code"]) for each in answer["Failed"]] == [("b", "InvalidParameter")]
    one = {"Id": "a", "Message": "x"}
    refused("EmptyBatchRequest", publish)
    refused("BatchEntryIdsNotDistinct", lambda: publish(one, one))
    refused("InvalidBatchEntryId", lambda: publish({"Id": "a b", "Message": "x"}))
    refused("TooManyEntriesInBatchRequest", lambda: publish(*[{"Id": str(i), "Message": "x"} for i in range(11)]))
    half = "x" * (200 * 1024)
    refused("BatchRequestTooLong", lambda: publish({"Id": "a", "Message": half}, {"Id": "b", "Message": half}))
