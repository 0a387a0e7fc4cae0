"""Service control reaches every principal of a member account (workflows.md 22, iam.md 2, 5, 6)."""

import pytest
from botocore.exceptions import ClientError

from doors.member_accounts import FULL, SCP, Org
from doors.organization import allow, deny, document, role, session_client, trust, user
from doors.pki import Pki, refused
from greatseal.domain.audit import Lookup

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
REQUEST = "acm:RequestCertificate"
PUBLIC = "UnsupportedOperation"  # what a public request meets once it is allowed


@pytest.fixture
def org(storage):
    return Org(storage)


def sentence(account, principal, why="with an explicit deny in a service control policy"):
    resource = f"arn:aws:acm:us-east-1:{account}:certificate/*"
    return f"User: {principal} is not authorized to perform: {REQUEST} on resource: {resource} {why}"


class Member:
    """A member account with clients of its root, of a user and of the sessions of its roles."""

    def __init__(self, org, name="member", *, parent=None):
        self.org = org
        self.account = org.member(name, parent=parent)
        self.root = org.root_of(self.account)
        self.root_arn = f"arn:aws:iam::{self.account}:root"
        self.alice = user(org.installation, "alice", allow(["acm:*", "sts:*"]), root=self.root)

    def role(self, name, path="/pki/"):
        trusted = trust({"AWS": self.root_arn})
        return role(self.org.installation, name, trusted, allow("acm:*"), root=self.root, Path=path)

    def acm(self, arn=None):
        """A client of the root, or of a session of a role."""
        if arn is None:
            return self.org.installation.client("acm", credential=self.root)
        sts = self.org.installation.client("sts", credential=self.alice)
        answer = sts.assume_role(RoleArn=arn, RoleSessionName="s1")
        return session_client(self.org.installation, "acm", answer)

    def session_arn(self, arn):
        return f"arn:aws:sts::{self.account}:assumed-role/{arn.rpartition('/')[2]}/s1"


@pytest.fixture
def member(org):
    return Member(org)


def asks(client, **more):
    """What becomes of a request for a certificate: `allowed`, or the text of the denial."""
    try:
        client.request_certificate(**{"DomainName": "www.example.com", **more})
    except ClientError as error:
        answer = error.response["Error"]
        if answer["Code"] == "AccessDeniedException":
            return answer["Message"]
        if answer["Code"] != PUBLIC:
            raise
    return "allowed"


def test_a_denial_stops_root_and_users_of_a_member_and_spares_the_management_account(org, member):
    policy = org.policy(deny(REQUEST), target=org.root)
    alice = org.installation.client("acm", credential=member.alice)
    assert asks(member.acm()) == sentence(member.account, member.root_arn)
    assert asks(alice) == sentence(member.account, member.alice.principal_arn)
    assert asks(org.installation.client("acm")) == "allowed"
    # Other actions are as before, and nothing is given that identity policies do not give.
    assert alice.list_certificates()["CertificateSummaryList"] == []
    with refused("AccessDeniedException", "because no identity-based policy allows"):
        org.installation.client("acm-pca", credential=member.alice).list_certificate_authorities()
    org.client.detach_policy(PolicyId=policy, TargetId=org.root)
    assert (asks(member.acm()), asks(alice)) == ("allowed", "allowed")


def test_a_denial_is_on_record(org, member):
    org.policy(deny(REQUEST), target=member.account)
    assert asks(member.acm()) != "allowed"
    record = org.rooms.audit.lookup(member.account, "us-east-1", Lookup(), limit=1).items[0]
    assert (record.operation, record.error_code) == (REQUEST, "AccessDenied")
    assert record.error_message == sentence(member.account, member.root_arn)


def test_every_level_must_allow_and_any_policy_of_a_level_may(org):
    outer = org.unit("outer")
    inner = org.unit("inner", parent=outer)
    member = Member(org, parent=inner)
    implicit = sentence(
        member.account, member.root_arn, f"because no service control policy allows the {REQUEST} action"
    )
    acm = member.acm()
    only = {
        target: org.policy(allow("acm-pca:*"), name=f"only-{target}", target=target)
        for target in (org.root, outer, inner, member.account)
    }
    for target, policy in only.items():
        assert asks(acm) == "allowed"
        org.client.detach_policy(PolicyId=FULL, TargetId=target)
        assert asks(acm) == implicit
        org.client.update_policy(PolicyId=policy, Content=document(allow(REQUEST)))
        assert asks(acm) == "allowed"
        org.client.attach_policy(PolicyId=FULL, TargetId=target)
        org.client.update_policy(PolicyId=policy, Content=document(allow("acm-pca:*")))
    denial = org.policy(deny(REQUEST), name="denial", target=outer)
    assert asks(acm) == sentence(member.account, member.root_arn)
    org.client.move_account(AccountId=member.account, SourceParentId=inner, DestinationParentId=org.root)
    assert asks(acm) == "allowed"
    org.client.move_account(AccountId=member.account, SourceParentId=org.root, DestinationParentId=inner)
    assert asks(acm) == sentence(member.account, member.root_arn)
    org.client.update_policy(PolicyId=denial, Content=document(deny("kms:*")))
    assert asks(acm) == "allowed"
    org.client.update_policy(PolicyId=denial, Content=document(deny(REQUEST)))
    org.client.disable_policy_type(RootId=org.root, PolicyType=SCP)
    assert asks(acm) == "allowed"


