"""The shapes of KMS: from wire members to values of the room, and back (kms.md 3, 10)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from greatseal.crypto.key_specs import KeySpec
from greatseal.domain.keys.managed.grant import Constraints, Grant
from greatseal.domain.keys.managed.model import KeyState, ManagedKey, Material, Origin, RegionRole
from greatseal.domain.tags import Tag
from greatseal.kernel.arn import Arn
from greatseal.kernel.errors import InvalidTag, TooManyTags, ValidationFailed
from greatseal.kernel.pages import Page

_ALGORITHMS: Mapping[str, tuple[str, str]] = {
    "SIGN_VERIFY": ("SigningAlgorithms", "signing_algorithms"),
    "ENCRYPT_DECRYPT": ("EncryptionAlgorithms", "encryption_algorithms"),
    "GENERATE_VERIFY_MAC": ("MacAlgorithms", "mac_algorithms"),
    "KEY_AGREEMENT": ("KeyAgreementAlgorithms", "key_agreement_algorithms"),
    "ENCAPSULATE_DECAPSULATE": ("EncapsulationAlgorithms", "encapsulation_algorithms"),
}
_MOST_TAGS = 50


def key_spec(name: str) -> KeySpec:
    """The spec of this name. Raises ValidationFailed for those that our crypto library cannot do."""
    try:
        return KeySpec[name]
    except KeyError:
        raise ValidationFailed(f"KeySpec {name} is not supported.") from None


def new_key_spec(p: Mapping[str, Any]) -> KeySpec:
    """The spec of a new key, under its present or its former name. Raises ValidationFailed."""
    present, former = p.get("KeySpec"), p.get("CustomerMasterKeySpec")
    if present and former and present != former:
        raise ValidationFailed("KeySpec and CustomerMasterKeySpec cannot differ.")
    return key_spec(present or former or KeySpec.SYMMETRIC_DEFAULT.name)


def algorithms(key: ManagedKey) -> dict[str, list[str]]:
    """The one list of algorithms that fits the key's usage."""
    member, attribute = _ALGORITHMS[key.usage]
    return {member: list(getattr(key.spec, attribute))}


def metadata(key: ManagedKey, family: Sequence[ManagedKey] = ()) -> dict[str, Any]:
    """`KeyMetadata`; `family` is a multi-Region key with its replicas. Members that do not apply are left out."""
    told: dict[str, Any] = {
        "AWSAccountId": key.account,
        "KeyId": key.id,
        "Arn": key.arn,
        "CreationDate": key.created_at,
        "Enabled": key.state is KeyState.ENABLED,
        "Description": key.description,
        "KeyUsage": key.usage,
        "KeyState": key.state.value,
        "Origin": key.origin.value,
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": key.spec.name,
        "KeySpec": key.spec.name,
        **algorithms(key),
        "MultiRegion": key.region_role is not None,
        "DeletionDate": key.deletion_at,
        "CustomKeyStoreId": key.store_id,
    }
    if key.origin is Origin.EXTERNAL and key.material is not None and key.state is not KeyState.PENDING_IMPORT:
        told["ExpirationModel"] = expiration_model(key.valid_to is not None)
        told["ValidTo"] = key.valid_to
    if key.spec is KeySpec.SYMMETRIC_DEFAULT and key.origin is not Origin.EXTERNAL_KEY_STORE:
        told["CurrentKeyMaterialId"] = key.material
    if key.state is KeyState.PENDING_REPLICA_DELETION:
        told["PendingDeletionWindowInDays"] = key.pending_days
    if key.external_id is not None:
        told["XksKeyConfiguration"] = {"Id": key.external_id}
    if key.region_role is not None:
        told["MultiRegionConfiguration"] = _regions(key, family)
    return told


def expiration_model(expires: bool) -> str:
    """KMS's words for whether imported material expires."""
    return "KEY_MATERIAL_EXPIRES" if expires else "KEY_MATERIAL_DOES_NOT_EXPIRE"


