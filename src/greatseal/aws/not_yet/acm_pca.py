"""What AWS Private CA does not offer yet."""

_REPORTS = "audit reports need object storage, which is not available yet"
_SHARING = "certificate authorities cannot be shared between accounts yet"

NOT_YET = {
    "CreateCertificateAuthorityAuditReport": _REPORTS,
    "DescribeCertificateAuthorityAuditReport": _REPORTS,
    "DeletePolicy": _SHARING,
    "GetPolicy": _SHARING,
    "PutPolicy": _SHARING,
}
