"""What ACM does not offer yet."""

_PUBLIC = "public certificates and their validation are not available yet"
_ACME = "ACME endpoints are not available yet"

NOT_YET = {
    "ListCertificateDomainValidations": _PUBLIC,
    "ResendValidationEmail": _PUBLIC,
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
