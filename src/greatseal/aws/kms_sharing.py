"""KMS: aliases and grants (kms.md 12, 14)."""

from collections.abc import Mapping
from typing import Any

from greatseal.aws import kms_shapes as shapes
from greatseal.aws.door import OperationFunction
from greatseal.aws.kms_asking import KeyAsking
from greatseal.domain.access import Access, Question
from greatseal.domain.keys.managed import Aliases, Directory, Grants
from greatseal.domain.keys.managed.grants import GrantOrder
from greatseal.domain.keys.managed.refusals import InvalidGrantToken, KeyNotFound, UnsupportedOnKey
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import ValidationFailed

Parameters = dict[str, Any]
Result = Mapping[str, Any] | None

_PAGE = 50
_LARGEST = 100


class SharingOperations:
    """Names keys and lends them."""

    def __init__(
        self, *, access: Access, asking: KeyAsking, directory: Directory, aliases: Aliases, grants: Grants
    ) -> None:
        self._access = access
        self._asking = asking
        self._directory = directory
        self._aliases = aliases
        self._grants = grants

    def create_alias(self, caller: Caller, p: Parameters) -> Result:
        """Needs permission for the alias and for the key."""
        self._may_name(caller, p["AliasName"])
        key = self._asking.managed(caller, p["TargetKeyId"])
        self._aliases.create(caller, p["AliasName"], key.arn)
        return None

    def update_alias(self, caller: Caller, p: Parameters) -> Result:
        """Needs permission for the alias, for the key that had it and for the one that gets it."""
        self._may_name(caller, p["AliasName"])
        self._asking.managed(caller, self._aliases.target(caller, p["AliasName"]))
        key = self._asking.managed(caller, p["TargetKeyId"])
        self._aliases.update(caller, p["AliasName"], key.arn)
        return None

    def delete_alias(self, caller: Caller, p: Parameters) -> Result:
        """Needs permission for the alias and for the key."""
        self._may_name(caller, p["AliasName"])
        self._asking.managed(caller, self._aliases.target(caller, p["AliasName"]))
        self._aliases.delete(caller, p["AliasName"])
        return None

    def list_aliases(self, caller: Caller, p: Parameters) -> Result:
        """All of the account and region, or those of one key."""
        self._asking.anything(caller)
        arn = None
        if "KeyId" in p:
            found = self._directory.find(caller, p["KeyId"], aliases_too=False)
            if found.key is None:
                raise KeyNotFound(f"Key '{found.arn}' does not exist")
            arn = found.arn
        listed = self._aliases.list(caller, arn, limit=_limit(p), marker=p.get("Marker"))
        entries = [
            {
                "AliasName": alias.name,
                "AliasArn": alias.arn,
                "TargetKeyId": alias.target_arn.rpartition("/")[2],
                "CreationDate": alias.created_at,
                "LastUpdatedDate": alias.updated_at,
            }
            for alias in listed.items
        ]
        return shapes.page("Aliases", entries, listed)

    def create_grant(self, caller: Caller, p: Parameters) -> Result:
        """Services cannot be grantees: none of ours uses a key of its callers."""
        if "GranteeServicePrincipal" in p or "RetiringServicePrincipal" in p:
            raise UnsupportedOnKey("Grants to service principals are not supported.")
        if "GranteePrincipal" not in p:
            raise ValidationFailed("GranteePrincipal is required.")
        self._grants.check_tokens(p.get("GrantTokens", ()))
        constraints = shapes.constraints(p.get("Constraints"))
        context: dict[str, str | tuple[str, ...]] = {
            "kms:GrantOperations": tuple(p["Operations"]),
            "kms:GranteePrincipal": p["GranteePrincipal"],
            "kms:GrantIsForAWSResource": "false",
        }
        if "RetiringPrincipal" in p:
            context["kms:RetiringPrincipal"] = p["RetiringPrincipal"]
        if constraints:
            context["kms:GrantConstraintType"] = (
                "EncryptionContextEquals" if constraints.equals else "EncryptionContextSubset"
            )
        found = self._directory.find(caller, p["KeyId"], aliases_too=False)
        self._asking.authorized(caller, found, context, across=True)
        order = GrantOrder(
            grantee=p["GranteePrincipal"],
            operations=tuple(p["Operations"]),
            retiring=p.get("RetiringPrincipal"),
            constraints=constraints,
            name=p.get("Name"),
        )
        question = self._asking.question(caller, found, context)
        given = self._grants.create(caller, question, order, dry_run=p.get("DryRun", False))
        return {"GrantToken": given.token, "GrantId": given.grant_id}

    def list_grants(self, caller: Caller, p: Parameters) -> Result:
        """The grants on a key."""
        key = self._asking.shared(caller, p["KeyId"])
        listed = self._grants.of_key(
            caller,
            key.arn,
            grant_id=p.get("GrantId"),
            grantee=p.get("GranteePrincipal"),
            limit=_limit(p),
            marker=p.get("Marker"),
        )
        return shapes.page("Grants", [shapes.grant(each) for each in listed.items], listed)

    def list_retirable_grants(self, caller: Caller, p: Parameters) -> Result:
        """Grants on the account's keys that a principal may retire."""
        self._asking.anything(caller)
        if "RetiringPrincipal" not in p:
            raise ValidationFailed("RetiringPrincipal is required.")
        listed = self._grants.retirable(caller, p["RetiringPrincipal"], limit=_limit(p), marker=p.get("Marker"))
        return shapes.page("Grants", [shapes.grant(each) for each in listed.items], listed)

    def retire_grant(self, caller: Caller, p: Parameters) -> Result:
        """By its token, or by its key and id. Who may is the grant's business as well as that of policies."""
        if "GrantToken" in p:
            grant = self._grants.by_token(p["GrantToken"])
        elif "KeyId" in p and "GrantId" in p:
            found = self._directory.find(caller, p["KeyId"], aliases_too=False)
            grant = self._grants.find(found.arn, p["GrantId"])
        else:
            raise InvalidGrantToken("Either a grant token, or a key ID and a grant ID are required.")
        self._grants.retire(caller, grant, dry_run=p.get("DryRun", False))
        return None

    def revoke_grant(self, caller: Caller, p: Parameters) -> Result:
        """Needs permission for the key."""
        key = self._asking.shared(caller, p["KeyId"])
        self._grants.revoke(caller, key.arn, p["GrantId"], dry_run=p.get("DryRun", False))
        return None

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "CreateAlias": self.create_alias,
            "UpdateAlias": self.update_alias,
            "DeleteAlias": self.delete_alias,
            "ListAliases": self.list_aliases,
            "CreateGrant": self.create_grant,
            "ListGrants": self.list_grants,
            "ListRetirableGrants": self.list_retirable_grants,
            "RetireGrant": self.retire_grant,
            "RevokeGrant": self.revoke_grant,
        }

    def _may_name(self, caller: Caller, alias: str) -> None:
        self._access.authorize(caller, Question(caller.operation, self._aliases.arn(caller, alias)))


def _limit(p: Parameters) -> int:
    return min(int(p.get("Limit", _PAGE)), _LARGEST)
