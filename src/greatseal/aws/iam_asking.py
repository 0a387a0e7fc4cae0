"""How IAM's operations name their resources and condition keys, and ask."""

from collections.abc import Mapping, Sequence

from greatseal.aws.tags import conditions as tag_conditions
from greatseal.domain.access import Access, IdentityKind, Question
from greatseal.domain.access.identities import Directory, Found, Tagging, partition
from greatseal.domain.tags import Tag
from greatseal.kernel.caller import Caller

Keys = Mapping[str, str | tuple[str, ...]]


class Asking:
    """Asks whether the caller may do its operation to a user, a group, a role, a policy or a list of them."""

    def __init__(self, access: Access, directory: Directory, tagging: Tagging) -> None:
        self._access = access
        self._directory = directory
        self._tagging = tagging

    def about(
        self, caller: Caller, kind: IdentityKind, name: str, keys: Keys | None = None, *, bounded: bool = False
    ) -> Found | None:
        """Asks about an identity by its name. None when there is none: whoever may ask is told so by the verb.

        `bounded` operations let policies look at the boundary that the identity has (`iam:PermissionsBoundary`).
        """
        found = self._directory.find(caller, kind, name)
        arn = self.arn(caller, kind, name, found)
        context = dict(keys or {})
        if found is not None:
            context |= _resource_tags(found.tags)
            if bounded and found.identity.boundary_arn is not None:
                context.setdefault("iam:PermissionsBoundary", found.identity.boundary_arn)
        self.resource(caller, arn, context)
        return found

    def arn(self, caller: Caller, kind: IdentityKind, name: str, found: Found | None = None) -> str:
        """The ARN of an identity; of one that does not exist, the ARN that it would have without a path."""
        if found is not None:
            return found.identity.arn(partition(caller))
        return self.named(caller, f"{kind.value}/{name}")

    def named(self, caller: Caller, resource: str) -> str:
        """`arn:aws:iam::ACCOUNT:resource`."""
        return f"arn:{partition(caller)}:iam::{caller.account}:{resource}"

    def creation(self, caller: Caller, resource: str, word: str, tags: Sequence[Tag], keys: Keys | None = None) -> None:
        """Asks about something that is to be made; tags need `iam:Tag<word>` besides."""
        arn = self.named(caller, resource)
        context = {**tag_conditions(tags), **(keys or {})}
        questions = [Question(caller.operation, arn, context)]
        if tags:
            questions.append(Question(f"iam:Tag{word}", arn, context))
        self._access.authorize(caller, *questions)

    def tagged(self, caller: Caller, arn: str, keys: Keys | None = None) -> None:
        """Asks about a policy or a provider, whose tags policies may look at."""
        self.resource(caller, arn, {**_resource_tags(self._tagging.of(arn)), **(keys or {})})

    def resource(self, caller: Caller, arn: str, keys: Keys | None = None) -> None:
        """Asks about a resource by its ARN, or about `*`."""
        self._access.authorize(caller, Question(caller.operation, arn, keys or {}))


def _resource_tags(tags: Sequence[Tag]) -> dict[str, str]:
    """IAM's own, older name for `aws:ResourceTag/…`, which some policies still use."""
    return {f"iam:ResourceTag/{tag.key}": tag.value or "" for tag in tags}
