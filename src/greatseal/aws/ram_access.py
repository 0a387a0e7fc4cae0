"""The questions that Resource Access Manager asks before it acts."""

from dataclasses import replace

from greatseal.domain.access import Access, Question
from greatseal.domain.access.language import denial_sentence, evaluate
from greatseal.domain.sharing.model import RESOURCE_TYPE, Share
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import AccessDenied

Keys = dict[str, str | tuple[str, ...]]


def authorize_own(access: Access, caller: Caller, question: Question) -> None:
    """As `access.authorize`, for what is the caller's although its ARN names another account.

    An invitation carries the account of its sender, a managed permission that of nobody; neither has a policy of
    its own, so the caller's policies alone decide. Raises AccessDenied.
    """
    circumstances, request = access.weigh(access.standing(caller), caller, question)
    verdict = evaluate(replace(circumstances, resource_account=caller.account), request)
    if not verdict.allowed:
        raise AccessDenied(denial_sentence(verdict, caller.principal_arn, question.action, question.resource))


def share_keys(share: Share | None) -> Keys:
    """The condition keys of a share that is there."""
    if share is None:
        return {}
    return {
        "ram:ResourceShareName": share.name,
        "ram:AllowsExternalPrincipals": "true" if share.allow_external else "false",
    }


def request_keys(resources: tuple[str, ...], principals: tuple[str, ...]) -> Keys:
    """The condition keys of resources and principals that a request names."""
    return {
        "ram:ResourceArn": resources,
        "ram:RequestedResourceType": (RESOURCE_TYPE,) if resources else (),
        "ram:Principal": principals,
    }
