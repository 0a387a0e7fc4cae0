"""Policies of identities: inline ones, managed ones with their versions, and what is attached to whom."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, insert, or_, select, tuple_, update

from greatseal.domain.access.model import Identity
from greatseal.domain.access.policy_model import ManagedPolicy, PolicyVersion
from greatseal.domain.access.store.reading import identity_of
from greatseal.domain.access.store.tables import (
    attached_policy,
    identity,
    inline_policy,
    managed_policy,
    managed_policy_version,
)
from greatseal.storage import Tx

_version = managed_policy_version


def put_inline(tx: Tx, owner_id: str, name: str, document: str) -> None:
    """Sets an inline policy."""
    remove_inline(tx, owner_id, name)
    tx.execute(insert(inline_policy), {"owner_id": owner_id, "name": name, "document": document})


def remove_inline(tx: Tx, owner_id: str, name: str) -> bool:
    """Whether there was such an inline policy."""
    statement = delete(inline_policy).where(inline_policy.c.owner_id == owner_id, inline_policy.c.name == name)
    return tx.execute(statement).rowcount > 0


def inline_of(tx: Tx, owner_id: str) -> dict[str, str]:
    """The inline policies of an identity: documents by name, in the order of names."""
    rows = tx.all(select(inline_policy).where(inline_policy.c.owner_id == owner_id))
    return dict(sorted((row.name, row.document) for row in rows))


def attach(tx: Tx, owner_id: str, policy_arn: str) -> None:
    """Nothing happens when it is attached already."""
    tx.insert_once(attached_policy, {"owner_id": owner_id, "policy_arn": policy_arn})


def detach(tx: Tx, owner_id: str, policy_arn: str) -> bool:
    """Whether it was attached."""
    c = attached_policy.c
    return tx.execute(delete(attached_policy).where(c.owner_id == owner_id, c.policy_arn == policy_arn)).rowcount > 0


def attached_to(tx: Tx, owner_id: str) -> list[str]:
    """The ARNs of the managed policies that an identity carries."""
    c = attached_policy.c
    return sorted(row.policy_arn for row in tx.all(select(c.policy_arn).where(c.owner_id == owner_id)))


def carriers(
    tx: Tx,
    account: str,
    policy_arn: str,
    *,
    attached: bool,
    boundary: bool,
    after: tuple[str, str] | None = None,
    count: int,
) -> list[Identity]:
    """The identities of an account that a managed policy is attached to, or bounds; by kind and name."""
    owners = select(attached_policy.c.owner_id).where(attached_policy.c.policy_arn == policy_arn)
    uses: list[ColumnElement[bool]] = []
    if attached:
        uses.append(identity.c.id.in_(owners))
    if boundary:
        uses.append(identity.c.boundary_arn == policy_arn)
    order = (identity.c.kind, identity.c.folded_name)
    query = select(identity).where(identity.c.account == account, or_(*uses))
    if after is not None:
        query = query.where(tuple_(*order) > after)
    return [identity_of(row) for row in tx.all(query.order_by(*order).limit(count))]


def attachment_counts(tx: Tx, account: str, arns: Sequence[str]) -> Mapping[str, int]:
    """To how many identities of the account each policy is attached; without those that are attached to none."""
    c = attached_policy.c
    query = select(c.policy_arn, func.count().label("number")).join(identity, identity.c.id == c.owner_id)
    rows = tx.all(query.where(identity.c.account == account, c.policy_arn.in_(arns)).group_by(c.policy_arn))
    return {row.policy_arn: row.number for row in rows}


def boundary_counts(tx: Tx, account: str, arns: Sequence[str]) -> Mapping[str, int]:
    """How many identities of the account each policy bounds; without those that bound none."""
    c = identity.c
    query = select(c.boundary_arn, func.count().label("number"))
    rows = tx.all(query.where(c.account == account, c.boundary_arn.in_(arns)).group_by(c.boundary_arn))
    return {row.boundary_arn: row.number for row in rows}


def add(tx: Tx, new: ManagedPolicy, document: str) -> bool:
    """A managed policy with its first version. False when the name is taken, in any case."""
    row = {
        "arn": new.arn,
        "id": new.id,
        "account": new.account,
        "name": new.name,
        "folded_name": new.name.lower(),
        "path": new.path,
        "description": new.description,
        "default_version": new.default_version,
        "latest_version": new.default_version,
        "created_at": new.created_at,
        "updated_at": new.updated_at,
    }
    if not tx.insert_once(managed_policy, row):
        return False
    _insert_version(tx, new.arn, new.default_version, document, new.created_at)
    return True


def find(tx: Tx, arn: str) -> ManagedPolicy | None:
    """A managed policy of an account."""
    row = tx.first(select(managed_policy).where(managed_policy.c.arn == arn))
    return None if row is None else _managed(row)


def listing(tx: Tx, account: str, after: str | None, count: int | None) -> list[ManagedPolicy]:
    """The managed policies of an account, by name; `after` is a folded name, `count` None lists all."""
    query = select(managed_policy).where(managed_policy.c.account == account)
    if after is not None:
        query = query.where(managed_policy.c.folded_name > after)
    return [_managed(row) for row in tx.all(query.order_by(managed_policy.c.folded_name).limit(count))]


def remove(tx: Tx, arn: str) -> None:
    """Removes a managed policy and its versions."""
    tx.execute(delete(_version).where(_version.c.policy_arn == arn))
    tx.execute(delete(managed_policy).where(managed_policy.c.arn == arn))


def versions(tx: Tx, policy: ManagedPolicy) -> list[PolicyVersion]:
    """The versions of a managed policy, newest first."""
    rows = tx.all(select(_version).where(_version.c.policy_arn == policy.arn).order_by(_version.c.version.desc()))
    return [
        PolicyVersion(row.version, row.document, row.created_at, row.version == policy.default_version) for row in rows
    ]


def add_version(tx: Tx, arn: str, document: str, at: datetime) -> int:
    """One more version; its number, which no version had before."""
    policy = managed_policy.c
    number = int(tx.scalar(select(policy.latest_version).where(policy.arn == arn))) + 1
    tx.execute(update(managed_policy).where(policy.arn == arn).values(latest_version=number, updated_at=at))
    _insert_version(tx, arn, number, document, at)
    return number


def _insert_version(tx: Tx, arn: str, number: int, document: str, at: datetime) -> None:
    row = {"policy_arn": arn, "version": number, "document": document, "created_at": at}
    tx.execute(insert(_version), row)


def remove_version(tx: Tx, arn: str, number: int, at: datetime) -> None:
    """Removes a version that is not the default."""
    tx.execute(delete(_version).where(_version.c.policy_arn == arn, _version.c.version == number))
    tx.execute(update(managed_policy).where(managed_policy.c.arn == arn).values(updated_at=at))


def set_default(tx: Tx, arn: str, number: int, at: datetime) -> None:
    """Puts a version into force."""
    changed = {"default_version": number, "updated_at": at}
    tx.execute(update(managed_policy).where(managed_policy.c.arn == arn).values(changed))


def _managed(row: Row[Any]) -> ManagedPolicy:
    return ManagedPolicy(
        row.arn,
        row.id,
        row.account,
        row.name,
        row.path,
        row.description,
        row.default_version,
        row.created_at,
        row.updated_at,
    )
