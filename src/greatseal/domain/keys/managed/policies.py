"""The policy of a key: what a new key has, and what may be written (kms.md 10, 15)."""

import json

from greatseal.domain.access import Access, Question, ResourcePolicies, UnknownPrincipals
from greatseal.domain.access.language import MalformedPolicy, PolicyKind, parse_policy
from greatseal.domain.keys.managed.refusals import PolicyLocksOut, PolicyTooLong
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import InvalidPolicy
from greatseal.storage import Tx

POLICY_NAME = "default"
LIMIT = 32768
"""The greatest key policy, in bytes (kms.md 17)."""


class KeyPolicies:
    """Reads and writes key policies; `write` and `read` join the caller's transaction."""

    def __init__(self, *, access: Access, resource_policies: ResourcePolicies) -> None:
        self._access = access
        self._resource_policies = resource_policies

    def check(self, caller: Caller, question: Question, document: str | None, *, bypass: bool) -> str:
        """The policy for a key: the given one, once it is known to be good, or that of every new key.

        `question` is PutKeyPolicy on the key; unless `bypass`, the policy must let the caller do that. Raises
        InvalidPolicy, PolicyLocksOut and PolicyTooLong.
        """
        if document is None:
            return default_policy(caller)
        if len(document.encode()) > LIMIT:
            raise PolicyTooLong(f"A key policy has at most {LIMIT} bytes.")
        try:
            parse_policy(document, PolicyKind.KEY)
        except MalformedPolicy as error:
            raise InvalidPolicy(str(error)) from None
        if not bypass and not self._access.would_allow(caller, question, document):
            raise PolicyLocksOut("The new key policy will not allow you to update the key policy in the future.")
        return document

    def write(self, tx: Tx, key_arn: str, document: str) -> None:
        """Sets the policy. Raises InvalidPolicy for principals that do not exist."""
        try:
            self._resource_policies.put(tx, key_arn, document)
        except UnknownPrincipals:
            raise InvalidPolicy("Policy contains a statement with one or more invalid principals.") from None

    def read(self, tx: Tx, key_arn: str) -> str:
        """The policy as its owner wrote it."""
        found = self._resource_policies.document(tx, key_arn)
        assert found is not None  # a key and its policy are written in one transaction
        return found

    def remove(self, tx: Tx, key_arn: str) -> None:
        """For a key that ceases to exist."""
        self._resource_policies.remove(tx, key_arn)


def default_policy(caller: Caller) -> str:
    """The policy of a key that was made without one: it enables the account's own policies (kms.md 10)."""
    statement = {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{caller.partition}:iam::{caller.account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Id": "key-default-1", "Statement": [statement]}, indent=2)
