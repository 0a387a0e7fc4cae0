"""People for tests of IAM: users with policies and keys, and boto3 clients that sign as them."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from greatseal.domain.access import Credential
from greatseal.kernel.secret import Secret
from greatseal.storage import Storage
from greatseal.testing import Installation

ACCOUNT = "111122223333"
HERE = f"arn:aws:iam::{ACCOUNT}"


def allow(*actions: str, resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    """A statement that allows."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def deny(*actions: str, resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    """A statement that denies."""
    return {**allow(*actions, resource=resource, **more), "Effect": "Deny"}


def document(*statements: Mapping[str, Any]) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(*principals: str, **kinds: str) -> str:
    """A trust policy for AWS principals, or for others by kind."""
    principal = {"AWS": list(principals)} if principals else kinds
    return document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})


@contextmanager
def refused(status: int, code: str, text: str = "") -> Iterator[None]:
    """The block must be refused with this status and code and a message that contains the text."""
    try:
        yield
    except ClientError as error:
        answer = error.response
        found = answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]
        assert found == (status, code), answer
        assert text in answer["Error"]["Message"], answer
    else:
        raise AssertionError(f"not refused; {code} was expected")


def absent(text: str = "") -> Any:
    """The block must end with NoSuchEntity."""
    return refused(404, "NoSuchEntity", text)


def denied(text: str = "") -> Any:
    """The block must end with AccessDenied as Query services spell it."""
    return refused(403, "AccessDenied", text)


class People:
    """An installation and its users."""

    def __init__(self, storage: Storage) -> None:
        self.installation = Installation(storage)
        self.iam = self.installation.client("iam")

    def key_of(self, name: str) -> Credential:
        """A new access key of a user."""
        return self.session_key(self.iam.create_access_key(UserName=name)["AccessKey"])

    def session_key(self, made: Mapping[str, Any]) -> Credential:
        """The credential in an answer of IAM or STS."""
        secret = Secret(made["SecretAccessKey"].encode())
        return Credential(made["AccessKeyId"], secret, ACCOUNT, "", "")

    def user(self, name: str, *statements: Mapping[str, Any], **more: Any) -> Credential:
        """A new user with one inline policy, and a key of it."""
        self.iam.create_user(UserName=name, **more)
        if statements:
            self.iam.put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=document(*statements))
        return self.key_of(name)

    def client(self, service: str, credential: Credential) -> Any:
        """A client that signs with this key."""
        return self.installation.client(service, credential=credential)

    def policy(self, name: str, *statements: Mapping[str, Any], **more: Any) -> str:
        """The ARN of a new managed policy."""
        made = self.iam.create_policy(PolicyName=name, PolicyDocument=document(*statements), **more)
        return str(made["Policy"]["Arn"])
