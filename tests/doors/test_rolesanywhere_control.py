"""The control plane of IAM Roles Anywhere through boto3 (iam.md 11.1)."""

import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization

from doors.anywhere import Outpost, crl, denied, subject
from doors.pki import P256, ForeignCa, pem
from greatseal.testing import FakeEntropy, Installation

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
DEFAULT_MAPPINGS = [
    {"certificateField": "x509Issuer", "mappingRules": [{"specifier": "*"}]},
    {"certificateField": "x509SAN", "mappingRules": [{"specifier": s} for s in ("DNS", "URI", "Name/*")]},
    {"certificateField": "x509Subject", "mappingRules": [{"specifier": "*"}]},
]


@pytest.fixture
def outpost(storage):
    return Outpost(storage)


@pytest.fixture
def ca(outpost):
    return ForeignCa("Bundle", outpost.now)


def bundle(*certificates):
    text = b"".join(pem(each) for each in certificates).decode()
    return {"sourceType": "CERTIFICATE_BUNDLE", "sourceData": {"x509CertificateData": text}}


def id_of(arn):
    return arn.rpartition("/")[2]


# -- trust anchors -------------------------------------------------------------------------------------------


def test_a_trust_anchor_lives(outpost, ca):
    made = outpost.control.create_trust_anchor(
        name="one", source=bundle(ca.certificate), tags=[{"key": "team", "value": "a"}]
    )["trustAnchor"]
    anchor_id = made["trustAnchorId"]
    defaults = [
        {
            "enabled": True,
            "event": event,
            "threshold": 45,
            "channel": "ALL",
            "configuredBy": "rolesanywhere.amazonaws.com",
        }
        for event in ("CA_CERTIFICATE_EXPIRY", "END_ENTITY_CERTIFICATE_EXPIRY")
    ]
    assert made == {
        "trustAnchorId": anchor_id,
        "trustAnchorArn": f"arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/{anchor_id}",
        "name": "one",
        "source": bundle(ca.certificate),
        "enabled": False,
        "crlDpRevocationEnabled": False,
        "createdAt": outpost.now,
        "updatedAt": outpost.now,
        "notificationSettings": defaults,
    }
    outpost.clock.advance(timedelta(hours=1))
    control = outpost.control
    assert control.enable_trust_anchor(trustAnchorId=anchor_id)["trustAnchor"]["enabled"] is True
    source = {"sourceType": "AWS_ACM_PCA", "sourceData": {"acmPcaArn": outpost.ca}}
    changed = control.update_trust_anchor(trustAnchorId=anchor_id, name="two", source=source)["trustAnchor"]
    assert (changed["name"], changed["source"], changed["updatedAt"]) == ("two", source, outpost.now)
    assert control.get_trust_anchor(trustAnchorId=made["trustAnchorArn"])["trustAnchor"] == changed
    assert control.disable_trust_anchor(trustAnchorId=anchor_id)["trustAnchor"]["enabled"] is False
    control.delete_trust_anchor(trustAnchorId=anchor_id)
    with denied("ResourceNotFoundException", 404, anchor_id):
        control.get_trust_anchor(trustAnchorId=anchor_id)
    with denied("ResourceNotFoundException", 404):
        control.list_tags_for_resource(resourceArn=made["trustAnchorArn"])


