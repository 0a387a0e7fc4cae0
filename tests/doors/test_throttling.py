"""Callers who ask too often: what they are told in each protocol, what SDKs make of it, and what is kept of it."""

import json
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import botocore.endpoint
import botocore.retries.bucket
import pytest
from botocore.exceptions import ClientError

from doors.iam import refused
from greatseal.aws.quotas import NO_QUOTAS, PUBLISHED
from greatseal.aws.throttling import Throttle
from greatseal.kernel.group import waits
from greatseal.testing import FakeClock
from greatseal.testing.installation import Installation

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

NO_CA = "arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/12345678-1234-4234-8234-123456789abc"
NO_KEY = "12345678-1234-4234-8234-123456789abc"


class Counter:
    """An installation whose callers are weighed, and what it was told of those that were refused."""

    def __init__(self, storage, quotas):
        clock = FakeClock()
        self.refused = []
        self.installation = Installation(
            storage,
            clock=clock,
            throttle=Throttle(
                quotas,
                seconds=lambda: clock.now().timestamp(),
                refused=lambda *told: self.refused.append(told),
            ),
        )

    def client(self, service, **more):
        return self.installation.client(service, **more)

    def trail(self, name):
        trail = self.client("cloudtrail")
        found = trail.lookup_events(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}])
        return [json.loads(each["CloudTrailEvent"]).get("errorCode") for each in found["Events"]]


def one_a_second(storage, *operations):
    return Counter(storage, NO_QUOTAS.with_own(dict.fromkeys(operations, 1.0)))


def headers_of(error):
    return error.response["ResponseMetadata"]["HTTPHeaders"]


def test_the_quota_of_the_real_service(storage):
    counter = Counter(storage, PUBLISHED)
    pca = counter.client("acm-pca")
    for _ in range(20):
        pca.list_certificate_authorities()
    with pytest.raises(ClientError) as caught:
        pca.list_certificate_authorities()
    assert caught.value.response["Error"] == {"Code": "ThrottlingException", "Message": "Rate exceeded"}
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert headers_of(caught.value)["retry-after"] == "1"
    # Other operations have quotas of their own.
    counter.client("acm").list_certificates()
    with refused(400, "ResourceNotFoundException"):
        pca.describe_certificate_authority(CertificateAuthorityArn=NO_CA)
    counter.installation.clock.advance(timedelta(seconds=0.05))
    pca.list_certificate_authorities()
    assert counter.refused == [("acm-pca:ListCertificateAuthorities", "account")]


@pytest.mark.parametrize(
    ("operation", "service", "method", "parameters", "status", "code", "text"),
    [
        ("kms:Sign", "kms", "sign", {"KeyId": NO_KEY, "Message": b"x", "SigningAlgorithm": "ECDSA_SHA_256"}, 400,
         "ThrottlingException", "You have exceeded the rate at which you may call KMS."),
        ("sts:GetCallerIdentity", "sts", "get_caller_identity", {}, 400, "Throttling", "Rate exceeded"),
        ("iam:ListUsers", "iam", "list_users", {}, 400, "Throttling", "Rate exceeded"),
        ("sns:ListTopics", "sns", "list_topics", {}, 400, "Throttling", "Rate exceeded"),
        ("sqs:ListQueues", "sqs", "list_queues", {}, 400, "RequestThrottled", "Rate exceeded"),
        ("s3:ListBuckets", "s3", "list_buckets", {}, 503, "SlowDown", "Rate exceeded"),
        ("ram:GetResourceShares", "ram", "get_resource_shares", {"resourceOwner": "SELF"}, 429,
         "ThrottlingException", "Rate exceeded"),
        ("rolesanywhere:ListProfiles", "rolesanywhere", "list_profiles", {}, 429,
         "ThrottlingException", "Rate exceeded"),
        ("securityhub:DescribeHub", "securityhub", "describe_hub", {}, 429, "ThrottlingException", "Rate exceeded"),
        ("organizations:DescribeOrganization", "organizations", "describe_organization", {}, 400,
         "TooManyRequestsException", "too many requests"),
        ("events:ListRules", "events", "list_rules", {}, 400, "ThrottlingException", "Rate exceeded"),
        ("cloudtrail:LookupEvents", "cloudtrail", "lookup_events", {}, 400, "ThrottlingException", "Rate exceeded"),
    ],
)  # fmt: skip
def test_in_the_words_of_each_service(storage, operation, service, method, parameters, status, code, text):
    client = one_a_second(storage, operation).client(service)
    ask = getattr(client, method)
    # Whether the first one succeeds is not the question.
    with suppress(ClientError):
        ask(**parameters)
    with pytest.raises(ClientError) as caught:
        ask(**parameters)
    answer = caught.value.response
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]) == (status, code)
    assert text in answer["Error"]["Message"]
    assert headers_of(caught.value)["retry-after"] == "1"


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_sdks_try_again_and_get_through(storage, monkeypatch, mode):
    """The client of Python as it is: only its clock is ours, so that nobody waits."""
    counter = one_a_second(storage, "acm:ListCertificates", "sts:GetCallerIdentity", "s3:ListBuckets")
    clock = counter.installation.clock
    slept = []

    def pass_by(seconds):
        slept.append(seconds)
        clock.advance(timedelta(seconds=max(seconds, 0.001)))

    ours = SimpleNamespace(sleep=pass_by, time=lambda: clock.now().timestamp())
    monkeypatch.setattr(botocore.endpoint, "time", ours)
    monkeypatch.setattr(botocore.retries.bucket, "time", ours)
    # The adaptive mode waits for a condition, which nobody else ever meets here.
    monkeypatch.setattr(threading.Condition, "wait", lambda condition, timeout: pass_by(timeout))
    retries = {"mode": mode, "max_attempts": 12}
    for service, method in (("acm", "list_certificates"), ("sts", "get_caller_identity"), ("s3", "list_buckets")):
        client = counter.client(service, retries=retries)
        for _ in range(3):
            getattr(client, method)()
    assert counter.refused
    assert slept


