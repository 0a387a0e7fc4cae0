"""The verbs of the access room that every door calls: whose credential is this, and may it do what it asks?"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar, cast

from greatseal.crypto.wrap import Sealer
from greatseal.domain.access import resource_policies, standing
from greatseal.domain.access.credentials import add_credential, opened
from greatseal.domain.access.language import (
    AmbiguousContext,
    Circumstances,
    CompiledPolicy,
    Context,
    DecidedBy,
    PolicyKind,
    Principal,
    PrincipalKind,
    Request,
    Verdict,
    denial_sentence,
    evaluate,
)
from greatseal.domain.access.language.context import Value
from greatseal.domain.access.model import (
    Account,
    Credential,
    Identity,
    IdentityKind,
    Membership,
    Question,
    owner_of,
    root_arn,
)
from greatseal.domain.access.ports import Grants, Organizations
from greatseal.domain.access.standing import Standing, compiled
from greatseal.domain.access.store import accounts, credentials, generation, reading
from greatseal.domain.tags import Tags
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import AccessDenied, InvalidTag
from greatseal.kernel.ids import new_access_key_id, new_secret_access_key
from greatseal.kernel.secret import Secret
from greatseal.kernel.spans import Spans
from greatseal.storage import Storage, Tx

T = TypeVar("T")

_NOTHING = object()

# Callers and resources that are remembered between two changes; temporary credentials are a caller each.
_REMEMBERED = 8192
# Services whose resources carry policies; of all others none is looked for.
_WITH_POLICIES = frozenset({"acm-pca", "events", "kms", "s3", "sns", "sqs"})


class _Memory:
    """What was read since the last change of anything that authorization reads; dropped as a whole."""

    def __init__(self, number: int) -> None:
        self.generation = number
        self.credentials: dict[str, Credential | None] = {}
        self.standings: dict[tuple[str, str], Standing] = {}
        self.policies: dict[str, CompiledPolicy | None] = {}
        self.grants: dict[tuple[str, Principal], CompiledPolicy | None] = {}
        self.memberships: dict[str, Membership | None] = {}
        self.verdicts: dict[tuple[str, ...], Verdict] = {}
        self.others: dict[object, Any] = {}


class _Held(threading.local):
    """The memory that this thread answers from, while it answers a group of questions."""

    memory: _Memory | None = None


class Access:
    """Finds credentials and answers questions.

    Decisions are made on what this process remembers, and one number in the database tells whether that still holds,
    so that a right that is taken away is gone with the next request, on every node.
    """

    def __init__(
        self,
        *,
        storage: Storage,
        sealer: Sealer,
        clock: Clock,
        entropy: Entropy,
        tags: Tags,
        organizations: Organizations,
        grants: Grants | None = None,
        region: str,
    ) -> None:
        """`region` is the installation's own: its partition is that of every principal."""
        self._storage = storage
        self._sealer = sealer
        self._clock = clock
        self._entropy = entropy
        self._tags = tags
        self._organizations = organizations
        self._grants = grants
        self._region = region
        self._configured: dict[str, Credential] = {}
        self._memory = _Memory(-1)
        self._held = _Held()
        self._lock = threading.Lock()
        self.spans: Spans | None = None
        """Told of every authorization, when somebody traces."""

    def configure_root(self, access_key_id: str, secret: Secret, *, account: str) -> None:
        """Takes the root credential from the settings; it is kept in memory and never stored."""
        arn = root_arn(account, self._region)
        self._configured[access_key_id] = Credential(access_key_id, secret, account, arn, account)
        self._storage.transact(lambda tx: self._ensure_account(tx, account))

    def ensure_root(self, *, account: str) -> Credential:
        """The stored root credential of an account; account and credential are made on first use."""
        made = Credential(
            new_access_key_id(self._entropy),
            Secret(new_secret_access_key(self._entropy).encode()),
            account,
            root_arn(account, self._region),
            account,
        )
        return self._storage.transact(lambda tx: self._ensure(tx, made))

    def find(self, access_key_id: str) -> Credential | None:
        """The usable long-term credential with this id, or None."""
        configured = self._configured.get(access_key_id)
        if configured is not None:
            return configured
        memory = self._recall()
        known = memory.credentials.get(access_key_id)
        if known is not None:
            return known
        row = self._storage.read(lambda tx: credentials.find(tx, access_key_id))
        # The root credential of the settings replaces a generated one, which may be what it was changed for.
        replaced = row is not None and any(given.principal_id == row.owner_id for given in self._configured.values())
        if row is None or not row.active or replaced:
            # Not remembered: there is no end of ids that do not exist.
            return None
        found = opened(self._sealer, row, self._region)
        _remember(memory.credentials, access_key_id, found)
        return found

    def authorize(self, caller: Caller, *questions: Question) -> None:
        """Raises AccessDenied for the first question that the policies do not answer with yes (iam.md 2, 6)."""
        if self.spans is None:
            self._authorize(caller, questions)
            return
        with self.spans("authorization", action=questions[0].action if questions else "", questions=len(questions)):
            self._authorize(caller, questions)

    def _authorize(self, caller: Caller, questions: Sequence[Question]) -> None:
        memory = self._recall()
        of = self._standing(memory, caller)
        if caller.session is not None and of.principal.kind is not PrincipalKind.ASSUMED_ROLE:
            _check_session(caller)
        for question in questions:
            verdict = self._own_verdict(memory, of, caller, question)
            if not verdict.allowed:
                raise AccessDenied(denial_sentence(verdict, caller.principal_arn, question.action, question.resource))

    def verdict(self, caller: Caller, question: Question, *, grants_too: bool = True) -> Verdict:
        """What all policies together say, and which of them decided; also without the grants on a KMS key."""
        memory = self._recall()
        of = self._standing(memory, caller)
        if grants_too:
            return self._own_verdict(memory, of, caller, question)
        circumstances, request = self._weigh(memory, of, caller, question)
        return evaluate(replace(circumstances, grants=None), request)

    def verdict_for(self, of: Standing, caller: Caller, question: Question) -> Verdict:
        """As `verdict`, for a standing that is not the caller's own: a service, or the bearer of a token."""
        return self._verdict(self._recall(), of, caller, question)

    def would_allow(self, caller: Caller, question: Question, document: str) -> bool:
        """Whether the caller could do this if the resource had this policy, and no grants."""
        circumstances, request = self.weigh(self.standing(caller), caller, question)
        policy = compiled(document, resource_policies.kind_of(question.resource), question.resource)
        return evaluate(replace(circumstances, resource=policy, grants=None), request).allowed

    def weigh(self, of: Standing, caller: Caller, question: Question) -> tuple[Circumstances, Request]:
        """The policies that have a say, and the request as they see it."""
        return self._weigh(self._recall(), of, caller, question)

    def standing(self, caller: Caller) -> Standing:
        """The principal and the policies behind a caller who signed."""
        return self._standing(self._recall(), caller)

    def _own_verdict(self, memory: _Memory, of: Standing, caller: Caller, question: Question) -> Verdict:
        """The verdict with the caller's own standing; remembered where no policy asks for more than who, what and to
        which resource.
        """
        names = (caller.access_key_id, caller.principal_arn, question.action, question.resource, question.owner)
        known = memory.verdicts.get(names)
        # Keys in two spellings are refused, whatever the policies say.
        if known is not None and len({key.lower() for key in question.context}) == len(question.context):
            return known
        verdict, lasts = self._judged(memory, of, caller, question)
        if lasts and caller.access_key_id:
            _remember(memory.verdicts, names, verdict)
        return verdict

    def _verdict(self, memory: _Memory, of: Standing, caller: Caller, question: Question) -> Verdict:
        return self._judged(memory, of, caller, question)[0]

    def _judged(self, memory: _Memory, of: Standing, caller: Caller, question: Question) -> tuple[Verdict, bool]:
        """The verdict, and whether it holds for whatever else the same principal says about the same request."""
        is_root = of.principal.kind is PrincipalKind.ROOT
        if is_root and not of.scp_levels and self._is_unruled(memory, caller, question):
            return Verdict(True, DecidedBy.ROOT), True
        circumstances, request = self._weigh(memory, of, caller, question)
        return evaluate(circumstances, request), not any(each.conditional for each in circumstances.policies())

    def _is_unruled(self, memory: _Memory, caller: Caller, question: Question) -> bool:
        """Whether the resource is the caller's own and carries no policy: a root principal needs no evaluation then."""
        own = (question.owner or owner_of(question.resource)) in ("", caller.account)
        return own and self._resource_policy(memory, question) is None

    def _weigh(
        self, memory: _Memory, of: Standing, caller: Caller, question: Question
    ) -> tuple[Circumstances, Request]:
        # What belongs to nobody in particular (`*`) is the caller's own.
        owner = question.owner or owner_of(question.resource) or caller.account
        policy = self._resource_policy(memory, question)
        keys: dict[str, Value] = {
            **_request_keys(caller),
            **of.keys,
            **standing.resource_keys(owner, self._membership(memory, owner) if owner else None),
            **self._costly_keys(of, policy, question),
            **question.context,
        }
        try:
            context = Context(keys)
        except AmbiguousContext:
            raise InvalidTag("Duplicate tag keys found. Please note that Tag keys are case insensitive.") from None
        circumstances = Circumstances(
            principal=of.principal,
            resource_account=owner,
            identity=of.identity,
            boundary=of.boundary,
            session=of.session,
            resource=policy,
            authoritative=_service_of(question.resource) == "kms" and ":key/" in question.resource,
            grants=self._granted(memory, of.principal, question.resource),
            scp_levels=of.scp_levels,
            management_account=of.management_account,
        )
        return circumstances, Request(of.principal, question.action, question.resource, context)

    def _standing(self, memory: _Memory, caller: Caller) -> Standing:
        key = (caller.access_key_id, caller.principal_arn)
        found = memory.standings.get(key)
        if found is None:
            membership = self._membership(memory, caller.account)
            found = self._storage.read(lambda tx: standing.load(tx, self._tags, caller, membership))
            # Without an access key there is nothing that two callers would share.
            if caller.access_key_id:
                _remember(memory.standings, key, found)
        return found

    def remembered(self, name: object, read: Callable[[], T]) -> T:
        """What `read` gave the last time, as long as nothing has raised the generation since.

        For other rooms, whose every change of what they keep here must raise it, as those of policies do.
        """
        return _recalled(self._recall().others, name, read)

    def membership(self, account: str) -> Membership | None:
        """The account's place in its organization, if it has one."""
        return self._membership(self._recall(), account)

    def account_of_key(self, access_key_id: str) -> str | None:
        """The account that a long-term access key belongs to, active or not."""
        configured = self._configured.get(access_key_id)
        if configured is not None:
            return configured.account
        row = self._storage.read(lambda tx: credentials.find(tx, access_key_id))
        return None if row is None else row.account

    @contextmanager
    def at_one_glance(self) -> Iterator[None]:
        """Everything that this thread asks inside is answered from one look at the database.

        For questions that were all asked before, and that change nothing.
        """
        self._held.memory = self._look()
        try:
            yield
        finally:
            self._held.memory = None

    def _recall(self) -> _Memory:
        return self._held.memory or self._look()

    def _look(self) -> _Memory:
        number = generation.current(self._storage)
        memory = self._memory
        if memory.generation != number:
            with self._lock:
                if self._memory.generation < number:
                    self._memory = _Memory(number)
                memory = self._memory
        return memory

    def _membership(self, memory: _Memory, account: str) -> Membership | None:
        def read() -> Membership | None:
            return self._storage.read(lambda tx: self._organizations.membership(tx, account))

        return _recalled(memory.memberships, account, read)

    def _resource_policy(self, memory: _Memory, question: Question) -> CompiledPolicy | None:
        """The policy of the resource; for the actions of STS, a role's trust policy."""
        arn = question.resource
        service = _service_of(arn)
        trust = question.action.startswith("sts:") and service == "iam"
        if not trust and service not in _WITH_POLICIES:
            return None
        if service == "s3":
            # What is in a bucket is ruled by the policy of the bucket.
            arn = arn.partition("/")[0]

        def read() -> CompiledPolicy | None:
            document = self._storage.read(lambda tx: (_trust_policy if trust else _resource_document)(tx, arn))
            kind = PolicyKind.TRUST if trust else resource_policies.kind_of(arn)
            return None if document is None else compiled(document, kind, arn)

        return _recalled(memory.policies, arn, read)

    def _granted(self, memory: _Memory, principal: Principal, resource: str) -> CompiledPolicy | None:
        """The grants that name a caller on a KMS key."""
        grants = self._grants
        if grants is None or _service_of(resource) != "kms" or not principal.account:
            return None

        def read() -> CompiledPolicy | None:
            root = root_arn(principal.account, self._region)
            names = [each for each in (principal.arn, principal.role_arn, principal.unique_id, root) if each]
            document = self._storage.read(lambda tx: grants.policy(tx, resource, names))
            return None if document is None else compiled(document, PolicyKind.RESOURCE, f"grants on {resource}")

        return _recalled(memory.grants, (resource, principal), read)

    def _costly_keys(self, of: Standing, policy: CompiledPolicy | None, question: Question) -> dict[str, Value]:
        """`aws:ResourceTag/…` and what else takes a query, each read only when a policy speaks of it."""
        around = (*of.identity, *(of.session or ()), *(each for level in of.scp_levels for each in level))
        present = [each for each in (*around, of.boundary, policy) if each is not None]
        keys: dict[str, Value] = {
            name: read() for name, read in question.deferred.items() if any(_speaks_of(each, name) for each in present)
        }
        if any(_speaks_of(each, "aws:ResourceTag/") for each in present):
            found = self._storage.read(lambda tx: self._tags.of(tx, question.resource))
            keys |= {f"aws:ResourceTag/{tag.key}": tag.value or "" for tag in found}
        return keys

    def _ensure(self, tx: Tx, made: Credential) -> Credential:
        self._ensure_account(tx, made.account)
        present = [each for each in credentials.of_owner(tx, made.account) if each.active]
        if present:
            return opened(self._sealer, present[0], self._region)
        add_credential(tx, self._sealer, made, owner_id=made.account, at=self._clock.now())
        return made

    def _ensure_account(self, tx: Tx, account: str) -> None:
        accounts.add(tx, Account(account, "Greatseal", f"root@{account}.invalid", self._clock.now()))


