"""The filters of ListCertificates and SearchCertificates as predicates of the inventory (acm.md 4.4, 17)."""

from collections.abc import Mapping
from typing import Any

from greatseal.domain.certificates.search import And, Between, Contains, Equals, Field, Not, Or, Ordering, Predicate
from greatseal.kernel.errors import InvalidArgument, ValidationFailed

_SORT_FIELDS: dict[str, Field] = {
    "CREATED_AT": "created_at",
    "NOT_AFTER": "not_after",
    "STATUS": "status",
    "RENEWAL_STATUS": "renewal_status",
    "EXPORTED": "exported",
    "IN_USE": "in_use",
    "NOT_BEFORE": "not_before",
    "KEY_ALGORITHM": "key_algorithm",
    "TYPE": "type",
    "CERTIFICATE_ARN": "arn",
    "COMMON_NAME": "common_name",
    "REVOKED_AT": "revoked_at",
    "RENEWAL_ELIGIBILITY": "renewal_eligibility",
    "ISSUED_AT": "issued_at",
    "MANAGED_BY": "managed_by",
    "EXPORT_OPTION": "export_option",
    "VALIDATION_METHOD": "validation_method",
    "IMPORTED_AT": "imported_at",
    "ACME_ENDPOINT_ARN": "acme_endpoint_arn",
    "ACME_ACCOUNT_ID": "acme_account_id",
    "CERTIFICATE_KEY_PAIR_ORIGIN": "key_pair_origin",
}
_METADATA_FIELDS: dict[str, Field] = {
    "Status": "status",
    "RenewalStatus": "renewal_status",
    "Type": "type",
    "InUse": "in_use",
    "Exported": "exported",
    "ExportOption": "export_option",
    "ManagedBy": "managed_by",
    "ValidationMethod": "validation_method",
    "CertificateKeyPairOrigin": "key_pair_origin",
    "AcmeEndpointArn": "acme_endpoint_arn",
    "AcmeAccountId": "acme_account_id",
}
_INCLUDES: dict[str, Field] = {
    "keyUsage": "key_usage",
    "extendedKeyUsage": "extended_key_usage",
    "exportOption": "export_option",
    "managedBy": "managed_by",
}
# Without a filter only these are listed, and only with a name (acm.md 4.4): a frequent surprise, kept.
_LISTED_KEY_TYPES = ("RSA_1024", "RSA_2048")
# The grammar allows 15 parts at each of many levels; SQLite takes expressions of up to 1000 levels.
MAX_FILTERS = 500


def list_predicate(p: Mapping[str, Any]) -> Predicate:
    """What ListCertificates shows."""
    includes = p.get("Includes", {})
    parts: list[Predicate] = []
    if statuses := p.get("CertificateStatuses"):
        parts.append(Equals("status", tuple(statuses)))
    origins = p.get("CertificateKeyPairOrigins") or ("AWS_MANAGED", "CUSTOMER_PROVIDED")
    parts.append(Equals("key_pair_origin", tuple(origins)))
    if key_types := includes.get("keyTypes"):
        parts.append(Equals("key_algorithm", tuple(key_types)))
    else:
        parts += [Equals("key_algorithm", _LISTED_KEY_TYPES), Contains("name", "")]
    for member, field in _INCLUDES.items():
        # ExportOption and ManagedBy are one value, the usages are lists.
        value = includes.get(member)
        if value:
            parts.append(Equals(field, (value,) if isinstance(value, str) else tuple(value)))
    return And(tuple(parts))


def ordering(p: Mapping[str, Any], *, default_descending: bool) -> Ordering:
    """SortBy and SortOrder, which come together or not at all in a listing. Raises InvalidArgument."""
    by, order = p.get("SortBy"), p.get("SortOrder")
    if not default_descending and (by is None) != (order is None):
        raise InvalidArgument("SortBy and SortOrder must be specified together.")
    descending = default_descending if order is None else order == "DESCENDING"
    return Ordering(_SORT_FIELDS[by or "CREATED_AT"], descending)


def predicate(statement: Mapping[str, Any]) -> Predicate:
    """A FilterStatement; the model has checked that each union has exactly one member. Raises ValidationFailed."""
    if _count_filters(statement) > MAX_FILTERS:
        raise ValidationFailed(f"The filter statement has more than {MAX_FILTERS} filters.")
    return _predicate(statement)


def _count_filters(statement: Mapping[str, Any]) -> int:
    ((kind, value),) = statement.items()
    if kind == "Not":
        return _count_filters(value)
    return sum(_count_filters(part) for part in value) if kind in ("And", "Or") else 1


def _predicate(statement: Mapping[str, Any]) -> Predicate:
    ((kind, value),) = statement.items()
    if kind == "And":
        return And(tuple(_predicate(part) for part in value))
    if kind == "Or":
        return Or(tuple(_predicate(part) for part in value))
    if kind == "Not":
        return Not(_predicate(value))
    ((kind, value),) = value.items()
    if kind == "CertificateArn":
        return Equals("arn", (value,))
    ((member, content),) = value.items()
    if kind == "AcmCertificateMetadataFilter":
        return Equals(_METADATA_FIELDS[member], (content,))
    return _attribute(member, content)


def _attribute(member: str, content: Any) -> Predicate:
    match member:
        case "Subject":
            return _text("common_name", content["CommonName"])
        case "SubjectAlternativeName":
            return _text("name", content["DnsName"])
        case "ExtendedKeyUsage":
            return Equals("extended_key_usage", (content,))
        case "KeyUsage":
            return Equals("key_usage", (content,))
        case "KeyAlgorithm":
            return Equals("key_algorithm", (content,))
        case "SerialNumber":
            return Equals("serial", (content,))
        case "NotAfter":
            return Between("not_after", content.get("Start"), content.get("End"))
        case _:
            return Between("not_before", content.get("Start"), content.get("End"))


def _text(field: Field, content: Mapping[str, str]) -> Predicate:
    if "\0" in content["Value"]:
        return Or(())  # no name has one, and PostgreSQL takes none
    if content["ComparisonOperator"] == "EQUALS":
        return Equals(field, (content["Value"],))
    return Contains(field, content["Value"])
