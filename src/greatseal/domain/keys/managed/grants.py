"""The verbs of grants (kms.md 14), and what access asks about them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from greatseal.domain.access import Access, Question, naming
from greatseal.domain.access.language import denial_sentence
from greatseal.domain.access.store import generation
from greatseal.domain.audit import Audit
from greatseal.domain.keys.managed import grant as rules
from greatseal.domain.keys.managed.directory import Directory
from greatseal.domain.keys.managed.grant import NO_CONSTRAINTS, Constraints, Grant
from greatseal.domain.keys.managed.model import require_usable
from greatseal.domain.keys.managed.refusals import DryRunSucceeded, InvalidGrantId, InvalidGrantToken, InvalidKeyArn
from greatseal.domain.keys.managed.store import grants as store
from greatseal.domain.keys.managed.trail import record_lending
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import AccessDenied, InvalidToken, LimitExceeded
from greatseal.kernel.pages import Page, PageTokens
from greatseal.storage import Storage, Tx

MOST = 50_000
"""Grants of one key (kms.md 17)."""

_TOKEN = ("kms-grant-token",)
# Neither services nor groups nor organizations (kms.md 14).
_GRANTEE = re.compile(r"iam:(?:root|(?:user|role)/[^*?\s]+)|sts:(?:assumed-role/[^*?/\s]+|federated-user)/[^*?/\s]+")


class GrantPolicies:
    """The grants on a key as access reads them; the port `Grants` of the access room."""

    def policy(self, tx: Tx, key_arn: str, principals: Sequence[str]) -> str | None:
        """The grants to any of these names, as a document of statements that allow; None for no grant."""
        return rules.as_policy(store.naming(tx, key_arn, principals))


@dataclass(frozen=True, slots=True)
class GrantOrder:
    """What CreateGrant asks for."""

    grantee: str
    operations: tuple[str, ...]
    retiring: str | None = None
    constraints: Constraints = NO_CONSTRAINTS
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """A grant, and a token that speaks of it."""

    grant_id: str
    token: str


class Grants:
    """Lets principals use a key, and ends that. A change holds with the next request, on every node."""

    def __init__(
        self,
        *,
        storage: Storage,
        access: Access,
        directory: Directory,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        tokens: PageTokens,
    ) -> None:
        self._storage = storage
        self._access = access
        self._directory = directory
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._tokens = tokens

    def create(self, caller: Caller, question: Question, order: GrantOrder, *, dry_run: bool) -> Given:
        """A grant; with the name and the parameters of one that is there, that one.

        `question` is CreateGrant on the key, already answered with yes. Raises AccessDenied when only a grant allowed
        it and this one would reach further, InvalidKeyArn for principals that do not exist, and LimitExceeded.
        """
        arn = question.resource
        parents = self._parents(caller, question)
        grant_id = self._entropy.token_bytes(32).hex()

        def work(tx: Tx) -> str:
            key = self._directory.load(tx, arn)
            require_usable(key, self._clock.now())
            rules.check_operations(key, order.operations, order.constraints)
            covered = (rules.may_pass_on(each, order.operations, order.constraints) for each in parents or ())
            if parents is not None and not any(covered):
                raise AccessDenied(
                    f"User: {caller.principal_arn} is not authorized to perform: kms:CreateGrant on resource: {arn} "
                    "because the grant that allows it does not cover the new grant"
                )
            new = self._new(tx, caller, arn, grant_id, order)
            for present in store.named(tx, arn, order.name) if order.name is not None else []:
                if _same(present, new):
                    return present.id
            if store.count(tx, arn) >= MOST:
                raise LimitExceeded(f"A KMS key has at most {MOST} grants.")
            if dry_run:
                raise DryRunSucceeded
            store.add(tx, new)
            generation.raise_(tx)
            record_lending(self._audit, tx, caller, arn, new.id)
            return new.id

        made = self._storage.transact(work)
        if dry_run:
            raise DryRunSucceeded
        nonce = self._entropy.token_bytes(16).hex()
        return Given(made, self._tokens.issue(_TOKEN, [made, nonce]))

    def retire(self, caller: Caller, grant: Grant, *, dry_run: bool) -> None:
        """Ends a grant, by the principal that is to retire it, its creator's account, or whoever a policy allows."""
        self._require_retiring(caller, grant)
        self._remove(caller, grant, dry_run=dry_run)

    def revoke(self, caller: Caller, key_arn: str, grant_id: str, *, dry_run: bool) -> None:
        """Ends a grant on a key. Raises InvalidGrantId."""
        self._remove(caller, self.find(key_arn, grant_id), dry_run=dry_run)

    def find(self, key_arn: str, grant_id: str) -> Grant:
        """The grant on this key with this id. Raises InvalidGrantId."""
        found = self._storage.read(lambda tx: store.find(tx, grant_id))
        if found is None or found.key_arn != key_arn:
            raise InvalidGrantId(f"Grant ID {grant_id} not found")
        return found

    def by_token(self, token: str) -> Grant:
        """The grant that a token speaks of. Raises InvalidGrantToken."""
        try:
            grant_id = str(self._tokens.open(_TOKEN, token)[0])
        except InvalidToken:
            raise InvalidGrantToken("The grant token is not valid.") from None
        found = self._storage.read(lambda tx: store.find(tx, grant_id))
        if found is None:
            raise InvalidGrantToken("The grant of this token was retired or revoked.")
        return found

    def check_tokens(self, tokens: Sequence[str]) -> None:
        """Grants hold at once here, so tokens change nothing; a wrong one is an error all the same."""
        for token in tokens:
            self.by_token(token)

    def of_key(
        self,
        caller: Caller,
        key_arn: str,
        *,
        grant_id: str | None,
        grantee: str | None,
        limit: int,
        marker: str | None,
    ) -> Page[Grant]:
        """The grants on a key, all or those of one id or principal. Principals are ARNs as far as they exist."""
        scope = (caller.account, caller.region, "ListGrants", key_arn, grant_id or "", grantee or "")
        after = str(self._tokens.open(scope, marker)[0]) if marker is not None else ""

        def work(tx: Tx) -> list[Grant]:
            pinned = None if grantee is None else _pinned(tx, grantee)
            found = store.of_key(tx, key_arn, grant_id=grant_id, grantee=pinned, after=after, limit=limit + 1)
            return [_shown(tx, each) for each in found]

        found = self._storage.read(work)
        if grant_id is not None and not found:
            raise InvalidGrantId(f"Grant ID {grant_id} not found")
        return self._page(found, scope, limit)

    def retirable(self, caller: Caller, retiring: str, *, limit: int, marker: str | None) -> Page[Grant]:
        """Grants on keys of the caller's account and region that a principal may retire."""
        scope = (caller.account, caller.region, "ListRetirableGrants", retiring)
        after = str(self._tokens.open(scope, marker)[0]) if marker is not None else ""
        prefix = str(caller.arn("kms", "key/"))

        def work(tx: Tx) -> list[Grant]:
            found = store.retirable(tx, _pinned(tx, retiring), prefix, after=after, limit=limit + 1)
            return [_shown(tx, each) for each in found]

        return self._page(self._storage.read(work), scope, limit)

    def _page(self, found: list[Grant], scope: tuple[str, ...], limit: int) -> Page[Grant]:
        token = self._tokens.issue(scope, [found[limit - 1].id]) if len(found) > limit else None
        return Page(tuple(found[:limit]), token)

    def _parents(self, caller: Caller, question: Question) -> list[Grant] | None:
        """The grants by which alone the caller may create grants; None when a policy lets it."""
        if self._access.verdict(caller, question, grants_too=False).allowed:
            return None
        names = self._names(caller)
        found = self._storage.read(lambda tx: store.naming(tx, question.resource, names))
        return [each for each in found if "CreateGrant" in each.operations]

    def _new(self, tx: Tx, caller: Caller, arn: str, grant_id: str, order: GrantOrder) -> Grant:
        return Grant(
            id=grant_id,
            key_arn=arn,
            grantee=_pinned(tx, order.grantee),
            operations=tuple(dict.fromkeys(order.operations)),
            issuing_account=caller.account,
            created_at=self._clock.now(),
            retiring=None if order.retiring is None else _pinned(tx, order.retiring),
            constraints=order.constraints,
            name=order.name,
        )

    def _remove(self, caller: Caller, grant: Grant, *, dry_run: bool) -> None:
        def work(tx: Tx) -> None:
            if store.find(tx, grant.id) is None:
                raise InvalidGrantId(f"Grant ID {grant.id} not found")
            if dry_run:
                raise DryRunSucceeded
            store.remove(tx, grant.id)
            generation.raise_(tx)
            record_lending(self._audit, tx, caller, grant.key_arn, grant.id)

        self._storage.transact(work)

    def _require_retiring(self, caller: Caller, grant: Grant) -> None:
        question = Question("kms:RetireGrant", grant.key_arn)
        verdict = self._access.verdict(caller, question, grants_too=False)
        if verdict.allowed:
            return
        names = self._names(caller)
        entitled = {grant.retiring, str(Arn(caller.partition, "iam", "", grant.issuing_account, "root"))}
        if "RetireGrant" in grant.operations:
            # Another grant's RetireGrant says nothing about this one.
            entitled.add(grant.grantee)
        if verdict.explicit or entitled.isdisjoint(names):
            sentence = denial_sentence(verdict, caller.principal_arn, question.action, question.resource)
            raise AccessDenied(sentence)

    def _names(self, caller: Caller) -> list[str]:
        """What grants may call the caller itself; its account is another principal, unless the caller is its root."""
        principal = self._access.standing(caller).principal
        return [each for each in (principal.arn, principal.role_arn, principal.unique_id) if each]


