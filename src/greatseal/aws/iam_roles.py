"""IAM: what only roles have."""

from collections.abc import Mapping
from typing import Any

from greatseal.aws import iam_shapes as shapes
from greatseal.aws.door import OperationFunction
from greatseal.aws.iam_asking import Asking
from greatseal.domain.access import IdentityKind
from greatseal.domain.access.identities import Roles, partition, service_role_arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import NotFound

Parameters = dict[str, Any]
Result = Mapping[str, Any] | None


class RoleOperations:
    """Changes roles, and makes and deletes those of services."""

    def __init__(self, ask: Asking, roles: Roles) -> None:
        self._ask = ask
        self._roles = roles

    def update_role(self, caller: Caller, p: Parameters) -> Result:
        """Description and length of sessions; what is not given stays."""
        self._ask.about(caller, IdentityKind.ROLE, p["RoleName"])
        self._roles.update(
            caller,
            p["RoleName"],
            description=p.get("Description"),
            max_session_seconds=p.get("MaxSessionDuration"),
        )
        return None

    def update_role_description(self, caller: Caller, p: Parameters) -> Result:
        """The older way to the description, which shows the role."""
        self._ask.about(caller, IdentityKind.ROLE, p["RoleName"])
        found = self._roles.update(caller, p["RoleName"], description=p["Description"])
        return {"Role": shapes.shown(found, partition(caller))}

    def update_assume_role_policy(self, caller: Caller, p: Parameters) -> Result:
        """Replaces the trust policy."""
        self._ask.about(caller, IdentityKind.ROLE, p["RoleName"])
        self._roles.update_trust(caller, p["RoleName"], p["PolicyDocument"])
        return None

    def create_service_linked_role(self, caller: Caller, p: Parameters) -> Result:
        """The role of one of our services."""
        service = p["AWSServiceName"]
        self._ask.resource(caller, service_role_arn(caller, service), {"iam:AWSServiceName": service})
        found = self._roles.create_service_linked(
            caller, service, description=p.get("Description"), suffix=p.get("CustomSuffix")
        )
        return {"Role": shapes.made(found, partition(caller))}

    def delete_service_linked_role(self, caller: Caller, p: Parameters) -> Result:
        """Done when it answers; the task can be asked for all the same."""
        self._ask.about(caller, IdentityKind.ROLE, p["RoleName"])
        return {"DeletionTaskId": self._roles.delete_service_linked(caller, p["RoleName"])}

    def get_service_linked_role_deletion_status(self, caller: Caller, p: Parameters) -> Result:
        """A deletion that was begun has succeeded."""
        task = p["DeletionTaskId"]
        role, slash, _ = task.removeprefix("task/").rpartition("/")
        if not slash or not task.startswith("task/"):
            raise NotFound(f"Deletion task {task} cannot be found.")
        self._ask.resource(caller, self._ask.named(caller, f"role/{role}"))
        self._roles.check_task(caller, task)
        return {"Status": "SUCCEEDED"}

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "UpdateRole": self.update_role,
            "UpdateRoleDescription": self.update_role_description,
            "UpdateAssumeRolePolicy": self.update_assume_role_policy,
            "CreateServiceLinkedRole": self.create_service_linked_role,
            "DeleteServiceLinkedRole": self.delete_service_linked_role,
            "GetServiceLinkedRoleDeletionStatus": self.get_service_linked_role_deletion_status,
        }
