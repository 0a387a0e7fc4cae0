"""A record in the shape of CloudTrail (acm.md 12, acm-pca.md 13.2). Pure."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from greatseal.domain.audit.model import AuditRecord
from greatseal.kernel.arn import Arn

_VERSION = "1.11"

# The first part of a resource's name, by the service in its ARN.
_TYPES = {
    ("acm", "certificate"): "AWS::CertificateManager::Certificate",
    ("acm", "acme-endpoint"): "AWS::CertificateManager::AcmeEndpoint",
    ("acm", "acme-domain-validation"): "AWS::CertificateManager::AcmeDomainValidation",
    ("acm", "acme-external-account-binding"): "AWS::CertificateManager::AcmeExternalAccountBinding",
    ("acm-pca", "certificate-authority"): "AWS::ACMPCA::CertificateAuthority",
    ("kms", "key"): "AWS::KMS::Key",
    ("kms", "alias"): "AWS::KMS::Key",
    ("iam", "user"): "AWS::IAM::User",
    ("iam", "role"): "AWS::IAM::Role",
    ("iam", "group"): "AWS::IAM::Group",
    ("iam", "policy"): "AWS::IAM::ManagedPolicy",
    ("rolesanywhere", "trust-anchor"): "AWS::RolesAnywhere::TrustAnchor",
    ("rolesanywhere", "profile"): "AWS::RolesAnywhere::Profile",
    ("ram", "resource-share"): "AWS::RAM::ResourceShare",
}


INTERNAL = "AWS Internal"
"""The name under which a service acts by itself, by the clock (kms.md 18)."""


def event(record: AuditRecord) -> dict[str, object]:
    """The record as CloudTrail would deliver it."""
    acting = record.service_principal
    internal = record.operation.startswith("greatseal:") or acting == INTERNAL
    told: dict[str, object] = {
        "eventVersion": _VERSION,
        "userIdentity": user_identity(record),
        "eventTime": record.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": record.event_source,
        "eventName": record.event_name,
        "awsRegion": record.region,
        "sourceIPAddress": acting or record.source_ip,
        "userAgent": acting or record.user_agent,
    }
    if record.error_code is not None:
        told["errorCode"] = record.error_code
    if record.error_message is not None:
        told["errorMessage"] = record.error_message
    told["requestParameters"] = _json(record.request_parameters) or None
    told["responseElements"] = None if record.error_code else _json(record.response_elements)
    if record.detail:
        told["additionalEventData"] = dict(record.detail)
    told |= {
        "requestID": record.request_id,
        "eventID": record.event_id,
        "readOnly": record.read_only,
        "eventType": "AwsServiceEvent" if internal else "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": record.account,
        "eventCategory": "Management",
    }
    if record.resources:
        told["resources"] = [_resource(arn, record.account) for arn in record.resources]
    return told


def response_elements(response: Mapping[str, object]) -> str:
    """What a verb tells its caller, as JSON with CloudTrail's names: `certificate_arn` becomes `certificateArn`."""
    return json.dumps(_camel(response), separators=(",", ":"))


def _camel(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if not isinstance(value, Mapping):
        return value
    made = {}
    for key, inner in value.items():
        first, *others = str(key).split("_")
        made[first + "".join(word.capitalize() for word in others)] = _camel(inner)
    return made


def user_identity(record: AuditRecord) -> dict[str, object]:
    """Who it was, as far as the ARN tells; `record.identity` adds or replaces members."""
    identity: dict[str, object] = {}
    if record.service_principal == INTERNAL:
        return {"accountId": record.account, "invokedBy": INTERNAL}
    kind, _, name = _name_of(record.principal_arn).partition("/")
    match kind:
        case "root":
            identity = {"type": "Root", "principalId": record.account}
        case "user":
            identity = {"type": "IAMUser", "userName": name.rpartition("/")[2]}
        case "assumed-role":
            identity = {"type": "AssumedRole"}
        case "federated-user":
            identity = {"type": "FederatedUser"}
        case _:
            identity = {"type": "Unknown", "principalId": record.principal_arn or "anonymous"}
    identity["arn"] = record.principal_arn
    identity["accountId"] = _account_of(record.principal_arn) or record.account
    if record.access_key_id:
        identity["accessKeyId"] = record.access_key_id
    if record.service_principal is not None:
        identity["invokedBy"] = record.service_principal
    more = _json(record.identity)
    return identity | more if isinstance(more, dict) else identity


def username(record: AuditRecord) -> str:
    """What CloudTrail calls the user name: that of a user, the session of a role, `root`."""
    return _name_of(record.principal_arn).rpartition("/")[2] or record.principal_arn


def resource_type(arn: str) -> str:
    """CloudFormation's name for the kind of a resource; empty when it has none."""
    try:
        parsed = Arn.parse(arn)
    except ValueError:
        return ""
    kind, _, rest = parsed.resource.partition("/")
    if parsed.service == "acm-pca" and "/certificate/" in rest:
        return "AWS::ACMPCA::Certificate"
    return _TYPES.get((parsed.service, kind), "")


def _resource(arn: str, account: str) -> Mapping[str, str]:
    kind = resource_type(arn)
    return {"accountId": _account_of(arn) or account, **({"type": kind} if kind else {}), "ARN": arn}


def _name_of(arn: str) -> str:
    try:
        return Arn.parse(arn).resource
    except ValueError:
        return ""


def _account_of(arn: str) -> str:
    try:
        return Arn.parse(arn).account
    except ValueError:
        return ""


def _json(text: str | None) -> object:
    if text is None:
        return None
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value
