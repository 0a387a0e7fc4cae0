"""How operations of KMS find the key that they are about and ask whether they may use it (kms.md 2, 15)."""

from collections.abc import Mapping
from typing import Any

from greatseal.domain.access import Access, Question
from greatseal.domain.access.language import denial_sentence
from greatseal.domain.keys.managed import Directory, Found, Grants
from greatseal.domain.keys.managed.grant import context_keys
from greatseal.domain.keys.managed.model import ManagedKey
from greatseal.domain.keys.managed.refusals import KeyNotFound
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import AccessDenied

Conditions = Mapping[str, str | tuple[str, ...]]

_HIDDEN = (
    "on this resource because the resource does not exist in this Region, no resource-based policies allow access, "
    "or a resource-based policy explicitly denies access"
)


class KeyAsking:
    """Finds keys by what a request calls them, and authorizes what is to be done with them."""

    def __init__(self, *, access: Access, directory: Directory, grants: Grants) -> None:
        self._access = access
        self._directory = directory
        self._grants = grants

    def anything(self, caller: Caller, context: Conditions | None = None, *, operation: str | None = None) -> None:
        """For operations without a key: only policies of the caller's own say yes. Raises AccessDenied."""
        self._access.authorize(caller, Question(operation or caller.operation, "*", context or {}))

    def managed(self, caller: Caller, given: str, context: Conditions | None = None) -> ManagedKey:
        """The key of a managing operation: by id or ARN, in the caller's account. Raises KeyNotFound, AccessDenied."""
        found = self._directory.find(caller, given, aliases_too=False)
        return self.authorized(caller, found, context)

    def shared(self, caller: Caller, given: str, context: Conditions | None = None) -> ManagedKey:
        """As `managed`, for operations that work across accounts."""
        found = self._directory.find(caller, given, aliases_too=False)
        return self.authorized(caller, found, context, across=True)

    def used(
        self, caller: Caller, p: Mapping[str, Any], context: Conditions | None = None, *, member: str = "KeyId"
    ) -> ManagedKey:
        """The key of a cryptographic operation: by id, ARN or alias, in any account. Checks grant tokens too."""
        found = self._directory.find(caller, p[member])
        self.check_tokens(p)
        encryption_context = context_keys(p.get("EncryptionContext") or {})
        return self.authorized(caller, found, {**encryption_context, **(context or {})}, across=True)

    def authorized(
        self,
        caller: Caller,
        found: Found,
        context: Conditions | None = None,
        *,
        operation: str | None = None,
        across: bool = False,
    ) -> ManagedKey:
        """The key, once the caller may do this. A foreign key that is not there looks like one that is forbidden."""
        own = found.name.arn.account == caller.account
        if found.key is None:
            if own:
                raise KeyNotFound(f"Key '{found.arn}' does not exist")
            raise AccessDenied(self._sentence(caller, operation))
        question = self.question(caller, found, context, operation=operation)
        verdict = self._access.verdict(caller, question)
        if verdict.allowed and (own or across):
            return found.key
        if own or (verdict.explicit and not verdict.allowed):
            raise AccessDenied(denial_sentence(verdict, caller.principal_arn, question.action, question.resource))
        raise AccessDenied(self._sentence(caller, operation))

    def check_tokens(self, p: Mapping[str, Any]) -> None:
        """Raises InvalidGrantToken."""
        self._grants.check_tokens(p.get("GrantTokens", ()))

    def question(
        self, caller: Caller, found: Found, context: Conditions | None = None, *, operation: str | None = None
    ) -> Question:
        """May the caller do this with a key? With the condition keys that every key has (kms.md 15)."""
        key = found.key
        assert key is not None
        keys: dict[str, str | tuple[str, ...]] = {
            "kms:CallerAccount": caller.account,
            "kms:KeySpec": key.spec.name,
            "kms:KeyUsage": key.usage,
            "kms:KeyOrigin": key.origin.value,
            "kms:MultiRegion": "false" if key.region_role is None else "true",
        }
        if key.region_role is not None:
            keys["kms:MultiRegionKeyType"] = key.region_role.value
        if found.alias is not None:
            keys["kms:RequestAlias"] = found.alias
        if caller.called_via:
            service, _, rest = caller.called_via[-1].partition(".")
            keys["kms:ViaService"] = f"{service}.{caller.region}.{rest}"
        return Question(
            operation or caller.operation,
            key.arn,
            {**keys, **(context or {})},
            deferred={"kms:ResourceAliases": lambda: self._directory.aliases_of(key.arn)},
        )

    def _sentence(self, caller: Caller, operation: str | None) -> str:
        action = operation or caller.operation
        return f"User: {caller.principal_arn} is not authorized to perform: {action} {_HIDDEN}"
