"""PutPolicy, GetPolicy, DeletePolicy and their fixed grammar (acm-pca.md 2.16, 12.2)."""

import json

import pytest

from doors.pki import csr, days, refused, template
from doors.sharing import READS, Pair, denied, policy

ONE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def pair(storage):
    return Pair(storage)


def put(pair, arn, document):
    """Sets a policy."""
    pair.pca.put_policy(ResourceArn=arn, Policy=document if isinstance(document, str) else json.dumps(document))


def issue(pair, arn, using):
    """A certificate for the consumer."""
    return pair.their_pca.issue_certificate(
        CertificateAuthorityArn=arn,
        Csr=csr("www.example2.com"),
        SigningAlgorithm="SHA256WITHECDSA",
        Validity=days(30),
        TemplateArn=template(using),
    )["CertificateArn"]


def test_a_policy_opens_and_closes(pair):
    root = pair.root()
    written = policy(root, {"AWS": pair.consumer}, templates=("EndEntityCertificate", "EndEntityServerAuthCertificate"))
    put(pair, root, json.dumps(written, indent=1))
    # As it was written, white space included.
    assert pair.pca.get_policy(ResourceArn=root)["Policy"] == json.dumps(written, indent=1)
    assert pair.their_shared() == [root]
    pair.their_pca.describe_certificate_authority(CertificateAuthorityArn=root)
    pair.their_pca.get_certificate(
        CertificateAuthorityArn=root, CertificateArn=issue(pair, root, "EndEntityServerAuthCertificate")
    )
    with denied("because no resource-based policy allows the acm-pca:IssueCertificate action"):
        issue(pair, root, "EndEntityClientAuthCertificate")
    # The owner keeps every right.
    pair.issue(root)
    put(pair, root, policy(root, {"AWS": f"arn:aws:iam::{pair.consumer}:root"}))
    with denied():
        issue(pair, root, "EndEntityServerAuthCertificate")
    pair.pca.delete_policy(ResourceArn=root)
    assert pair.their_shared() == []
    with denied():
        pair.their_pca.describe_certificate_authority(CertificateAuthorityArn=root)
    with refused("ResourceNotFoundException", f"Could not find policy for resource {root}."):
        pair.pca.get_policy(ResourceArn=root)
    pair.pca.delete_policy(ResourceArn=root)


@ONE
def test_a_policy_takes_the_place_of_shares(pair):
    root = pair.create()
    share = pair.accepted(root)
    put(pair, root, policy(root, {"AWS": "777788889999"}))
    assert pair.associations(share, "RESOURCE") == [(root, "DISASSOCIATED")]
    assert pair.their_shared() == []
    assert [each["Principal"] for each in pair.statements(root)] == [{"AWS": "777788889999"}] * 2
    # A share that comes later adds its statements, and the owner reads both.
    pair.ram.associate_resource_share(resourceShareArn=share, resourceArns=[root])
    assert len(pair.statements(root)) == 4
    assert pair.their_shared() == [root]
    pair.pca.delete_policy(ResourceArn=root)
    assert pair.associations(share, "RESOURCE") == [(root, "DISASSOCIATED")]
    assert pair.their_shared() == []


@ONE
def test_a_policy_shows_as_a_share(pair):
    root = pair.create()
    put(pair, root, policy(root, {"AWS": [pair.consumer, "777788889999"]}))
    (shown,) = pair.ram.get_resource_shares(resourceOwner="SELF")["resourceShares"]
    share = shown["resourceShareArn"]
    assert shown["featureSet"] == "CREATED_FROM_POLICY"
    assert pair.associations(share, "RESOURCE") == [(root, "ASSOCIATED")]
    assert pair.associations(share) == sorted([(pair.consumer, "ASSOCIATED"), ("777788889999", "ASSOCIATED")])
    assert pair.ram.list_resource_share_permissions(resourceShareArn=share)["permissions"] == []
    (received,) = pair.their_ram.get_resource_shares(resourceOwner="OTHER-ACCOUNTS")["resourceShares"]
    assert received["resourceShareArn"] == share
    for verb, more in (
        ("update_resource_share", {"name": "x"}),
        ("delete_resource_share", {}),
        ("associate_resource_share", {"principals": ["777788889999"]}),
    ):
        with refused("OperationNotPermittedException", "created from a resource-based policy"):
            getattr(pair.ram, verb)(resourceShareArn=share, **more)
    put(pair, root, policy(root, {"AWS": "777788889999"}))
    shares = pair.ram.get_resource_shares(resourceOwner="SELF", resourceShareStatus="ACTIVE")["resourceShares"]
    assert len(shares) == 1


