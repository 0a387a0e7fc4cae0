"""RAM's listings: shares, associations, resources, principals, permissions, policies (acm-pca.md 12.3, 12.4)."""

import json
from datetime import timedelta

import pytest

from doors.pki import refused, template
from doors.sharing import DEFAULT, READS, REVOKE, Pair, permission

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

NOWHERE = "arn:aws:ram:us-east-1:111122223333:resource-share/00000000-0000-4000-8000-000000000000"
NO_CA = "arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/00000000-0000-4000-8000-000000000000"


@pytest.fixture
def pair(storage):
    return Pair(storage)


def pages(call, member, **wanted):
    """What a listing holds, one item a page."""
    found, token = [], {}
    while True:
        answer = call(maxResults=1, **wanted, **token)
        found += answer[member]
        if "nextToken" not in answer:
            return found
        token = {"nextToken": answer["nextToken"]}


def test_shares(pair):
    shares = sorted(pair.share(principals=[]) for _ in range(3))
    listed = pages(pair.ram.get_resource_shares, "resourceShares", resourceOwner="SELF")
    assert [each["resourceShareArn"] for each in listed] == shares
    pair.ram.update_resource_share(resourceShareArn=shares[0], name="First")
    pair.ram.associate_resource_share_permission(
        resourceShareArn=shares[1], permissionArn=permission(REVOKE), replace=True
    )
    pair.ram.delete_resource_share(resourceShareArn=shares[2])
    for filters, wanted in (
        ({"resourceShareArns": shares[:2]}, shares[:2]),
        ({"name": "First"}, shares[:1]),
        ({"permissionArn": permission(REVOKE), "permissionVersion": 1}, shares[1:2]),
        ({"resourceShareStatus": "ACTIVE"}, shares[:2]),
        ({"resourceShareStatus": "DELETED"}, shares[2:]),
        ({"resourceShareStatus": "PENDING"}, []),
    ):
        found = pair.ram.get_resource_shares(resourceOwner="SELF", **filters)["resourceShares"]
        assert [each["resourceShareArn"] for each in found] == wanted, filters
    # What one may not see does not exist.
    assert pair.their_ram.get_resource_shares(resourceOwner="OTHER-ACCOUNTS")["resourceShares"] == []
    for client, owner, arn in (
        (pair.ram, "SELF", NOWHERE),
        (pair.their_ram, "SELF", shares[0]),
        (pair.their_ram, "OTHER-ACCOUNTS", shares[0]),
    ):
        with refused("UnknownResourceException", f"ResourceShare {arn} could not be found."):
            client.get_resource_shares(resourceOwner=owner, resourceShareArns=[arn])
    with refused("MalformedArnException"):
        pair.ram.get_resource_shares(resourceOwner="SELF", resourceShareArns=["x"])
    with refused("UnknownResourceException"):
        pair.ram.get_resource_shares(resourceOwner="SELF", permissionArn=permission(REVOKE), permissionVersion=2)


def test_a_token_belongs_to_its_listing(pair):
    for _ in range(2):
        pair.share(principals=[])
    token = pair.ram.get_resource_shares(resourceOwner="SELF", maxResults=1)["nextToken"]
    for client, wanted in (
        (pair.ram, {"resourceOwner": "SELF", "name": "Shared"}),
        (pair.ram, {"resourceOwner": "OTHER-ACCOUNTS"}),
        (pair.their_ram, {"resourceOwner": "SELF"}),
    ):
        with refused("InvalidNextTokenException"):
            client.get_resource_shares(nextToken=token, **wanted)
    for verb in ("list_resources", "list_principals"):
        with refused("InvalidNextTokenException"):
            getattr(pair.ram, verb)(resourceOwner="SELF", nextToken=token)


