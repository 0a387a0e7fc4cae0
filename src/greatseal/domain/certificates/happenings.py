"""The events of ACM certificates (acm.md section 11)."""

from datetime import datetime, timedelta

from greatseal.domain.certificates.model import ManagedCertificate, Status, Type
from greatseal.domain.events import Event
from greatseal.x509.certificate import Certificate


def available(item: ManagedCertificate, action: str, now: datetime) -> Event:
    """`ACM Certificate Available`: action is ISSUANCE, RENEWAL, IMPORT or REIMPORT."""
    return _event(
        item,
        "ACM Certificate Available",
        {
            "Action": action,
            **_about(item),
            **_validated(item),
            "CertificateCreatedDate": _iso(item.created_at),
            "DaysToExpiry": _days_left(item, now),
            "InUse": bool(item.in_use_by),
            "Exported": item.ever_exported,
            # Subscribers filter on it as a JSON boolean (DESIGN section 5).
            "Exportable": item.is_exportable,
        },
    )


def approaching(item: ManagedCertificate, days: int) -> Event:
    """`ACM Certificate Approaching Expiration`, with the days that are left."""
    about = _about(item)
    told = ("CommonName", "FirstSubjectAlternativeName", "ValidityInDays", "CertificateKeyPairOrigin")
    return _event(
        item,
        "ACM Certificate Approaching Expiration",
        {"DaysToExpiry": days, **{name: about[name] for name in told if name in about}},
    )


def expired(item: ManagedCertificate) -> Event:
    """`ACM Certificate Expired`."""
    detail: dict[str, object] = {
        **_about(item),
        **_validated(item),
        "CertificateCreatedDate": _iso(item.created_at),
        "InUse": bool(item.in_use_by),
        "Exported": item.ever_exported,
    }
    return _event(item, "ACM Certificate Expired", detail)


def action_required(item: ManagedCertificate, days: int) -> Event:
    """`ACM Certificate Renewal Action Required`, with the days that are left and why it was not renewed yet."""
    return _event(
        item,
        "ACM Certificate Renewal Action Required",
        {
            **_about(item),
            **_validated(item),
            "RenewalStatusReason": _reason(item),
            "DaysToExpiry": days,
            "InUse": bool(item.in_use_by),
            "Exported": item.ever_exported,
        },
    )


def revoked(item: ManagedCertificate) -> Event:
    """`ACM Certificate Revoked`."""
    assert item.status is Status.REVOKED
    return _event(item, "ACM Certificate Revoked", {**_about(item), "Exportable": item.is_exportable})


def _about(item: ManagedCertificate) -> dict[str, object]:
    assert item.material is not None
    parsed = Certificate.parse(item.material.certificate)
    about: dict[str, object] = {
        "CertificateType": item.type.value,
        "CommonName": next(iter(parsed.subject.common_names), item.domain_name),
        # The last second is within it (RFC 5280 section 4.1.2.5): midnight to 23:59:59 is a day.
        "ValidityInDays": (parsed.not_after - parsed.not_before + timedelta(seconds=1)).days,
        "CertificateKeyPairOrigin": "CUSTOMER_PROVIDED" if item.type is Type.IMPORTED else "AWS_MANAGED",
        "CertificateExpirationDate": _iso(parsed.not_after),
    }
    if item.names:
        about["FirstSubjectAlternativeName"] = item.names[0]
    return about


def _validated(item: ManagedCertificate) -> dict[str, object]:
    return {} if item.validation_method is None else {"DomainValidationMethod": item.validation_method}


def _reason(item: ManagedCertificate) -> str:
    if item.renewal is not None and item.renewal.reason is not None:
        return item.renewal.reason.value
    return "PENDING_DOMAIN_VALIDATION" if item.type is Type.AMAZON_ISSUED else "OTHER"


def _event(item: ManagedCertificate, detail_type: str, detail: dict[str, object]) -> Event:
    return Event("aws.acm", detail_type, item.account, item.region, (item.arn,), detail)


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _days_left(item: ManagedCertificate, now: datetime) -> int:
    """Days that have begun count, as in the service's sample of 198 days (acm.md 11)."""
    return -((now - item.not_after) // timedelta(days=1)) if item.not_after else 0
