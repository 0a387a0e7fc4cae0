"""IAM: every operation that is offered, from the modules that have a noun each (iam.md 10)."""

from dataclasses import dataclass

from greatseal.aws.door import OperationFunction
from greatseal.aws.iam_absent import Absences
from greatseal.aws.iam_account import AccountOperations
from greatseal.aws.iam_asking import Asking
from greatseal.aws.iam_carried import CarriedPolicies
from greatseal.aws.iam_identities import Identities
from greatseal.aws.iam_keys import KeyOperations
from greatseal.aws.iam_policies import PolicyOperations
from greatseal.aws.iam_providers import ProviderOperations
from greatseal.aws.iam_roles import RoleOperations
from greatseal.aws.iam_simulation import SimulationOperations
from greatseal.domain.access import Access
from greatseal.domain.access.identities import Administration


@dataclass(frozen=True, slots=True)
class IdentityManagement:
    """The operations of IAM. Each names action, resource and condition keys before it acts."""

    access: Access
    administration: Administration

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        room = self.administration
        ask = Asking(self.access, room.directory, room.tagging)
        return {
            **Identities(ask, room.directory, room.memberships, room.holdings).operations(),
            **RoleOperations(ask, room.roles).operations(),
            **KeyOperations(ask, room.keys).operations(),
            **CarriedPolicies(ask, room.attachments, room.inline).operations(),
            **PolicyOperations(ask, room.library, room.tagging).operations(),
            **ProviderOperations(ask, room.providers, room.tagging).operations(),
            **AccountOperations(ask, room.holdings).operations(),
            **Absences(ask, room.directory).operations(),
            **SimulationOperations(ask, room.simulation).operations(),
        }
