"""IAM: managed policies and their versions."""

from collections.abc import Mapping
from typing import Any

from greatseal.aws import iam_shapes as shapes
from greatseal.aws.door import OperationFunction
from greatseal.aws.iam_asking import Asking, Keys
from greatseal.aws.tags import conditions as tag_conditions
from greatseal.aws.tags import from_wire as tags_from_wire
from greatseal.domain.access.identities import Library, Scope, Tagging, Usage, tagging
from greatseal.domain.access.identities.rules import policy_arn
from greatseal.domain.access.model import IdentityKind
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import InvalidParameter

Parameters = dict[str, Any]
Result = Mapping[str, Any] | None

_FILTERS = {"User": "user", "Group": "group", "Role": "role"}
_POLICY_FILTERS = ("LocalManagedPolicy", "AWSManagedPolicy")


class PolicyOperations:
    """Makes, versions, lists and deletes managed policies."""

    def __init__(self, ask: Asking, library: Library, tags: Tagging) -> None:
        self._ask = ask
        self._library = library
        self._tags = tags

    def create_policy(self, caller: Caller, p: Parameters) -> Result:
        """A policy with its first version, which is in force."""
        path, name = p.get("Path", "/"), p["PolicyName"]
        tags = tags_from_wire(p.get("Tags"))
        self._ask.creation(caller, f"policy{path}{name}", "Policy", tags)
        made = self._library.create(
            caller, name=name, path=path, description=p.get("Description", ""), document=p["PolicyDocument"], tags=tags
        )
        return {"Policy": {**shapes.policy(made), "Tags": shapes.tags(made.tags)}}

    def get_policy(self, caller: Caller, p: Parameters) -> Result:
        """The only answer that has the description."""
        found = self._library.get(caller, self._asked(caller, p))
        described = {"Description": found.policy.description or None, "Tags": shapes.tags(found.tags)}
        return {"Policy": {**shapes.policy(found), **described}}

    def list_policies(self, caller: Caller, p: Parameters) -> Result:
        """Everybody's policies and the account's own."""
        prefix = p.get("PathPrefix", "/")
        self._ask.resource(caller, self._ask.named(caller, f"policy{prefix}"))
        page = self._library.listing(
            caller,
            scope=Scope(p.get("Scope", "All")),
            only_attached=p.get("OnlyAttached", False),
            prefix=prefix,
            usage=_usage(p),
            limit=p.get("MaxItems", shapes.DEFAULT_PAGE),
            marker=p.get("Marker"),
        )
        return {"Policies": [shapes.policy(each) for each in page.items], **shapes.paged(page)}

    def delete_policy(self, caller: Caller, p: Parameters) -> Result:
        """A policy that nobody uses and that has one version."""
        self._library.delete(caller, self._asked(caller, p))
        return None

    def list_entities_for_policy(self, caller: Caller, p: Parameters) -> Result:
        """Who carries the policy or is bounded by it."""
        arn = self._asked(caller, p)
        entity = p.get("EntityFilter")
        if entity in _POLICY_FILTERS:
            raise InvalidParameter(f"EntityFilter must be User, Role or Group, not {entity}.")
        page = self._library.carriers(
            caller,
            arn,
            kind=_FILTERS[entity] if entity else None,
            prefix=p.get("PathPrefix", "/"),
            usage=_usage(p),
            limit=p.get("MaxItems", shapes.DEFAULT_PAGE),
            marker=p.get("Marker"),
        )
        found: dict[str, Any] = {
            f"Policy{kind.value.title()}s": [
                {f"{kind.value.title()}Name": each.name, f"{kind.value.title()}Id": each.id}
                for each in page.items
                if each.kind is kind
            ]
            for kind in IdentityKind
        }
        return found | shapes.paged(page)

    def create_policy_version(self, caller: Caller, p: Parameters) -> Result:
        """One more version, in force when it is asked to be."""
        made = self._library.add_version(
            caller, self._asked(caller, p), p["PolicyDocument"], make_default=p.get("SetAsDefault", False)
        )
        return {"PolicyVersion": shapes.policy_version(made, document=False)}

    def get_policy_version(self, caller: Caller, p: Parameters) -> Result:
        """A version with its document."""
        found = self._library.version(caller, self._asked(caller, p), p["VersionId"])
        return {"PolicyVersion": shapes.policy_version(found, document=True)}

    def list_policy_versions(self, caller: Caller, p: Parameters) -> Result:
        """Newest first, without documents."""
        limit = p.get("MaxItems", shapes.DEFAULT_PAGE)
        page = self._library.versions(caller, self._asked(caller, p), limit, p.get("Marker"))
        versions = [shapes.policy_version(each, document=False) for each in page.items]
        return {"Versions": versions, **shapes.paged(page)}

    def set_default_policy_version(self, caller: Caller, p: Parameters) -> Result:
        """Puts a version into force, at once."""
        self._library.set_default(caller, self._asked(caller, p), p["VersionId"])
        return None

    def delete_policy_version(self, caller: Caller, p: Parameters) -> Result:
        """Any version but the one that is in force."""
        self._library.remove_version(caller, self._asked(caller, p), p["VersionId"])
        return None

    def tag_policy(self, caller: Caller, p: Parameters) -> Result:
        """Sets tags of an own policy."""
        tags = tags_from_wire(p["Tags"])
        arn = self._asked(caller, p, tag_conditions(tags))
        self._tags.add(caller, arn, tags, tagging.policy)
        return None

    def untag_policy(self, caller: Caller, p: Parameters) -> Result:
        """Removes tags of an own policy."""
        arn = self._asked(caller, p, {"aws:TagKeys": tuple(p["TagKeys"])})
        self._tags.remove(caller, arn, p["TagKeys"], tagging.policy)
        return None

    def list_policy_tags(self, caller: Caller, p: Parameters) -> Result:
        """The tags of a policy."""
        arn, limit = self._asked(caller, p), p.get("MaxItems", shapes.DEFAULT_PAGE)
        page = self._tags.listing(caller, arn, limit, p.get("Marker"), tagging.readable_policy)
        return {"Tags": shapes.tags(page.items) or [], **shapes.paged(page)}

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "CreatePolicy": self.create_policy,
            "GetPolicy": self.get_policy,
            "ListPolicies": self.list_policies,
            "DeletePolicy": self.delete_policy,
            "ListEntitiesForPolicy": self.list_entities_for_policy,
            "CreatePolicyVersion": self.create_policy_version,
            "GetPolicyVersion": self.get_policy_version,
            "ListPolicyVersions": self.list_policy_versions,
            "SetDefaultPolicyVersion": self.set_default_policy_version,
            "DeletePolicyVersion": self.delete_policy_version,
            "TagPolicy": self.tag_policy,
            "UntagPolicy": self.untag_policy,
            "ListPolicyTags": self.list_policy_tags,
        }

    def _asked(self, caller: Caller, p: Parameters, keys: Keys | None = None) -> str:
        """The ARN of the policy, once the caller may. Raises InvalidArn when it is none."""
        arn: str = p["PolicyArn"]
        policy_arn(arn)
        self._ask.tagged(caller, arn, keys)
        return arn


def _usage(p: Parameters) -> Usage | None:
    return Usage(p["PolicyUsageFilter"]) if "PolicyUsageFilter" in p else None
