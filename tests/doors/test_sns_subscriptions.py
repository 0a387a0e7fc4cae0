"""Subscriptions on the wire: nobody hears of anything before they said so, and anybody can stop it."""

import base64
import json
import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from doors.notices import Office, lets_in, queue_arn
from doors.organization import second_account
from doors.test_sqs_queues import refused
from greatseal.app.doors import secure_mounts
from greatseal.domain.delivery import Undeliverable
from greatseal.testing.installation import ACCOUNT, REGION

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
ARN = f"arn:aws:sns:{REGION}:{ACCOUNT}:topic"
PENDING = "pending confirmation"


@pytest.fixture
def office(storage):
    office = Office(storage)
    office.topic(DisplayName="Seals")
    office.mounts = secure_mounts(office.rooms, office.installation.door)
    return office


def subscribe(office, protocol="email", endpoint="a@example.com", client=None, **attributes):
    made = (client or office.sns).subscribe(
        TopicArn=ARN, Protocol=protocol, Endpoint=endpoint, Attributes=attributes, ReturnSubscriptionArn=True
    )
    office.work()
    return made["SubscriptionArn"]


def link_in(parcel):
    return re.search(r"http://\S+", parcel.body)[0]


def confirmed(office, protocol="email", endpoint="a@example.com", **attributes):
    arn = subscribe(office, protocol, endpoint, **attributes)
    [parcel] = (office.mail if "mail" in protocol else office.web).take()
    if "mail" in protocol:
        assert office.visit("POST", link_in(parcel), office.mounts).status == 200
    else:
        assert office.visit("GET", json.loads(parcel.body)["SubscribeURL"], office.mounts).status == 200
    return arn


def publish(office, message="hello", **more):
    message_id = office.sns.publish(TopicArn=ARN, Message=message, **more)["MessageId"]
    office.work()
    return message_id


def attributes(office, arn):
    return office.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]


