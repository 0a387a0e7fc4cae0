"""IAM: users, groups and roles, and who is in which group."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from greatseal.aws import iam_shapes as shapes
from greatseal.aws.door import OperationFunction
from greatseal.aws.iam_asking import Asking
from greatseal.aws.tags import conditions as tag_conditions
from greatseal.aws.tags import from_wire as tags_from_wire
from greatseal.domain.access import IdentityKind
from greatseal.domain.access.identities import Directory, Found, Holdings, Memberships, NewIdentity, partition
from greatseal.domain.access.model import is_root
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import ValidationFailed

Parameters = dict[str, Any]
Result = Mapping[str, Any] | None

KINDS = {"User": IdentityKind.USER, "Group": IdentityKind.GROUP, "Role": IdentityKind.ROLE}
"""By the word in the names of operations and members."""


class Identities:
    """What users, groups and roles have in common; functions take the word of a kind first."""

    def __init__(self, ask: Asking, directory: Directory, memberships: Memberships, holdings: Holdings) -> None:
        self._ask = ask
        self._directory = directory
        self._memberships = memberships
        self._holdings = holdings

    def create(self, word: str, caller: Caller, p: Parameters) -> Result:
        """CreateUser, CreateGroup, CreateRole."""
        path, name = p.get("Path", "/"), p[f"{word}Name"]
        tags = tags_from_wire(p.get("Tags"))
        boundary = p.get("PermissionsBoundary")
        keys = {"iam:PermissionsBoundary": boundary} if boundary else {}
        self._ask.creation(caller, f"{KINDS[word].value}{path}{name}", word, tags, keys)
        found = self._directory.create(
            caller,
            NewIdentity(
                KINDS[word],
                name,
                path,
                boundary_arn=boundary,
                trust_policy=p.get("AssumeRolePolicyDocument"),
                description=p.get("Description"),
                max_session_seconds=p.get("MaxSessionDuration"),
                tags=tags,
            ),
        )
        return {word: shapes.made(found, partition(caller)) if word == "Role" else _shown(found, caller)}

    def get(self, word: str, caller: Caller, p: Parameters) -> Result:
        """GetRole, and GetUser with a name."""
        name = p[f"{word}Name"]
        self._ask.about(caller, KINDS[word], name)
        return {word: _shown(self._directory.get(caller, KINDS[word], name), caller)}

    def get_user(self, caller: Caller, p: Parameters) -> Result:
        """Without a name it is about the caller."""
        if "UserName" in p:
            return self.get("User", caller, p)
        if is_root(caller):
            self._ask.resource(caller, caller.principal_arn)
            return {
                "User": {
                    "Path": "/",
                    "UserName": self._holdings.alias(caller),
                    "UserId": caller.account,
                    "Arn": caller.principal_arn,
                    "CreateDate": self._holdings.created_at(caller),
                }
            }
        return self.get("User", caller, {"UserName": own_name(caller)})

    def get_group(self, caller: Caller, p: Parameters) -> Result:
        """A group and its users."""
        self._ask.about(caller, IdentityKind.GROUP, p["GroupName"])
        group, page = self._memberships.members(
            caller, p["GroupName"], p.get("MaxItems", shapes.DEFAULT_PAGE), p.get("Marker")
        )
        where = partition(caller)
        users = [shapes.identity(each, where) for each in page.items]
        return {"Group": shapes.identity(group, where), "Users": users, **shapes.paged(page)}

    def listing(self, word: str, caller: Caller, p: Parameters) -> Result:
        """ListUsers, ListGroups, ListRoles."""
        prefix = p.get("PathPrefix", "/")
        self._ask.resource(caller, self._ask.named(caller, f"{KINDS[word].value}{prefix}"))
        limit = p.get("MaxItems", shapes.DEFAULT_PAGE)
        page = self._directory.listing(caller, KINDS[word], prefix, limit, p.get("Marker"))
        return {f"{word}s": [shapes.listed(each, partition(caller)) for each in page.items], **shapes.paged(page)}

    def update(self, word: str, caller: Caller, p: Parameters) -> Result:
        """UpdateUser, UpdateGroup: a new name, a new path. The caller must be allowed both names."""
        kind, name = KINDS[word], p[f"{word}Name"]
        new_name, new_path = p.get(f"New{word}Name"), p.get("NewPath")
        found = self._ask.about(caller, kind, name)
        path = new_path or (found.identity.path if found else "/")
        self._ask.resource(caller, self._ask.named(caller, f"{kind.value}{path}{new_name or name}"))
        self._directory.rename(caller, kind, name, new_name=new_name, new_path=new_path)
        return None

    def delete(self, word: str, caller: Caller, p: Parameters) -> Result:
        """DeleteUser, DeleteGroup, DeleteRole."""
        name = p[f"{word}Name"]
        self._ask.about(caller, KINDS[word], name)
        self._directory.delete(caller, KINDS[word], name)
        return None

    def tag(self, word: str, caller: Caller, p: Parameters) -> Result:
        """TagUser, TagRole."""
        tags = tags_from_wire(p["Tags"])
        self._ask.about(caller, KINDS[word], p[f"{word}Name"], tag_conditions(tags))
        self._directory.tag(caller, KINDS[word], p[f"{word}Name"], tags)
        return None

    def untag(self, word: str, caller: Caller, p: Parameters) -> Result:
        """UntagUser, UntagRole."""
        self._ask.about(caller, KINDS[word], p[f"{word}Name"], {"aws:TagKeys": tuple(p["TagKeys"])})
        self._directory.untag(caller, KINDS[word], p[f"{word}Name"], p["TagKeys"])
        return None

    def tags(self, word: str, caller: Caller, p: Parameters) -> Result:
        """ListUserTags, ListRoleTags."""
        name = p[f"{word}Name"]
        self._ask.about(caller, KINDS[word], name)
        limit = p.get("MaxItems", shapes.DEFAULT_PAGE)
        page = self._directory.tags(caller, KINDS[word], name, limit, p.get("Marker"))
        return {"Tags": shapes.tags(page.items) or [], **shapes.paged(page)}

    def add_user_to_group(self, caller: Caller, p: Parameters) -> Result:
        """The right to do it is a right over the group."""
        self._ask.about(caller, IdentityKind.GROUP, p["GroupName"])
        self._memberships.add(caller, p["GroupName"], p["UserName"])
        return None

    def remove_user_from_group(self, caller: Caller, p: Parameters) -> Result:
        """As the addition."""
        self._ask.about(caller, IdentityKind.GROUP, p["GroupName"])
        self._memberships.remove(caller, p["GroupName"], p["UserName"])
        return None

    def list_groups_for_user(self, caller: Caller, p: Parameters) -> Result:
        """The groups of a user."""
        self._ask.about(caller, IdentityKind.USER, p["UserName"])
        limit = p.get("MaxItems", shapes.DEFAULT_PAGE)
        page = self._memberships.groups_of(caller, p["UserName"], limit, p.get("Marker"))
        return {"Groups": [shapes.identity(each, partition(caller)) for each in page.items], **shapes.paged(page)}

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        made: dict[str, OperationFunction] = {
            "GetUser": self.get_user,
            "GetGroup": self.get_group,
            "GetRole": partial(self.get, "Role"),
            "AddUserToGroup": self.add_user_to_group,
            "RemoveUserFromGroup": self.remove_user_from_group,
            "ListGroupsForUser": self.list_groups_for_user,
        }
        for word in KINDS:
            made[f"Create{word}"] = partial(self.create, word)
            made[f"Delete{word}"] = partial(self.delete, word)
            made[f"List{word}s"] = partial(self.listing, word)
        for word in ("User", "Group"):
            made[f"Update{word}"] = partial(self.update, word)
        for word in ("User", "Role"):
            made[f"Tag{word}"] = partial(self.tag, word)
            made[f"Untag{word}"] = partial(self.untag, word)
            made[f"List{word}Tags"] = partial(self.tags, word)
        return made


def own_name(caller: Caller) -> str:
    """The name of the user who calls. Raises ValidationFailed for callers who are no users."""
    if caller.session is not None or ":user/" not in caller.principal_arn:
        raise ValidationFailed("Must specify userName when calling with non-User credentials")
    return caller.principal_arn.rpartition("/")[2]


def _shown(found: Found, caller: Caller) -> shapes.Shape:
    return shapes.shown(found, partition(caller))
