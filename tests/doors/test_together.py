"""Requests answered in a group: each as if it had come alone, all in the trail before the first is answered."""

import json
from dataclasses import replace

import pytest

from greatseal.domain.audit import Audit
from greatseal.edge.messages import HttpRequest
from greatseal.kernel.group import Waits, grouped, waits
from greatseal.kernel.ids import new_uuid
from greatseal.storage.errors import StorageUnavailable
from greatseal.testing.installation import Installation

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


class Desk:
    """An installation with a key that encrypts, and requests of its owner as they come from the wire."""

    def __init__(self, storage):
        self.installation = Installation(storage)
        self.kms = self.installation.client("kms")
        self.taken: HttpRequest | None = None
        handle = self.installation.handle

        def take(request):
            self.taken = request
            return handle(request)

        self.installation.handle = take
        self.key = self.kms.create_key()["KeyMetadata"]["KeyId"]

    def request(self, operation, **parameters) -> HttpRequest:
        return self.request_of(self.kms, operation, **parameters)

    def request_of(self, client, operation, **parameters) -> HttpRequest:
        getattr(client, operation)(**parameters)
        return replace(self.taken, request_id=new_uuid(self.installation.entropy))

    def together(self, *requests):
        return self.installation.door.handle_together(requests)

    def recorded(self, requests):
        ids = {request.request_id for request in requests}
        account = self.installation.credential.account
        rows = self.installation.rooms.storage.read(lambda tx: self.installation.rooms.audit.recent(tx, account, 100))
        return [(row.event_name, row.error_code) for row in reversed(rows) if row.request_id in ids]


@pytest.fixture
def desk(storage):
    return Desk(storage)


def test_each_gets_its_own_answer_and_its_own_record(desk):
    good = desk.request("generate_data_key", KeyId=desk.key, KeySpec="AES_256")
    other = desk.request("encrypt", KeyId=desk.key, Plaintext=b"x")
    altered = replace(good, body=good.body.replace(b"AES_256", b"AES_128"), request_id="altered")
    again = replace(good, request_id="again")
    group = [good, altered, other, again]
    answers = desk.together(*group)
    assert [answer.status for answer in answers] == [200, 400, 200, 200]
    keys = [json.loads(answers[n].body)["Plaintext"] for n in (0, 3)]
    assert keys[0] != keys[1]
    assert b"InvalidSignatureException" in answers[1].body
    assert [dict(answer.headers)[b"x-amzn-requestid"].decode() for answer in answers] == [r.request_id for r in group]
    # Nobody is known behind a wrong signature, so that there is nobody's trail either.
    assert desk.recorded(group) == [("GenerateDataKey", None), ("Encrypt", None), ("GenerateDataKey", None)]


def test_a_refusal_is_recorded_like_the_others(desk):
    good = desk.request("describe_key", KeyId=desk.key)
    encrypting = desk.request("encrypt", KeyId=desk.key, Plaintext=b"x")
    desk.kms.disable_key(KeyId=desk.key)
    answers = desk.together(good, encrypting)
    assert [answer.status for answer in answers] == [200, 400]
    # Of what was asked at the same time either may be first.
    assert sorted(desk.recorded([good, encrypting])) == [("DescribeKey", None), ("Encrypt", "DisabledException")]


def test_nobody_is_answered_without_a_record(desk, monkeypatch):
    group = [desk.request("generate_data_key", KeyId=desk.key, KeySpec="AES_256") for _ in range(3)]

    def fail(self, batch):
        raise StorageUnavailable("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(Audit, "_append", lambda self, tx, batch: fail(self, batch))
        answers = desk.together(*group)
    assert [answer.status for answer in answers] == [500] * 3
    assert not any(b"Plaintext" in answer.body for answer in answers)
    assert desk.recorded(group) == []
    assert [answer.status for answer in desk.together(*group)] == [200] * 3
    assert len(desk.recorded(group)) == 3


def test_whoever_would_wait_is_asked_alone(desk, monkeypatch):
    from greatseal.domain.keys.managed.cipher import SymmetricCipher

    slow, quick = (desk.request("encrypt", KeyId=desk.key, Plaintext=text) for text in (b"slow", b"quick"))
    encrypt = SymmetricCipher.encrypt

    def elsewhere(cipher, caller, key, context, plaintext):
        if plaintext == b"slow":
            waits()
        return encrypt(cipher, caller, key, context, plaintext)

    monkeypatch.setattr(SymmetricCipher, "encrypt", elsewhere)
    answers = desk.together(slow, quick)
    assert answers[0] is None
    assert answers[1].status == 200
    assert desk.recorded([slow, quick]) == [("Encrypt", None)]
    assert desk.installation.door.handle(slow).status == 200
    assert len(desk.recorded([slow, quick])) == 2


def test_what_reads_rows_is_answered_as_if_alone(desk):
    pca = desk.installation.client("acm-pca")
    subject = {"KeyAlgorithm": "EC_prime256v1", "SigningAlgorithm": "SHA256WITHECDSA", "Subject": {"CommonName": "CA"}}
    arn = pca.create_certificate_authority(CertificateAuthorityType="ROOT", CertificateAuthorityConfiguration=subject)[
        "CertificateAuthorityArn"
    ]
    reading = desk.request_of(pca, "describe_certificate_authority", CertificateAuthorityArn=arn)
    again = replace(reading, request_id="again")
    alone = desk.installation.door.handle(replace(reading, request_id="alone"))
    assert [answer.body for answer in desk.together(reading, again)] == [alone.body] * 2
    assert [name for name, _ in desk.recorded([reading, again])] == ["DescribeCertificateAuthority"] * 2


def test_whoever_writes_waits_for_other_writers(desk):
    writing = desk.request("disable_key", KeyId=desk.key)
    desk.kms.enable_key(KeyId=desk.key)
    assert desk.together(writing) == [None]
    assert desk.kms.describe_key(KeyId=desk.key)["KeyMetadata"]["Enabled"]


def test_a_change_holds_from_the_next_group_on(desk):
    using = desk.request("encrypt", KeyId=desk.key, Plaintext=b"x")
    assert desk.together(using)[0].status == 200
    desk.kms.disable_key(KeyId=desk.key)
    assert desk.together(using, using)[1].status == 400
    desk.kms.enable_key(KeyId=desk.key)
    assert desk.together(using)[0].status == 200


def test_waiting_is_for_those_who_are_alone(storage):
    waits()
    with grouped(), pytest.raises(Waits):
        waits()
    waits()