def test_sources_that_are_no_cas(outpost, ca):
    leaf = ca.sign(P256.public_key(), subject(CN="leaf"), constraints=None)
    key = P256.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    waiting = outpost.create()
    abroad = outpost.ca.replace("us-east-1", "eu-central-1")
    foreign = outpost.ca.replace("111122223333", "444455556666")
    for source, text in (
        (bundle(leaf), "not that of a CA"),
        (bundle(ca.certificate, leaf), "not that of a CA"),
        ({"sourceType": "CERTIFICATE_BUNDLE", "sourceData": {"x509CertificateData": "x"}}, "no PEM block"),
        ({"sourceType": "CERTIFICATE_BUNDLE", "sourceData": {"x509CertificateData": key}}, "type PRIVATE KEY"),
        ({"sourceType": "CERTIFICATE_BUNDLE", "sourceData": {"acmPcaArn": outpost.ca}}, "must be x509CertificateData"),
        ({"sourceType": "CERTIFICATE_BUNDLE"}, "must be x509CertificateData"),
        ({"sourceType": "SELF_SIGNED_REPOSITORY", "sourceData": {"x509CertificateData": "x"}}, "not supported"),
        ({}, "not supported"),
        ({"sourceType": "AWS_ACM_PCA", "sourceData": {"acmPcaArn": "x"}}, "not the ARN"),
        ({"sourceType": "AWS_ACM_PCA", "sourceData": {"acmPcaArn": waiting}}, ""),
        ({"sourceType": "AWS_ACM_PCA", "sourceData": {"acmPcaArn": abroad}}, "account and Region"),
        ({"sourceType": "AWS_ACM_PCA", "sourceData": {"acmPcaArn": foreign}}, "account and Region"),
        ({"sourceType": "AWS_ACM_PCA", "sourceData": {"acmPcaArn": outpost.ca[:-1] + "x"}}, ""),
    ):
        with denied("ValidationException", 400, text):
            outpost.control.create_trust_anchor(name="bad", source=source)
        with denied("ValidationException", 400, text):
            outpost.control.update_trust_anchor(trustAnchorId=id_of(outpost.anchor), source=source)
    with denied("ValidationException", 400, "distribution points"):
        outpost.control.create_trust_anchor(name="bad", source=bundle(ca.certificate), crlDpRevocationEnabled=True)
    assert len(outpost.control.list_trust_anchors()["trustAnchors"]) == 1


def test_notification_settings(outpost):
    anchor_id = id_of(outpost.anchor)
    setting = {"enabled": True, "event": "CA_CERTIFICATE_EXPIRY", "threshold": 10}
    shown = outpost.control.put_notification_settings(trustAnchorId=anchor_id, notificationSettings=[setting])
    (first, second) = shown["trustAnchor"]["notificationSettings"]
    assert first == {**setting, "channel": "ALL", "configuredBy": "111122223333"}
    assert second["configuredBy"] == "rolesanywhere.amazonaws.com"
    for wrong in ([setting, setting], [{"enabled": True, "event": "CA_CERTIFICATE_EXPIRY"}]):
        with denied("ValidationException", 400):
            outpost.control.put_notification_settings(trustAnchorId=anchor_id, notificationSettings=wrong)
    keys = [{"event": "CA_CERTIFICATE_EXPIRY"}]
    shown = outpost.control.reset_notification_settings(trustAnchorId=anchor_id, notificationSettingKeys=keys)
    assert shown["trustAnchor"]["notificationSettings"][0]["threshold"] == 45


# -- profiles ------------------------------------------------------------------------------------------------


