"""The revocation configuration as the JSON of its column; members that were not given are left out."""

from typing import Any

from greatseal.domain.authorities.revocation_settings import (
    CrlSettings,
    CrlType,
    ObjectAcl,
    OcspSettings,
    RevocationSettings,
)


def write(settings: RevocationSettings) -> dict[str, Any]:
    """The value of the column."""
    crl, ocsp = settings.crl, settings.ocsp
    return {
        "crl": _given(
            enabled=crl.enabled,
            expiration_days=crl.expiration_days,
            custom_cname=crl.custom_cname,
            bucket=crl.bucket,
            object_acl=crl.object_acl.value if crl.object_acl else None,
            omit_extension=crl.omit_extension,
            crl_type=crl.crl_type.value if crl.crl_type else None,
            custom_path=crl.custom_path,
        ),
        "ocsp": _given(enabled=ocsp.enabled, custom_cname=ocsp.custom_cname),
    }


def read(value: dict[str, Any]) -> RevocationSettings:
    """What was written."""
    crl = dict(value["crl"])
    if "object_acl" in crl:
        crl["object_acl"] = ObjectAcl(crl["object_acl"])
    if "crl_type" in crl:
        crl["crl_type"] = CrlType(crl["crl_type"])
    return RevocationSettings(CrlSettings(**crl), OcspSettings(**value["ocsp"]))


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