def verified(office, document):
    """As a receiver does it: the certificate from its URL, the signature over the documented members."""
    answer = office.visit("GET", document["SigningCertURL"], office.mounts)
    assert answer.status == 200
    certificate = x509.load_pem_x509_certificate(answer.body)
    names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{name}\n{document[name]}\n" for name in names if name in document)
    signature = base64.b64decode(document["Signature"])
    certificate.public_key().verify(signature, text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return document["SignatureVersion"] == "2"


def test_only_the_question_is_mailed_before_the_answer(office):
    arn = subscribe(office)
    publish(office)
    [question] = office.mail.take()
    assert question.address["to"] == "a@example.com"
    assert "Confirm your subscription to Seals" in question.attributes["subject"]
    # Whatever looks into mails and follows links confirms nothing.
    page = office.visit("GET", link_in(question), office.mounts)
    assert page.status == 200
    assert b"<button>" in page.body
    assert attributes(office, arn)["PendingConfirmation"] == "true"
    assert office.visit("POST", link_in(question), office.mounts).status == 200
    told = attributes(office, arn)
    assert (told["PendingConfirmation"], told["ConfirmationWasAuthenticated"]) == ("false", "false")
    publish(office)
    assert len(office.mail.take()) == 1
    # The link is good once.
    for method in ("GET", "POST"):
        assert office.visit(method, link_in(question), office.mounts).status == 404


def test_a_link_is_good_for_two_days(office):
    subscribe(office)
    [question] = office.mail.take()
    office.clock.advance(timedelta(days=2))
    assert office.visit("POST", link_in(question), office.mounts).status == 404
    office.work()
    assert office.sns.list_subscriptions_by_topic(TopicArn=ARN)["Subscriptions"] == []


def test_tokens_of_nobody(office):
    office.topic("other")
    subscribe(office)
    token = parse_qs(urlsplit(link_in(office.mail.take()[0])).query)["token"][0]
    assert len(token) == 128
    for topic, wrong in ((ARN, "x"), (ARN, token[:-1]), (f"{ARN[:-5]}other", token)):
        refused(
            "InvalidParameter",
            lambda t=topic, w=wrong: office.sns.confirm_subscription(TopicArn=t, Token=w),
            "Invalid parameter: Token",
        )
    done = office.sns.confirm_subscription(TopicArn=ARN, Token=token, AuthenticateOnUnsubscribe="true")
    assert attributes(office, done["SubscriptionArn"])["ConfirmationWasAuthenticated"] == "true"
    publish(office)
    [parcel] = office.mail.take()
    assert "unsubscribe" not in parcel.body + str(parcel.attributes)
    link = office.rooms.notices.topics.links.unsubscribe(done["SubscriptionArn"])
    assert office.visit("POST", link, office.mounts).status == 403


def test_nobody_is_flooded_with_questions(office):
    for number in range(3):
        office.topic(f"t{number}")
        office.sns.subscribe(TopicArn=f"{ARN[:-5]}t{number}", Protocol="email", Endpoint=f"A+{number}@example.com")
    refused("Throttled", lambda: subscribe(office))
    office.work()
    assert len(office.mail.take()) == 3
    subscribe(office, endpoint="b@example.com")
    office.clock.advance(timedelta(hours=1))
    subscribe(office)
    assert len(office.mail.take()) == 2


def test_a_mail_says_how_to_stop_it(office):
    arn = confirmed(office)
    message_id = publish(office, '{"detail": {"a": 1}}', Subject="An event")
    [parcel] = office.mail.take()
    assert parcel.message_id == message_id
    assert parcel.attributes["subject"] == "An event"
    assert '  "detail": {\n    "a": 1\n  }' in parcel.body
    link, one_click = link_in(parcel), parcel.attributes["unsubscribe_url"]
    assert one_click.startswith("https://localhost:8443/sns/unsubscribe?")
    assert office.visit("GET", link, office.mounts).status == 200
    publish(office)
    assert len(office.mail.take()) == 1
    assert office.visit("POST", one_click, office.mounts, b"List-Unsubscribe=One-Click").status == 200
    publish(office)
    assert office.mail.take() == []
    refused("NotFound", lambda: attributes(office, arn))
    assert office.visit("POST", link, office.mounts).status == 404
    assert office.visit("GET", link[:-1], office.mounts).status == 404


def test_programs_get_signed_documents(office):
    arn = confirmed(office, "https", "https://example.com/hook")
    message_id = publish(
        office, "hello", Subject="S", MessageAttributes={"a": {"DataType": "Number", "StringValue": "1"}}
    )
    [parcel] = office.web.take()
    headers = json.loads(parcel.address["headers"])
    assert headers["x-amz-sns-message-type"] == "Notification"
    assert headers["x-amz-sns-subscription-arn"] == arn
    document = json.loads(parcel.body)
    assert (document["Message"], document["MessageId"], document["TopicArn"]) == ("hello", message_id, ARN)
    assert document["MessageAttributes"] == {"a": {"Type": "Number", "Value": "1"}}
    assert verified(office, document)
    document["Message"] = "forged"
    with pytest.raises(InvalidSignature):
        verified(office, document)


def test_a_program_may_take_its_farewell_back(office):
    arn = confirmed(office, "http", "http://example.com/hook")
    office.sns.unsubscribe(SubscriptionArn=arn)
    office.sns.unsubscribe(SubscriptionArn=arn)
    office.work()
    [parcel] = office.web.take()
    document = json.loads(parcel.body)
    assert document["Type"] == "UnsubscribeConfirmation"
    assert verified(office, document)
    publish(office)
    assert office.web.take() == []
    assert office.sns.list_subscriptions()["Subscriptions"] == []
    assert office.visit("GET", document["SubscribeURL"], office.mounts).status == 200
    assert office.visit("GET", document["SubscribeURL"], office.mounts).status == 400
    publish(office)
    assert len(office.web.take()) == 1


def test_a_queue_of_the_same_account_needs_no_word(office):
    url = office.queue(Policy=lets_in("sns.amazonaws.com", "sqs:SendMessage", ARN))
    subscribe(office, "sqs", queue_arn())
    publish(office, "hello")
    document = json.loads(office.bodies(url)[0])
    assert document["Message"] == "hello"
    assert verified(office, document)
    raw = office.queue("raw", Policy=lets_in("sns.amazonaws.com", "sqs:SendMessage", ARN))
    subscribe(office, "sqs", queue_arn("raw"), RawMessageDelivery="true")
    given = {"n": {"DataType": "Number", "StringValue": "7"}, "b": {"DataType": "Binary", "BinaryValue": b"\x00"}}
    publish(office, "bare", MessageAttributes=given)
    [found] = office.receive(raw)
    assert (found["Body"], found["MessageAttributes"]) == ("bare", given)


def test_a_queue_that_does_not_let_the_topic_in(office):
    office.queue()
    subscribe(office, "sqs", queue_arn())
    publish(office)
    [dead] = office.rooms.bus.deliveries.dead()
    assert "not authorized to perform: sqs:SendMessage" in dead.error


def test_dead_letters_go_to_a_queue(office):
    policy = lets_in("sns.amazonaws.com", "sqs:SendMessage", ARN)
    dead = office.queue("dead", Policy=policy)
    redrive = json.dumps({"deadLetterTargetArn": queue_arn("dead")})
    confirmed(office, "https", "https://example.com/hook", RedrivePolicy=redrive, RawMessageDelivery="true")
    office.web.blocked = Undeliverable("it answered 404", final=True)
    publish(office, "lost")
    assert office.bodies(dead) == ["lost"]


def test_another_accounts_queue_is_asked(office):
    other = second_account(office.installation)
    stranger = office.installation.client("sns", credential=other)
    refused("AuthorizationError", lambda: subscribe(office, client=stranger))
    office.sns.add_permission(TopicArn=ARN, Label="s", AWSAccountId=[other.account], ActionName=["Subscribe"])
    url = office.queue(Policy=lets_in("sns.amazonaws.com", "sqs:SendMessage", ARN))
    arn = subscribe(office, "sqs", queue_arn(), client=stranger)
    document = json.loads(office.bodies(url)[0])
    assert document["Type"] == "SubscriptionConfirmation"
    office.sns.confirm_subscription(TopicArn=ARN, Token=document["Token"])
    publish(office, "hello")
    assert json.loads(office.bodies(url)[0])["Message"] == "hello"
    assert [each["SubscriptionArn"] for each in stranger.list_subscriptions()["Subscriptions"]] == [arn]
    third = office.installation.client("sns", credential=second_account(office.installation, "555566667777", "third"))
    refused("AuthorizationError", lambda: third.unsubscribe(SubscriptionArn=arn))
    stranger.unsubscribe(SubscriptionArn=arn)


def test_subscribing_twice_is_one_subscription(office):
    arn = confirmed(office)
    assert subscribe(office) == arn
    assert office.mail.take() == []
    refused("InvalidParameter", lambda: subscribe(office, FilterPolicy='{"a": ["b"]}'), "different attributes")
    made = office.sns.subscribe(TopicArn=ARN, Protocol="email", Endpoint="b@example.com")
    assert made["SubscriptionArn"] == PENDING
    listed = office.sns.list_subscriptions_by_topic(TopicArn=ARN)["Subscriptions"]
    assert sorted(each["SubscriptionArn"] for each in listed) == ["PendingConfirmation", arn]


@pytest.mark.parametrize(
    ("protocol", "endpoint"),
    [
        ("sms", "+15550100"),
        ("lambda", "arn:aws:lambda:us-east-1:111122223333:function:f"),
        ("pigeon", "x"),
        ("email", "nobody"),
        ("email", "a@example.com\r\nBcc: b@example.com"),
        ("email", "a@example.com,b@example.com"),
        ("https", "http://example.com/"),
        ("https", "https://user:password@example.com/"),
        ("https", "https:///x"),
        ("https", "https://exämple.com/"),
        ("sqs", "queue"),
        ("sqs", "arn:aws:sqs:us-east-1:111122223333:queue.fifo"),
    ],
)
def test_endpoints_that_are_none(office, protocol, endpoint):
    refused("InvalidParameter", lambda: subscribe(office, protocol, endpoint))


@pytest.mark.parametrize(
    "wrong",
    [
        {"FilterPolicy": "no json"},
        {"FilterPolicy": "[]"},
        {"FilterPolicy": '{"a": "b"}'},
        {"FilterPolicy": '{"a": []}'},
        {"FilterPolicy": '{"a": {"b": ["c"]}}'},
        {"FilterPolicy": json.dumps({name: ["x"] for name in "abcdef"})},
        {"FilterPolicyScope": "Everything"},
        {"RawMessageDelivery": "yes"},
        {"RedrivePolicy": "{}"},
        {"Nothing": "x"},
    ],
)
def test_attributes_that_are_none(office, wrong):
    refused("InvalidParameter", lambda: subscribe(office, **wrong))
    arn = confirmed(office)
    [(name, value)] = wrong.items()
    refused(
        "InvalidParameter",
        lambda: office.sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName=name, AttributeValue=value),
    )


