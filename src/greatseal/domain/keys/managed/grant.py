"""Grants: permissions to use one key, and the policy language in which access reads them (kms.md 14). Pure."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from greatseal.domain.keys.managed.model import ManagedKey, Origin
from greatseal.kernel.errors import ValidationFailed

WITH_CONTEXT = frozenset(
    {
        "Decrypt",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "ReEncryptFrom",
        "ReEncryptTo",
    }
)
"""Operations that take an encryption context, so that constraints speak of them."""

_BY_USAGE: Mapping[str, frozenset[str]] = {
    "ENCRYPT_DECRYPT": frozenset({"Decrypt", "Encrypt", "ReEncryptFrom", "ReEncryptTo"}),
    "SIGN_VERIFY": frozenset({"Sign", "Verify"}),
    "GENERATE_VERIFY_MAC": frozenset({"GenerateMac", "VerifyMac"}),
    "KEY_AGREEMENT": frozenset({"DeriveSharedSecret"}),
    "ENCAPSULATE_DECAPSULATE": frozenset({"Encapsulate", "Decapsulate"}),
}
_ALWAYS = frozenset({"CreateGrant", "RetireGrant", "DescribeKey"})
WHOLE_CONTEXT = "greatseal:EncryptionContext"
"""A condition key of our own: the digest of the whole encryption context."""

_LONGEST_CONTEXT = 384
_MOST_PAIRS = 8


@dataclass(frozen=True, slots=True)
class Constraints:
    """What an encryption context must be, or must at least have."""

    equals: Mapping[str, str] = field(default_factory=dict)
    subset: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.equals or self.subset)

    def covers(self, other: "Constraints") -> bool:
        """Whether every context that `other` lets through passes here too."""
        if self.equals and dict(other.equals) != dict(self.equals):
            return False
        pairs = {**other.subset, **other.equals}
        return all(pairs.get(key) == value for key, value in self.subset.items())


NO_CONSTRAINTS = Constraints()


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant. Principals are kept as policies keep them: users and roles by their unique ids."""

    id: str
    """64 hex digits."""
    key_arn: str
    grantee: str
    operations: tuple[str, ...]
    issuing_account: str
    created_at: datetime
    retiring: str | None = None
    constraints: Constraints = NO_CONSTRAINTS
    name: str | None = None


def check_operations(key: ManagedKey, operations: Iterable[str], constraints: Constraints) -> None:
    """Refuses what the key cannot do, and constraints where nothing takes a context. Raises ValidationFailed."""
    possible = _ALWAYS | _BY_USAGE[key.usage]
    symmetric = key.spec.secret_size is not None and key.usage == "ENCRYPT_DECRYPT"
    if symmetric:
        possible |= {"GenerateDataKey", "GenerateDataKeyWithoutPlaintext"}
        if key.origin is not Origin.EXTERNAL_KEY_STORE:
            possible |= {"GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"}
    elif key.spec.secret_size is None:
        possible |= {"GetPublicKey"}
    for operation in operations:
        if operation not in possible:
            raise ValidationFailed(f"Operation {operation} is not supported for {key.arn}.")
    if constraints and not symmetric:
        raise ValidationFailed("Grant constraints are supported for symmetric encryption keys only.")
    for pairs in (constraints.equals, constraints.subset):
        if len(pairs) > _MOST_PAIRS or any(len(text) > _LONGEST_CONTEXT for pair in pairs.items() for text in pair):
            raise ValidationFailed(
                f"A grant constraint has at most {_MOST_PAIRS} pairs of at most {_LONGEST_CONTEXT} characters."
            )
    if constraints.equals and constraints.subset:
        raise ValidationFailed("EncryptionContextEquals and EncryptionContextSubset exclude each other.")


def may_pass_on(parent: Grant, operations: Iterable[str], constraints: Constraints) -> bool:
    """Whether somebody who may create grants by `parent` alone may create this one."""
    return set(operations) <= set(parent.operations) and parent.constraints.covers(constraints)


def as_policy(grants: Iterable[Grant]) -> str | None:
    """The grants as a document of resource policy statements, each with its grant's id; None for no grant."""
    statements = [statement for grant in grants for statement in _statements(grant)]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}) if statements else None


def _statements(grant: Grant) -> Iterable[dict[str, object]]:
    constrained = [each for each in grant.operations if grant.constraints and each in WITH_CONTEXT]
    free = [each for each in grant.operations if each not in constrained]
    for operations, condition in ((free, {}), (constrained, _condition(grant.constraints))):
        if operations:
            yield {
                "Sid": grant.id,
                "Effect": "Allow",
                "Principal": {"AWS": grant.grantee},
                "Action": [f"kms:{each}" for each in operations],
                "Resource": "*",
                **({"Condition": condition} if condition else {}),
            }


def _condition(constraints: Constraints) -> dict[str, dict[str, str]]:
    if constraints.equals:
        return {"StringEquals": {WHOLE_CONTEXT: _digest(constraints.equals)}}
    return {"StringEquals": {_pair(*pair): "true" for pair in constraints.subset.items()}}


def context_keys(context: Mapping[str, str]) -> dict[str, str | tuple[str, ...]]:
    """The condition keys of an encryption context (kms.md 15), and those that constraints of grants compare.

    Names of condition keys have no case and those of an encryption context do; so grants compare digests. Raises
    ValidationFailed for two names that differ in case only, of which policies could not tell which one they mean.
    """
    if not context:
        return {}
    if len({name.lower() for name in context}) != len(context):
        raise ValidationFailed("The names in an encryption context must differ in more than upper and lower case.")
    return {
        **{f"kms:EncryptionContext:{name}": value for name, value in context.items()},
        "kms:EncryptionContextKeys": tuple(context),
        WHOLE_CONTEXT: _digest(context),
        **{_pair(*pair): "true" for pair in context.items()},
    }


def _pair(name: str, value: str) -> str:
    return f"{WHOLE_CONTEXT}:{_digest({name: value})}"


def _digest(context: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(context.items())).encode()).hexdigest()
