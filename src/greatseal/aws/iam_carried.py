"""IAM: the policies that users, groups and roles carry: attached, written into them, and their boundaries."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from greatseal.aws import iam_shapes as shapes
from greatseal.aws.door import OperationFunction
from greatseal.aws.iam_asking import Asking
from greatseal.aws.iam_identities import KINDS
from greatseal.domain.access.identities import Attachments, InlinePolicies
from greatseal.kernel.caller import Caller

Parameters = dict[str, Any]
Result = Mapping[str, Any] | None


class CarriedPolicies:
    """The same operations for three kinds; functions take the word of a kind first."""

    def __init__(self, ask: Asking, attachments: Attachments, inline: InlinePolicies) -> None:
        self._ask = ask
        self._attachments = attachments
        self._inline = inline

    def attach(self, word: str, caller: Caller, p: Parameters) -> Result:
        """AttachUserPolicy and its kin."""
        name, arn = p[f"{word}Name"], p["PolicyArn"]
        self._ask.about(caller, KINDS[word], name, {"iam:PolicyARN": arn}, bounded=True)
        self._attachments.attach(caller, KINDS[word], name, arn)
        return None

    def detach(self, word: str, caller: Caller, p: Parameters) -> Result:
        """DetachUserPolicy and its kin."""
        name, arn = p[f"{word}Name"], p["PolicyArn"]
        self._ask.about(caller, KINDS[word], name, {"iam:PolicyARN": arn}, bounded=True)
        self._attachments.detach(caller, KINDS[word], name, arn)
        return None

    def attached(self, word: str, caller: Caller, p: Parameters) -> Result:
        """ListAttachedUserPolicies and its kin."""
        name, prefix = p[f"{word}Name"], p.get("PathPrefix", "/")
        self._ask.about(caller, KINDS[word], name)
        limit = p.get("MaxItems", shapes.DEFAULT_PAGE)
        page = self._attachments.listing(caller, KINDS[word], name, prefix, limit, p.get("Marker"))
        return {"AttachedPolicies": shapes.attached(page.items), **shapes.paged(page)}

    def put(self, word: str, caller: Caller, p: Parameters) -> Result:
        """PutUserPolicy and its kin."""
        name = p[f"{word}Name"]
        self._ask.about(caller, KINDS[word], name, bounded=True)
        self._inline.put(caller, KINDS[word], name, p["PolicyName"], p["PolicyDocument"])
        return None

    def get(self, word: str, caller: Caller, p: Parameters) -> Result:
        """GetUserPolicy and its kin."""
        name = p[f"{word}Name"]
        self._ask.about(caller, KINDS[word], name)
        document = self._inline.get(caller, KINDS[word], name, p["PolicyName"])
        return {
            f"{word}Name": name,
            "PolicyName": p["PolicyName"],
            "PolicyDocument": shapes.encoded(document),
        }

    def names(self, word: str, caller: Caller, p: Parameters) -> Result:
        """ListUserPolicies and its kin."""
        name = p[f"{word}Name"]
        self._ask.about(caller, KINDS[word], name)
        limit = p.get("MaxItems", shapes.DEFAULT_PAGE)
        page = self._inline.names(caller, KINDS[word], name, limit, p.get("Marker"))
        return {"PolicyNames": list(page.items), **shapes.paged(page)}

    def delete(self, word: str, caller: Caller, p: Parameters) -> Result:
        """DeleteUserPolicy and its kin."""
        name = p[f"{word}Name"]
        self._ask.about(caller, KINDS[word], name, bounded=True)
        self._inline.delete(caller, KINDS[word], name, p["PolicyName"])
        return None

    def put_boundary(self, word: str, caller: Caller, p: Parameters) -> Result:
        """PutUserPermissionsBoundary, PutRolePermissionsBoundary."""
        name, arn = p[f"{word}Name"], p["PermissionsBoundary"]
        self._ask.about(caller, KINDS[word], name, {"iam:PermissionsBoundary": arn})
        self._attachments.put_boundary(caller, KINDS[word], name, arn)
        return None

    def delete_boundary(self, word: str, caller: Caller, p: Parameters) -> Result:
        """DeleteUserPermissionsBoundary, DeleteRolePermissionsBoundary."""
        name = p[f"{word}Name"]
        self._ask.about(caller, KINDS[word], name, bounded=True)
        self._attachments.remove_boundary(caller, KINDS[word], name)
        return None

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        made: dict[str, OperationFunction] = {}
        for word in KINDS:
            made |= {
                f"Attach{word}Policy": partial(self.attach, word),
                f"Detach{word}Policy": partial(self.detach, word),
                f"ListAttached{word}Policies": partial(self.attached, word),
                f"Put{word}Policy": partial(self.put, word),
                f"Get{word}Policy": partial(self.get, word),
                f"List{word}Policies": partial(self.names, word),
                f"Delete{word}Policy": partial(self.delete, word),
            }
        for word in ("User", "Role"):
            made[f"Put{word}PermissionsBoundary"] = partial(self.put_boundary, word)
            made[f"Delete{word}PermissionsBoundary"] = partial(self.delete_boundary, word)
        return made