def test_who_leaves_is_free_and_who_is_closed_may_do_nothing(org, member):
    org.policy(deny(REQUEST), target=org.root)
    closed = Member(org, "closed")
    assert asks(member.acm()) == sentence(member.account, member.root_arn)
    org.client.remove_account_from_organization(AccountId=member.account)
    assert asks(member.acm()) == "allowed"
    org.client.close_account(AccountId=closed.account)
    with refused("AccessDeniedException", "explicit deny"):
        closed.acm().list_certificates()
    org.client.disable_policy_type(RootId=org.root, PolicyType=SCP)
    with refused("AccessDeniedException", "explicit deny"):
        closed.acm().list_certificates()


def test_conditions_know_the_organization(org):
    unit = org.unit()
    member = Member(org, parent=unit)
    org.policy(
        deny(REQUEST, Condition={"StringNotEquals": {"aws:PrincipalOrgID": org.id}}), name="others", target=org.root
    )
    assert asks(member.acm()) == "allowed"
    path = f"{org.id}/{org.root}/{unit}/*"
    org.policy(
        deny(REQUEST, Condition={"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": path}}),
        name="unit",
        target=org.root,
    )
    assert asks(member.acm()) != "allowed"
    assert asks(Member(org, "outside").acm()) == "allowed"


# -- the four policies of workflows.md 22 ---------------------------------------------------------------------


def test_no_validation_by_mail_but_for_one_role(org, member):
    issuer, other = member.role("Issuer"), member.role("Other")
    org.policy(
        deny(
            REQUEST,
            Condition={"StringLike": {"acm:ValidationMethod": "EMAIL"}, "ArnNotLike": {"aws:PrincipalArn": [issuer]}},
        ),
        target=member.account,
    )
    denied = sentence(member.account, member.session_arn(other))
    assert asks(member.acm(other), ValidationMethod="EMAIL") == denied
    # Without a method a public certificate is validated by mail.
    assert asks(member.acm(other)) == denied
    assert asks(member.acm(), ValidationMethod="EMAIL") == sentence(member.account, member.root_arn)
    assert asks(member.acm(issuer), ValidationMethod="EMAIL") == "allowed"
    assert asks(member.acm(other), ValidationMethod="DNS") == "allowed"


def test_a_private_certificate_is_not_validated_at_all(org, member):
    org.policy(deny(REQUEST, Condition={"StringLike": {"acm:ValidationMethod": "EMAIL"}}), target=member.account)
    pki = Pki.__new__(Pki)
    pki.installation, pki.storage, pki.clock = org.installation, org.rooms.storage, org.installation.clock
    pki.pca = org.installation.client("acm-pca", credential=member.root)
    arn = member.acm().request_certificate(
        DomainName="www.example.com", CertificateAuthorityArn=pki.root(), KeyAlgorithm="EC_prime256v1"
    )["CertificateArn"]
    org.installation.work()
    assert member.acm().describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED"


@pytest.mark.parametrize(
    ("names", "denied"),
    [
        (["*.example.com"], True),
        (["www.example.com", "*.sub.example.com"], True),
        (["www.example.com", "a.b.example.com"], False),
    ],
)
def test_no_wildcard_names(org, member, names, denied):
    org.policy(deny(REQUEST, Condition={"ForAnyValue:StringLike": {"acm:DomainNames": ["${*}.*"]}}), target=org.root)
    found = asks(member.acm(), DomainName=names[0], SubjectAlternativeNames=names)
    assert found == (sentence(member.account, member.root_arn) if denied else "allowed")


def test_two_applications_with_two_roles(org, member):
    issuer, operator, other = (member.role(name) for name in ("Issuer", "Operator", "Other"))
    statements = [
        deny(
            REQUEST,
            Sid=name,
            Condition={
                "ForAnyValue:StringLike": {"acm:DomainNames": f"{name}.example.com"},
                "ArnNotLike": {"aws:PrincipalArn": roles},
            },
        )
        for name, roles in (("app1", [issuer, operator]), ("app2", [operator]))
    ]
    org.policy(*statements, target=org.root)
    for arn, allowed in ((issuer, {"app1", "app3"}), (operator, {"app1", "app2", "app3"}), (other, {"app3"})):
        client = member.acm(arn)
        for name in ("app1", "app2", "app3"):
            found = asks(client, SubjectAlternativeNames=[f"{name}.example.com"])
            denied = sentence(member.account, member.session_arn(arn))
            assert found == ("allowed" if name in allowed else denied), (arn, name)


@pytest.mark.parametrize(
    ("algorithm", "denied"),
    [("RSA_2048", True), ("RSA_4096", True), (None, True), ("EC_prime256v1", False), ("EC_secp384r1", False)],
)
def test_no_rsa_also_when_nothing_is_said(org, member, algorithm, denied):
    org.policy(deny(REQUEST, Condition={"StringLike": {"acm:KeyAlgorithm": "RSA*"}}), target=org.root)
    more = {"KeyAlgorithm": algorithm} if algorithm else {}
    found = asks(member.acm(), ValidationMethod="DNS", **more)
    assert found == (sentence(member.account, member.root_arn) if denied else "allowed")
