"""What can be searched for and how results are ordered: the grammar of acm.md 4.4 and 17, without a wire.

A predicate is a tree of these values; `store/search.py` turns it into SQL.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Field = Literal[
    "arn",
    "common_name",
    "name",
    "extended_key_usage",
    "key_usage",
    "key_algorithm",
    "serial",
    "not_before",
    "not_after",
    "status",
    "renewal_status",
    "type",
    "in_use",
    "exported",
    "export_option",
    "managed_by",
    "validation_method",
    "key_pair_origin",
    "acme_endpoint_arn",
    "acme_account_id",
    "created_at",
    "issued_at",
    "imported_at",
    "revoked_at",
    "renewal_eligibility",
]


@dataclass(frozen=True, slots=True)
class Equals:
    """The field has one of these values; `name`, `key_usage` and `extended_key_usage`: any of theirs has."""

    field: Field
    values: tuple[str | bool, ...]


@dataclass(frozen=True, slots=True)
class Contains:
    """The text of the field (any of the names) contains this, without regard to case."""

    field: Field
    value: str


@dataclass(frozen=True, slots=True)
class Between:
    """The time lies between both ends, which are included; None is open."""

    field: Field
    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class And:
    """All of them hold."""

    parts: tuple["Predicate", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of them holds."""

    parts: tuple["Predicate", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """It does not hold."""

    part: "Predicate"


Predicate = Equals | Contains | Between | And | Or | Not


@dataclass(frozen=True, slots=True)
class Ordering:
    """By which field results are ordered; the id decides between equals."""

    key: Field = "created_at"
    descending: bool = False
