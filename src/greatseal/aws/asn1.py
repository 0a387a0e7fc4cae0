"""Names and extensions in the spelling of the AWS models, to and from x509 values (acm-pca.md 3, 8).

Both services use these structures: Private CA takes them, ACM's search answers with them.
"""

import base64
import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from greatseal.domain.authorities.model import SubjectSpec
from greatseal.domain.authorities.subject import subject_name
from greatseal.kernel.errors import InvalidArgument
from greatseal.x509 import der, general_names, templates
from greatseal.x509.extensions import OID, Extension
from greatseal.x509.general_names import GeneralName
from greatseal.x509.names import SUBJECT_FIELDS, Name
from greatseal.x509.templates import Passthrough

PURPOSES = {
    "SERVER_AUTH": OID.SERVER_AUTH,
    "CLIENT_AUTH": OID.CLIENT_AUTH,
    "CODE_SIGNING": OID.CODE_SIGNING,
    "EMAIL_PROTECTION": OID.EMAIL_PROTECTION,
    "TIME_STAMPING": OID.TIME_STAMPING,
    "OCSP_SIGNING": OID.OCSP_SIGNING,
    "SMART_CARD_LOGIN": OID.SMART_CARD_LOGIN,
    "DOCUMENT_SIGNING": OID.DOCUMENT_SIGNING,
    "CERTIFICATE_TRANSPARENCY": OID.CERTIFICATE_TRANSPARENCY,
}
ACCESS_METHODS = {
    "CA_REPOSITORY": OID.ACCESS_CA_REPOSITORY,
    "RESOURCE_PKI_MANIFEST": OID.ACCESS_RESOURCE_PKI_MANIFEST,
    "RESOURCE_PKI_NOTIFY": OID.ACCESS_RESOURCE_PKI_NOTIFY,
}
_FIELDS_BY_OID = {oid: field for field, oid in SUBJECT_FIELDS.items()}
_DOMAIN_COMPONENT = "0.9.2342.19200300.100.1.25"


def subject_spec(wire: Mapping[str, Any]) -> SubjectSpec:
    """An ASN1Subject as its sender wrote it."""
    standard = tuple((field, value) for field, value in wire.items() if field != "CustomAttributes")
    custom = tuple((item["ObjectIdentifier"], item["Value"]) for item in wire.get("CustomAttributes", ()))
    return SubjectSpec(standard, custom)


def subject_wire(spec: SubjectSpec) -> dict[str, Any]:
    """The ASN1Subject again, exactly as it was given."""
    wire: dict[str, Any] = dict(spec.standard)
    if spec.custom:
        wire["CustomAttributes"] = [{"ObjectIdentifier": oid, "Value": value} for oid, value in spec.custom]
    return wire


def name_wire(name: Name, *, components: str | None = None) -> dict[str, Any]:
    """A distinguished name as ASN1Subject, or as ACM's DistinguishedName with `components="DomainComponents"`.

    What has no member of its own, or occurs a second time, is listed with its OID.
    """
    wire: dict[str, Any] = {}
    custom: list[dict[str, str]] = []
    for attribute in name.attributes:
        field = _FIELDS_BY_OID.get(attribute.oid)
        if field is not None and field not in wire:
            wire[field] = attribute.value
        elif attribute.oid == _DOMAIN_COMPONENT and components is not None:
            wire.setdefault(components, []).append(attribute.value)
        else:
            custom.append({"ObjectIdentifier": attribute.oid, "Value": attribute.value})
    if custom:
        wire["CustomAttributes"] = custom
    return wire


def general_name(wire: Mapping[str, Any]) -> GeneralName:
    """A GeneralName; exactly one member must be set. Raises InvalidArgument."""
    if len(wire) != 1:
        raise InvalidArgument("A GeneralName must have exactly one member.")
    ((member, value),) = wire.items()
    try:
        match member:
            case "DnsName":
                return general_names.dns(value)
            case "Rfc822Name":
                return GeneralName("email", value)
            case "UniformResourceIdentifier":
                return GeneralName("uri", value)
            case "IpAddress":
                return general_names.ip(value)
            case "RegisteredId":
                return GeneralName("registered_id", value)
            case "OtherName":
                return GeneralName("other", value["Value"], value["TypeId"])
            case "EdiPartyName":
                return general_names.edi_party(value["PartyName"], value.get("NameAssigner"))
            case _:
                return GeneralName("directory", subject_name(subject_spec(value)))
    except der.DerError as error:
        raise InvalidArgument(f"The {member} cannot be encoded: {error}.") from None


def general_name_wire(name: GeneralName) -> dict[str, Any] | None:
    """A GeneralName structure; None for the forms that the models cannot express."""
    match name.kind:
        case "dns":
            return {"DnsName": name.text}
        case "email":
            return {"Rfc822Name": name.text}
        case "uri":
            return {"UniformResourceIdentifier": name.text}
        case "registered_id":
            return {"RegisteredId": name.text}
        case "ip" if isinstance(name.value, bytes) and len(name.value) in (4, 16):
            return {"IpAddress": str(ipaddress.ip_address(name.value))}
        case "other":
            text = name.value if isinstance(name.value, str) else str(name)
            return {"OtherName": {"TypeId": name.type_id, "Value": text}}
        case "directory" if isinstance(name.value, Name):
            return {"DirectoryName": name_wire(name.value)}
        case _:
            return None


def passthrough(wire: Mapping[str, Any] | None) -> Passthrough | None:
    """ApiPassthrough. Raises InvalidArgument for what cannot be encoded or is given twice."""
    if wire is None:
        return None
    extensions = wire.get("Extensions", {})
    subject = wire.get("Subject")
    return templates.passthrough(
        subject=subject_name(subject_spec(subject)) if subject else None,
        key_usages=key_usages(extensions.get("KeyUsage", {})),
        purposes=[_purpose(item) for item in extensions.get("ExtendedKeyUsage", ())],
        names=[general_name(item) for item in extensions.get("SubjectAlternativeNames", ())],
        policies=[_policy(item) for item in extensions.get("CertificatePolicies", ())],
        custom=[_custom(item) for item in extensions.get("CustomExtensions", ())],
    )


def key_usages(wire: Mapping[str, bool]) -> list[str]:
    """The names of the bits that are set."""
    return [name for name, is_set in wire.items() if is_set]


def either(wire: Mapping[str, Any], named: str, custom: str, table: Mapping[str, str]) -> str:
    """The OID of a structure that names it by a word or by itself, never both. Raises InvalidArgument."""
    if (named in wire) == (custom in wire):
        raise InvalidArgument(f"Exactly one of {named} and {custom} must be given.")
    return table[wire[named]] if named in wire else str(wire[custom])


def _purpose(wire: Mapping[str, Any]) -> str:
    return either(wire, "ExtendedKeyUsageType", "ExtendedKeyUsageObjectIdentifier", PURPOSES)


def _policy(wire: Mapping[str, Any]) -> tuple[str, Sequence[str]]:
    return wire["CertPolicyId"], [item["Qualifier"]["CpsUri"] for item in wire.get("PolicyQualifiers", ())]


def _custom(wire: Mapping[str, Any]) -> Extension:
    try:
        value = base64.b64decode(wire["Value"], validate=True)
    except ValueError:
        raise InvalidArgument(f"The value of extension {wire['ObjectIdentifier']} is not base64.") from None
    return Extension(wire["ObjectIdentifier"], bool(wire.get("Critical", False)), value)
