"""Which services are served, and which of their operations are not there yet, with the reason callers read."""

from collections.abc import Mapping

SERVICES = ("acm", "acm-pca")

_PUBLIC = "public certificates and their validation are not available yet"
_ACME = "ACME endpoints are not available yet"
_REPORTS = "audit reports need object storage, which is not available yet"
_SHARING = "certificate authorities cannot be shared between accounts yet"

NOT_YET: Mapping[str, Mapping[str, str]] = {
    "acm": {
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
    },
    "acm-pca": {
        "CreateCertificateAuthorityAuditReport": _REPORTS,
        "DescribeCertificateAuthorityAuditReport": _REPORTS,
        "DeletePolicy": _SHARING,
        "GetPolicy": _SHARING,
        "PutPolicy": _SHARING,
    },
}


def implemented(service: str) -> frozenset[str]:
    """The operations of a service that have a function. AwsDoor refuses to start unless the rest is in NOT_YET."""
    from greatseal.aws.protocol.models import load_service

    return frozenset(load_service(service).operations) - frozenset(NOT_YET[service])