def test_associations(pair):
    cas = sorted((pair.create(), pair.create()))
    share, other = sorted((pair.share(*cas), pair.share(cas[0], principals=["777788889999", pair.consumer])))
    listed = pages(pair.ram.get_resource_share_associations, "resourceShareAssociations", associationType="RESOURCE")
    keys = [(each["resourceShareArn"], each["associatedEntity"]) for each in listed]
    assert keys == sorted(keys)
    assert len(keys) == 3
    assert {each["resourceShareName"] for each in listed} == {"Shared"}
    for wanted, count in (
        ({"associationType": "PRINCIPAL"}, 3),
        ({"associationType": "PRINCIPAL", "principal": pair.consumer}, 2),
        ({"associationType": "PRINCIPAL", "principal": pair.consumer, "resourceShareArns": [share]}, 1),
        ({"associationType": "RESOURCE", "resourceArn": cas[1]}, 1),
        ({"associationType": "RESOURCE", "associationStatus": "DISASSOCIATED"}, 0),
        ({"associationType": "SOURCE"}, 0),
    ):
        found = pair.ram.get_resource_share_associations(**wanted)["resourceShareAssociations"]
        assert len(found) == count, wanted
    with refused("InvalidParameterException"):
        pair.ram.get_resource_share_associations(associationType="RESOURCE", principal=pair.consumer)
    with refused("InvalidParameterException"):
        pair.ram.get_resource_share_associations(associationType="PRINCIPAL", resourceArn=cas[0])
    # Only of one's own shares.
    assert pair.their_ram.get_resource_share_associations(associationType="RESOURCE")["resourceShareAssociations"] == []
    with refused("UnknownResourceException"):
        pair.their_ram.get_resource_share_associations(associationType="RESOURCE", resourceShareArns=[other])


def test_resources_and_principals(pair):
    first, second = sorted((pair.create(), pair.create()))
    share = pair.accepted(first, second)
    waiting = pair.share(first, principals=["777788889999"])
    mine = pages(pair.ram.list_resources, "resources", resourceOwner="SELF")
    assert sorted((each["resourceShareArn"], each["arn"]) for each in mine) == sorted(
        [(share, first), (share, second), (waiting, first)]
    )
    assert {(each["type"], each["status"], each["resourceRegionScope"]) for each in mine} == {
        ("acm-pca:CertificateAuthority", "AVAILABLE", "REGIONAL")
    }
    theirs = pages(pair.their_ram.list_resources, "resources", resourceOwner="OTHER-ACCOUNTS")
    assert [each["arn"] for each in theirs] == [first, second]
    for client, wanted, count in (
        (pair.ram, {"resourceOwner": "SELF", "principal": pair.consumer}, 2),
        (pair.ram, {"resourceOwner": "SELF", "principal": "777788889999"}, 0),
        (pair.ram, {"resourceOwner": "SELF", "resourceArns": [second]}, 1),
        (pair.ram, {"resourceOwner": "SELF", "resourceShareArns": [waiting]}, 1),
        (pair.ram, {"resourceOwner": "SELF", "resourceRegionScope": "GLOBAL"}, 0),
        (pair.ram, {"resourceOwner": "SELF", "resourceType": "acm-pca:certificateauthority"}, 3),
        (pair.ram, {"resourceOwner": "OTHER-ACCOUNTS"}, 0),
        (pair.their_ram, {"resourceOwner": "OTHER-ACCOUNTS", "resourceShareArns": [share]}, 2),
        (pair.their_ram, {"resourceOwner": "OTHER-ACCOUNTS", "principal": pair.consumer}, 2),
        (pair.their_ram, {"resourceOwner": "SELF"}, 0),
    ):
        assert len(client.list_resources(**wanted)["resources"]) == count, wanted
    with refused("InvalidResourceTypeException"):
        pair.ram.list_resources(resourceOwner="SELF", resourceType="ec2:Subnet")
    with refused("UnknownResourceException"):
        pair.their_ram.list_resources(resourceOwner="OTHER-ACCOUNTS", resourceShareArns=[waiting])

    (found,) = pair.ram.list_principals(resourceOwner="SELF")["principals"]
    assert (found["id"], found["resourceShareArn"], found["external"]) == (pair.consumer, share, True)
    assert len(pair.ram.list_principals(resourceOwner="SELF", resourceArn=second)["principals"]) == 1
    assert pair.ram.list_principals(resourceOwner="SELF", principals=["777788889999"])["principals"] == []
    (owner,) = pair.their_ram.list_principals(resourceOwner="OTHER-ACCOUNTS")["principals"]
    assert (owner["id"], owner["resourceShareArn"], owner["external"]) == (pair.owner, share, True)
    with refused("InvalidParameterException"):
        pair.ram.list_principals(resourceOwner="SELF", resourceType="ec2:Subnet")


