"""Buses, rules, targets and what else there is, as EventBridge spells them."""

from collections.abc import Mapping
from typing import Any

from greatseal.domain.events.connections import Credentials
from greatseal.domain.events.desk import Wanted
from greatseal.domain.events.model import (
    Archive,
    Bus,
    Connection,
    Destination,
    Replay,
    Retries,
    Rule,
    Target,
)
from greatseal.domain.events.transform import Transformer
from greatseal.kernel.errors import ValidationFailed
from greatseal.kernel.pages import Page

Parameters = dict[str, Any]

_UNSUPPORTED_TARGET = (
    "KinesisParameters",
    "RunCommandParameters",
    "EcsParameters",
    "BatchParameters",
    "RedshiftDataParameters",
    "SageMakerPipelineParameters",
    "AppSyncParameters",
)


def wanted(p: Mapping[str, Any]) -> Wanted:
    """The page that a request asks for."""
    return Wanted(p.get("Limit"), p.get("NextToken"), p.get("NamePrefix") or "")


def listed(member: str, page: Page[Any], items: list[Any]) -> dict[str, Any]:
    """A page as an answer."""
    return present({member: items, "NextToken": page.next_token})


def present(members: Mapping[str, Any]) -> dict[str, Any]:
    """The members that have a value."""
    return {name: value for name, value in members.items() if value is not None}


def refuse(p: Mapping[str, Any], *names: str) -> None:
    """Raises ValidationFailed for what is asked for and not offered: nothing is passed over in silence."""
    for name in names:
        if p.get(name):
            raise ValidationFailed(f"Parameter {name} is not supported by this installation.")


def bus_wire(bus: Bus, policy: str | None) -> dict[str, Any]:
    """An item of ListEventBuses."""
    return present(
        {
            "Name": bus.name,
            "Arn": bus.arn,
            "Description": bus.description,
            "Policy": policy,
            "CreationTime": bus.created_at,
            "LastModifiedTime": bus.modified_at,
        }
    )


def bus_settings(bus: Bus) -> dict[str, Any]:
    """What may be set of a bus."""
    return present({"Description": bus.description, "DeadLetterConfig": dead_letter_wire(bus.dead_letter_arn)})


def rule_wire(rule: Rule) -> dict[str, Any]:
    """An item of ListRules."""
    return present(
        {
            "Name": rule.name,
            "Arn": rule.arn,
            "EventPattern": rule.pattern,
            "ScheduleExpression": rule.schedule,
            "State": rule.state.value,
            "Description": rule.description,
            "RoleArn": rule.role_arn,
            "EventBusName": rule.bus_name,
        }
    )


def target_from_wire(item: Mapping[str, Any]) -> Target:
    """A target of a request. Raises ValidationFailed for targets of kinds that are not offered."""
    refuse(item, *_UNSUPPORTED_TARGET)
    transformer = item.get("InputTransformer")
    retries = item.get("RetryPolicy") or {}
    http = item.get("HttpParameters") or {}
    sqs = item.get("SqsParameters")
    return Target(
        id=item["Id"],
        arn=item["Arn"],
        role_arn=item.get("RoleArn"),
        input=item.get("Input"),
        input_path=item.get("InputPath"),
        transformer=(
            Transformer(transformer["InputTemplate"], dict(transformer.get("InputPathsMap") or {}))
            if transformer
            else None
        ),
        dead_letter_arn=(item.get("DeadLetterConfig") or {}).get("Arn"),
        retries=Retries(retries.get("MaximumRetryAttempts"), retries.get("MaximumEventAgeInSeconds")),
        group_id=sqs.get("MessageGroupId") if sqs else None,
        path_values=tuple(http.get("PathParameterValues") or ()),
        headers=dict(http.get("HeaderParameters") or {}),
        query=dict(http.get("QueryStringParameters") or {}),
    )


def target_wire(target: Target) -> dict[str, Any]:
    """A target of an answer: what was given, and nothing else."""
    transformer = target.transformer
    retries = present(
        {
            "MaximumRetryAttempts": target.retries.attempts,
            "MaximumEventAgeInSeconds": target.retries.age_seconds,
        }
    )
    http = {
        "PathParameterValues": list(target.path_values),
        "HeaderParameters": dict(target.headers),
        "QueryStringParameters": dict(target.query),
    }
    return present(
        {
            "Id": target.id,
            "Arn": target.arn,
            "RoleArn": target.role_arn,
            "Input": target.input,
            "InputPath": target.input_path,
            "InputTransformer": (
                None
                if transformer is None
                else {"InputPathsMap": dict(transformer.paths), "InputTemplate": transformer.template}
            ),
            "SqsParameters": None if target.group_id is None else {"MessageGroupId": target.group_id},
            "HttpParameters": {name: value for name, value in http.items() if value} or None,
            "DeadLetterConfig": dead_letter_wire(target.dead_letter_arn),
            "RetryPolicy": retries or None,
        }
    )


