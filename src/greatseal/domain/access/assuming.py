"""The verbs of STS: temporary credentials for a role, a user or a federated user (iam.md 9)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from msgspec import structs

from greatseal.domain.access import standing
from greatseal.domain.access.language import (
    LIMITS,
    MalformedPolicy,
    PolicyKind,
    Verdict,
    denial_sentence,
    parse_policy,
)
from greatseal.domain.access.model import Credential, Identity, Question, is_root
from greatseal.domain.access.service import Access, role_at
from greatseal.domain.access.sessions import Sessions, expiry, packed_size
from greatseal.domain.access.store import reading
from greatseal.domain.access.web_identity import WebIdentities, WebIdentity
from greatseal.domain.audit import Audit
from greatseal.domain.tags import Tag
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller, Session
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import AccessDenied, InvalidParameter, InvalidPolicy, InvalidRequest
from greatseal.storage import Storage

_CHAINED_SECONDS = 3600
_ROOT_SECONDS = 3600
Context = dict[str, str | tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Limits:
    """What the maker of a session passes to make it smaller."""

    policy: str | None = None
    policy_arns: tuple[str, ...] = ()
    tags: tuple[Tag, ...] = ()
    transitive_tag_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assumption:
    """A wish for a role."""

    role_arn: str
    session_name: str
    seconds: int | None = None
    limits: Limits = field(default_factory=Limits)
    external_id: str | None = None
    source_identity: str | None = None


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who showed a good token: the caller, in the account of the role, and what the token says."""

    caller: Caller
    identity: WebIdentity


@dataclass(frozen=True, slots=True)
class Assumed:
    """A new session and what its maker reads about it."""

    credential: Credential
    token: str
    packed_size: int | None
    """Per cent of the room for policies and tags; None when there were neither."""
    web_identity: WebIdentity | None = None

    @property
    def session(self) -> Session:
        """What the credential says about itself."""
        assert self.credential.session is not None
        return self.credential.session


