"""What ACM does not offer yet."""

_ACME = "ACME endpoints are not available yet"

NOT_YET = {
    **dict.fromkeys(
        (
            "CreateAcmeDomainValidation",
            "CreateAcmeEndpoint",
            "CreateAcmeExternalAccountBinding",
            "DeleteAcmeDomainValidation",
            "DeleteAcmeEndpoint",
            "DeleteAcmeExternalAccountBinding",
            "DescribeAcmeAccount",
            "DescribeAcmeDomainValidation",
            "DescribeAcmeEndpoint",
            "DescribeAcmeExternalAccountBinding",
            "GetAcmeExternalAccountBindingCredentials",
            "ListAcmeAccounts",
            "ListAcmeDomainValidations",
            "ListAcmeEndpoints",
            "ListAcmeExternalAccountBindings",
            "RevokeAcmeAccount",
            "RevokeAcmeExternalAccountBinding",
            "UpdateAcmeDomainValidation",
            "UpdateAcmeEndpoint",
        ),
        _ACME,
    ),
}
