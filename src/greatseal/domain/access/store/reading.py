"""What authorization loads: a principal's policies, a role's trust policy, a resource's policy."""

from dataclasses import dataclass

from sqlalchemy import Row, Select, select

from greatseal.domain.access import managed
from greatseal.domain.access.model import Identity, IdentityKind
from greatseal.domain.access.store.tables import (
    attached_policy,
    group_member,
    identity,
    inline_policy,
    managed_policy,
    managed_policy_version,
    resource_policy,
)
from greatseal.storage import Tx


@dataclass(frozen=True, slots=True)
class NamedDocument:
    """A policy document and what verdicts call it: its ARN, or its owner and name when it is an inline policy."""

    name: str
    document: str


def identity_by_id(tx: Tx, identity_id: str) -> Identity | None:
    """The user, group or role with this id."""
    row = tx.first(select(identity).where(identity.c.id == identity_id))
    return None if row is None else identity_of(row)


def identity_by_name(tx: Tx, account: str, kind: IdentityKind, name: str) -> Identity | None:
    """The user, group or role with this name, whatever its case."""
    row = tx.first(
        select(identity).where(
            identity.c.account == account, identity.c.kind == kind.value, identity.c.folded_name == name.lower()
        )
    )
    return None if row is None else identity_of(row)


def identity_of(row: Row[tuple[object, ...]]) -> Identity:
    """A row of the table as the room knows it."""
    return Identity(
        id=row.id,
        account=row.account,
        kind=IdentityKind(row.kind),
        name=row.name,
        path=row.path,
        created_at=row.created_at,
        boundary_arn=row.boundary_arn,
        trust_policy=row.trust_policy,
        description=row.description,
        max_session_seconds=row.max_session_seconds,
        service_linked=row.service_linked,
    )


def documents_of(tx: Tx, found: Identity) -> list[NamedDocument]:
    """The inline and managed policies of a role, or of a user and its groups."""
    owners = [found.id]
    if found.kind is IdentityKind.USER:
        groups = tx.all(select(group_member.c.group_id).where(group_member.c.user_id == found.id))
        owners += sorted(row.group_id for row in groups)
    inline = tx.all(
        select(inline_policy)
        .where(inline_policy.c.owner_id.in_(owners))
        .order_by(inline_policy.c.owner_id, inline_policy.c.name)
    )
    attached = tx.all(
        select(attached_policy.c.policy_arn)
        .where(attached_policy.c.owner_id.in_(owners))
        .distinct()
        .order_by("policy_arn")
    )
    documents = [NamedDocument(row.name, row.document) for row in inline]
    return documents + managed_documents(tx, [row.policy_arn for row in attached])


def managed_documents(tx: Tx, arns: list[str]) -> list[NamedDocument]:
    """The default versions of managed policies, AWS's own among them; those that do not exist are left out."""
    found = {arn: document for arn in arns if (document := managed.document_of(arn)) is not None}
    own = [arn for arn in arns if arn not in found]
    if own:
        found |= {row.arn: row.document for row in tx.all(_default_versions().where(managed_policy.c.arn.in_(own)))}
    return [NamedDocument(arn, found[arn]) for arn in arns if arn in found]


def resource_documents(tx: Tx, resource_arn: str) -> list[str]:
    """The parts of a resource's policy; the owner's own comes first."""
    query = select(resource_policy.c.document).where(resource_policy.c.resource_arn == resource_arn)
    return [row.document for row in tx.all(query.order_by(resource_policy.c.part))]


def _default_versions() -> Select[tuple[str, str]]:
    version = managed_policy_version
    return select(managed_policy.c.arn, version.c.document).join(
        version,
        (version.c.policy_arn == managed_policy.c.arn) & (version.c.version == managed_policy.c.default_version),
    )
