"""Workflow 15 by the AWS CLI: topic, mail, confirmation, rule, event, mail; and queues (workflows.md 15, 16)."""

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from interop.programs import Workbench, environment, running
from made_receivers import Mailbox, WebReceiver, mail_server

pytestmark = pytest.mark.interop
AWS = Path(sys.executable).with_name("aws")
GREATSEAL = Path(sys.executable).with_name("greatseal")
RULE = "ACM-Approaching-Expiration"
PATTERN = {"source": ["example.acm"], "detail-type": ["ACM Certificate Approaching Expiration"]}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[tuple[Callable[..., Any], Mailbox, WebReceiver]]:
    """The AWS CLI against a service with a mail server and a program that listens."""
    receiver = WebReceiver()
    with mail_server() as (port, box):
        settings = (
            f'[mail]\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\nsender = "seal@example.com"\n'
            '[webhooks]\nallow = ["127.0.0.1"]\n'
        )
        (tmp_path / "greatseal.toml").write_text(settings)
        anywhere = ("--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--config", "greatseal.toml")
        with running(GREATSEAL, "serve", "--data", "data", *anywhere, folder=tmp_path, ready="ready "):
            told = json.loads(Workbench(tmp_path).run(str(GREATSEAL), "env", "--data", "data", "--json"))

            def aws(*words: str) -> Any:
                # Version 1 of the CLI has endpoints of its own for SQS, whatever the environment says.
                words = (*words, "--endpoint-url", told["AWS_ENDPOINT_URL"]) if words[0] == "sqs" else words
                done = subprocess.run(
                    [str(AWS), *words],
                    cwd=tmp_path,
                    env={**environment(), **told, "AWS_PAGER": "", "HOME": str(tmp_path)},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    timeout=60,
                    check=False,
                )
                assert done.returncode == 0, done.stdout
                return json.loads(done.stdout) if done.stdout.strip() else None

            yield aws, box, receiver
    receiver.close()
    log = (tmp_path / "server.log").read_text(encoding="utf-8")
    assert "Traceback" not in log, log[log.index("Traceback") :][:3000]


def until(found: Callable[[], Any], aws: Callable[..., Any]) -> Any:
    """What is found in the end; each look takes as long as a call of the AWS CLI."""
    for _ in range(40):
        if value := found():
            return value
        aws("sns", "list-topics")
    raise AssertionError("nothing came")


def text_of(mail: Any) -> str:
    return str(mail.get_body(("plain",)).get_content()).replace("\r\n", "\n")


def listening_queue(aws: Callable[..., Any], topic: str) -> str:
    """The URL of a queue that hears of a topic."""
    url = aws("sqs", "create-queue", "--queue-name", "programs")["QueueUrl"]
    arn = aws("sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", "QueueArn")["Attributes"][
        "QueueArn"
    ]
    statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "*", "Resource": arn}
    attributes = {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}
    aws("sqs", "set-queue-attributes", "--queue-url", url, "--attributes", json.dumps(attributes))
    aws("sns", "subscribe", "--topic-arn", topic, "--protocol", "sqs", "--notification-endpoint", arn)
    return str(url)


def event(days: int) -> str:
    entry = {
        "Source": "example.acm",
        "DetailType": "ACM Certificate Approaching Expiration",
        "Resources": ["arn:aws:acm:us-east-1:111122223333:certificate/61f50cd4-45b9-4259-b049-d0a53682fa4b"],
        "Detail": json.dumps({"DaysToExpiry": days, "CommonName": "example.com"}),
    }
    return json.dumps([entry])


def test_the_notification_workflow(office: tuple[Callable[..., Any], Mailbox, WebReceiver]) -> None:
    aws, box, _ = office
    topic = aws("sns", "create-topic", "--name", "certificates")["TopicArn"]
    rule = aws("events", "put-rule", "--name", RULE, "--event-pattern", json.dumps(PATTERN))["RuleArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws("sns", "set-topic-attributes", "--topic-arn", topic, "--attribute-name", "Policy", "--attribute-value", policy)
    address = ("--protocol", "email", "--notification-endpoint", "alice@example.com")
    assert aws("sns", "subscribe", "--topic-arn", topic, *address)["SubscriptionArn"] == "pending confirmation"
    question = until(lambda: box.mails, aws)[0]
    sample = {
        "id": "1",
        "account": "111122223333",
        "time": "2026-01-15T12:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "source": PATTERN["source"][0],
        "detail-type": PATTERN["detail-type"][0],
        "detail": {},
    }
    asked = ("--event-pattern", json.dumps(PATTERN), "--event", json.dumps(sample))
    assert aws("events", "test-event-pattern", *asked) == {"Result": True}
    aws("events", "put-targets", "--rule", RULE, "--targets", f"Id=topic,Arn={topic}")
    # Nothing is mailed before the confirmation: a queue, which needs none, proves that the topic heard of the event.
    url = listening_queue(aws, topic)
    assert aws("events", "put-events", "--entries", event(45))["FailedEntryCount"] == 0
    received = aws("sqs", "receive-message", "--queue-url", url, "--wait-time-seconds", "20")["Messages"]
    assert '\\"DaysToExpiry\\":45' in received[0]["Body"].replace(" ", "")
    assert len(box.mails) == 1
    link = re.search(r"http://\S+", text_of(question))
    assert link is not None
    with urllib.request.urlopen(link[0], timeout=10) as page:
        assert b"Confirm the subscription" in page.read()
    with urllib.request.urlopen(link[0], data=b"", timeout=10) as page:
        assert b"Subscription confirmed" in page.read()
    aws("events", "put-events", "--entries", event(30))
    mail = until(lambda: box.mails[1:], aws)[0]
    assert json.loads(text_of(mail).partition("\n--\n")[0])["detail"] == {
        "DaysToExpiry": 30,
        "CommonName": "example.com",
    }
    assert mail["To"] == "alice@example.com"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert len(box.mails) == 2


def test_programs_and_queues(office: tuple[Callable[..., Any], Mailbox, WebReceiver]) -> None:
    aws, _, receiver = office
    topic = aws("sns", "create-topic", "--name", "programs")["TopicArn"]
    hook = f"http://127.0.0.1:{receiver.port}/hook"
    aws("sns", "subscribe", "--topic-arn", topic, "--protocol", "http", "--notification-endpoint", hook)
    document = json.loads(until(lambda: receiver.got, aws)[0][3])
    with urllib.request.urlopen(document["SubscribeURL"], timeout=10) as answer:
        assert b"<SubscriptionArn>" in answer.read()
    url = listening_queue(aws, topic)
    message_id = aws("sns", "publish", "--topic-arn", topic, "--message", "hello")["MessageId"]
    received = aws("sqs", "receive-message", "--queue-url", url, "--wait-time-seconds", "20")["Messages"]
    assert json.loads(received[0]["Body"])["MessageId"] == message_id
    handle = ("--receipt-handle", received[0]["ReceiptHandle"])
    aws("sqs", "delete-message", "--queue-url", url, *handle)
    sent = until(lambda: receiver.got[1:], aws)[0]
    assert sent[2]["x-amz-sns-message-type"] == "Notification"
    assert json.loads(sent[3])["MessageId"] == message_id