def _recalled(memory: dict[Any, Any], key: object, read: Callable[[], T]) -> T:
    """What is remembered under a key; read when it is not. Another thread may empty the memory at any time."""
    found: T | object = memory.get(key, _NOTHING)
    if found is _NOTHING:
        found = read()
        _remember(memory, key, found)
    return cast(T, found)


def _remember(memory: dict[Any, Any], key: object, value: object) -> None:
    if len(memory) >= _REMEMBERED:
        memory.clear()
    memory[key] = value


def _service_of(resource: str) -> str:
    """The service in a resource's ARN; empty for `*`."""
    parts = resource.split(":", 3)
    return parts[2] if len(parts) == 4 else ""


def _trust_policy(tx: Tx, role_arn: str) -> str | None:
    found = role_at(tx, role_arn)
    return None if found is None else found.trust_policy


def role_at(tx: Tx, role_arn: str) -> Identity | None:
    """The role with exactly this ARN, or None."""
    try:
        arn = Arn.parse(role_arn)
    except ValueError:
        return None
    name = arn.resource.rpartition("/")[2]
    found = reading.identity_by_name(tx, arn.account, IdentityKind.ROLE, name)
    return found if found is not None and found.arn(arn.partition) == role_arn else None


def _resource_document(tx: Tx, arn: str) -> str | None:
    return resource_policies.merge(reading.resource_documents(tx, arn))


