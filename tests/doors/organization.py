"""What tests of accounts, users and roles import: clients of principals, and policies in few words."""

import json
from collections.abc import Sequence
from typing import Any

from greatseal.domain.access import Credential
from greatseal.kernel.secret import Secret
from greatseal.testing import Installation

OTHER = "444455556666"


def document(*statements: dict[str, Any]) -> str:
    """A policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions: str | Sequence[str], resource: str | Sequence[str] = "*", **more: Any) -> dict[str, Any]:
    """A statement that allows."""
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


def deny(actions: str | Sequence[str], resource: str | Sequence[str] = "*", **more: Any) -> dict[str, Any]:
    """A statement that denies."""
    return {"Effect": "Deny", "Action": actions, "Resource": resource, **more}


def trust(principal: dict[str, Any] | str, action: str | Sequence[str] = "sts:AssumeRole", **more: Any) -> str:
    """A trust policy of one statement."""
    return document({"Effect": "Allow", "Principal": principal, "Action": action, **more})


def second_account(installation: Installation, account: str = OTHER, name: str = "other") -> Credential:
    """The root credential of one more account outside every organization."""
    rooms = installation.rooms

    def work(tx: Any) -> Credential:
        rooms.accounts.create(tx, name=name, email=f"{name}@example.com", account_id=account)
        return rooms.accounts.new_root_credential(tx, account, installation.region)

    return rooms.storage.transact(work)


def user(
    installation: Installation, name: str, *statements: dict[str, Any], root: Credential | None = None
) -> Credential:
    """A new user with an inline policy, and its access key."""
    iam = installation.client("iam", credential=root)
    made = iam.create_user(UserName=name)["User"]
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=document(*statements))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    account = made["Arn"].split(":")[4]
    return Credential(key["AccessKeyId"], Secret(key["SecretAccessKey"].encode()), account, made["Arn"], made["UserId"])


def role(
    installation: Installation,
    name: str,
    trusted: str,
    *statements: dict[str, Any],
    root: Credential | None = None,
    **more: Any,
) -> str:
    """A new role with an inline policy; its ARN."""
    iam = installation.client("iam", credential=root)
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusted, **more)["Role"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=document(*statements))
    return str(made["Arn"])


def session_client(installation: Installation, service: str, answer: dict[str, Any], region: str | None = None) -> Any:
    """A client with the credentials that an operation of STS answered."""
    given = answer["Credentials"]
    credential = Credential(given["AccessKeyId"], Secret(given["SecretAccessKey"].encode()), "", "", "")
    return installation.client(service, credential=credential, token=given["SessionToken"], region=region)
