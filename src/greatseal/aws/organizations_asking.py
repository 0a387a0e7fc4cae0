"""What every operation of Organizations asks before it acts: may the caller do this to these things?"""

from collections.abc import Mapping, Sequence
from typing import Any

from greatseal.aws.tags import conditions as tag_conditions
from greatseal.domain.access import Access, Question
from greatseal.domain.organizations import Wanted
from greatseal.domain.organizations.model import arn_of
from greatseal.domain.tags import Tag
from greatseal.kernel.caller import Caller

Conditions = Mapping[str, str | tuple[str, ...]]

PAGE = 20
"""Items on a page unless fewer are asked for; the model allows no more."""


class Asking:
    """Questions of the operation at hand, about things that are named by their ids."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def __call__(self, caller: Caller, *things: str, context: Conditions | None = None) -> None:
        """Raises AccessDenied unless policies allow the operation on each thing, or on `*` when none is named.

        Things belong to the management account. For another member the ARNs carry its own account: what members may
        do in their organization is settled by the room, not by the rule for foreign resources (iam.md 2).
        """
        resources = [self._arn(caller, thing) for thing in things] or ["*"]
        self._access.authorize(caller, *(Question(caller.operation, each, context or {}) for each in resources))

    def tagging(self, caller: Caller, tags: Sequence[Tag], resource: str = "*") -> Conditions:
        """The condition keys of an operation that sets tags. Raises AccessDenied unless the caller may set them."""
        context = tag_conditions(tags)
        if tags:
            self._access.authorize(caller, Question("organizations:TagResource", resource, context))
        return context

    def _arn(self, caller: Caller, thing: str) -> str:
        place = self._access.membership(caller.account)
        return "*" if place is None else arn_of(caller.partition, caller.account, place.organization_id, thing)


def wanted(p: Mapping[str, Any]) -> Wanted:
    """The page that a request asks for."""
    return Wanted(p.get("MaxResults", PAGE), p.get("NextToken"))