def test_permissions(pair):
    listed = pages(pair.ram.list_permissions, "permissions")
    names = [each["name"] for each in listed]
    assert names == sorted(names)
    assert len(names) == 7
    assert [each["name"] for each in listed if each["isResourceTypeDefault"]] == [DEFAULT]
    for wanted, count in (
        ({"permissionType": "CUSTOMER_MANAGED"}, 0),
        ({"permissionType": "AWS_MANAGED", "resourceType": "acm-pca:CertificateAuthority"}, 7),
        ({"permissionStatus": "DEPRECATED"}, 0),
    ):
        assert len(pair.ram.list_permissions(**wanted)["permissions"]) == count
    with refused("InvalidParameterException"):
        pair.ram.list_permissions(resourceType="ec2:Subnet")
    shown = pair.ram.get_permission(permissionArn=permission(DEFAULT))["permission"]
    assert (shown["arn"], shown["version"], shown["permissionType"]) == (permission(DEFAULT), "1", "AWS_MANAGED")
    reads, issuing = json.loads(shown["permission"])
    assert reads == {"Effect": "Allow", "Action": READS}
    assert issuing["Condition"] == {"StringEquals": {"acm-pca:TemplateArn": template("EndEntityCertificate")}}
    (revoking,) = json.loads(pair.ram.get_permission(permissionArn=permission(REVOKE))["permission"]["permission"])
    assert revoking["Action"] == [*READS, "acm-pca:RevokeCertificate"]
    (version,) = pair.ram.list_permission_versions(permissionArn=permission(DEFAULT))["permissions"]
    assert (version["version"], version["defaultVersion"]) == ("1", True)
    for verb in (pair.ram.get_permission, pair.ram.list_permission_versions):
        with refused("MalformedArnException"):
            verb(permissionArn="x")
        with refused("UnknownResourceException"):
            verb(permissionArn=permission("AWSRAMDefaultPermissionSubnet"))
    with refused("UnknownResourceException"):
        pair.ram.get_permission(permissionArn=permission(DEFAULT), permissionVersion=2)
    (type,) = pair.ram.list_resource_types()["resourceTypes"]
    assert type == {
        "resourceType": "acm-pca:CertificateAuthority",
        "serviceName": "acm-pca",
        "resourceRegionScope": "REGIONAL",
    }
    assert pair.ram.list_resource_types(resourceRegionScope="GLOBAL")["resourceTypes"] == []


def test_resource_policies(pair):
    shared, plain = pair.create(), pair.create()
    pair.accepted(shared)
    text = pair.pca.get_policy(ResourceArn=shared)["Policy"]
    assert pair.ram.get_resource_policies(resourceArns=[shared, plain])["policies"] == [text]
    wanted = {"resourceArns": [shared]}
    assert pair.ram.get_resource_policies(principal=pair.consumer, **wanted)["policies"] == [text]
    assert pair.ram.get_resource_policies(principal="777788889999", **wanted)["policies"] == []
    with refused("ResourceArnNotFoundException"):
        pair.ram.get_resource_policies(resourceArns=[NO_CA])
    with refused("ResourceArnNotFoundException"):
        pair.their_ram.get_resource_policies(**wanted)
    with refused("MalformedArnException"):
        pair.ram.get_resource_policies(resourceArns=["x"])


def test_shares_are_regional(pair):
    root = pair.create()
    pair.accepted(root)
    pair.clock.advance(timedelta(seconds=1))
    elsewhere = pair.installation.client("ram", region="eu-west-1")
    assert elsewhere.get_resource_shares(resourceOwner="SELF")["resourceShares"] == []
    theirs = pair.installation.client("acm-pca", region="eu-west-1", credential=pair.credential)
    assert theirs.list_certificate_authorities(ResourceOwner="OTHER_ACCOUNTS")["CertificateAuthorities"] == []