def test_a_profile_lives(outpost):
    policy = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}})
    readers = ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
    made = outpost.control.create_profile(
        name="p", roleArns=[outpost.role, outpost.role], sessionPolicy=policy, managedPolicyArns=readers
    )["profile"]
    assert made == {
        "profileId": made["profileId"],
        "profileArn": f"arn:aws:rolesanywhere:us-east-1:111122223333:profile/{made['profileId']}",
        "name": "p",
        "enabled": False,
        "requireInstanceProperties": False,
        "createdBy": "111122223333",
        "sessionPolicy": policy,
        "roleArns": [outpost.role],
        "managedPolicyArns": readers,
        "createdAt": outpost.now,
        "updatedAt": outpost.now,
        "durationSeconds": 3600,
        "acceptRoleSessionName": False,
        "attributeMappings": DEFAULT_MAPPINGS,
    }
    changed = outpost.control.update_profile(
        profileId=made["profileId"],
        name="q",
        roleArns=[],
        managedPolicyArns=[],
        durationSeconds=900,
        acceptRoleSessionName=True,
    )["profile"]
    assert changed["roleArns"] == changed["managedPolicyArns"] == []
    assert (changed["name"], changed["durationSeconds"], changed["acceptRoleSessionName"]) == ("q", 900, True)
    assert changed["sessionPolicy"] == policy
    assert outpost.control.get_profile(profileId=made["profileId"])["profile"] == changed
    assert len(outpost.control.list_profiles()["profiles"]) == 2
    outpost.control.delete_profile(profileId=made["profileId"])
    with denied("ResourceNotFoundException", 404):
        outpost.control.enable_profile(profileId=made["profileId"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"sessionPolicy": "x"},
        {"sessionPolicy": '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}'},
        {"managedPolicyArns": ["x"]},
        {"managedPolicyArns": ["arn:aws:iam::111122223333:role/x"]},
        {"durationSeconds": 899},
        {"roleArns": ["arn:aws:iam::111122223333:user/x"]},
        {"name": "a/b"},
        {"aliasName": "aws/x"},
        {"aliasName": "a//b"},
    ],
)
def test_profiles_that_cannot_be(outpost, wrong):
    with denied("ValidationException", 400):
        outpost.control.create_profile(**{"name": "bad", "roleArns": [], **wrong})
    with denied("ValidationException", 400):
        outpost.control.update_profile(profileId=id_of(outpost.profile), **wrong)


def test_attribute_mappings(outpost):
    profile = id_of(outpost.profile)

    def put(field, *specifiers):
        rules = [{"specifier": each} for each in specifiers]
        return outpost.control.put_attribute_mapping(profileId=profile, certificateField=field, mappingRules=rules)

    def shown(answer):
        return {
            each["certificateField"]: [rule["specifier"] for rule in each["mappingRules"]]
            for each in answer["profile"]["attributeMappings"]
        }

    assert shown(put("x509Subject", "CN", "OU", "CN"))["x509Subject"] == ["*", "CN", "OU"]
    assert shown(put("x509SAN", "Name", "Name/CN"))["x509SAN"] == ["DNS", "URI", "Name/*", "Name/CN"]
    for field, specifier in (
        ("x509Subject", "DNS"),
        ("x509Subject", ""),
        ("x509Subject", "1.2.3x"),
        ("x509SAN", "*"),
        ("x509SAN", "CN"),
        ("x509SAN", "Name/none"),
    ):
        with denied("ValidationException", 400, f"'{specifier}'"):
            put(field, specifier)
    delete = outpost.control.delete_attribute_mapping
    left = delete(profileId=profile, certificateField="x509Subject", specifiers=["*", "OU"])
    assert shown(left)["x509Subject"] == ["CN"]
    assert "x509SAN" not in shown(delete(profileId=profile, certificateField="x509SAN"))
    for arguments in ({"certificateField": "x509SAN"}, {"certificateField": "x509Subject", "specifiers": ["OU"]}):
        with denied("ValidationException", 400, "There is no mapping rule"):
            delete(profileId=profile, **arguments)


# -- CRLs ----------------------------------------------------------------------------------------------------


def test_a_crl_lives(outpost, ca):
    anchor = outpost.add_bundle(ca.certificate)
    data = crl(ca, outpost.now, 7)
    made = outpost.control.import_crl(name="c", crlData=data, trustAnchorArn=anchor, enabled=True)["crl"]
    assert made == {
        "crlId": made["crlId"],
        "crlArn": f"arn:aws:rolesanywhere:us-east-1:111122223333:crl/{made['crlId']}",
        "name": "c",
        "enabled": True,
        "crlData": data,
        "trustAnchorArn": anchor,
        "createdAt": outpost.now,
        "updatedAt": outpost.now,
    }
    assert outpost.control.disable_crl(crlId=made["crlId"])["crl"]["enabled"] is False
    newer = crl(ca, outpost.now, 7, 8)
    assert outpost.control.update_crl(crlId=made["crlId"], name="d", crlData=newer)["crl"]["crlData"] == newer
    assert outpost.control.list_crls()["crls"] == [outpost.control.get_crl(crlId=made["crlId"])["crl"]]
    outpost.control.delete_crl(crlId=made["crlId"])
    assert outpost.control.list_crls()["crls"] == []


