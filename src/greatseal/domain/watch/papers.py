"""The findings of the watchers, in the AWS Security Finding Format. Pure."""

from datetime import datetime

from greatseal.domain.findings.model import Document
from greatseal.domain.findings.writing import finding

EXPIRY = "greatseal/expiry-monitor"
DISTRUST = "greatseal/distrusted-issuers"
# Titles and descriptions have bounds of their own (asff.py).
_MAX_DESCRIPTION = 1024
_MAX_NAME = 400


def root_issued(*, account: str, region: str, authority_arn: str, certificate_arn: str, at: datetime) -> Document:
    """A root CA has issued a certificate: the fields of workflows.md 5."""
    return finding(
        account=account,
        region=region,
        id=f"{region}/{account}/{certificate_arn}",
        generator=certificate_arn,
        at=at,
        types=["Unusual Behaviors"],
        normalized=60,
        title="Private CA Certificate Creation",
        description=f"The root certificate authority {authority_arn} issued the private certificate {certificate_arn}.",
        advice="Verify that a privileged user made this certificate on purpose. A root should issue for CAs only.",
        url="https://docs.aws.amazon.com/privateca/latest/userguide/ca-best-practices.html#minimize-root-use",
        product="ACM PCA",
        resource=certificate_arn,
        details={"CAArn": authority_arn, "CertARN": certificate_arn},
    )


def expiring(
    *, account: str, region: str, certificate_arn: str, name: str, not_after: datetime, normalized: int, at: datetime
) -> Document:
    """A certificate ends soon (workflows.md 16). The words do not change from day to day, only the severity does."""
    end = not_after.strftime("%Y-%m-%dT%H:%M:%SZ")
    return finding(
        account=account,
        region=region,
        id=f"{region}/{account}/{certificate_arn}/expiry",
        generator=EXPIRY,
        at=at,
        types=["Software and Configuration Checks"],
        normalized=normalized,
        title="Certificate expires soon",
        description=f"The certificate {certificate_arn} ({name[:_MAX_NAME]}) expires at {end}.",
        advice="Renew or replace the certificate before it expires, or delete it if nothing uses it any more.",
        url="https://docs.aws.amazon.com/acm/latest/userguide/managed-renewal.html",
        product="Greatseal",
        resource=certificate_arn,
        details={"CertARN": certificate_arn, "Subject": name[:_MAX_NAME], "NotAfter": end},
    )


def distrusted(
    *, account: str, region: str, certificate_arn: str, name: str, issuer: str, not_before: datetime, at: datetime
) -> Document:
    """An imported certificate was issued by somebody who is not trusted any more (workflows.md 18)."""
    start = not_before.strftime("%Y-%m-%dT%H:%M:%SZ")
    return finding(
        account=account,
        region=region,
        id=f"{region}/{account}/{certificate_arn}/distrusted-issuer",
        generator=DISTRUST,
        at=at,
        types=["Software and Configuration Checks"],
        normalized=70,
        title="Imported certificate of a distrusted issuer",
        description=f"The imported certificate {certificate_arn} ({name[:_MAX_NAME]}) was issued by "
        f"{issuer[:_MAX_NAME]}, which is not trusted any more for certificates that begin at {start}."[
            :_MAX_DESCRIPTION
        ],
        advice="Replace the certificate by one of an issuer that relying parties trust, and import it anew.",
        url="https://docs.aws.amazon.com/acm/latest/userguide/import-reimport.html",
        product="Greatseal",
        resource=certificate_arn,
        details={
            "CertARN": certificate_arn,
            "Subject": name[:_MAX_NAME],
            "Issuer": issuer[:_MAX_NAME],
            "NotBefore": start,
        },
    )
