"""What AWS Private CA does not offer yet."""

_REPORTS = "audit reports need object storage, which is not available yet"

NOT_YET = {
    "CreateCertificateAuthorityAuditReport": _REPORTS,
    "DescribeCertificateAuthorityAuditReport": _REPORTS,
}
