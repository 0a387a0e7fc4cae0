"""RevocationConfiguration of AWS Private CA to and from plain values (acm-pca.md 2.1, 10.1)."""

from collections.abc import Mapping
from typing import Any

from greatseal.domain.authorities.revocation_settings import (
    CrlSettings,
    CrlType,
    ObjectAcl,
    OcspSettings,
    RevocationChange,
    RevocationSettings,
)

_EXTENSION = "CrlDistributionPointExtensionConfiguration"


def from_wire(wire: Mapping[str, Any] | None) -> RevocationChange:
    """What a request asks for. An empty text is the same as none."""
    crl, ocsp = (wire or {}).get("CrlConfiguration"), (wire or {}).get("OcspConfiguration")
    return RevocationChange(
        None if crl is None else _crl(crl),
        None if ocsp is None else OcspSettings(ocsp["Enabled"], ocsp.get("OcspCustomCname") or None),
    )


def _crl(wire: Mapping[str, Any]) -> CrlSettings:
    return CrlSettings(
        enabled=wire["Enabled"],
        expiration_days=wire.get("ExpirationInDays"),
        custom_cname=wire.get("CustomCname") or None,
        bucket=wire.get("S3BucketName"),
        object_acl=ObjectAcl(wire["S3ObjectAcl"]) if "S3ObjectAcl" in wire else None,
        omit_extension=wire[_EXTENSION]["OmitExtension"] if _EXTENSION in wire else None,
        crl_type=CrlType(wire["CrlType"]) if "CrlType" in wire else None,
        custom_path=wire.get("CustomPath") or None,
    )


def to_wire(settings: RevocationSettings) -> dict[str, Any]:
    """As DescribeCertificateAuthority shows it: both halves, and only members that were given (2.2)."""
    crl, ocsp = settings.crl, settings.ocsp
    return {
        "CrlConfiguration": {
            "Enabled": crl.enabled,
            "ExpirationInDays": crl.expiration_days,
            "CustomCname": crl.custom_cname,
            "S3BucketName": crl.bucket,
            "S3ObjectAcl": crl.object_acl.value if crl.object_acl else None,
            _EXTENSION: None if crl.omit_extension is None else {"OmitExtension": crl.omit_extension},
            "CrlType": crl.crl_type.value if crl.crl_type else None,
            "CustomPath": crl.custom_path,
        },
        "OcspConfiguration": {"Enabled": ocsp.enabled, "OcspCustomCname": ocsp.custom_cname},
    }
