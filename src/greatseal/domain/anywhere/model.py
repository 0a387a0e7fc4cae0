"""Trust anchors, profiles, lists of revoked certificates, and the subjects that were seen (iam.md 11.1)."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TypeVar

from greatseal.kernel.arn import Arn
from greatseal.kernel.errors import AccessDenied, InvalidArgument, NotFound

SERVICE = "rolesanywhere"
PRINCIPAL = "rolesanywhere.amazonaws.com"
DEFAULT_DURATION = 3600
DEFAULT_THRESHOLD = 45
"""Days before the end of a certificate at which its owner is told, unless told otherwise."""


class UntrustedCertificate(AccessDenied):
    """A certificate, or the path above it, that does not open a session."""


class SessionDenied(AccessDenied):
    """A trusted certificate whose session the account does not want."""


class SourceKind(Enum):
    """Where the certificates of a trust anchor come from."""

    PRIVATE_CA = "AWS_ACM_PCA"
    BUNDLE = "CERTIFICATE_BUNDLE"


class NotificationEvent(Enum):
    """What owners are told about."""

    CA_EXPIRY = "CA_CERTIFICATE_EXPIRY"
    END_ENTITY_EXPIRY = "END_ENTITY_CERTIFICATE_EXPIRY"


class Field(Enum):
    """The parts of a certificate that become session tags."""

    ISSUER = "x509Issuer"
    SAN = "x509SAN"
    SUBJECT = "x509Subject"


@dataclass(frozen=True, slots=True)
class Source:
    """`value` is the ARN of a private CA, or certificates as PEM."""

    kind: SourceKind
    value: str


@dataclass(frozen=True, slots=True)
class NotificationSetting:
    """Whether, and how many days ahead, somebody is told; `configured_by` is an account or the service itself."""

    event: NotificationEvent
    enabled: bool
    threshold: int | None
    configured_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What anchors, profiles and CRLs have in common."""

    id: str
    arn: str
    account: str
    region: str
    name: str
    enabled: bool
    created_at: datetime
    updated_at: datetime
    alias: str | None = None


R = TypeVar("R", bound=Resource)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustAnchor(Resource):
    """The CAs whose certificates open sessions in an account and region."""

    source: Source
    settings: tuple[NotificationSetting, ...] = ()
    """Those that the owner set; see `settings_in_force`."""


Mappings = tuple[tuple[Field, tuple[str, ...]], ...]
"""For each field the specifiers whose values become session tags, by the field's name."""

DEFAULT_MAPPINGS: Mappings = (
    (Field.ISSUER, ("*",)),
    (Field.SAN, ("DNS", "URI", "Name/*")),
    (Field.SUBJECT, ("*",)),
)
"""Attribute mapping of a new profile (IAM Roles Anywhere User Guide, "Default mapping behavior")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile(Resource):
    """The roles that certificates may assume, and the limits of the sessions."""

    role_arns: tuple[str, ...]
    session_policy: str | None = field(default=None, repr=False)
    managed_policy_arns: tuple[str, ...] = ()
    duration_seconds: int = DEFAULT_DURATION
    accepts_session_name: bool = False
    requires_instance_properties: bool = False
    """Kept and shown; AWS reserves it for future use."""
    mappings: Mappings = DEFAULT_MAPPINGS


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedCrl(Resource):
    """A list of revoked certificates of one anchor's CA. `data` is as it was imported, `der` what it holds."""

    anchor_arn: str
    data: bytes = field(repr=False)
    der: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SeenCertificate:
    """A certificate that asked for a session; `failed` when it got none."""

    seen_at: datetime
    serial: str
    """In decimal, as requests spell it."""
    issuer: str
    pem: str
    failed: bool


@dataclass(frozen=True, slots=True)
class SeenProperties:
    """What the client told about its machine."""

    seen_at: datetime
    properties: tuple[tuple[str, str], ...]
    failed: bool


@dataclass(frozen=True, slots=True)
class Subject:
    """A name in certificates that asked for sessions, with the certificates, the latest first."""

    id: str
    arn: str
    account: str
    region: str
    x509_subject: str
    created_at: datetime
    updated_at: datetime
    last_seen_at: datetime
    credentials: tuple[SeenCertificate, ...] = ()
    instance_properties: tuple[SeenProperties, ...] = ()


def settings_in_force(anchor: TrustAnchor) -> tuple[NotificationSetting, ...]:
    """One setting for each event: the owner's, or the service's default."""
    own = {setting.event: setting for setting in anchor.settings}
    return tuple(
        own.get(event, NotificationSetting(event, True, DEFAULT_THRESHOLD, PRINCIPAL)) for event in NotificationEvent
    )


def with_settings(
    present: tuple[NotificationSetting, ...], added: tuple[NotificationSetting, ...]
) -> tuple[NotificationSetting, ...]:
    """The owner's settings after adding some.

    Raises InvalidArgument for two of one event, and for an enabled one without a threshold.
    """
    if len({setting.event for setting in added}) != len(added):
        raise InvalidArgument("There is more than one notification setting for the same event and channel.")
    for setting in added:
        if setting.enabled and setting.threshold is None:
            raise InvalidArgument(f"An enabled notification setting for {setting.event.value} needs a threshold.")
    merged = {setting.event: setting for setting in (*present, *added)}
    return tuple(merged.values())


def check_alias(alias: str) -> str | None:
    """The alias, or None for the empty one, which means none. Its form is the service model's business."""
    if alias.lower().startswith("aws/"):
        raise InvalidArgument(f"The alias name {alias} is reserved.")
    return alias or None


def resource_arn(kind: str, account: str, region: str, partition: str, id: str) -> str:
    """`arn:PARTITION:rolesanywhere:REGION:ACCOUNT:KIND/ID`."""
    return str(Arn(partition, SERVICE, region, account, f"{kind}/{id}"))


def alias_arn(kind: str, resource: Resource) -> str | None:
    """The other ARN of a resource with an alias."""
    if resource.alias is None:
        return None
    arn = Arn.parse(resource.arn)
    return str(Arn(arn.partition, SERVICE, arn.region, arn.account, f"alias/{kind}/{resource.alias}"))


def not_found(what: str) -> NotFound:
    """The error for a resource that is not there, or belongs to another account or region."""
    return NotFound(f"Resource {what} was not found.")
