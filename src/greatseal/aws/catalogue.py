"""Which services are served, and which of their operations are not there yet, with the reason callers read."""

from collections.abc import Mapping

from greatseal.aws.not_yet import (
    acm,
    acm_pca,
    cloudtrail,
    events,
    iam,
    kms,
    organizations,
    ram,
    rolesanywhere,
    s3,
    securityhub,
    sns,
    sqs,
    sts,
)

NOT_YET: Mapping[str, Mapping[str, str]] = {
    "acm": acm.NOT_YET,
    "acm-pca": acm_pca.NOT_YET,
    "cloudtrail": cloudtrail.NOT_YET,
    "events": events.NOT_YET,
    "sts": sts.NOT_YET,
    "iam": iam.NOT_YET,
    "kms": kms.NOT_YET,
    "organizations": organizations.NOT_YET,
    "ram": ram.NOT_YET,
    "rolesanywhere": rolesanywhere.NOT_YET,
    "s3": s3.NOT_YET,
    "securityhub": securityhub.NOT_YET,
    "sns": sns.NOT_YET,
    "sqs": sqs.NOT_YET,
}

SERVICES = tuple(NOT_YET)


def _targets(**names: str) -> frozenset[str]:
    return frozenset(f"{target}.{name}" for target, some in names.items() for name in some.split())


QUICK = _targets(
    ACMPrivateCA="IssueCertificate",
    TrentService="Decrypt DescribeKey Encrypt GenerateDataKey GenerateDataKeyWithoutPlaintext GenerateMac "
    "GenerateRandom GetPublicKey ReEncrypt Sign Verify VerifyMac",
)
"""The targets of operations that read what is remembered and change nothing, or change it together (`kernel.later`):
such requests are answered in groups.
"""

READING = _targets(
    ACMPrivateCA="DescribeCertificateAuthority GetCertificate GetCertificateAuthorityCertificate",
    CertificateManager="DescribeCertificate GetCertificate",
)
"""The same for those that read a few rows; only where the database is not on another machine."""


def implemented(service: str) -> frozenset[str]:
    """The operations of a service that have a function. AwsDoor refuses to start unless the rest is in NOT_YET."""
    from greatseal.aws.protocol.models import load_service

    return frozenset(load_service(service).operations) - frozenset(NOT_YET[service])
