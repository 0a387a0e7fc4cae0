"""IAM: access keys. Without a user's name an operation is about the caller's own."""

from collections.abc import Mapping
from typing import Any

from greatseal.aws import iam_shapes as shapes
from greatseal.aws.door import OperationFunction
from greatseal.aws.iam_asking import Asking
from greatseal.aws.iam_identities import own_name
from greatseal.domain.access import IdentityKind
from greatseal.domain.access.identities import AccessKeys
from greatseal.domain.access.model import is_root
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import ValidationFailed

Parameters = dict[str, Any]
Result = Mapping[str, Any] | None


class KeyOperations:
    """Makes, lists, switches and deletes access keys."""

    def __init__(self, ask: Asking, keys: AccessKeys) -> None:
        self._ask = ask
        self._keys = keys

    def create_access_key(self, caller: Caller, p: Parameters) -> Result:
        """The only answer that has the secret."""
        return {"AccessKey": shapes.access_key(self._keys.create(caller, self._asked(caller, p)))}

    def list_access_keys(self, caller: Caller, p: Parameters) -> Result:
        """The keys of a user."""
        user = self._asked(caller, p)
        page = self._keys.listing(caller, user, p.get("MaxItems", shapes.DEFAULT_PAGE), p.get("Marker"))
        found = [shapes.access_key(each) for each in page.items]
        listed = [{name: value for name, value in each.items() if name != "SecretAccessKey"} for each in found]
        return {"AccessKeyMetadata": listed, **shapes.paged(page)}

    def update_access_key(self, caller: Caller, p: Parameters) -> Result:
        """Active or Inactive; only the service itself calls a key expired."""
        user = self._asked(caller, p)
        if p["Status"] not in ("Active", "Inactive"):
            raise ValidationFailed("The status of an access key is set to Active or Inactive.")
        self._keys.set_active(caller, user, p["AccessKeyId"], active=p["Status"] == "Active")
        return None

    def delete_access_key(self, caller: Caller, p: Parameters) -> Result:
        """Removes a key for good."""
        self._keys.delete(caller, self._asked(caller, p), p["AccessKeyId"])
        return None

    def get_access_key_last_used(self, caller: Caller, p: Parameters) -> Result:
        """From the audit trail: the newest call that was signed with the key, good or refused."""
        key = p["AccessKeyId"]
        self._ask.resource(caller, self._keys.owner_arn(caller, key) or self._ask.named(caller, "user/*"))
        use = self._keys.last_use(caller, key)
        last: dict[str, Any] = {"ServiceName": "N/A", "Region": "N/A"}
        if use.record is not None:
            service = use.record.operation.partition(":")[0]
            last = {"LastUsedDate": use.record.at, "ServiceName": service, "Region": use.record.region}
        return {"UserName": use.user_name, "AccessKeyLastUsed": last}

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "CreateAccessKey": self.create_access_key,
            "ListAccessKeys": self.list_access_keys,
            "UpdateAccessKey": self.update_access_key,
            "DeleteAccessKey": self.delete_access_key,
            "GetAccessKeyLastUsed": self.get_access_key_last_used,
        }

    def _asked(self, caller: Caller, p: Parameters) -> str | None:
        """The user whose keys they are, None for the root's own, once the caller may."""
        if "UserName" not in p and is_root(caller):
            self._ask.resource(caller, caller.principal_arn)
            return None
        name: str = p.get("UserName") or own_name(caller)
        self._ask.about(caller, IdentityKind.USER, name)
        return name
