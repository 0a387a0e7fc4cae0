"""Why a principal may or may not do something: the verdict, and every statement that matched on the way."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from greatseal.domain.access.language import CompiledPolicy, Verdict, denial_sentence
from greatseal.domain.access.model import IdentityKind, Question
from greatseal.domain.access.service import Access, role_at
from greatseal.domain.access.store import reading
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller, Session
from greatseal.kernel.errors import InvalidArn, NotFound
from greatseal.storage import Tx


@dataclass(frozen=True, slots=True)
class Matched:
    """One statement that matched the request."""

    kind: str
    """The kind of policy, in the words of refusals: `identity-based policy`."""
    policy: str
    """Its ARN, or the name of an inline policy."""
    statement: int
    """Its place in the document, from 0."""
    sid: str | None
    effect: str
    """`Allow` or `Deny`."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer to a question, with its reasons."""

    verdict: Verdict
    sentence: str
    matched: tuple[Matched, ...]
    context: Mapping[str, str | tuple[str, ...]]


def explain(access: Access, caller: Caller, question: Question) -> Explanation:
    """What would be answered to this caller now, and why."""
    of = access.standing(caller)
    circumstances, request = access.weigh(of, caller, question)
    verdict = access.verdict_for(of, caller, question)
    around: list[CompiledPolicy] = [each for level in circumstances.scp_levels for each in level]
    around += [circumstances.resource] if circumstances.resource else []
    around += [*circumstances.identity]
    around += [circumstances.boundary] if circumstances.boundary else []
    around += [*(circumstances.session or ())]

    def matched() -> Iterator[Matched]:
        for policy in around:
            for found in policy.matching(request):
                assert found.effect is not None
                assert found.index is not None
                yield Matched(policy.kind.value, policy.name, found.index, found.sid, found.effect.value)

    return Explanation(verdict, _sentence(verdict, caller, question), tuple(matched()), dict(request.context))


def caller_named(tx: Tx, arn: str, *, region: str, at: datetime, action: str) -> Caller:
    """A caller as if it had signed: a root, a user, or a session of a role, by ARN. Raises InvalidArn and NotFound."""
    try:
        parsed = Arn.parse(arn)
    except ValueError:
        raise InvalidArn(f"{arn} is not an ARN.") from None
    kind, _, path = parsed.resource.partition("/")
    session = None
    principal, principal_id = arn, parsed.account
    if kind == "user":
        user = reading.identity_by_name(tx, parsed.account, IdentityKind.USER, path.rpartition("/")[2])
        if user is None or user.arn(parsed.partition) != arn:
            raise NotFound(f"There is no user {arn}.")
        principal_id = user.id
    elif kind == "role":
        role = role_at(tx, arn)
        if role is None:
            raise NotFound(f"There is no role {arn}.")
        principal = str(Arn(parsed.partition, "sts", "", parsed.account, f"assumed-role/{role.name}/explain"))
        principal_id = f"{role.id}:explain"
        session = Session(issuer_arn=arn, issuer_id=role.id, issued_at=at, expires_at=at)
    elif kind != "root":
        raise InvalidArn(f"{arn} is not the ARN of a root, a user or a role.")
    return Caller(
        account=parsed.account,
        region=region,
        principal_arn=principal,
        access_key_id="",
        request_id="",
        operation=action,
        at=at,
        principal_id=principal_id,
        session=session,
    )


def _sentence(verdict: Verdict, caller: Caller, question: Question) -> str:
    if not verdict.allowed:
        return denial_sentence(verdict, caller.principal_arn, question.action, question.resource)
    by = f"the {verdict.kind.value} {verdict.policy}".rstrip()
    who = caller.principal_arn
    return f"{who} is authorized to perform: {question.action} on resource: {question.resource} by {by}"
