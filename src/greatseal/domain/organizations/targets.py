"""What an organization is made of, as it is shown: with the names that people gave it."""

from greatseal.domain.access import Accounts
from greatseal.domain.organizations.model import Entry, Member, Organization, Target, TargetKind, kind_of, path_of
from greatseal.domain.organizations.refusals import TargetNotFound
from greatseal.domain.organizations.store import members, units
from greatseal.storage import Tx

ROOT_NAME = "Root"


def find(tx: Tx, accounts: Accounts, organization: Organization, target_id: str) -> Target:
    """The root, unit or account with this id. Raises TargetNotFound."""
    match kind_of(target_id):
        case TargetKind.ROOT:
            if target_id == organization.root_id:
                return Target(target_id, ROOT_NAME)
        case TargetKind.ORGANIZATIONAL_UNIT:
            unit = units.find(tx, organization.id, target_id)
            if unit is not None:
                return Target(target_id, unit.name)
        case TargetKind.ACCOUNT:
            member = members.find(tx, target_id)
            if member is not None and member.organization_id == organization.id:
                return Target(target_id, accounts.find(tx, target_id).name)
    raise TargetNotFound


def entry(tx: Tx, accounts: Accounts, member: Member) -> Entry:
    """A member with the name and the address of its account."""
    account = accounts.find(tx, member.account)
    line = units.lineage(tx, member.organization_id, member.parent_id)
    return Entry(member, account.name, account.email, path_of(member.organization_id, (*line, member.account)))
