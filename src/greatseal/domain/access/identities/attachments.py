"""What managed policies an identity carries, and which one bounds it."""

from greatseal.domain.access.identities import rules
from greatseal.domain.access.identities.library import attachable
from greatseal.domain.access.identities.registrar import Registrar, partition
from greatseal.domain.access.model import IdentityKind
from greatseal.domain.access.store import identities, policies
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import NotFound
from greatseal.kernel.pages import Page
from greatseal.storage import Tx


class Attachments:
    """Attaches managed policies, detaches and lists them, and sets boundaries."""

    def __init__(self, registrar: Registrar) -> None:
        self._registrar = registrar

    def attach(self, caller: Caller, kind: IdentityKind, name: str, arn: str) -> None:
        """Nothing changes when it is attached already. Raises NotFound, InvalidArn, LimitExceeded, InvalidState."""
        registrar = self._registrar

        def work(tx: Tx) -> None:
            found = registrar.find_own(tx, caller, kind, name)
            policy = attachable(tx, caller, arn)
            present = policies.attached_to(tx, found.id)
            if policy.arn not in present and len(present) >= rules.ATTACHED_PER_IDENTITY:
                raise rules.over(f"PoliciesPer{kind.value.title()}", rules.ATTACHED_PER_IDENTITY)
            policies.attach(tx, found.id, policy.arn)
            registrar.changed(tx, caller, found.arn(partition(caller)), policy.arn)

        registrar.storage.transact(work)

    def detach(self, caller: Caller, kind: IdentityKind, name: str, arn: str) -> None:
        """Raises NotFound also for a policy that is not attached, InvalidArn, InvalidState."""
        registrar = self._registrar
        rules.policy_arn(arn)

        def work(tx: Tx) -> None:
            found = registrar.find_own(tx, caller, kind, name)
            if not policies.detach(tx, found.id, arn):
                raise NotFound(f"Policy {arn} was not found.")
            registrar.changed(tx, caller, found.arn(partition(caller)), arn)

        registrar.storage.transact(work)

    def listing(
        self, caller: Caller, kind: IdentityKind, name: str, prefix: str, limit: int, marker: str | None
    ) -> Page[str]:
        """The ARNs of the attached policies below a path. Raises NotFound."""
        registrar = self._registrar

        def fetch(tx: Tx) -> list[str]:
            found = registrar.find(tx, caller, kind, name)
            return [arn for arn in policies.attached_to(tx, found.id) if path_of(arn).startswith(prefix)]

        listing = ("ListAttached", kind.value, name.lower(), prefix)
        return registrar.numbered(caller, listing, limit, marker, fetch)

    def put_boundary(self, caller: Caller, kind: IdentityKind, name: str, arn: str) -> None:
        """Raises NotFound, InvalidArn, InvalidState."""
        registrar = self._registrar

        def work(tx: Tx) -> None:
            found = registrar.find_own(tx, caller, kind, name)
            attachable(tx, caller, arn)
            identities.change(tx, found.id, boundary_arn=arn)
            registrar.changed(tx, caller, found.arn(partition(caller)), arn)

        registrar.storage.transact(work)

    def remove_boundary(self, caller: Caller, kind: IdentityKind, name: str) -> None:
        """Nothing changes when there is none. Raises NotFound, InvalidState."""
        registrar = self._registrar

        def work(tx: Tx) -> None:
            found = registrar.find_own(tx, caller, kind, name)
            identities.change(tx, found.id, boundary_arn=None)
            registrar.changed(tx, caller, found.arn(partition(caller)))

        registrar.storage.transact(work)


def path_of(arn: str) -> str:
    """`/team/` of `arn:aws:iam::…:policy/team/Name`."""
    return "/" + "".join(f"{part}/" for part in arn.partition(":policy/")[2].split("/")[:-1])
