"""What the access room asks: where an account belongs, and which service control policies reach it (iam.md 2)."""

from datetime import datetime

from greatseal.domain.access import Membership
from greatseal.domain.organizations.model import path_of
from greatseal.domain.organizations.store import members, organizations, policies, services, units
from greatseal.storage import Tx

_CLOSED = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}'
"""What a closed account may do. It is a level of its own, so that reopening would need no change of policies."""


class Memberships:
    """Reads memberships, in the access room's own transaction."""

    def membership(self, tx: Tx, account: str) -> Membership | None:
        """The account's place with the policies of every level from the root down, or None outside organizations."""
        organization = organizations.of_account(tx, account)
        member = members.find(tx, account)
        if organization is None or member is None:
            return None
        line = units.lineage(tx, organization.id, member.parent_id)
        managing = organization.management_account == account
        levels: list[tuple[tuple[str, str], ...]] = []
        if organization.service_control and not managing:
            found = policies.attached(tx, organization.id, (*line, account))
            levels = [tuple((each.id, each.content) for each in found[target]) for target in (*line, account)]
        if member.closed_at is not None:
            levels.append((("closed account", _CLOSED),))
        return Membership(organization.id, path_of(organization.id, line), managing, tuple(levels))

    def trusts(self, tx: Tx, organization_id: str, service: str) -> bool:
        """Whether the organization works with this service, for instance `ram.amazonaws.com`."""
        return services.is_enabled(tx, organization_id, service)

    def trust(self, tx: Tx, organization_id: str, service: str, at: datetime) -> None:
        """For services with an operation of their own for it; once more changes nothing."""
        services.enable(tx, organization_id, service, at)
