"""What a KMS key is: states, identifiers, and which state allows what (kms.md 2, 10, 11). Pure."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from greatseal.crypto.key_specs import KeySpec
from greatseal.domain.keys.managed.refusals import (
    InvalidKeyUsage,
    KeyDisabled,
    KeyInvalidState,
    KeyNotFound,
    UnsupportedOnKey,
)
from greatseal.kernel.arn import Arn

_KEY_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32}")


class KeyState(Enum):
    """The states of a key, spelled as KMS spells them (kms.md 11)."""

    ENABLED = "Enabled"
    DISABLED = "Disabled"
    PENDING_DELETION = "PendingDeletion"
    PENDING_IMPORT = "PendingImport"
    PENDING_REPLICA_DELETION = "PendingReplicaDeletion"
    UNAVAILABLE = "Unavailable"


class Origin(Enum):
    """Where the material of a key comes from."""

    AWS_KMS = "AWS_KMS"
    EXTERNAL = "EXTERNAL"
    EXTERNAL_KEY_STORE = "EXTERNAL_KEY_STORE"


class RegionRole(Enum):
    """What a multi-Region key is among its replicas."""

    PRIMARY = "PRIMARY"
    REPLICA = "REPLICA"


class MaterialState(Enum):
    """What a key does with one of its materials: all that was current once decrypts, the current one encrypts."""

    CURRENT = "CURRENT"
    NON_CURRENT = "NON_CURRENT"
    PENDING_ROTATION = "PENDING_ROTATION"
    PENDING_REPLICAS = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
    """Only shown: waits for its rotation, which waits until every replica was given it too."""


class RotationType(Enum):
    """Why a key has a new material."""

    AUTOMATIC = "AUTOMATIC"
    ON_DEMAND = "ON_DEMAND"


@dataclass(frozen=True, slots=True)
class Material:
    """One material of a key. The secret itself is a row of the keys room, named by `secret_id`."""

    id: str
    """64 hex digits: the `KeyMaterialId` of ciphertexts."""
    key_arn: str
    state: MaterialState
    created_at: datetime
    secret_id: str | None
    """None when imported material was deleted or has expired; its identity stays, so that it can come back."""
    spki: bytes | None = None
    rotated_at: datetime | None = None
    rotation: RotationType | None = None
    valid_to: datetime | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class ManagedKey:
    """A key as `DescribeKey` tells it."""

    arn: str
    spec: KeySpec
    usage: str
    """`SIGN_VERIFY`, `ENCRYPT_DECRYPT`, …: one of `spec.usages`."""
    origin: Origin
    state: KeyState
    created_at: datetime
    description: str = ""
    material: str | None = None
    """The id of the current material."""
    deletion_at: datetime | None = None
    pending_days: int | None = None
    region_role: RegionRole | None = None
    """None for a key of one region."""
    primary_region: str | None = None
    rotation_days: int | None = None
    """The period of automatic rotation; None while it is off."""
    next_rotation_at: datetime | None = None
    valid_to: datetime | None = None
    """When imported material expires."""
    store_id: str | None = None
    external_id: str | None = None
    """The key's name in its external key store."""

    @property
    def id(self) -> str:
        """The key id: a UUID, or `mrk-` and 32 hex digits."""
        return Arn.parse(self.arn).resource.partition("/")[2]

    @property
    def account(self) -> str:
        """The owner."""
        return Arn.parse(self.arn).account

    @property
    def region(self) -> str:
        """The key's region."""
        return Arn.parse(self.arn).region

    @property
    def family_arn(self) -> str:
        """Names the key and all its replicas in other regions: the ARN without a region."""
        arn = Arn.parse(self.arn)
        return str(Arn(arn.partition, "kms", "", arn.account, arn.resource))


@dataclass(frozen=True, slots=True)
class Alias:
    """A name for a key, in the account and region of the key."""

    arn: str
    target_arn: str
    created_at: datetime
    updated_at: datetime

    @property
    def name(self) -> str:
        """`alias/…`"""
        return Arn.parse(self.arn).resource


