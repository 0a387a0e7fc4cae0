"""The tables of service control policies and of what they are attached to."""

from collections.abc import Sequence

from sqlalchemy import Row, delete, select, update

from greatseal.domain.organizations.model import FULL_ACCESS, ControlPolicy
from greatseal.domain.organizations.store.tables import attachment, policy
from greatseal.storage import Tx


def add(tx: Tx, organization_id: str, new: ControlPolicy) -> bool:
    """False when the organization has a policy of this name."""
    row = {
        "organization_id": organization_id,
        "id": new.id,
        "name": new.name,
        "description": new.description,
        "content": new.content,
    }
    return tx.insert_once(policy, row)


def find(tx: Tx, organization_id: str, policy_id: str) -> ControlPolicy | None:
    """One policy, AWS's own among them."""
    if policy_id == FULL_ACCESS.id:
        return FULL_ACCESS
    row = tx.first(select(policy).where(policy.c.organization_id == organization_id, policy.c.id == policy_id))
    return None if row is None else _policy(row)


def named(tx: Tx, organization_id: str, name: str) -> ControlPolicy | None:
    """The policy of this name, AWS's own among them."""
    if name == FULL_ACCESS.name:
        return FULL_ACCESS
    row = tx.first(select(policy).where(policy.c.organization_id == organization_id, policy.c.name == name))
    return None if row is None else _policy(row)


def listing(tx: Tx, organization_id: str, *, after: str = "", limit: int | None = None) -> list[ControlPolicy]:
    """The organization's own policies by id; AWS's own is not among them."""
    query = select(policy).where(policy.c.organization_id == organization_id, policy.c.id > after)
    return [_policy(row) for row in tx.all(query.order_by(policy.c.id).limit(limit))]


def change(tx: Tx, organization_id: str, changed: ControlPolicy) -> None:
    """Stores another name, description and content."""
    here = (policy.c.organization_id == organization_id, policy.c.id == changed.id)
    values = {"name": changed.name, "description": changed.description, "content": changed.content}
    tx.execute(update(policy).where(*here).values(values))


def remove(tx: Tx, organization_id: str, policy_id: str) -> None:
    """Removes a policy, which must not be attached anywhere."""
    tx.execute(delete(policy).where(policy.c.organization_id == organization_id, policy.c.id == policy_id))


def attach(tx: Tx, organization_id: str, policy_id: str, target_id: str) -> bool:
    """False when it is attached there already."""
    row = {"organization_id": organization_id, "target_id": target_id, "policy_id": policy_id}
    return tx.insert_once(attachment, row)


def detach(tx: Tx, organization_id: str, policy_id: str, target_id: str) -> bool:
    """False when it is not attached there."""
    here = (
        attachment.c.organization_id == organization_id,
        attachment.c.target_id == target_id,
        attachment.c.policy_id == policy_id,
    )
    return tx.execute(delete(attachment).where(*here)).rowcount == 1


def detach_all(tx: Tx, organization_id: str, target_id: str | None = None) -> None:
    """Detaches everything from one target, or from every target."""
    here = [attachment.c.organization_id == organization_id]
    if target_id is not None:
        here.append(attachment.c.target_id == target_id)
    tx.execute(delete(attachment).where(*here))


def attached(tx: Tx, organization_id: str, targets: Sequence[str]) -> dict[str, list[ControlPolicy]]:
    """What is attached to each of these targets, by policy id."""
    query = (
        select(attachment.c.target_id, attachment.c.policy_id, policy)
        .outerjoin(
            policy,
            (policy.c.organization_id == attachment.c.organization_id) & (policy.c.id == attachment.c.policy_id),
        )
        .where(attachment.c.organization_id == organization_id, attachment.c.target_id.in_(targets))
    )
    found: dict[str, list[ControlPolicy]] = {target: [] for target in targets}
    for row in tx.all(query):
        found[row.target_id].append(FULL_ACCESS if row.policy_id == FULL_ACCESS.id else _policy(row))
    return {target: sorted(each, key=lambda item: item.id) for target, each in found.items()}


def targets(tx: Tx, organization_id: str, policy_id: str, *, after: str = "", limit: int | None = None) -> list[str]:
    """What a policy is attached to, by target id."""
    query = select(attachment.c.target_id).where(
        attachment.c.organization_id == organization_id,
        attachment.c.policy_id == policy_id,
        attachment.c.target_id > after,
    )
    return [row.target_id for row in tx.all(query.order_by(attachment.c.target_id).limit(limit))]


def _policy(row: Row[tuple[object, ...]]) -> ControlPolicy:
    return ControlPolicy(row.id, row.name, row.description, row.content)
