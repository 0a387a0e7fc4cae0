"""What Organizations answer, from the room's values (iam.md 10)."""

from collections.abc import Mapping
from typing import Any

from greatseal.domain.access import Account
from greatseal.domain.organizations.model import (
    ControlPolicy,
    Creation,
    CreationState,
    Entry,
    FeatureSet,
    Handshake,
    Invitation,
    Organization,
    Target,
    UnitEntry,
)
from greatseal.domain.organizations.targets import ROOT_NAME

SERVICE_CONTROL = "SERVICE_CONTROL_POLICY"
_ENABLED = [{"Type": SERVICE_CONTROL, "Status": "ENABLED"}]

Wire = dict[str, Any]


def organization(found: Organization, management: Account, partition: str) -> Wire:
    """Organization. `AvailablePolicyTypes` speaks of the feature set, not of what is enabled in the root."""
    return {
        "Id": found.id,
        "Arn": found.arn(partition),
        "FeatureSet": found.feature_set.value,
        "MasterAccountArn": found.arn(partition, found.management_account),
        "MasterAccountId": found.management_account,
        "MasterAccountEmail": management.email,
        "AvailablePolicyTypes": _ENABLED if found.feature_set is FeatureSet.ALL else [],
    }


def root(found: Organization, partition: str) -> Wire:
    """Root."""
    return {
        "Id": found.root_id,
        "Arn": found.arn(partition, found.root_id),
        "Name": ROOT_NAME,
        "PolicyTypes": _ENABLED if found.service_control else [],
    }


def unit(of: Organization, entry: UnitEntry, partition: str) -> Wire:
    """OrganizationalUnit."""
    return {
        "Id": entry.unit.id,
        "Arn": of.arn(partition, entry.unit.id),
        "Name": entry.unit.name,
        "Path": entry.path,
    }


def account(of: Organization, entry: Entry, partition: str) -> Wire:
    """Account. A closed one is SUSPENDED in the older member and CLOSED in the newer."""
    member = entry.member
    closed = member.closed_at is not None
    return {
        "Id": member.account,
        "Arn": of.arn(partition, member.account),
        "Email": entry.email,
        "Name": entry.name,
        "Status": "SUSPENDED" if closed else "ACTIVE",
        "State": "CLOSED" if closed else "ACTIVE",
        "Paths": [entry.path],
        "JoinedMethod": member.joined.value,
        "JoinedTimestamp": member.joined_at,
    }


def delegated(of: Organization, entry: Entry, since: object, partition: str) -> Wire:
    """DelegatedAdministrator."""
    shown = account(of, entry, partition)
    del shown["Paths"]
    return {**shown, "DelegationEnabledDate": since}


def creation(found: Creation) -> Wire:
    """CreateAccountStatus."""
    return {
        "Id": found.id,
        "AccountName": found.account_name,
        "State": found.state.value,
        "RequestedTimestamp": found.requested_at,
        "CompletedTimestamp": found.completed_at,
        "AccountId": found.account,
        "FailureReason": found.failure,
    }


def creation_begun(found: Creation) -> Wire:
    """The first answer to CreateAccount: clients expect to have to ask again (iam.md 10)."""
    return {
        "Id": found.id,
        "AccountName": found.account_name,
        "State": CreationState.IN_PROGRESS.value,
        "RequestedTimestamp": found.requested_at,
    }


def policy_summary(of: Organization, found: ControlPolicy, partition: str) -> Wire:
    """PolicySummary."""
    return {
        "Id": found.id,
        "Arn": of.arn(partition, found.id),
        "Name": found.name,
        "Description": found.description,
        "Type": SERVICE_CONTROL,
        "AwsManaged": found.aws_managed,
    }


def policy(of: Organization, found: ControlPolicy, partition: str) -> Wire:
    """Policy."""
    return {"PolicySummary": policy_summary(of, found, partition), "Content": found.content}


def target(of: Organization, found: Target, partition: str) -> Wire:
    """PolicyTargetSummary."""
    arn = of.arn(partition, found.id)
    return {"TargetId": found.id, "Arn": arn, "Name": found.name, "Type": found.kind.value}


def handshake(invitation: Invitation, partition: str) -> Wire:
    """Handshake."""
    found = invitation.handshake
    return {
        "Id": found.id,
        "Arn": found.organization.arn(partition, found.id),
        "Parties": [{"Id": found.organization.id, "Type": "ORGANIZATION"}, _invited("Id", found)],
        "State": invitation.state.value,
        "RequestedTimestamp": found.requested_at,
        "ExpirationTimestamp": found.expires_at,
        "Action": "INVITE",
        "Resources": [
            {
                "Type": "ORGANIZATION",
                "Value": found.organization.id,
                "Resources": [
                    {"Type": "MASTER_EMAIL", "Value": invitation.inviter_email},
                    {"Type": "MASTER_NAME", "Value": invitation.inviter_name},
                    {"Type": "ORGANIZATION_FEATURE_SET", "Value": found.organization.feature_set.value},
                ],
            },
            _invited("Value", found),
            *([{"Type": "NOTES", "Value": found.notes}] if found.notes else []),
        ],
    }


def _invited(member: str, found: Handshake) -> Mapping[str, str]:
    return {member: found.by_email or found.account, "Type": "EMAIL" if found.by_email else "ACCOUNT"}
