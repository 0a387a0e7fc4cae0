"""What IAM does not offer yet."""

_ACCESS_REPORTS = "access reports and the data behind them are not available yet"
_DELEGATION = "delegated access requests between vendors are not available yet"
_FACTORS = "second factors are not available yet"
_INSTANCES = "there are no virtual machines here that would use instance profiles"
_OUTBOUND = "outbound web identity federation is not available yet"
_PASSWORDS = "users have access keys only; passwords and sign-in are not available yet"
_PROPERTIES = "account properties and role templates are not available yet"
_ROOT_ACCESS = "central management of the root access of member accounts is not available yet"
_SAML = "SAML providers are not available yet"
_SERVER_CERTIFICATES = "server certificates live in ACM; the older store of IAM is not available"
_SERVICE_CREDENTIALS = "no service here takes service-specific credentials"
_SIGNING = "X.509 signing certificates of users belong to protocols that are not served"
_SSH = "no service here takes SSH public keys"

NOT_YET = {
    **dict.fromkeys(
        (
            "GenerateCredentialReport",
            "GenerateOrganizationsAccessReport",
            "GenerateServiceLastAccessedDetails",
            "GetCredentialReport",
            "GetHumanReadableSummary",
            "GetOrganizationsAccessReport",
            "GetServiceLastAccessedDetails",
            "GetServiceLastAccessedDetailsWithEntities",
            "ListPoliciesGrantingServiceAccess",
        ),
        _ACCESS_REPORTS,
    ),
    **dict.fromkeys(
        (
            "AcceptDelegationRequest",
            "AssociateDelegationRequest",
            "CreateDelegationRequest",
            "GetDelegationRequest",
            "ListDelegationRequests",
            "RejectDelegationRequest",
            "SendDelegationToken",
            "UpdateDelegationRequest",
        ),
        _DELEGATION,
    ),
    **dict.fromkeys(
        (
            "CreateVirtualMFADevice",
            "DeactivateMFADevice",
            "DeleteVirtualMFADevice",
            "EnableMFADevice",
            "GetMFADevice",
            "ListMFADeviceTags",
            "ResyncMFADevice",
            "TagMFADevice",
            "UntagMFADevice",
        ),
        _FACTORS,
    ),
    **dict.fromkeys(
        (
            "AddRoleToInstanceProfile",
            "CreateInstanceProfile",
            "DeleteInstanceProfile",
            "GetInstanceProfile",
            "ListInstanceProfileTags",
            "RemoveRoleFromInstanceProfile",
            "TagInstanceProfile",
            "UntagInstanceProfile",
        ),
        _INSTANCES,
    ),
    **dict.fromkeys(
        (
            "DisableOutboundWebIdentityFederation",
            "EnableOutboundWebIdentityFederation",
            "GetOutboundWebIdentityFederationInfo",
        ),
        _OUTBOUND,
    ),
    **dict.fromkeys(
        (
            "ChangePassword",
            "CreateLoginProfile",
            "DeleteAccountPasswordPolicy",
            "GetAccountPasswordPolicy",
            "UpdateAccountPasswordPolicy",
            "UpdateLoginProfile",
        ),
        _PASSWORDS,
    ),
    **dict.fromkeys(
        ("AcquireRole", "GetAccountProperties", "GetRoleTemplateVersion", "PutAccountProperties"), _PROPERTIES
    ),
    **dict.fromkeys(
        (
            "DisableOrganizationsRootCredentialsManagement",
            "DisableOrganizationsRootSessions",
            "EnableOrganizationsRootCredentialsManagement",
            "EnableOrganizationsRootSessions",
            "ListOrganizationsFeatures",
        ),
        _ROOT_ACCESS,
    ),
    **dict.fromkeys(
        (
            "CreateSAMLProvider",
            "DeleteSAMLProvider",
            "GetSAMLProvider",
            "ListSAMLProviderTags",
            "TagSAMLProvider",
            "UntagSAMLProvider",
            "UpdateSAMLProvider",
        ),
        _SAML,
    ),
    **dict.fromkeys(
        (
            "DeleteServerCertificate",
            "GetServerCertificate",
            "ListServerCertificateTags",
            "TagServerCertificate",
            "UntagServerCertificate",
            "UpdateServerCertificate",
            "UploadServerCertificate",
        ),
        _SERVER_CERTIFICATES,
    ),
    **dict.fromkeys(
        (
            "CreateServiceSpecificCredential",
            "DeleteServiceSpecificCredential",
            "ResetServiceSpecificCredential",
            "UpdateServiceSpecificCredential",
        ),
        _SERVICE_CREDENTIALS,
    ),
    **dict.fromkeys(
        (
            "DeleteSigningCertificate",
            "UpdateSigningCertificate",
            "UploadSigningCertificate",
        ),
        _SIGNING,
    ),
    **dict.fromkeys(
        (
            "DeleteSSHPublicKey",
            "GetSSHPublicKey",
            "UpdateSSHPublicKey",
            "UploadSSHPublicKey",
        ),
        _SSH,
    ),
    "SetSecurityTokenServicePreferences": "session tokens have one version only, so there is nothing to prefer",
}
