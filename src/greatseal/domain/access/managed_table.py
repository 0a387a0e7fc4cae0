"""The documents of the policies that everybody has (iam.md 8).

They grant what AWS's own of the same name grant, for the services that are offered here. A policy that lists more
than these services in AWS (ReadOnlyAccess, SecurityAudit) is cut to them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Statement = Mapping[str, Any]
Row = tuple[str, str, str, int, Sequence[Statement]]
"""Path, name, description, number of the version, statements."""

_AUTHORITIES = "arn:aws:acm-pca:*:*:certificate-authority/*"
_ACM_ROLE = "arn:aws:iam::*:role/aws-service-role/acm.amazonaws.com/AWSServiceRoleForCertificateManager*"


def _allow(actions: Sequence[str], resource: str = "*", condition: Statement | None = None) -> Statement:
    made: dict[str, Any] = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return made if condition is None else {**made, "Condition": condition}


def _issues_only(pattern: str) -> Sequence[Statement]:
    """Issuance with templates of this pattern and no others, and the care of what was issued."""
    template = {"acm-pca:TemplateArn": [f"arn:aws:acm-pca:::template/{pattern}/V*"]}
    issue = "acm-pca:IssueCertificate"
    return (
        _allow([issue], _AUTHORITIES, {"StringLike": template}),
        {"Effect": "Deny", "Action": [issue], "Resource": _AUTHORITIES, "Condition": {"StringNotLike": template}},
        _allow(["acm-pca:RevokeCertificate", "acm-pca:GetCertificate", "acm-pca:ListPermissions"], _AUTHORITIES),
        _allow(["acm-pca:ListCertificateAuthorities"]),
    )


_PCA_READS = (
    "acm-pca:DescribeCertificateAuthority",
    "acm-pca:DescribeCertificateAuthorityAuditReport",
    "acm-pca:GetCertificateAuthorityCsr",
    "acm-pca:GetCertificateAuthorityCertificate",
    "acm-pca:GetCertificate",
    "acm-pca:GetPolicy",
    "acm-pca:ListPermissions",
    "acm-pca:ListTags",
)

_READS = tuple(
    f"{service}:{verb}*"
    for service, verbs in (
        ("acm", ("Describe", "Get", "List", "Search")),
        ("acm-pca", ("Describe", "Get", "List")),
        ("cloudtrail", ("Describe", "Get", "List", "LookupEvents")),
        ("events", ("Describe", "List", "Test")),
        ("iam", ("Generate", "Get", "List", "Simulate")),
        ("kms", ("Describe", "Get", "List")),
        ("organizations", ("Describe", "List")),
        ("ram", ("Get", "List")),
        ("rolesanywhere", ("Get", "List")),
    )
    for verb in verbs
)

_POWER_USER = (
    {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"},
    _allow(
        [
            "iam:CreateServiceLinkedRole",
            "iam:DeleteServiceLinkedRole",
            "iam:ListRoles",
            "organizations:DescribeOrganization",
        ]
    ),
)

_IAM_FULL = (
    _allow(
        [
            "iam:*",
            "organizations:DescribeAccount",
            "organizations:DescribeOrganization",
            "organizations:DescribeOrganizationalUnit",
            "organizations:DescribePolicy",
            "organizations:ListChildren",
            "organizations:ListParents",
            "organizations:ListPolicies",
            "organizations:ListPoliciesForTarget",
            "organizations:ListRoots",
            "organizations:ListTargetsForPolicy",
        ]
    ),
)

_ACM_FULL = (
    _allow(["acm:*"]),
    _allow(["iam:CreateServiceLinkedRole"], _ACM_ROLE, {"StringEquals": {"iam:AWSServiceName": "acm.amazonaws.com"}}),
    _allow(["iam:DeleteServiceLinkedRole", "iam:GetServiceLinkedRoleDeletionStatus", "iam:GetRole"], _ACM_ROLE),
)

_ACM_READS = (
    "acm:DescribeCertificate",
    "acm:ListCertificates",
    "acm:GetCertificate",
    "acm:ListTagsForCertificate",
    "acm:GetAccountConfiguration",
)

_KMS_POWER_USER = (
    "kms:CreateAlias",
    "kms:CreateKey",
    "kms:DeleteAlias",
    "kms:Describe*",
    "kms:GenerateRandom",
    "kms:Get*",
    "kms:List*",
    "kms:TagResource",
    "kms:UntagResource",
    "iam:ListGroups",
    "iam:ListRoles",
    "iam:ListUsers",
)

_RAM_SERVICE = (
    _allow(
        [
            f"organizations:{operation}"
            for operation in (
                "DescribeAccount",
                "DescribeOrganization",
                "DescribeOrganizationalUnit",
                "ListAccounts",
                "ListAccountsForParent",
                "ListChildren",
                "ListOrganizationalUnitsForParent",
                "ListParents",
                "ListRoots",
            )
        ]
    ),
)

SERVICE_ROLE_PATH = "/aws-service-role/"


@dataclass(frozen=True, slots=True)
class ServiceRole:
    """The name that a service's role has in every account, and the policy that it carries."""

    name: str
    policy: str