@ONE
def test_every_principal_of_the_grammar(pair):
    root = pair.create()
    within = {"StringEquals": {"aws:PrincipalOrgID": "o-example1234"}}
    below = {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ["o-example1234/r-abcd/ou-abcd-12345678/*"]}}
    accounts = pair.installation.rooms.accounts
    role = pair.storage.transact(lambda tx: accounts.add_entry_role(tx, pair.consumer, pair.owner))
    for principal, condition in (
        ({"AWS": pair.consumer}, None),
        ({"AWS": [pair.consumer, f"arn:aws:iam::{pair.consumer}:root", role]}, None),
        ({"Service": "pca-connector-ad.amazonaws.com"}, {"StringEquals": {"aws:SourceAccount": pair.owner}}),
        ("*", within),
        ({"AWS": "*"}, below),
    ):
        put(pair, root, policy(root, principal, condition=condition))
        assert len(pair.statements(root)) == 2


def changed(root, consumer, **elements):
    """A good policy whose reading statement is changed; None takes an element away."""
    document = policy(root, {"AWS": consumer})
    statement = {**document["Statement"][0], **elements}
    document["Statement"][0] = {key: value for key, value in statement.items() if value is not None}
    return document


@ONE
def test_everything_else_is_refused(pair):
    root, other = pair.create(), pair.create()
    account = pair.consumer
    organization = {"aws:PrincipalOrgID": "o-example1234"}
    only = {"StringEquals": {"acm-pca:TemplateArn": template("EndEntityCertificate")}}
    issuing = ["acm-pca:IssueCertificate"]
    good = policy(root, {"AWS": account})
    for document, text in (
        ("no JSON", ""),
        ({"Version": "2012-10-17", "Statement": []}, ""),
        ({**good, "Extra": 1}, "unknown element"),
        (changed(root, account, Effect="Deny"), "cannot deny"),
        (changed(root, account, Resource="*"), "the only valid resource"),
        (changed(root, account, Resource=[root, other]), "the only valid resource"),
        (changed(root, account, Resource=None, NotResource=other), "not supported"),
        (changed(root, account, Action="acm-pca:*"), "cannot be shared"),
        (changed(root, account, Action="*"), "cannot be shared"),
        (changed(root, account, Action=["acm-pca:GetCertificateAuthorityCsr"]), "cannot be shared"),
        (changed(root, account, Action=["acm-pca:PutPolicy"]), "cannot be shared"),
        (changed(root, account, Action=None, NotAction="acm-pca:PutPolicy"), "not supported"),
        (changed(root, account, Principal=None), "Principal"),
        (changed(root, account, Principal=None, NotPrincipal={"AWS": account}), "not supported"),
        (changed(root, account, Principal="*"), "needs a condition on aws:PrincipalOrgID"),
        (changed(root, account, Principal={"AWS": "*"}), "needs a condition on aws:PrincipalOrgID"),
        (changed(root, account, Principal={"AWS": "arn:aws:iam::444455556666:user/ghost"}), "Invalid principal"),
        (changed(root, account, Principal={"AWS": f"arn:aws:sts::{account}:assumed-role/a/b"}), "sessions"),
        (changed(root, account, Principal={"Service": "ec2.amazonaws.com"}), "not supported"),
        (changed(root, account, Principal={"Federated": "*"}), "not supported"),
        (changed(root, account, Condition={"StringLike": organization}), "not supported"),
        (changed(root, account, Condition={"StringEqualsIfExists": organization}), "not supported"),
        (changed(root, account, Condition={"StringEquals": {"aws:PrincipalOrgID": "o-*"}}), "not a valid value"),
        (changed(root, account, Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}), "not supported"),
        (
            changed(root, account, Condition={"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "*/r-x/*"}}),
            "not a valid value",
        ),
        (changed(root, account, Action=issuing), "need each other"),
        (changed(root, account, Condition=only), "need each other"),
        (changed(root, account, Action=[*READS, *issuing], Condition=only), "a statement of its own"),
        (
            changed(root, account, Action=issuing, Condition={"StringEquals": {"acm-pca:TemplateArn": "*"}}),
            "not the ARN of a template",
        ),
        ({**good, "Statement": good["Statement"][1:]}, "missing a required statement"),
    ):
        with refused("InvalidPolicyException", text):
            put(pair, root, document)
    with refused("ResourceNotFoundException", "policy"):
        pair.pca.get_policy(ResourceArn=root)


@ONE
def test_resources_without_policies(pair):
    gone = pair.create()
    pair.delete(gone)
    text = json.dumps(policy(gone, {"AWS": pair.consumer}))
    calls = (
        lambda arn: pair.pca.put_policy(ResourceArn=arn, Policy=text.replace(gone, arn)),
        lambda arn: pair.pca.get_policy(ResourceArn=arn),
        lambda arn: pair.pca.delete_policy(ResourceArn=arn),
    )
    for call in calls:
        with refused("InvalidStateException"):
            call(gone)
        with refused("ResourceNotFoundException", "Could not find Certificate Authority"):
            call(gone[:-1] + ("0" if gone[-1] != "0" else "1"))
        with refused("InvalidArnException"):
            call(f"{gone}/certificate/1234")
