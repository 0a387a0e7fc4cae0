"""What happens when an account enters an organization, and when it goes; in the transaction of whoever lets it."""

from datetime import datetime

from greatseal.domain.access.store import generation
from greatseal.domain.organizations.model import FULL_ACCESS, JoinedMethod, Member, Organization
from greatseal.domain.organizations.refusals import AlreadyInOrganization, ConstraintViolated, ManagementCannotLeave
from greatseal.domain.organizations.store import members, policies, services
from greatseal.domain.tags import Tags
from greatseal.storage import Tx


def enter(tx: Tx, organization: Organization, account: str, joined: JoinedMethod, at: datetime) -> None:
    """Puts an account below the root. Raises AlreadyInOrganization."""
    if not members.add(tx, Member(account, organization.id, organization.root_id, joined, at)):
        raise AlreadyInOrganization
    if organization.service_control:
        policies.attach(tx, organization.id, FULL_ACCESS.id, account)
    generation.raise_(tx)


def leave(tx: Tx, tags: Tags, organization: Organization, member: Member, partition: str) -> None:
    """Takes an account out; nothing of the organization applies to it any more.

    Raises ManagementCannotLeave, and ConstraintViolated for a delegated administrator and for a closed account,
    which would be open again outside.
    """
    if member.account == organization.management_account:
        raise ManagementCannotLeave
    if services.is_delegate(tx, organization.id, member.account):
        raise ConstraintViolated(
            "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG",
            "You cannot remove an account that is a delegated administrator for your organization.",
        )
    if member.closed_at is not None:
        raise ConstraintViolated(
            "ACCOUNT_CANNOT_LEAVE_ORGANIZATION", "You cannot remove a closed account from the organization."
        )
    members.remove(tx, member.account)
    policies.detach_all(tx, organization.id, member.account)
    tags.remove_all(tx, organization.arn(partition, member.account))
    generation.raise_(tx)