SERVICE_ROLES: Mapping[str, ServiceRole] = {
    "acm.amazonaws.com": ServiceRole("AWSServiceRoleForCertificateManager", "CertificateManagerServiceRolePolicy"),
    "organizations.amazonaws.com": ServiceRole("AWSServiceRoleForOrganizations", "AWSOrganizationsServiceTrustPolicy"),
    "ram.amazonaws.com": ServiceRole(
        "AWSServiceRoleForResourceAccessManager", "AWSResourceAccessManagerServiceRolePolicy"
    ),
    "rolesanywhere.amazonaws.com": ServiceRole("AWSServiceRoleForRolesAnywhere", "AWSRolesAnywhereServicePolicy"),
}
"""By the service's principal."""

ROWS: Sequence[Row] = (
    ("/", "AdministratorAccess", "Everything in the account.", 1, (_allow(["*"]),)),
    ("/", "PowerUserAccess", "Everything but users, roles and the organization.", 12, _POWER_USER),
    ("/", "ReadOnlyAccess", "Reads everything that the services show.", 1, (_allow(_READS),)),
    ("/", "SecurityAudit", "Reads the configuration that matters to security.", 1, (_allow(_READS),)),
    ("/", "IAMFullAccess", "All of IAM, and a look at the organization.", 2, _IAM_FULL),
    (
        "/",
        "IAMReadOnlyAccess",
        "Reads and simulates all of IAM.",
        4,
        (_allow([action for action in _READS if action.startswith("iam:")]),),
    ),
    ("/", "AWSCertificateManagerFullAccess", "All of Certificate Manager.", 2, _ACM_FULL),
    ("/", "AWSCertificateManagerReadOnly", "Reads Certificate Manager.", 4, (_allow(_ACM_READS),)),
    ("/", "AWSPrivateCAFullAccess", "All of Private CA.", 1, (_allow(["acm-pca:*"]),)),
    (
        "/",
        "AWSPrivateCAReadOnly",
        "Reads Private CA.",
        1,
        (_allow([*_PCA_READS, "acm-pca:ListCertificateAuthorities"]),),
    ),
    ("/", "AWSPrivateCAUser", "Issues end-entity certificates.", 1, _issues_only("EndEntityCertificate")),
    ("/", "AWSPrivateCAPrivilegedUser", "Issues CA certificates.", 1, _issues_only("*CACertificate*")),
    (
        "/",
        "AWSPrivateCAAuditor",
        "Reads Private CA and asks for audit reports.",
        1,
        (
            _allow(["acm-pca:CreateCertificateAuthorityAuditReport", *_PCA_READS], _AUTHORITIES),
            _allow(["acm-pca:ListCertificateAuthorities"]),
        ),
    ),
    ("/", "AWSKeyManagementServicePowerUser", "Makes and lists keys and aliases.", 2, (_allow(_KMS_POWER_USER),)),
    ("/", "AWSOrganizationsFullAccess", "All of Organizations.", 1, (_allow(["organizations:*"]),)),
    (
        "/",
        "AWSOrganizationsReadOnlyAccess",
        "Reads Organizations.",
        1,
        (_allow(["organizations:Describe*", "organizations:List*"]),),
    ),
    ("/", "AWSResourceAccessManagerFullAccess", "All of Resource Access Manager.", 1, (_allow(["ram:*"]),)),
    (
        "/",
        "AWSResourceAccessManagerReadOnlyAccess",
        "Reads Resource Access Manager.",
        1,
        (_allow(["ram:Get*", "ram:List*"]),),
    ),
    (
        SERVICE_ROLE_PATH,
        "CertificateManagerServiceRolePolicy",
        "What Certificate Manager does by itself.",
        1,
        (_allow(["acm-pca:IssueCertificate", "acm-pca:GetCertificate"]),),
    ),
    (
        SERVICE_ROLE_PATH,
        "AWSResourceAccessManagerServiceRolePolicy",
        "What Resource Access Manager does by itself.",
        1,
        _RAM_SERVICE,
    ),
    (
        SERVICE_ROLE_PATH,
        "AWSRolesAnywhereServicePolicy",
        "What Roles Anywhere does by itself.",
        1,
        (
            _allow(
                ["acm-pca:GetCertificateAuthorityCertificate", "acm-pca:DescribeCertificateAuthority"],
                "arn:aws:acm-pca:*:*:*",
            ),
        ),
    ),
    (
        SERVICE_ROLE_PATH,
        "AWSOrganizationsServiceTrustPolicy",
        "What Organizations does by itself.",
        2,
        (_allow(["iam:CreateServiceLinkedRole"]),),
    ),
)