def rotation(material: Material, key: ManagedKey, *, everything: bool) -> dict[str, Any]:
    """An entry of ListKeyRotations; with everything said, also what the material is and where it stands."""
    told: dict[str, Any] = {
        "KeyId": key.arn,
        "RotationDate": material.rotated_at,
        "RotationType": None if material.rotation is None else material.rotation.value,
        "KeyMaterialId": material.id,
    }
    if everything:
        told["KeyMaterialState"] = material.state.value
        told["KeyMaterialDescription"] = material.description
    if key.origin is Origin.EXTERNAL:
        told["ImportState"] = "PENDING_IMPORT" if material.secret_id is None else "IMPORTED"
        told["ExpirationModel"] = expiration_model(material.valid_to is not None)
        told["ValidTo"] = material.valid_to
    return told


def grant(found: Grant) -> dict[str, Any]:
    """An entry of ListGrants."""
    arn = Arn.parse(found.key_arn)
    return {
        "KeyId": found.key_arn,
        "GrantId": found.id,
        "Name": found.name or "",
        "CreationDate": found.created_at,
        "GranteePrincipal": found.grantee,
        "RetiringPrincipal": found.retiring,
        "IssuingAccount": str(Arn(arn.partition, "iam", "", found.issuing_account, "root")),
        "Operations": list(found.operations),
        "Constraints": {
            key: value
            for key, value in (
                ("EncryptionContextEquals", dict(found.constraints.equals)),
                ("EncryptionContextSubset", dict(found.constraints.subset)),
            )
            if value
        }
        or None,
    }


def constraints(given: Mapping[str, Any] | None) -> Constraints:
    """The constraints of a new grant. Raises ValidationFailed for one that we do not know."""
    told = given or {}
    other = sorted(told.keys() - {"EncryptionContextEquals", "EncryptionContextSubset"})
    if other:
        raise ValidationFailed(f"Grant constraint {other[0]} is not supported.")
    return Constraints(told.get("EncryptionContextEquals", {}), told.get("EncryptionContextSubset", {}))


def tags_from_wire(given: Iterable[Mapping[str, str]] | None) -> tuple[Tag, ...]:
    """The tags of a request. Raises InvalidTag and TooManyTags with the words of KMS (kms.md 9)."""
    tags = tuple(Tag(each["TagKey"], each["TagValue"]) for each in given or ())
    if len({tag.key for tag in tags}) != len(tags):
        raise InvalidTag("Duplicate tag keys")
    if any(tag.key.lower().startswith("aws:") for tag in tags):
        raise InvalidTag("Tags beginning with aws: are reserved")
    if len(tags) > _MOST_TAGS:
        raise TooManyTags("Too many tags")
    return tags


def tags_to_wire(tags: Iterable[Tag]) -> list[dict[str, str]]:
    """The tags of an answer."""
    return [{"TagKey": tag.key, "TagValue": tag.value or ""} for tag in tags]


def page(member: str, entries: list[dict[str, Any]], of: Page[Any]) -> dict[str, Any]:
    """A page of a listing. `Truncated` is always there: clients for Java need it (workflows.md 6)."""
    return {member: entries, "NextMarker": of.next_token, "Truncated": of.next_token is not None}


def _regions(key: ManagedKey, family: Sequence[ManagedKey]) -> dict[str, Any]:
    assert key.region_role is not None
    members = {each.arn: each for each in (*family, key)}.values()
    primary = next((each for each in members if each.region_role is RegionRole.PRIMARY), key)
    return {
        "MultiRegionKeyType": key.region_role.value,
        "PrimaryKey": {"Arn": primary.arn, "Region": primary.region},
        "ReplicaKeys": [
            {"Arn": each.arn, "Region": each.region} for each in members if each.region_role is RegionRole.REPLICA
        ],
    }