@lru_cache(maxsize=4096)
def _speaks_of(policy: CompiledPolicy, key: str) -> bool:
    """Whether a policy names a condition key, in a condition or as a variable."""
    return key.lower() in repr(policy.policy).lower()


def _check_session(caller: Caller) -> None:
    """Sessions of users do not manage users or make more sessions (iam.md 9). Raises AccessDenied."""
    service, _, operation = caller.operation.partition(":")
    if service == "iam" or (service == "sts" and operation not in ("AssumeRole", "GetCallerIdentity")):
        raise AccessDenied(f"Cannot call {operation} with session credentials")


def _request_keys(caller: Caller) -> Mapping[str, Value]:
    """The condition keys that every request has (iam.md 5)."""
    at: datetime = caller.at.astimezone(UTC)
    keys: dict[str, Value] = {
        "aws:CurrentTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(at.timestamp())),
        "aws:RequestedRegion": caller.region,
        "aws:SecureTransport": "true" if caller.secure else "false",
        "aws:ViaAWSService": "true" if caller.called_via else "false",
    }
    if caller.user_agent:
        keys["aws:UserAgent"] = caller.user_agent
    if caller.called_via:
        keys |= {
            "aws:CalledVia": caller.called_via,
            "aws:CalledViaFirst": caller.called_via[0],
            "aws:CalledViaLast": caller.called_via[-1],
        }
    elif caller.source_ip:
        # A call that a service makes has no address of its own (iam.md 5).
        keys["aws:SourceIp"] = caller.source_ip
    return keys