class Assuming:
    """Makes sessions for those who may have them."""

    def __init__(
        self,
        *,
        storage: Storage,
        access: Access,
        sessions: Sessions,
        web_identities: WebIdentities,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._access = access
        self._sessions = sessions
        self._web_identities = web_identities
        self._audit = audit
        self._clock = clock

    def assume_role(self, caller: Caller, wanted: Assumption) -> Assumed:
        """A session of a role. Raises AccessDenied, also for a role that does not exist, and InvalidRequest."""
        _role_account(wanted.role_arn)
        earlier = caller.session
        limits = _with_inherited(wanted.limits, _inherited(earlier))
        source_identity = _source_identity(wanted, earlier)
        role = self._permitted(
            wanted,
            "sts:AssumeRole",
            _conditions(wanted, source_identity),
            lambda question: self._access.verdict(caller, question),
            caller.principal_arn,
            claims=bool(source_identity and not (earlier and earlier.source_identity)),
        )
        chained = bool(earlier and ":assumed-role/" in caller.principal_arn)
        made = self._session(caller, role, wanted, limits, chained=chained, source_identity=source_identity)
        if role.account != caller.account:
            # The door records the call for the caller; the role's account sees it too.
            self._record(structs.replace(caller, account=role.account), role, caller.partition)
        return made

    def identify(self, caller: Caller, role_arn: str, token: str) -> Bearer:
        """Step one: whose token it is, for the account of the role. Raises as `WebIdentities.verify`."""
        account = _role_account(role_arn)
        identity = self._web_identities.verify(account, caller.partition, token)
        principal = f"{identity.provider_arn}:{identity.subject}"
        return Bearer(structs.replace(caller, account=account, principal_arn=principal), identity)

    def assume_role_with_web_identity(self, bearer: Bearer, wanted: Assumption) -> Assumed:
        """Step two: a session for the bearer of a good token. Raises AccessDenied and InvalidRequest."""
        caller, identity = bearer.caller, bearer.identity
        of = standing.of_web_identity(identity.provider_arn, dict(identity.keys))
        role = self._permitted(
            wanted,
            "sts:AssumeRoleWithWebIdentity",
            _conditions(wanted, ""),
            lambda question: self._access.verdict_for(of, caller, question),
            "",
        )
        made = self._session(caller, role, wanted, wanted.limits, chained=False, identity=identity)
        self._record(caller, role, caller.partition)
        return made

    def session_token(self, caller: Caller, seconds: int | None) -> Assumed:
        """A session of the user (or root) who asks. Raises AccessDenied for sessions."""
        if caller.session is not None:
            raise AccessDenied("Cannot call GetSessionToken with session credentials")
        return self._for_user(caller, seconds, caller.principal_arn, caller.principal_id, Limits())

    def federation_token(self, caller: Caller, name: str, seconds: int | None, limits: Limits) -> Assumed:
        """A session of a federated user, who has what both the asking user and the session policy allow."""
        if caller.session is not None:
            raise AccessDenied("Cannot call GetFederationToken with session credentials")
        arn = str(Arn(caller.partition, "sts", "", caller.account, f"federated-user/{name}"))
        conditions = _tag_conditions(limits)
        questions = [Question("sts:GetFederationToken", arn, conditions)]
        if limits.tags:
            questions.append(Question("sts:TagSession", arn, conditions))
        self._access.authorize(caller, *questions)
        return self._for_user(caller, seconds, arn, f"{caller.account}:{name}", limits)

    def _for_user(
        self, caller: Caller, seconds: int | None, principal_arn: str, principal_id: str, limits: Limits
    ) -> Assumed:
        longest = _ROOT_SECONDS if is_root(caller) else seconds or 43200
        now = self._clock.now()
        session = Session(
            issuer_arn=caller.principal_arn,
            issuer_id=caller.principal_id,
            issued_at=now,
            # A longer wish of a root is cut, not refused.
            expires_at=expiry(now, min(seconds or longest, longest)),
        )
        return self._made(caller.account, principal_arn, principal_id, session, limits)

    def _permitted(
        self,
        wanted: Assumption,
        action: str,
        conditions: Context,
        verdict: Callable[[Question], Verdict],
        principal: str,
        *,
        claims: bool = False,
    ) -> Identity:
        """The role, once its trust policy and the caller's own policies allow every action that the wish needs."""
        role = self._storage.read(lambda tx: role_at(tx, wanted.role_arn))
        actions = [action]
        actions += ["sts:TagSession"] if wanted.limits.tags else []
        actions += ["sts:SetSourceIdentity"] if claims else []
        for each in actions:
            found = verdict(Question(each, wanted.role_arn, conditions)) if role else None
            if found is None or not found.allowed:
                raise AccessDenied(_refusal(found, principal, each, wanted.role_arn))
        assert role is not None
        return role

    def _session(
        self,
        caller: Caller,
        role: Identity,
        wanted: Assumption,
        limits: Limits,
        *,
        chained: bool,
        source_identity: str = "",
        identity: WebIdentity | None = None,
    ) -> Assumed:
        seconds = wanted.seconds or 3600
        if chained and seconds > _CHAINED_SECONDS:
            raise InvalidRequest(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
            )
        if seconds > (role.max_session_seconds or 3600):
            raise InvalidRequest("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
        now = self._clock.now()
        session = Session(
            issuer_arn=role.arn(caller.partition),
            issuer_id=role.id,
            issued_at=now,
            expires_at=expiry(now, seconds),
            source_identity=source_identity,
            provider=identity.provider_arn if identity else "",
            keys=tuple((key, value) for key, value in identity.keys if isinstance(value, str)) if identity else (),
        )
        arn = str(Arn(caller.partition, "sts", "", role.account, f"assumed-role/{role.name}/{wanted.session_name}"))
        made = self._made(role.account, arn, f"{role.id}:{wanted.session_name}", session, limits)
        return replace(made, web_identity=identity)

    def _made(self, account: str, arn: str, principal_id: str, session: Session, limits: Limits) -> Assumed:
        """Raises InvalidPolicy, InvalidParameter, InvalidRequest and LimitExceeded for limits that cannot be."""
        if limits.policy is not None:
            try:
                parse_policy(limits.policy, PolicyKind.SESSION, limit=LIMITS["session policy"])
            except MalformedPolicy as error:
                raise InvalidPolicy(str(error)) from None
        self._check_managed(account, limits.policy_arns)
        _check_tags(limits)
        session = replace(
            session,
            policies=(limits.policy,) if limits.policy is not None else (),
            policy_arns=limits.policy_arns,
            tags=tuple((tag.key, tag.value or "") for tag in limits.tags),
            transitive_tag_keys=limits.transitive_tag_keys,
        )
        credential, token = self._sessions.make(
            account=account, principal_arn=arn, principal_id=principal_id, session=session
        )
        packed = limits.policy or limits.policy_arns or limits.tags
        return Assumed(credential, token, packed_size(session) if packed else None)

    def _check_managed(self, account: str, arns: Sequence[str]) -> None:
        own = [arn for arn in arns if f"::{account}:policy/" in arn or "::aws:policy/" in arn]
        wrong = [arn for arn in arns if arn not in own]
        present = {each.name for each in self._storage.read(lambda tx: reading.managed_documents(tx, own))}
        wrong += [arn for arn in own if arn not in present]
        if wrong:
            raise InvalidRequest(f"The managed policy {wrong[0]} does not exist in this account.")

    def _record(self, caller: Caller, role: Identity, partition: str) -> None:
        self._storage.transact(lambda tx: self._audit.record(tx, caller, role.arn(partition)))


def _refusal(verdict: Verdict | None, principal: str, action: str, role_arn: str) -> str:
    """The sentence of STS, which does not tell whether the role exists (iam.md 9)."""
    if not principal:
        return f"Not authorized to perform {action}"
    if verdict is not None and verdict.explicit:
        return denial_sentence(verdict, principal, action, role_arn)
    return f"User: {principal} is not authorized to perform: {action} on resource: {role_arn}"


def _conditions(wanted: Assumption, source_identity: str) -> Context:
    context: Context = {"sts:RoleSessionName": wanted.session_name, **_tag_conditions(wanted.limits)}
    if wanted.external_id is not None:
        context["sts:ExternalId"] = wanted.external_id
    if wanted.seconds is not None:
        context["sts:DurationSeconds"] = str(wanted.seconds)
    if source_identity:
        context["sts:SourceIdentity"] = source_identity
    if wanted.limits.transitive_tag_keys:
        context["sts:TransitiveTagKeys"] = wanted.limits.transitive_tag_keys
    return context


def _tag_conditions(limits: Limits) -> Context:
    if not limits.tags:
        return {}
    context: Context = {f"aws:RequestTag/{tag.key}": tag.value or "" for tag in limits.tags}
    context["aws:TagKeys"] = tuple(tag.key for tag in limits.tags)
    return context


def _inherited(session: Session | None) -> tuple[Tag, ...]:
    """The tags that stay with a caller from role to role."""
    if session is None:
        return ()
    kept = {key.lower() for key in session.transitive_tag_keys}
    return tuple(Tag(key, value) for key, value in session.tags if key.lower() in kept)


def _with_inherited(limits: Limits, inherited: tuple[Tag, ...]) -> Limits:
    given = {tag.key.lower() for tag in limits.tags}
    for tag in inherited:
        if tag.key.lower() in given:
            raise InvalidParameter(
                f"One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key "
                f"from the calling session: {tag.key}"
            )
    keys = dict.fromkeys((*limits.transitive_tag_keys, *(tag.key for tag in inherited)))
    return replace(limits, tags=(*limits.tags, *inherited), transitive_tag_keys=tuple(keys))


def _source_identity(wanted: Assumption, earlier: Session | None) -> str:
    """Once set it stays for the whole chain and cannot be set to something else."""
    kept = earlier.source_identity if earlier else ""
    if kept and wanted.source_identity not in (None, kept):
        raise AccessDenied("The source identity of a session cannot be changed by a role that is assumed from it.")
    return kept or wanted.source_identity or ""


def _check_tags(limits: Limits) -> None:
    keys = [tag.key.lower() for tag in limits.tags]
    if len(set(keys)) != len(keys):
        raise InvalidParameter("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    for tag in limits.tags:
        if tag.key.lower().startswith("aws:"):
            raise InvalidParameter(f"Tag key {tag.key} begins with aws:, which is reserved.")
    for key in limits.transitive_tag_keys:
        if key.lower() not in keys:
            raise InvalidParameter(f"The specified transitive tag key must be included in the requested tags: {key}")


def _role_account(role_arn: str) -> str:
    try:
        arn = Arn.parse(role_arn)
    except ValueError:
        raise InvalidRequest(f"{role_arn} is invalid") from None
    if arn.service != "iam" or not arn.resource.startswith("role/"):
        raise InvalidRequest(f"{role_arn} is invalid")
    return arn.account