def test_the_trail_tells_once_a_minute(storage):
    """A flood of refusals is not a flood of records; the access log and the metrics know of each."""
    counter = one_a_second(storage, "acm:ListCertificates")
    acm, clock = counter.client("acm"), counter.installation.clock
    answers = []
    handle = counter.installation.handle
    counter.installation.handle = lambda request: answers.append(handle(request)) or answers[-1]
    for _ in range(2):
        acm.list_certificates()
        for _ in range(5):
            with refused(400, "ThrottlingException"):
                acm.list_certificates()
        clock.advance(timedelta(seconds=61))
    recorded = counter.trail("ListCertificates")
    assert (len(recorded), recorded.count("ThrottlingException")) == (4, 2)
    assert [answer.error for answer in answers[:6]] == [""] + ["ThrottlingException"] * 5
    assert counter.refused == [("acm:ListCertificates", "account")] * 10


def test_strangers_use_up_nobodys_quota(storage):
    counter = one_a_second(storage, "acm:ListCertificates")
    acm = counter.client("acm")
    handle = counter.installation.handle
    taken = []
    counter.installation.handle = lambda request: taken.append(request) or handle(request)
    acm.list_certificates()
    counter.installation.clock.advance(timedelta(seconds=2))
    forged = replace(taken[0], body=b'{"MaxItems": 7}')
    for _ in range(3):
        assert b"InvalidSignatureException" in handle(forged).body
    acm.list_certificates()


def test_in_a_group(storage, monkeypatch):
    """Members of a group are weighed like others, and one that leaves it is not weighed twice."""
    counter = one_a_second(storage, "kms:DescribeKey", "kms:GenerateRandom")
    installation = counter.installation
    kms = counter.client("kms")
    handle = installation.handle
    taken = []
    installation.handle = lambda request: taken.append(request) or handle(request)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.describe_key(KeyId=key)
    describe = taken[-1]
    kms.generate_random(NumberOfBytes=8)
    random = taken[-1]
    installation.clock.advance(timedelta(seconds=2))
    group = [replace(each, request_id=f"request-{n}") for n, each in enumerate((describe, describe, random))]
    answers = installation.door.handle_together(group)
    assert [answer.status for answer in answers] == [200, 400, 200]
    assert answers[1].error == "ThrottlingException"
    installation.clock.advance(timedelta(seconds=2))
    functions = installation.door._implementations["kms"]
    generate = functions["GenerateRandom"]

    def slowly(caller, parameters):
        waits()
        return generate(caller, parameters)

    monkeypatch.setitem(functions, "GenerateRandom", slowly)
    alone = replace(random, request_id="request-4")
    assert installation.door.handle_together([alone]) == [None]
    assert handle(alone).status == 200
    assert handle(replace(random, request_id="request-5")).status == 400