def dead_letter_wire(arn: str | None) -> dict[str, str] | None:
    """{Arn}"""
    return None if arn is None else {"Arn": arn}


def archive_wire(archive: Archive) -> dict[str, Any]:
    """An item of ListArchives."""
    return {
        "ArchiveName": archive.name,
        "EventSourceArn": archive.bus_arn,
        "State": "ENABLED",
        "RetentionDays": archive.retention_days,
        "SizeBytes": archive.size,
        "EventCount": archive.events,
        "CreationTime": archive.created_at,
    }


def replay_wire(replay: Replay) -> dict[str, Any]:
    """An item of ListReplays."""
    return present(
        {
            "ReplayName": replay.name,
            "EventSourceArn": replay.archive_arn,
            "State": replay.state.value,
            "StateReason": replay.reason,
            "EventStartTime": replay.start,
            "EventEndTime": replay.end,
            "EventLastReplayedTime": replay.last_event_at,
            "ReplayStartTime": replay.started_at,
            "ReplayEndTime": replay.ended_at,
        }
    )


def connection_wire(connection: Connection) -> dict[str, Any]:
    """An item of ListConnections."""
    return present(
        {
            "ConnectionArn": connection.arn,
            "Name": connection.name,
            "ConnectionState": "AUTHORIZED" if connection.authorized else "DEAUTHORIZED",
            "AuthorizationType": connection.authorization,
            "CreationTime": connection.created_at,
            "LastModifiedTime": connection.modified_at,
            "LastAuthorizedTime": connection.authorized_at,
        }
    )


def connection_times(connection: Connection, state: str) -> dict[str, Any]:
    """What CreateConnection and its like answer."""
    found = connection_wire(connection)
    kept = ("ConnectionArn", "CreationTime", "LastModifiedTime", "LastAuthorizedTime")
    return {**{name: found[name] for name in kept if name in found}, "ConnectionState": state}


def destination_wire(destination: Destination, usable: bool) -> dict[str, Any]:
    """An item of ListApiDestinations."""
    return present(
        {
            "ApiDestinationArn": destination.arn,
            "Name": destination.name,
            "ApiDestinationState": "ACTIVE" if usable else "INACTIVE",
            "ConnectionArn": destination.connection_arn,
            "InvocationEndpoint": destination.endpoint,
            "HttpMethod": destination.method,
            "InvocationRateLimitPerSecond": destination.rate,
            "CreationTime": destination.created_at,
            "LastModifiedTime": destination.modified_at,
        }
    )


def credentials_from_wire(p: Mapping[str, Any]) -> Credentials:
    """AuthorizationType and AuthParameters. Raises ValidationFailed."""
    kind, given = p.get("AuthorizationType"), p.get("AuthParameters") or {}
    refuse(given, "OAuthParameters", "ConnectivityParameters")
    if kind == "OAUTH_CLIENT_CREDENTIALS":
        raise ValidationFailed("AuthorizationType OAUTH_CLIENT_CREDENTIALS is not supported by this installation.")
    member, names = _AUTHORIZATIONS[kind or ""] if kind else ("", {})
    chosen = given.get(member)
    if not chosen:
        raise ValidationFailed(f"AuthParameters must have {member or 'an AuthorizationType'} for this type.")
    for name in names:
        if not chosen.get(name):
            raise ValidationFailed(f"AuthParameters.{member} must have {name}.")
    open_names = [name for name in names if name in _SHOWN]
    public: dict[str, Any] = {member: {name: chosen[name] for name in open_names}}
    secret = {ours: chosen[name] for name, ours in names.items()}
    http = given.get("InvocationHttpParameters")
    if http:
        public["InvocationHttpParameters"] = {
            group: [_shown(each) for each in items] for group, items in http.items() if items
        }
        for group, word in _GROUPS.items():
            if not all(each.get("Key") for each in http.get(group) or ()):
                raise ValidationFailed(f"InvocationHttpParameters.{group} must each have a Key.")
            secret |= {f"{word}:{each['Key']}": each.get("Value", "") for each in http.get(group) or ()}
    return Credentials(str(kind), public, secret)


_AUTHORIZATIONS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "BASIC": ("BasicAuthParameters", {"Username": "user", "Password": "password"}),
    "API_KEY": ("ApiKeyAuthParameters", {"ApiKeyName": "name", "ApiKeyValue": "value"}),
}
_SHOWN = ("Username", "ApiKeyName")
_GROUPS = {"HeaderParameters": "header", "QueryStringParameters": "query", "BodyParameters": "body"}


def _shown(item: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter of a connection as it is shown: without a value that is secret."""
    hidden = item.get("IsValueSecret", False)
    return present({"Key": item.get("Key"), "Value": None if hidden else item.get("Value"), "IsValueSecret": hidden})
