"""An organization for tests of its door: real boto3 clients of the management account and of members."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from doors.organization import document
from greatseal.domain.access import Credential
from greatseal.storage import Storage
from greatseal.testing import FakeEntropy, Installation
from greatseal.testing.installation import ACCOUNT

MANAGEMENT = ACCOUNT
FULL = "p-FullAWSAccess"
SCP = "SERVICE_CONTROL_POLICY"


@contextmanager
def constrained(reason: str, code: str = "ConstraintViolationException") -> Iterator[None]:
    """The block must be refused with this reason."""
    try:
        yield
    except ClientError as error:
        answer = error.response
        assert (answer["Error"]["Code"], answer.get("Reason")) == (code, reason), answer
    else:
        raise AssertionError(f"not refused; {reason} was expected")


class Org:
    """An installation whose root account manages an organization."""

    def __init__(self, storage: Storage, *, control: bool = True, feature_set: str = "ALL") -> None:
        self.installation = Installation(storage, entropy=FakeEntropy("organization"))
        self.rooms = self.installation.rooms
        self.client = self.installation.client("organizations")
        self.organization = self.client.create_organization(FeatureSet=feature_set)["Organization"]
        self.id = self.organization["Id"]
        self.root = self.client.list_roots()["Roots"][0]["Id"]
        if control:
            self.client.enable_policy_type(RootId=self.root, PolicyType=SCP)

    def arn(self, kind: str, *names: str) -> str:
        """The ARN of something in the organization."""
        return ":".join(("arn:aws:organizations:", MANAGEMENT, "/".join((kind, self.id, *names))))

    def member(self, name: str = "member", *, parent: str | None = None, **more: Any) -> str:
        """A new account, by its id."""
        begun = self.client.create_account(AccountName=name, Email=f"{name}@example.com", **more)
        request = begun["CreateAccountStatus"]["Id"]
        done = self.client.describe_create_account_status(CreateAccountRequestId=request)["CreateAccountStatus"]
        account: str = done["AccountId"]
        if parent is not None:
            self.client.move_account(AccountId=account, SourceParentId=self.root, DestinationParentId=parent)
        return account

    def unit(self, name: str = "unit", *, parent: str | None = None) -> str:
        """A new unit, by its id."""
        made = self.client.create_organizational_unit(ParentId=parent or self.root, Name=name)
        unit: str = made["OrganizationalUnit"]["Id"]
        return unit

    def policy(self, *statements: dict[str, Any], name: str = "policy", target: str | None = None) -> str:
        """A new service control policy, by its id; attached when there is a target."""
        made = self.client.create_policy(Content=document(*statements), Description="", Name=name, Type=SCP)
        policy: str = made["Policy"]["PolicySummary"]["Id"]
        if target is not None:
            self.client.attach_policy(PolicyId=policy, TargetId=target)
        return policy

    def stranger(self, name: str = "stranger") -> str:
        """An account outside of the organization, by its id."""
        make = self.rooms.accounts.create
        return self.rooms.storage.transact(lambda tx: make(tx, name=name, email=f"{name}@example.com")).id

    def root_of(self, account: str) -> Credential:
        """A credential of an account's root principal."""
        make = self.rooms.accounts.new_root_credential
        return self.rooms.storage.transact(lambda tx: make(tx, account, "us-east-1"))

    def of(self, account: str, service: str = "organizations") -> Any:
        """A client that an account's root principal signs."""
        return self.installation.client(service, credential=self.root_of(account))

    def attached(self, target: str) -> list[str]:
        """The ids of the policies on a target."""
        found = self.client.list_policies_for_target(TargetId=target, Filter=SCP)["Policies"]
        return [each["Id"] for each in found]
