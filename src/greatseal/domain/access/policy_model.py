"""Managed policies and identity providers, as the room knows them."""

from dataclasses import dataclass
from datetime import datetime

AWS = "aws"
"""Stands where the account does, in the ARNs of the policies that everybody has."""


@dataclass(frozen=True, slots=True)
class ManagedPolicy:
    """A policy that has an ARN of its own; its documents are its versions."""

    arn: str
    id: str
    """ANPA…"""
    account: str
    """The owner; `AWS` for those that everybody has."""
    name: str
    path: str
    description: str
    default_version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """A document of a managed policy. `number` 3 is `v3` to callers."""

    number: int
    document: str
    created_at: datetime
    is_default: bool


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """An issuer of OpenID Connect tokens that an account trusts."""

    arn: str
    account: str
    url: str
    """Without `https://`."""
    client_ids: tuple[str, ...]
    thumbprints: tuple[str, ...]
    created_at: datetime