def test_crls_that_are_not_taken(outpost, ca):
    anchor = outpost.add_bundle(ca.certificate)
    good = crl(ca, outpost.now, 7)
    made = outpost.control.import_crl(name="c", crlData=good, trustAnchorArn=anchor)["crl"]
    for data, text in (
        (crl(ca, outpost.now, key=P256), "not signed by"),
        (crl(ca, outpost.now, issuer=subject(CN="Else")), "not signed by"),
        (b"x", "one PEM block"),
        (good + good, "one PEM block"),
        (pem(ca.certificate), "one PEM block"),
        (b"0\0", "cannot be read"),
    ):
        with denied("ValidationException", 400, text):
            outpost.control.import_crl(name="bad", crlData=data, trustAnchorArn=anchor)
        with denied("ValidationException", 400, text):
            outpost.control.update_crl(crlId=made["crlId"], crlData=data)
    with denied("ResourceNotFoundException", 404):
        outpost.control.import_crl(name="bad", crlData=good, trustAnchorArn=anchor[:-1] + "x")
    with denied("ValidationException", 400, "not signed by"):
        outpost.control.import_crl(name="bad", crlData=good, trustAnchorArn=outpost.anchor)


# -- what all of them have -----------------------------------------------------------------------------------


def test_aliases(outpost, ca):
    control = outpost.control
    made = control.create_trust_anchor(name="a", source=bundle(ca.certificate), aliasName="team/one")["trustAnchor"]
    alias = "arn:aws:rolesanywhere:us-east-1:111122223333:alias/trust-anchor/team/one"
    assert (made["aliasName"], made["aliasArn"]) == ("team/one", alias)
    assert control.get_trust_anchor(trustAnchorId=alias)["trustAnchor"]["trustAnchorId"] == made["trustAnchorId"]
    with denied("ValidationException", 400, "in use"):
        control.create_trust_anchor(name="b", source=bundle(ca.certificate), aliasName="team/one")
    with denied("ValidationException", 400, "in use"):
        control.update_trust_anchor(trustAnchorId=id_of(outpost.anchor), aliasName="team/one")
    # Another type has its own names, and names have a case.
    control.create_profile(name="p", roleArns=[], aliasName="team/one")
    control.update_trust_anchor(trustAnchorId=id_of(outpost.anchor), aliasName="Team/one")
    changed = control.update_trust_anchor(trustAnchorId=alias, aliasName="two")["trustAnchor"]
    assert (changed["aliasName"], changed["previousAliasName"]) == ("two", "team/one")
    same = control.update_trust_anchor(trustAnchorId=made["trustAnchorId"], aliasName="two")["trustAnchor"]
    assert "previousAliasName" not in same
    with denied("ResourceNotFoundException", 404):
        control.get_trust_anchor(trustAnchorId=alias)
    gone = control.update_trust_anchor(trustAnchorId=made["trustAnchorId"], aliasName="")["trustAnchor"]
    assert "aliasName" not in gone
    assert gone["previousAliasName"] == "two"


def test_pages(outpost):
    for number in range(4):
        outpost.add_profile(name=f"p{number}")
    pages = [outpost.control.list_profiles(pageSize=2)]
    while "nextToken" in pages[-1]:
        pages.append(outpost.control.list_profiles(pageSize=2, nextToken=pages[-1]["nextToken"]))
    assert [len(page["profiles"]) for page in pages] == [2, 2, 1]
    everything = outpost.control.list_profiles()["profiles"]
    assert [item for page in pages for item in page["profiles"]] == everything
    token = pages[0]["nextToken"]
    for operation in (outpost.control.list_trust_anchors, outpost.control.list_subjects, outpost.control.list_crls):
        with denied("ValidationException", 400, "pagination token"):
            operation(nextToken=token)
    for size in (0, -1, 1001):
        with denied("ValidationException", 400, "pageSize"):
            outpost.control.list_profiles(pageSize=size)


