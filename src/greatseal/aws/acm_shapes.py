"""Structures of ACM from plain values: detail, summary and search result (acm.md 5, 17)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from greatseal.aws import acm_validation as validation
from greatseal.aws import asn1
from greatseal.crypto.algorithms import signature_algorithm_of
from greatseal.domain.certificates.model import ManagedCertificate, Status, Type
from greatseal.domain.certificates.store.certificates import issuer_name, serial_octets
from greatseal.domain.certificates.usage import extended_key_usages, key_usages
from greatseal.domain.certificates.validations import Described, Shown
from greatseal.domain.revocation import RevocationReason
from greatseal.kernel.errors import InvalidDomainValidationOptions, ValidationFailed
from greatseal.x509.certificate import Certificate

MAX_SUMMARY_NAMES = 100
_REASONS = {
    "UNSPECIFIED": RevocationReason.UNSPECIFIED,
    "KEY_COMPROMISE": RevocationReason.KEY_COMPROMISE,
    "AFFILIATION_CHANGED": RevocationReason.AFFILIATION_CHANGED,
    # The old spelling is still in the model.
    "SUPERCEDED": RevocationReason.SUPERSEDED,
    "SUPERSEDED": RevocationReason.SUPERSEDED,
    "CESSATION_OF_OPERATION": RevocationReason.CESSATION_OF_OPERATION,
    "PRIVILEGE_WITHDRAWN": RevocationReason.PRIVILEGE_WITHDRAWN,
}
# What our trust services sign keys of each kind with (7.4).
_PUBLIC_SIGNATURES = {
    "RSA_2048": "SHA256WITHRSA",
    "EC_prime256v1": "SHA256WITHECDSA",
    "EC_secp384r1": "SHA384WITHECDSA",
}
_DISPLAYED_REASONS = {"CERTIFICATE_AUTHORITY_COMPROMISE": "CA_COMPROMISE"}


def revocation_reason(name: str) -> RevocationReason:
    """The reasons that make sense for a leaf (acm.md 10.3). Raises ValidationFailed for the others."""
    if name not in _REASONS:
        raise ValidationFailed(f"The revocation reason {name} cannot be used for this certificate.")
    return _REASONS[name]


def check_validation_options(names: Sequence[str], options: Sequence[Mapping[str, str]]) -> None:
    """Raises InvalidDomainValidationOptions for a name that was not requested or a foreign validation domain."""
    for option in options:
        name, domain = option["DomainName"].lower(), option["ValidationDomain"].lower()
        if name not in names:
            raise InvalidDomainValidationOptions(f"The domain name {name} is not a name of the certificate.")
        if not f".{name}".endswith(f".{domain}"):
            raise InvalidDomainValidationOptions(f"The validation domain {domain} is not a superdomain of {name}.")


def detail(described: Described, now: datetime) -> dict[str, Any]:
    """CertificateDetail (5.1). Members that do not apply are None, which the codec leaves out."""
    item = described.item
    wire: dict[str, Any] = {
        "CertificateArn": item.arn,
        "DomainName": item.domain_name,
        "SubjectAlternativeNames": list(item.names),
        "Subject": f"CN={item.domain_name}",
        "Status": item.status_at(now).value,
        "Type": item.type.value,
        "KeyAlgorithm": dashed(item.key_algorithm),
        "KeyUsages": [],
        "ExtendedKeyUsages": [],
        "InUseBy": list(item.in_use_by),
        "CreatedAt": item.created_at,
        "IssuedAt": item.issued_at,
        "ImportedAt": item.imported_at,
        "RenewalEligibility": _eligibility(item, now),
        "Options": {
            "CertificateTransparencyLoggingPreference": item.transparency_logging,
            "Export": item.export_option,
        },
        "FailureReason": item.failure_reason.value if item.failure_reason else None,
        "CertificateAuthorityArn": item.authority_arn,
        "CertificateKeyPairOrigin": _origin(item),
        "RevokedAt": item.revoked_at,
        "RevocationReason": _DISPLAYED_REASONS.get(item.revocation_reason or "", item.revocation_reason),
        "DomainValidationOptions": _validation(item, described.names),
        "RenewalSummary": _renewal(described),
        "ManagedBy": item.managed_by,
        "UpdateSummary": validation.update_summary(described),
    }
    if item.type is Type.AMAZON_ISSUED:
        # Known before there is a certificate (5.1).
        wire |= {"Issuer": described.issuer, "SignatureAlgorithm": _PUBLIC_SIGNATURES[item.key_algorithm]}
    if item.material is not None:
        wire |= _body(item, Certificate.parse(item.material.certificate))
    return wire


def summary(item: ManagedCertificate, now: datetime) -> dict[str, Any]:
    """CertificateSummary (5.4)."""
    body = Certificate.parse(item.material.certificate) if item.material else None
    return {
        "CertificateArn": item.arn,
        "DomainName": item.domain_name,
        "SubjectAlternativeNameSummaries": list(item.names[:MAX_SUMMARY_NAMES]),
        "HasAdditionalSubjectAlternativeNames": len(item.names) > MAX_SUMMARY_NAMES,
        "Status": item.status_at(now).value,
        "Type": item.type.value,
        "KeyAlgorithm": dashed(item.key_algorithm),
        "KeyUsages": list(key_usages(body)) if body else [],
        "ExtendedKeyUsages": [name for name, _ in extended_key_usages(body)] if body else [],
        "ExportOption": item.export_option,
        "InUse": bool(item.in_use_by),
        "Exported": item.ever_exported,
        "RenewalEligibility": _eligibility(item, now),
        "NotBefore": body.not_before if body else None,
        "NotAfter": body.not_after if body else None,
        "CreatedAt": item.created_at,
        "IssuedAt": item.issued_at,
        "ImportedAt": item.imported_at,
        "RevokedAt": item.revoked_at,
        "ManagedBy": item.managed_by,
        "CertificateKeyPairOrigin": _origin(item),
    }


def search_result(item: ManagedCertificate, now: datetime) -> dict[str, Any]:
    """CertificateSearchResult (17): the underscore spelling of key algorithms here."""
    attributes: dict[str, Any] = {"KeyAlgorithm": item.key_algorithm}
    if item.material is not None:
        body = Certificate.parse(item.material.certificate)
        attributes |= {
            "Issuer": asn1.name_wire(body.issuer, components="DomainComponents"),
            "Subject": asn1.name_wire(body.subject, components="DomainComponents"),
            "SubjectAlternativeNames": [w for name in body.san if (w := asn1.general_name_wire(name))],
            "ExtendedKeyUsages": [name for name, _ in extended_key_usages(body)],
            "KeyUsages": list(key_usages(body)),
            "SerialNumber": serial_octets(body.serial),
            "NotAfter": body.not_after,
            "NotBefore": body.not_before,
        }
    metadata = {
        "CreatedAt": item.created_at,
        "Exported": item.ever_exported,
        "ImportedAt": item.imported_at,
        "InUse": bool(item.in_use_by),
        "IssuedAt": item.issued_at,
        "RenewalEligibility": _eligibility(item, now),
        "RevokedAt": item.revoked_at,
        "Status": item.status_at(now).value,
        "RenewalStatus": item.renewal.status.value if item.renewal else None,
        "Type": item.type.value,
        "ExportOption": item.export_option,
        "ValidationMethod": item.validation_method,
        "ManagedBy": item.managed_by,
        "CertificateKeyPairOrigin": _origin(item),
    }
    return {
        "CertificateArn": item.arn,
        "X509Attributes": attributes,
        "CertificateMetadata": {"AcmCertificateMetadata": metadata},
    }


def dashed(key_algorithm: str) -> str:
    """How Describe and List spell a key algorithm: the first underscore is a dash (acm.md 3)."""
    return key_algorithm.replace("_", "-", 1)


def _body(item: ManagedCertificate, body: Certificate) -> dict[str, Any]:
    signed = signature_algorithm_of(body.signature_algorithm_identifier)
    return {
        "Subject": body.subject.display(),
        "Issuer": issuer_name(body),
        "Serial": serial_octets(body.serial),
        "SignatureAlgorithm": signed.name if signed else None,
        "NotBefore": body.not_before,
        "NotAfter": body.not_after,
        "KeyUsages": [{"Name": name} for name in key_usages(body)],
        "ExtendedKeyUsages": [{"Name": name, "OID": oid} for name, oid in extended_key_usages(body)],
    }


def _validation(item: ManagedCertificate, names: Sequence[Shown]) -> list[dict[str, Any]]:
    """Private certificates need no validation and say so; imported ones show the names only (5.1)."""
    if item.type is Type.AMAZON_ISSUED:
        return validation.options(names)
    if item.type is Type.IMPORTED:
        return [{"DomainName": name} for name in item.names or (item.domain_name,) if name]
    status = {Status.PENDING_VALIDATION: "PENDING_VALIDATION", Status.FAILED: "FAILED"}
    return [
        {
            "DomainName": name,
            "ValidationDomain": name,
            "ValidationEmails": [],
            "ValidationMethod": item.validation_method or "DNS",
            "ValidationStatus": status.get(item.status, "SUCCESS"),
        }
        for name in item.names
    ]


def _renewal(described: Described) -> dict[str, Any] | None:
    item = described.item
    if item.renewal is None:
        return None
    return {
        "RenewalStatus": item.renewal.status.value,
        "DomainValidationOptions": _validation(item, described.renewal),
        "RenewalStatusReason": item.renewal.reason.value if item.renewal.reason else None,
        "UpdatedAt": item.renewal.updated_at,
    }


def _eligibility(item: ManagedCertificate, now: datetime) -> str:
    return "ELIGIBLE" if item.is_eligible_for_renewal(now) else "INELIGIBLE"


def _origin(item: ManagedCertificate) -> str:
    return "CUSTOMER_PROVIDED" if item.type is Type.IMPORTED else "AWS_MANAGED"
