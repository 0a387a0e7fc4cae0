"""The verbs of this package, built over the same collaborators."""

from dataclasses import dataclass

from greatseal.crypto.wrap import Sealer
from greatseal.domain.access.identities.attachments import Attachments
from greatseal.domain.access.identities.directory import Directory
from greatseal.domain.access.identities.holdings import Holdings
from greatseal.domain.access.identities.inline import InlinePolicies
from greatseal.domain.access.identities.keys import AccessKeys
from greatseal.domain.access.identities.library import Library
from greatseal.domain.access.identities.memberships import Memberships
from greatseal.domain.access.identities.providers import IdentityProviders
from greatseal.domain.access.identities.registrar import Registrar
from greatseal.domain.access.identities.roles import Roles
from greatseal.domain.access.identities.simulation import Simulation
from greatseal.domain.access.identities.tagging import Tagging
from greatseal.domain.access.service import Access


@dataclass(frozen=True, slots=True)
class Administration:
    """One object a noun."""

    directory: Directory
    memberships: Memberships
    roles: Roles
    keys: AccessKeys
    attachments: Attachments
    inline: InlinePolicies
    library: Library
    providers: IdentityProviders
    tagging: Tagging
    holdings: Holdings
    simulation: Simulation

    @classmethod
    def build(cls, registrar: Registrar, *, sealer: Sealer, access: Access) -> "Administration":
        """All of them. `sealer` seals the secrets of access keys."""
        directory = Directory(registrar)
        library = Library(registrar)
        return cls(
            directory=directory,
            memberships=Memberships(registrar),
            roles=Roles(registrar, directory),
            keys=AccessKeys(registrar, sealer),
            attachments=Attachments(registrar),
            inline=InlinePolicies(registrar),
            library=library,
            providers=IdentityProviders(registrar),
            tagging=Tagging(registrar),
            holdings=Holdings(registrar, library),
            simulation=Simulation(registrar, access),
        )
