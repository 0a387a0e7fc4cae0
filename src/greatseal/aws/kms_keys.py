"""KMS: the operations on keys as things (kms.md 10, 11, 13)."""

from collections.abc import Mapping
from typing import Any

from msgspec import structs

from greatseal.aws import kms_shapes as shapes
from greatseal.aws.door import OperationFunction
from greatseal.aws.kms_asking import KeyAsking
from greatseal.aws.tags import conditions as tag_conditions
from greatseal.domain.audit import Audit
from greatseal.domain.keys.managed import Directory, KeyOrder
from greatseal.domain.keys.managed.model import ManagedKey, Origin
from greatseal.domain.keys.managed.policies import POLICY_NAME
from greatseal.domain.keys.managed.refusals import KeyNotFound, UnsupportedOnKey
from greatseal.domain.keys.managed.regions import Regions, ReplicaOrder
from greatseal.kernel.caller import Caller
from greatseal.kernel.pages import PageTokens

Parameters = dict[str, Any]
Result = Mapping[str, Any] | None

_KEYS_PAGE, _TAGS_PAGE = 100, 50


class KeyOperations:
    """Creates, describes, lists, switches, tags, replicates and ends keys."""

    def __init__(
        self, *, asking: KeyAsking, directory: Directory, regions: Regions, audit: Audit, tokens: PageTokens
    ) -> None:
        self._asking = asking
        self._directory = directory
        self._regions = regions
        self._audit = audit
        self._tokens = tokens

    def create_key(self, caller: Caller, p: Parameters) -> Result:
        """Only policies of the caller's own allow it: there is no key yet."""
        tags = shapes.tags_from_wire(p.get("Tags"))
        spec = shapes.new_key_spec(p)
        origin = _origin(p.get("Origin", Origin.AWS_KMS.value))
        bypass = p.get("BypassPolicyLockoutSafetyCheck", False)
        context = {
            **tag_conditions(tags),
            "kms:CallerAccount": caller.account,
            "kms:KeySpec": spec.name,
            "kms:KeyUsage": p.get("KeyUsage") or spec.usages[0],
            "kms:KeyOrigin": origin.value,
            "kms:MultiRegion": _boolean(p.get("MultiRegion")),
            "kms:BypassPolicyLockoutSafetyCheck": _boolean(bypass),
        }
        self._asking.anything(caller, context)
        if tags:
            self._asking.anything(caller, context, operation="kms:TagResource")
        order = KeyOrder(
            spec=spec,
            usage=p.get("KeyUsage"),
            origin=origin,
            description=p.get("Description", ""),
            policy=p.get("Policy"),
            bypass_lockout_check=bypass,
            tags=tags,
            multi_region=bool(p.get("MultiRegion")),
            store_id=p.get("CustomKeyStoreId"),
            external_id=p.get("XksKeyId"),
        )
        return {"KeyMetadata": self._metadata(self._directory.create(caller, order))}

    def describe_key(self, caller: Caller, p: Parameters) -> Result:
        """By id, ARN or alias, also across accounts."""
        return {"KeyMetadata": self._metadata(self._asking.used(caller, p))}

    def list_keys(self, caller: Caller, p: Parameters) -> Result:
        """Keys that wait for their deletion are listed too. Nothing is shared through RAM."""
        self._asking.anything(caller)
        owners = p.get("ResourceOwners") or ["SELF"]
        if "SELF" not in owners:
            return {"Keys": [], "Truncated": False}
        found = self._directory.list(caller, limit=p.get("Limit", _KEYS_PAGE), marker=p.get("Marker"))
        return shapes.page("Keys", [{"KeyId": key.id, "KeyArn": key.arn} for key in found.items], found)

    def update_key_description(self, caller: Caller, p: Parameters) -> Result:
        """Empty text removes it."""
        self._directory.describe_as(caller, self._asking.managed(caller, p["KeyId"]).arn, p["Description"])
        return None

    def enable_key(self, caller: Caller, p: Parameters) -> Result:
        """No error for a key that is enabled."""
        self._directory.enable(caller, self._asking.managed(caller, p["KeyId"]).arn)
        return None

    def disable_key(self, caller: Caller, p: Parameters) -> Result:
        """No error for a key that is disabled."""
        self._directory.disable(caller, self._asking.managed(caller, p["KeyId"]).arn)
        return None

    def schedule_key_deletion(self, caller: Caller, p: Parameters) -> Result:
        """7 to 30 days."""
        days = p.get("PendingWindowInDays")
        context = {"kms:ScheduleKeyDeletionPendingWindowInDays": str(days if days is not None else 30)}
        key = self._asking.managed(caller, p["KeyId"], context)
        ended = self._directory.schedule_deletion(caller, key.arn, days)
        return {
            "KeyId": ended.arn,
            "DeletionDate": ended.deletion_at,
            "KeyState": ended.state.value,
            "PendingWindowInDays": ended.pending_days,
        }

    def cancel_key_deletion(self, caller: Caller, p: Parameters) -> Result:
        """The key is disabled then."""
        key = self._asking.managed(caller, p["KeyId"])
        self._directory.cancel_deletion(caller, key.arn)
        return {"KeyId": key.arn}

    def get_key_policy(self, caller: Caller, p: Parameters) -> Result:
        """The text as it was written."""
        key = self._asking.managed(caller, p["KeyId"])
        _check_name(p)
        return {"Policy": self._directory.policy(key.arn), "PolicyName": POLICY_NAME}

    def put_key_policy(self, caller: Caller, p: Parameters) -> Result:
        """Replaces the whole policy."""
        bypass = p.get("BypassPolicyLockoutSafetyCheck", False)
        context = {"kms:BypassPolicyLockoutSafetyCheck": _boolean(bypass)}
        found = self._directory.find(caller, p["KeyId"], aliases_too=False)
        self._asking.authorized(caller, found, context)
        _check_name(p)
        question = self._asking.question(caller, found, context)
        self._directory.put_policy(caller, question, p["Policy"], bypass=bypass)
        return None

    def list_key_policies(self, caller: Caller, p: Parameters) -> Result:
        """There is one, always."""
        self._asking.managed(caller, p["KeyId"])
        return {"PolicyNames": [POLICY_NAME], "Truncated": False}

    def tag_resource(self, caller: Caller, p: Parameters) -> Result:
        """Overwrites the values of tags that are there."""
        tags = shapes.tags_from_wire(p["Tags"])
        key = self._asking.managed(caller, p["KeyId"], tag_conditions(tags))
        self._directory.tag(caller, key.arn, tags)
        return None

    def untag_resource(self, caller: Caller, p: Parameters) -> Result:
        """Silent about tags that are not there."""
        key = self._asking.managed(caller, p["KeyId"], {"aws:TagKeys": tuple(p["TagKeys"])})
        self._directory.untag(caller, key.arn, p["TagKeys"])
        return None

    def list_resource_tags(self, caller: Caller, p: Parameters) -> Result:
        """By key."""
        key = self._asking.managed(caller, p["KeyId"])
        scope = (caller.account, caller.region, "ListResourceTags", key.arn)
        after = str(self._tokens.open(scope, p["Marker"])[0]) if "Marker" in p else ""
        left = [tag for tag in self._directory.tags_of(key.arn) if tag.key > after]
        limit = min(p.get("Limit", _TAGS_PAGE), _TAGS_PAGE)
        marker = self._tokens.issue(scope, [left[limit - 1].key]) if len(left) > limit else None
        return {"Tags": shapes.tags_to_wire(left[:limit]), "NextMarker": marker, "Truncated": marker is not None}

    def get_key_last_usage(self, caller: Caller, p: Parameters) -> Result:
        """From the audit trail, which knows of every use since the key was made."""
        key = self._asking.managed(caller, p["KeyId"])
        used = self._audit.last_act(key.account, key.arn, _TRACKED, since=key.created_at)
        return {
            "KeyId": key.arn,
            "KeyCreationDate": key.created_at,
            "TrackingStartDate": key.created_at,
            "KeyLastUsage": None
            if used is None
            else {
                "Operation": used.event_name,
                "Timestamp": used.at,
                "CloudTrailEventId": used.event_id,
                "KmsRequestId": used.request_id,
            },
        }

    def replicate_key(self, caller: Caller, p: Parameters) -> Result:
        """The answer shows the replica as it is being created; it works at once."""
        tags = shapes.tags_from_wire(p.get("Tags"))
        region = p["ReplicaRegion"]
        bypass = p.get("BypassPolicyLockoutSafetyCheck", False)
        context = {"kms:ReplicaRegion": region, "kms:BypassPolicyLockoutSafetyCheck": _boolean(bypass)}
        key = self._asking.managed(caller, p["KeyId"], context)
        there = structs.replace(caller, region=region)
        self._asking.anything(there, tag_conditions(tags), operation="kms:CreateKey")
        if tags:
            self._asking.anything(there, tag_conditions(tags), operation="kms:TagResource")
        made = self._regions.replicate(
            caller,
            key,
            ReplicaOrder(
                region=region,
                policy=p.get("Policy"),
                bypass_lockout_check=bypass,
                description=p.get("Description", ""),
                tags=tags,
            ),
        )
        told = {**self._metadata(made.key), "KeyState": "Creating", "Enabled": False}
        return {"ReplicaKeyMetadata": told, "ReplicaPolicy": made.policy, "ReplicaTags": shapes.tags_to_wire(tags)}

    def update_primary_region(self, caller: Caller, p: Parameters) -> Result:
        """The caller must be allowed to on both keys."""
        region = p["PrimaryRegion"]
        key = self._asking.managed(caller, p["KeyId"], {"kms:PrimaryRegion": region})
        self._asking.managed(structs.replace(caller, region=region), key.id, {"kms:PrimaryRegion": region})
        self._regions.make_primary(caller, key, region)
        return None

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "CreateKey": self.create_key,
            "DescribeKey": self.describe_key,
            "ListKeys": self.list_keys,
            "UpdateKeyDescription": self.update_key_description,
            "EnableKey": self.enable_key,
            "DisableKey": self.disable_key,
            "ScheduleKeyDeletion": self.schedule_key_deletion,
            "CancelKeyDeletion": self.cancel_key_deletion,
            "GetKeyPolicy": self.get_key_policy,
            "PutKeyPolicy": self.put_key_policy,
            "ListKeyPolicies": self.list_key_policies,
            "TagResource": self.tag_resource,
            "UntagResource": self.untag_resource,
            "ListResourceTags": self.list_resource_tags,
            "GetKeyLastUsage": self.get_key_last_usage,
            "ReplicateKey": self.replicate_key,
            "UpdatePrimaryRegion": self.update_primary_region,
        }

    def _metadata(self, key: ManagedKey) -> dict[str, Any]:
        return shapes.metadata(key, () if key.region_role is None else self._directory.replicas(key))


_TRACKED = (
    "Decrypt",
    "DeriveSharedSecret",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "ReEncrypt",
    "Sign",
    "Verify",
    "VerifyMac",
    "Encapsulate",
    "Decapsulate",
)
"""Operations that count as a use of a key."""


def _origin(name: str) -> Origin:
    if name == "AWS_CLOUDHSM":
        raise UnsupportedOnKey("AWS CloudHSM key stores are not supported; keys in hardware come from [key_stores].")
    return Origin(name)


def _check_name(p: Parameters) -> None:
    if p.get("PolicyName", POLICY_NAME) != POLICY_NAME:
        raise KeyNotFound(f"No such policy exists: {p['PolicyName']}")


def _boolean(value: bool | None) -> str:
    return "true" if value else "false"