@pytest.mark.parametrize(
    ("policy", "given", "comes"),
    [
        ({"store": ["a"]}, {"store": ("String", "a")}, True),
        ({"store": ["a"]}, {"store": ("String", "b")}, False),
        ({"store": ["a"]}, {}, False),
        ({"price": [{"numeric": [">=", 10]}]}, {"price": ("Number", "10.0")}, True),
        ({"price": [10]}, {"price": ("String", "10")}, False),
        ({"who": ["b"]}, {"who": ("String.Array", '["a", "b"]')}, True),
        ({"who": [{"anything-but": ["a"]}]}, {"who": ("String", "b")}, True),
        ({"who": [{"exists": False}]}, {"other": ("String", "x")}, True),
        ({"who": [{"prefix": "a"}], "store": ["x"]}, {"who": ("String", "ab")}, False),
        ({"$or": [{"who": ["a"]}, {"store": ["x"]}]}, {"store": ("String", "x")}, True),
    ],
)
def test_filters_of_attributes(office, policy, given, comes):
    confirmed(office, FilterPolicy=json.dumps(policy))
    attributes = {name: {"DataType": kind, "StringValue": text} for name, (kind, text) in given.items()}
    publish(office, MessageAttributes=attributes)
    assert len(office.mail.take()) == comes


