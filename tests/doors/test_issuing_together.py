"""IssueCertificate in groups at the door: every request has its own answer, its own record and its own certificate."""

import json
from dataclasses import replace

import pytest

from doors.pki import Pki, csr
from greatseal.app.doors import aws_door, secure_mounts
from greatseal.app.tracing import TracedDoor
from greatseal.kernel.ids import new_uuid

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


class Group:
    """A CA, and a signed request for a certificate of it, to be sent again and again."""

    def __init__(self, storage):
        self.pki = Pki(storage)
        self.installation = self.pki.installation
        self.root = self.pki.root()
        taken = []
        handle = self.installation.handle
        self.installation.handle = lambda request: (taken.append(request), handle(request))[1]
        self.pki.issue(self.root, csr(), IdempotencyToken="token")
        self.with_token = taken[-1]
        self.pki.issue(self.root, csr())
        self.request = taken[-1]

    def again(self, request=None, **changed):
        return replace(request or self.request, request_id=new_uuid(self.installation.entropy), **changed)

    def recorded(self, requests):
        account = self.installation.credential.account
        rows = self.pki.storage.read(lambda tx: self.installation.rooms.audit.recent(tx, account, 100))
        found = {row.request_id: (row.event_name, row.error_code) for row in rows}
        return [found.get(request.request_id) for request in requests]


@pytest.fixture
def group(storage):
    return Group(storage)


def test_each_has_its_own_certificate_and_one_record(group):
    refused = group.again(body=group.request.body)
    tampered = group.again(body=group.request.body + b" ")
    requests = [group.again(), group.again(group.with_token), tampered, refused, group.again(group.with_token)]
    answers = group.installation.door.handle_together(requests)
    assert [answer.status for answer in answers] == [200, 200, 400, 200, 200]
    arns = [json.loads(answers[at].body)["CertificateArn"] for at in (0, 1, 3, 4)]
    assert len(set(arns)) == 3  # the token was used before
    assert all(group.pki.get(group.root, arn)["Certificate"] for arn in arns)
    issued = ("IssueCertificate", None)
    assert group.recorded(requests) == [issued, issued, None, issued, issued]
    assert [dict(answer.headers)[b"x-amzn-requestid"].decode() for answer in answers] == [
        request.request_id for request in requests
    ]


def test_refusals_are_told_and_recorded(group):
    group.pki.set_status(group.root, "DISABLED")
    requests = [group.again(), group.again(group.with_token)]
    with group.pki.nothing_issued():
        refused, repeated = group.installation.door.handle_together(requests)
    assert refused.status == 400
    assert b"InvalidStateException" in refused.body
    assert repeated.status == 200
    assert group.recorded(requests) == [("IssueCertificate", "InvalidStateException"), ("IssueCertificate", None)]


def test_the_listener_asks_for_certificates_in_groups(group):
    mounts = secure_mounts(group.installation.rooms, group.installation.door)
    mount = mounts.find(b"/")
    assert mount is not None
    assert mount.is_quick(group.request)


def test_traced_requests_are_asked_alone(group):
    class Tracing:
        def request(self, request, answer):
            return answer(request)

        def door(self, **collaborators):
            return TracedDoor(self, **collaborators)

    door = aws_door(group.installation.rooms, lambda _: True, tracing=Tracing())
    with group.pki.nothing_issued():
        assert door.handle_together([group.again(), group.again()]) == [None, None]
    assert door.handle(group.again()).status == 200
