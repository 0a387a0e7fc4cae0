"""Two accounts that share private CAs: the steps that the tests of sharing start with."""

import json
from contextlib import contextmanager

from botocore.exceptions import ClientError

from doors.pki import Pki, template

DEFAULT = "AWSRAMDefaultPermissionCertificateAuthority"
REVOKE = "AWSRAMRevokeCertificateCertificateAuthority"
PATH_LEN_0 = "AWSRAMSubordinateCACertificatePathLen0IssuanceCertificateAuthority"
READS = [
    "acm-pca:DescribeCertificateAuthority",
    "acm-pca:GetCertificate",
    "acm-pca:GetCertificateAuthorityCertificate",
    "acm-pca:ListPermissions",
    "acm-pca:ListTags",
]


def permission(name):
    """The ARN of a managed permission."""
    return f"arn:aws:ram::aws:permission/{name}"


def policy(arn, principal, *, templates=("EndEntityCertificate",), condition=None):
    """The policy that the documentation of AWS shows, with its one Sid for two statements."""
    only = {"acm-pca:TemplateArn": [template(name) for name in templates]}
    around = condition or {}
    reads = {"Sid": "1", "Effect": "Allow", "Principal": principal, "Action": READS, "Resource": arn}
    if around:
        reads["Condition"] = around
    issue = {
        **reads,
        "Action": ["acm-pca:IssueCertificate"],
        "Condition": {**around, "StringEquals": {**around.get("StringEquals", {}), **only}},
    }
    return {"Version": "2012-10-17", "Statement": [reads, issue]}


class Pair(Pki):
    """An owner with its PKI, and a consumer: another account of the same installation."""

    def __init__(self, storage):
        super().__init__(storage)
        self.ram = self.installation.client("ram")
        self.owner = self.installation.credential.account
        self.credential = self.new_account("consumer")
        self.consumer = self.credential.account
        self.their_ram = self.installation.client("ram", credential=self.credential)
        self.their_pca = self.installation.client("acm-pca", credential=self.credential)

    def new_account(self, name):
        """The root credential of a new account."""
        accounts = self.installation.rooms.accounts
        made = self.storage.transact(lambda tx: accounts.create(tx, name=name, email=f"{name}@example.com"))
        return self.storage.transact(lambda tx: accounts.new_root_credential(tx, made.id, "us-east-1"))

    def share(self, *resources, principals=None, **more):
        """The ARN of a new share, with the consumer unless told otherwise."""
        wanted = [self.consumer] if principals is None else principals
        made = self.ram.create_resource_share(name="Shared", resourceArns=resources, principals=wanted, **more)
        return made["resourceShare"]["resourceShareArn"]

    def invitation(self, share):
        """The newest invitation of the consumer to a share."""
        found = self.their_ram.get_resource_share_invitations(resourceShareArns=[share])["resourceShareInvitations"]
        return max(found, key=lambda each: each["invitationTimestamp"])["resourceShareInvitationArn"]

    def accepted(self, *resources, **more):
        """A share that the consumer has accepted."""
        share = self.share(*resources, **more)
        self.their_ram.accept_resource_share_invitation(resourceShareInvitationArn=self.invitation(share))
        return share

    def statements(self, arn):
        """The statements of a CA's policy."""
        return json.loads(self.pca.get_policy(ResourceArn=arn)["Policy"])["Statement"]

    def their_shared(self):
        """The ARNs of what others share with the consumer."""
        found = self.their_pca.list_certificate_authorities(ResourceOwner="OTHER_ACCOUNTS")
        return [each["Arn"] for each in found["CertificateAuthorities"]]

    def associations(self, share, type="PRINCIPAL"):
        """(entity, status) of a share's associations."""
        found = self.ram.get_resource_share_associations(associationType=type, resourceShareArns=[share])
        return [(each["associatedEntity"], each["status"]) for each in found["resourceShareAssociations"]]


@contextmanager
def denied(text=""):
    """The block must be refused for want of a right."""
    try:
        yield
    except ClientError as error:
        answer = error.response
        assert answer["Error"]["Code"] == "AccessDeniedException", answer
        assert text in answer["Error"]["Message"], answer
    else:
        raise AssertionError("not denied")