def test_tags(outpost):
    arns = [outpost.anchor, outpost.profile]
    arns.append(outpost.session(outpost.workload())["subjectArn"])
    control = outpost.control
    for arn in arns:
        control.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "1"}, {"key": "b", "value": ""}])
        control.untag_resource(resourceArn=arn, tagKeys=["a", "a", "none"])
        assert control.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "b", "value": ""}]
        with denied("TooManyTagsException", 400):
            control.tag_resource(resourceArn=arn, tags=[{"key": f"k{n}", "value": ""} for n in range(50)])
        with denied("ValidationException", 400, "aws:x"):
            control.tag_resource(resourceArn=arn, tags=[{"key": "aws:x", "value": ""}])
        with denied("ResourceNotFoundException", 404):
            control.tag_resource(resourceArn=arn[:-1] + "x", tags=[])
    for arn in ("x", outpost.anchor.replace("trust-anchor", "other"), outpost.ca):
        with denied("ResourceNotFoundException", 404):
            control.list_tags_for_resource(resourceArn=arn)


def test_what_belongs_to_others(outpost):
    other = Installation(outpost.storage, account="444455556666", entropy=FakeEntropy("other")).client("rolesanywhere")
    abroad = outpost.installation.client("rolesanywhere", region="eu-central-1")
    for client in (other, abroad):
        assert client.list_trust_anchors()["trustAnchors"] == []
        with denied("ResourceNotFoundException", 404):
            client.get_trust_anchor(trustAnchorId=id_of(outpost.anchor))
    with denied("AccessDeniedException", 403, "rolesanywhere:GetTrustAnchor"):
        other.get_trust_anchor(trustAnchorId=outpost.anchor)
    with denied("ResourceNotFoundException", 404):
        abroad.get_trust_anchor(trustAnchorId=outpost.anchor)
    with denied("ResourceNotFoundException", 404):
        outpost.control.get_profile(profileId=outpost.anchor.replace("trust-anchor", "profile"))
    with denied("AccessDeniedException", 403, "iam:PassRole"):
        outpost.control.create_profile(name="p", roleArns=["arn:aws:iam::444455556666:role/theirs"])


def test_a_session_that_may_do_little(outpost):
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "rolesanywhere:Get*", "Resource": outpost.anchor},
            {"Effect": "Allow", "Action": "rolesanywhere:CreateProfile", "Resource": "*"},
            {
                "Effect": "Allow",
                "Action": "rolesanywhere:TagResource",
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:RequestTag/team": "a"}},
            },
        ],
    }
    profile = outpost.add_profile(sessionPolicy=json.dumps(policy))
    limited = outpost.client_of(outpost.session(outpost.workload(), profileArn=profile), "rolesanywhere")
    limited.get_trust_anchor(trustAnchorId=id_of(outpost.anchor))
    # Policies name the resource by its id, also when it is asked for by its alias.
    outpost.control.update_trust_anchor(trustAnchorId=id_of(outpost.anchor), aliasName="a")
    limited.get_trust_anchor(trustAnchorId="arn:aws:rolesanywhere:us-east-1:111122223333:alias/trust-anchor/a")
    with denied("AccessDeniedException", 403, "no session policy allows the rolesanywhere:GetProfile action"):
        limited.get_profile(profileId=id_of(outpost.profile))
    with denied("AccessDeniedException", 403, "iam:PassRole"):
        limited.create_profile(name="p", roleArns=[outpost.role])
    with denied("AccessDeniedException", 403, "rolesanywhere:TagResource"):
        limited.create_profile(name="p", roleArns=[], tags=[{"key": "team", "value": "b"}])
    limited.create_profile(name="p", roleArns=[], tags=[{"key": "team", "value": "a"}])