def test_filters_of_the_message_itself(office):
    policy = json.dumps({"detail": {"result": ["failure"]}})
    arn = confirmed(office, FilterPolicyScope="MessageBody", FilterPolicy=policy)
    for message in ('{"detail": {"result": "success"}}', "no json", "[]"):
        publish(office, message)
    assert office.mail.take() == []
    publish(office, '{"detail": {"result": "failure"}}')
    assert len(office.mail.take()) == 1
    office.sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue="{}")
    assert "FilterPolicy" not in attributes(office, arn)
    publish(office, "anything")
    assert len(office.mail.take()) == 1


def test_other_texts_for_some(office):
    confirmed(office)
    confirmed(office, "email-json", "j@example.com")
    publish(office, json.dumps({"default": "all", "email": "people"}), MessageStructure="json")
    found = {parcel.address["to"]: parcel.body for parcel in office.mail.take()}
    assert found["a@example.com"].startswith("people\n")
    assert json.loads(found["j@example.com"])["Message"] == "all"


def test_a_topic_takes_its_subscriptions_along(office):
    confirmed(office)
    office.mail.blocked = Undeliverable("down")
    publish(office)
    office.sns.delete_topic(TopicArn=ARN)
    office.mail.blocked = None
    office.clock.advance(timedelta(hours=1))
    office.work()
    assert office.mail.take() == []
    office.topic()
    assert office.sns.list_subscriptions()["Subscriptions"] == []
