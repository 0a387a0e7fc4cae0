"""IAM Roles Anywhere's shapes: from the wire to the room's values and back (iam.md 11.1)."""

from collections.abc import Iterable, Mapping
from typing import Any

from greatseal.domain.anywhere.model import (
    DEFAULT_THRESHOLD,
    Field,
    ImportedCrl,
    NotificationEvent,
    NotificationSetting,
    Profile,
    Resource,
    Source,
    SourceKind,
    Subject,
    TrustAnchor,
    alias_arn,
    settings_in_force,
)
from greatseal.domain.anywhere.profiles import ProfileValues
from greatseal.domain.tags import Tag
from greatseal.kernel.errors import InvalidArgument

Wire = dict[str, Any]

_SOURCE_MEMBERS = {SourceKind.PRIVATE_CA: "acmPcaArn", SourceKind.BUNDLE: "x509CertificateData"}


def source(wire: Mapping[str, Any]) -> Source:
    """Where an anchor's certificates come from. Raises InvalidArgument when type and data do not fit."""
    given = wire.get("sourceType")
    if given not in {kind.value for kind in SourceKind}:
        raise InvalidArgument(f"Trust anchors of the type {given} are not supported.")
    kind = SourceKind(given)
    data = wire.get("sourceData") or {}
    member = _SOURCE_MEMBERS[kind]
    if set(data) != {member}:
        raise InvalidArgument(f"The source data of a trust anchor of type {given} must be {member}.")
    return Source(kind, data[member])


def refuse_distribution_points(p: Mapping[str, Any]) -> None:
    """CRLs are imported, never fetched. A setting that would not be heeded is refused, not kept."""
    if p.get("crlDpRevocationEnabled"):
        raise InvalidArgument(
            "Fetching CRLs from distribution points is not available; import them with ImportCrl instead."
        )


def settings(wire: Iterable[Mapping[str, Any]] | None, account: str) -> list[NotificationSetting]:
    """What an owner sets."""
    return [
        NotificationSetting(NotificationEvent(each["event"]), each["enabled"], each.get("threshold"), account)
        for each in wire or ()
    ]


def profile_values(p: Mapping[str, Any]) -> ProfileValues:
    """The values of CreateProfile and UpdateProfile."""
    return ProfileValues(
        name=p.get("name"),
        role_arns=tuple(dict.fromkeys(p["roleArns"])) if "roleArns" in p else None,
        session_policy=p.get("sessionPolicy"),
        managed_policy_arns=tuple(dict.fromkeys(p["managedPolicyArns"])) if "managedPolicyArns" in p else None,
        duration_seconds=p.get("durationSeconds"),
        accepts_session_name=p.get("acceptRoleSessionName"),
    )


def field(name: str) -> Field:
    """A field of a certificate."""
    return Field(name)


def tags(wire: Iterable[Mapping[str, str]] | None) -> tuple[Tag, ...]:
    """The tags of a request; here their members are in lower case."""
    return tuple(Tag(each["key"], each["value"]) for each in wire or ())


def tags_wire(given: Iterable[Tag]) -> list[Wire]:
    """The tags of an answer."""
    return [{"key": tag.key, "value": tag.value or ""} for tag in given]


def anchor_wire(anchor: TrustAnchor, previous_alias: str | None = None) -> Wire:
    """TrustAnchorDetail."""
    member = _SOURCE_MEMBERS[anchor.source.kind]
    return {
        "trustAnchorId": anchor.id,
        "trustAnchorArn": anchor.arn,
        **_shared(anchor, "trust-anchor", previous_alias),
        "source": {"sourceType": anchor.source.kind.value, "sourceData": {member: anchor.source.value}},
        "crlDpRevocationEnabled": False,
        "notificationSettings": [
            {
                "enabled": each.enabled,
                "event": each.event.value,
                "threshold": each.threshold or DEFAULT_THRESHOLD,
                "channel": "ALL",
                "configuredBy": each.configured_by,
            }
            for each in settings_in_force(anchor)
        ],
    }


def profile_wire(profile: Profile, previous_alias: str | None = None) -> Wire:
    """ProfileDetail."""
    return {
        "profileId": profile.id,
        "profileArn": profile.arn,
        **_shared(profile, "profile", previous_alias),
        "requireInstanceProperties": profile.requires_instance_properties,
        "createdBy": profile.account,
        "sessionPolicy": profile.session_policy,
        "roleArns": list(profile.role_arns),
        "managedPolicyArns": list(profile.managed_policy_arns),
        "durationSeconds": profile.duration_seconds,
        "acceptRoleSessionName": profile.accepts_session_name,
        "attributeMappings": [
            {"certificateField": name.value, "mappingRules": [{"specifier": each} for each in specifiers]}
            for name, specifiers in profile.mappings
        ],
    }


def crl_wire(crl: ImportedCrl, previous_alias: str | None = None) -> Wire:
    """CrlDetail."""
    return {
        "crlId": crl.id,
        "crlArn": crl.arn,
        **_shared(crl, "crl", previous_alias),
        "crlData": crl.data,
        "trustAnchorArn": crl.anchor_arn,
    }


def _shared(resource: Resource, kind: str, previous_alias: str | None) -> Wire:
    return {
        "name": resource.name,
        "enabled": resource.enabled,
        "createdAt": resource.created_at,
        "updatedAt": resource.updated_at,
        "aliasName": resource.alias,
        "aliasArn": alias_arn(kind, resource),
        "previousAliasName": previous_alias,
    }


def subject_summary(subject: Subject) -> Wire:
    """SubjectSummary."""
    return {
        "subjectArn": subject.arn,
        "subjectId": subject.id,
        # There is no operation that disables one.
        "enabled": True,
        "x509Subject": subject.x509_subject,
        "lastSeenAt": subject.last_seen_at,
        "createdAt": subject.created_at,
        "updatedAt": subject.updated_at,
    }


def subject_wire(subject: Subject) -> Wire:
    """SubjectDetail."""
    return {
        **subject_summary(subject),
        "credentials": [
            {
                "seenAt": each.seen_at,
                "serialNumber": each.serial,
                "issuer": each.issuer,
                "enabled": True,
                "x509CertificateData": each.pem,
                "failed": each.failed,
            }
            for each in subject.credentials
        ],
        "instanceProperties": [
            {"seenAt": each.seen_at, "properties": dict(each.properties), "failed": each.failed}
            for each in subject.instance_properties
        ],
    }
