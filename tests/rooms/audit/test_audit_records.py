"""Records: what is written, in which shape it is read, and that a second try of a transaction says the same."""

import json

import pytest
from audit_room import ACCOUNT, AUTHORITY, REGION, ROOT, Room, caller

from greatseal.domain.audit import cloudtrail
from greatseal.domain.audit.model import reads
from greatseal.storage.errors import SerializationFailure


def newest(room):
    return room.storage.read(lambda tx: room.audit.recent(tx, ACCOUNT, 1))[0]


def test_an_act_is_recorded_in_its_own_transaction(storage):
    room = Room(storage)
    room.act()
    record = newest(room)
    assert (record.event_source, record.event_name) == ("acm-pca.amazonaws.com", "IssueCertificate")
    assert record.resources == (AUTHORITY,)
    assert record.detail == {"serial": "0"}
    assert not record.read_only
    assert len(record.event_id) == 36

    def work(tx):
        room.audit.record(tx, caller("acm-pca:DeleteCertificateAuthority"), AUTHORITY)
        raise RuntimeError("the act fails")

    with pytest.raises(RuntimeError):
        storage.transact(work)
    assert newest(room) == record


def test_the_shape_of_cloudtrail(storage):
    room = Room(storage)
    room.storage.transact(
        lambda tx: room.audit.record(tx, caller(), AUTHORITY, response={"certificate_arn": "arn"}, serial="7")
    )
    told = cloudtrail.event(newest(room))
    assert told == {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "Root",
            "principalId": ACCOUNT,
            "arn": ROOT,
            "accountId": ACCOUNT,
            "accessKeyId": "AKIAEXAMPLE",
        },
        "eventTime": "2026-01-15T12:00:00Z",
        "eventSource": "acm-pca.amazonaws.com",
        "eventName": "IssueCertificate",
        "awsRegion": REGION,
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "aws-cli/2.0",
        "requestParameters": {"certificateAuthorityArn": "x"},
        "responseElements": {"certificateArn": "arn"},
        "additionalEventData": {"serial": "7"},
        "requestID": "r-1",
        "eventID": newest(room).event_id,
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
        "resources": [{"accountId": ACCOUNT, "type": "AWS::ACMPCA::CertificateAuthority", "ARN": AUTHORITY}],
    }
    json.dumps(told)


@pytest.mark.parametrize(
    ("principal", "kind", "name"),
    [
        (ROOT, "Root", "root"),
        (f"arn:aws:iam::{ACCOUNT}:user/team/Alice", "IAMUser", "Alice"),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/Issuer/web-1", "AssumedRole", "web-1"),
        (f"arn:aws:sts::{ACCOUNT}:federated-user/bob", "FederatedUser", "bob"),
        ("anonymous", "Unknown", "anonymous"),
    ],
)
def test_identities(storage, principal, kind, name):
    room = Room(storage)
    room.audit.record_call(caller("acm:ListCertificates", principal=principal))
    record = newest(room)
    assert cloudtrail.user_identity(record)["type"] == kind
    assert cloudtrail.username(record) == name


def test_a_denied_call_has_its_error_and_no_response(storage):
    room = Room(storage)
    room.audit.record_call(
        caller("acm:DeleteCertificate"), AUTHORITY, error_code="AccessDenied", error_message="User: x is not authorized"
    )
    told = cloudtrail.event(newest(room))
    assert (told["errorCode"], told["errorMessage"]) == ("AccessDenied", "User: x is not authorized")
    assert told["responseElements"] is None
    assert told["readOnly"] is False


def test_what_reads_and_what_does_not():
    assert all(reads(f"acm:{name}") for name in ("DescribeCertificate", "GetCertificate", "ListCertificates"))
    assert not any(reads(f"acm:{name}") for name in ("ExportCertificate", "RequestCertificate", "RevokeCertificate"))


def test_what_a_stranger_sends_always_fits(storage):
    """Otherwise one such call would fail all those that are stored together with it."""
    room = Room(storage)
    bad = "\x00\ud800" + "x" * 5000
    room.audit.record_call(
        caller(f"acm:{bad}", principal=bad, request=bad), bad, error_code=bad, error_message=bad, note=bad
    )
    assert newest(room).detail["note"].startswith("\ufffd\ufffdx")
    room.sign()
    assert room.verify().ok


def test_a_repeated_transaction_records_the_very_same(storage):
    same = caller()
    seen, tries = [], []

    class Recorder:
        def write(self, lines):
            seen.extend(lines)

    room = Room(storage, sinks=[Recorder()])

    def work(tx):
        room.audit.record(tx, same, AUTHORITY, step="one")
        room.audit.record(tx, same, AUTHORITY, step="two")
        tries.append(tx)
        if len(tries) < 3:
            tx._failure = SerializationFailure("on purpose")

    storage.transact(work)
    assert len(seen) == 6
    assert len(set(seen)) == 2
    storage.transact(lambda tx: room.audit.record(tx, same, AUTHORITY, step="one"))
    assert len(set(seen)) == 3, "a second act is another event, however alike"