@dataclass(frozen=True, slots=True)
class KeyName:
    """A `KeyId` of a request: an ARN of a key or of an alias, whole, in the caller's words."""

    arn: Arn
    is_alias: bool


def read_name(given: str, *, partition: str, region: str, account: str, aliases: bool = True) -> KeyName:
    """What a `KeyId` means for a caller of this account and region (kms.md 2).

    Raises KeyNotFound for a malformed id and an ARN of another region, or an alias where only keys are taken.
    """
    resource = given
    if given.startswith("arn:"):
        try:
            arn = Arn.parse(given)
        except ValueError:
            raise KeyNotFound(f"Invalid arn {given}") from None
        if arn.service != "kms" or arn.partition != partition:
            raise KeyNotFound(f"Invalid arn {given}")
        if arn.region != region:
            raise KeyNotFound(f"Invalid arn {arn.region}")
        account, resource = arn.account, arn.resource
        if not resource.startswith(("key/", "alias/")):
            raise KeyNotFound(f"Invalid arn {given}")
        resource = resource.removeprefix("key/")
    if resource.startswith("alias/"):
        if not aliases:
            raise KeyNotFound(f"Invalid keyId '{given}'")
        return KeyName(Arn(partition, "kms", region, account, resource), True)
    if not is_key_id(resource):
        raise KeyNotFound(f"Invalid keyId '{given}'")
    return KeyName(Arn(partition, "kms", region, account, f"key/{resource}"), False)


def is_key_id(text: str) -> bool:
    """Whether a key may have this id."""
    return _KEY_ID.fullmatch(text) is not None


def require_usable(key: ManagedKey, now: datetime) -> None:
    """For cryptography and CreateGrant: the key must be enabled. Raises KeyDisabled and KeyInvalidState."""
    if key.state is KeyState.DISABLED:
        raise KeyDisabled(f"{key.arn} is disabled.")
    require_present(key, now)
    require_material(key, now)
    if key.state is KeyState.UNAVAILABLE:
        raise KeyInvalidState(f"{key.arn} is unavailable.")


def require_present(key: ManagedKey, now: datetime) -> None:
    """For changes: the key must not be on its way out (kms.md 11)."""
    if key.state in (KeyState.PENDING_DELETION, KeyState.PENDING_REPLICA_DELETION):
        raise KeyInvalidState(f"{key.arn} is {_WORDS[key.state]}.")


def require_material(key: ManagedKey, now: datetime) -> None:
    """The key must have its material. Imported material may have expired before anybody swept it away."""
    expired = key.valid_to is not None and key.valid_to <= now
    if key.state is KeyState.PENDING_IMPORT or (expired and key.state is not KeyState.PENDING_DELETION):
        raise KeyInvalidState(f"{key.arn} is pending import.")


def require_usage(key: ManagedKey, usage: str, operation: str) -> None:
    """The key must be meant for this kind of operation. Raises InvalidKeyUsage."""
    if key.usage != usage:
        raise InvalidKeyUsage(f"{key.arn} key usage is {key.usage} which is not valid for {operation}.")


def require_algorithm(key: ManagedKey, algorithm: str, known: tuple[str, ...]) -> None:
    """The algorithm must be one of the key's. Raises InvalidKeyUsage."""
    if algorithm not in known:
        raise InvalidKeyUsage(f"Algorithm {algorithm} is incompatible with key spec {key.spec.name}.")


def require_origin(key: ManagedKey, *origins: Origin) -> None:
    """The material must come from one of these. Raises UnsupportedOnKey."""
    if key.origin not in origins:
        raise UnsupportedOnKey(f"{key.arn} origin is {key.origin.value} which is not valid for this operation.")


_WORDS = {
    KeyState.PENDING_DELETION: "pending deletion",
    KeyState.PENDING_REPLICA_DELETION: "pending replica deletion",
}
