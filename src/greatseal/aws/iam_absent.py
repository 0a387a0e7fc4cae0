"""IAM: things that identities never have here. Tools ask for them before they delete a user or a role.

Nothing of the kind can be made, so that lists of them are empty and single ones are not found.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from greatseal.aws.door import OperationFunction
from greatseal.aws.iam_asking import Asking
from greatseal.aws.iam_identities import own_name
from greatseal.domain.access import IdentityKind
from greatseal.domain.access.identities import Directory
from greatseal.domain.access.model import is_root
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import NotFound

Parameters = dict[str, Any]
Result = Mapping[str, Any] | None

_OF_ACCOUNTS = {
    "ListInstanceProfiles": ("InstanceProfiles", "instance-profile/"),
    "ListServerCertificates": ("ServerCertificateMetadataList", "server-certificate/"),
    "ListVirtualMFADevices": ("VirtualMFADevices", "mfa/*"),
}
"""By operation: the member of the answer, and the resource that is asked about."""

_OF_USERS = {
    "ListMFADevices": "MFADevices",
    "ListSSHPublicKeys": "SSHPublicKeys",
    "ListServiceSpecificCredentials": "ServiceSpecificCredentials",
    "ListSigningCertificates": "Certificates",
}


class Absences:
    """Lists what cannot be there."""

    def __init__(self, ask: Asking, directory: Directory) -> None:
        self._ask = ask
        self._directory = directory

    def of_account(self, member: str, resource: str, caller: Caller, p: Parameters) -> Result:
        """An empty list of the account."""
        self._ask.resource(caller, self._ask.named(caller, resource))
        return {member: [], "IsTruncated": False}

    def of_user(self, member: str, caller: Caller, p: Parameters) -> Result:
        """An empty list of a user, or of the caller."""
        if "UserName" not in p and is_root(caller):
            self._ask.resource(caller, caller.principal_arn)
        else:
            self._present(caller, IdentityKind.USER, p.get("UserName") or own_name(caller))
        return {member: [], "IsTruncated": False}

    def list_instance_profiles_for_role(self, caller: Caller, p: Parameters) -> Result:
        """An empty list of a role."""
        self._present(caller, IdentityKind.ROLE, p["RoleName"])
        return {"InstanceProfiles": [], "IsTruncated": False}

    def list_saml_providers(self, caller: Caller, p: Parameters) -> Result:
        """An empty list without pages."""
        self._ask.resource(caller, self._ask.named(caller, "saml-provider/*"))
        return {"SAMLProviderList": []}

    def login_profile(self, caller: Caller, p: Parameters) -> Result:
        """GetLoginProfile, DeleteLoginProfile: no user has a password. Raises NotFound."""
        name = p.get("UserName") or own_name(caller)
        self._present(caller, IdentityKind.USER, name)
        raise NotFound(f"Login Profile for User {name} cannot be found.")

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "ListInstanceProfilesForRole": self.list_instance_profiles_for_role,
            "ListSAMLProviders": self.list_saml_providers,
            "GetLoginProfile": self.login_profile,
            "DeleteLoginProfile": self.login_profile,
            **{name: partial(self.of_account, *how) for name, how in _OF_ACCOUNTS.items()},
            **{name: partial(self.of_user, member) for name, member in _OF_USERS.items()},
        }

    def _present(self, caller: Caller, kind: IdentityKind, name: str) -> None:
        self._ask.about(caller, kind, name)
        self._directory.get(caller, kind, name)
