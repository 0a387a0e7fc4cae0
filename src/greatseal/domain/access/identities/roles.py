"""What only roles have: a trust policy, the length of sessions, and roles that belong to services."""

import json

from greatseal.domain.access.identities import rules
from greatseal.domain.access.identities.directory import DEFAULT_SESSION_SECONDS, Directory, Found
from greatseal.domain.access.identities.registrar import Registrar, partition
from greatseal.domain.access.managed_table import SERVICE_ROLE_PATH, SERVICE_ROLES
from greatseal.domain.access.model import Identity, IdentityKind
from greatseal.domain.access.store import identities as store
from greatseal.domain.access.store import policies
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import InvalidRequest, InvalidToken, NotFound
from greatseal.kernel.ids import new_principal_id
from greatseal.storage import Tx


def service_role_arn(caller: Caller, service: str) -> str:
    """The ARN that the role of a service has, or would have."""
    name = SERVICE_ROLES[service].name if service in SERVICE_ROLES else "*"
    return f"arn:{partition(caller)}:iam::{caller.account}:role{SERVICE_ROLE_PATH}{service}/{name}"


class Roles:
    """Changes roles, and makes and deletes those of services."""

    def __init__(self, registrar: Registrar, directory: Directory) -> None:
        self._registrar = registrar
        self._directory = directory

    def update(
        self, caller: Caller, name: str, *, description: str | None = None, max_session_seconds: int | None = None
    ) -> Found:
        """Sets what is given. Raises NotFound, and InvalidState for a service's role."""
        given = {"description": description, "max_session_seconds": max_session_seconds}
        columns = {key: value for key, value in given.items() if value is not None}
        registrar = self._registrar

        def work(tx: Tx) -> None:
            if max_session_seconds is None:
                # A service's role may be described by its account.
                found = registrar.find(tx, caller, IdentityKind.ROLE, name)
            else:
                found = registrar.find_own(tx, caller, IdentityKind.ROLE, name)
            if columns:
                store.change(tx, found.id, **columns)
            registrar.changed(tx, caller, found.arn(partition(caller)))

        registrar.storage.transact(work)
        return self._directory.get(caller, IdentityKind.ROLE, name)

    def update_trust(self, caller: Caller, name: str, document: str) -> None:
        """Replaces the trust policy. Raises NotFound, InvalidPolicy, LimitExceeded, InvalidState."""
        registrar = self._registrar

        def work(tx: Tx) -> None:
            found = registrar.find_own(tx, caller, IdentityKind.ROLE, name)
            store.change(tx, found.id, trust_policy=rules.pinned_trust(tx, document))
            registrar.changed(tx, caller, found.arn(partition(caller)))

        registrar.storage.transact(work)

    def create_service_linked(
        self, caller: Caller, service: str, *, description: str | None, suffix: str | None
    ) -> Found:
        """The role of a service. Raises InvalidRequest for an unknown service, a suffix, or a second one."""
        known = SERVICE_ROLES.get(service)
        if known is None:
            raise InvalidRequest(f"Service {service} does not use service-linked roles here.")
        if suffix is not None:
            raise InvalidRequest(f"Custom suffix is not allowed for {service}")
        registrar = self._registrar
        trust = json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"},
                ],
            },
            separators=(",", ":"),
        )
        made = Identity(
            id=new_principal_id(registrar.entropy, "AROA"),
            account=caller.account,
            kind=IdentityKind.ROLE,
            name=known.name,
            path=f"{SERVICE_ROLE_PATH}{service}/",
            created_at=registrar.clock.now(),
            trust_policy=trust,
            description=description,
            max_session_seconds=DEFAULT_SESSION_SECONDS,
            service_linked=True,
        )

        def work(tx: Tx) -> None:
            if not store.add(tx, made):
                raise InvalidRequest(
                    f"Service role name {known.name} has been taken in this account, please try a different suffix."
                )
            policy = f"arn:{partition(caller)}:iam::aws:policy{SERVICE_ROLE_PATH}{known.policy}"
            policies.attach(tx, made.id, policy)
            registrar.changed(tx, caller, made.arn(partition(caller)))

        registrar.storage.transact(work)
        return Found(made, (), trust)

    def delete_service_linked(self, caller: Caller, name: str) -> str:
        """Deletes the role of a service; the id of the task, which is done. Raises NotFound, InvalidRequest."""
        registrar = self._registrar

        def work(tx: Tx) -> str:
            found = registrar.find(tx, caller, IdentityKind.ROLE, name)
            if not found.service_linked:
                raise InvalidRequest(f"The role {name} is not a service-linked role.")
            for arn in policies.attached_to(tx, found.id):
                policies.detach(tx, found.id, arn)
            self._directory.remove(tx, caller, found)
            token = registrar.tokens.issue(_task(caller, f"{found.path}{found.name}"), [found.id])
            return f"task{found.path}{found.name}/{token}"

        return registrar.storage.transact(work)

    def check_task(self, caller: Caller, task: str) -> None:
        """Raises NotFound unless the task is one that was handed out. Whatever was handed out is done."""
        prefix, _, token = task.rpartition("/")
        try:
            self._registrar.tokens.open(_task(caller, prefix.removeprefix("task")), token)
        except InvalidToken:
            raise NotFound(f"Deletion task {task} cannot be found.") from None


def _task(caller: Caller, role: str) -> tuple[str, ...]:
    return (caller.account, "DeleteServiceLinkedRole", role)