def _pinned(tx: Tx, principal: str) -> str:
    """The principal as grants keep it: unique ids of users and roles, any other ARN as it is. Raises InvalidKeyArn."""
    try:
        arn = Arn.parse(principal)
        if not arn.account.isdigit() or not _GRANTEE.fullmatch(f"{arn.service}:{arn.resource}"):
            raise ValueError
    except ValueError:
        raise InvalidKeyArn(f"ARN is not valid: {principal}") from None
    try:
        return naming.pin_name(tx, principal)
    except naming.UnknownPrincipal:
        raise InvalidKeyArn(f"Principal does not exist: {principal}") from None


def _shown(tx: Tx, grant: Grant) -> Grant:
    """With ARNs again, of principals that still exist."""
    partition = Arn.parse(grant.key_arn).partition
    return replace(
        grant,
        grantee=naming.unpin_name(tx, grant.grantee, partition),
        retiring=None if grant.retiring is None else naming.unpin_name(tx, grant.retiring, partition),
    )


def _same(present: Grant, new: Grant) -> bool:
    """Whether a named grant is a repetition of one that is there (kms.md 14)."""
    return (present.grantee, present.retiring, present.constraints, sorted(present.operations)) == (
        new.grantee,
        new.retiring,
        new.constraints,
        sorted(new.operations),
    )
