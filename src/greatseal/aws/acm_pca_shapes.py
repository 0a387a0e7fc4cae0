"""Structures of AWS Private CA to and from plain values (acm-pca.md 2.2, 3)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from greatseal.aws import acm_pca_revocation as revocation_shapes
from greatseal.aws import asn1
from greatseal.crypto.algorithms import KeyAlgorithm, SignatureAlgorithm
from greatseal.domain.authorities.issued import IssuedCertificate
from greatseal.domain.authorities.model import Authority, CaCertificate
from greatseal.kernel.errors import InvalidArgument
from greatseal.x509 import der, pem
from greatseal.x509.certificate import Certificate
from greatseal.x509.extensions import (
    KEY_USAGES,
    OID,
    AccessDescription,
    Extension,
    key_usage,
    read_information_access,
    read_key_usage,
    subject_information_access,
)
from greatseal.x509.extensions import find as find_extension
from greatseal.x509.validity import Validity, ValidityType

_METHODS_BY_OID = {oid: name for name, oid in asn1.ACCESS_METHODS.items()}


def key_algorithm(name: str) -> KeyAlgorithm:
    """A row of the table. Raises InvalidArgument for SM2."""
    if name not in KeyAlgorithm.__members__:
        raise InvalidArgument(f"Key algorithm {name} is not supported: the cryptographic library does not offer it.")
    return KeyAlgorithm[name]


def signing_algorithm(name: str) -> SignatureAlgorithm:
    """A row of the table. Raises InvalidArgument for SM3WITHSM2."""
    if name not in SignatureAlgorithm.__members__:
        raise InvalidArgument(
            f"Signing algorithm {name} is not supported: the cryptographic library does not offer it."
        )
    return SignatureAlgorithm[name]


def key_storage(standard: str | None) -> str:
    """The standard that is shown; CCPC exists in China only, as the real service says it (2.1)."""
    if standard == "CCPC_LEVEL_1_OR_HIGHER":
        raise InvalidArgument(
            "A certificate authority cannot be created in this region with the specified security standard."
        )
    return standard or "FIPS_140_2_LEVEL_3_OR_HIGHER"


def validity(wire: Mapping[str, Any]) -> Validity:
    """Validity."""
    return Validity(wire["Value"], ValidityType(wire["Type"]))


def csr_extensions(wire: Mapping[str, Any] | None) -> tuple[Extension, ...]:
    """CsrExtensions (3.4). Raises InvalidArgument for what cannot be encoded."""
    if wire is None:
        return ()
    extensions = []
    if usages := asn1.key_usages(wire.get("KeyUsage", {})):
        extensions.append(key_usage(usages))
    entries = [
        AccessDescription(
            asn1.either(item["AccessMethod"], "AccessMethodType", "CustomObjectIdentifier", asn1.ACCESS_METHODS),
            asn1.general_name(item["AccessLocation"]),
        )
        for item in wire.get("SubjectInformationAccess", ())
    ]
    if entries:
        try:
            extensions.append(subject_information_access(entries))
        except der.DerError as error:
            raise InvalidArgument(f"The SubjectInformationAccess cannot be encoded: {error}.") from None
    return tuple(extensions)


def _csr_extensions_wire(extensions: tuple[Extension, ...]) -> dict[str, Any] | None:
    wire: dict[str, Any] = {}
    if usage := find_extension(extensions, OID.KEY_USAGE):
        present = read_key_usage(usage)
        wire["KeyUsage"] = {name: name in present for name in KEY_USAGES}
    if access := find_extension(extensions, OID.SUBJECT_INFORMATION_ACCESS):
        wire["SubjectInformationAccess"] = [
            {
                "AccessMethod": {"AccessMethodType": _METHODS_BY_OID[item.method]}
                if item.method in _METHODS_BY_OID
                else {"CustomObjectIdentifier": item.method},
                "AccessLocation": asn1.general_name_wire(item.location),
            }
            for item in read_information_access(access)
        ]
    return wire or None


def authority_wire(item: Authority, now: datetime) -> dict[str, Any]:
    """CertificateAuthority (2.2)."""
    wire: dict[str, Any] = {
        "Arn": item.arn,
        "OwnerAccount": item.account,
        "CreatedAt": item.created_at,
        "LastStateChangeAt": item.changed_at,
        "Type": item.kind.value,
        "Status": item.status_at(now).value,
        "CertificateAuthorityConfiguration": {
            "KeyAlgorithm": item.key_algorithm.name,
            "SigningAlgorithm": item.signing_algorithm.name,
            "Subject": asn1.subject_wire(item.subject),
            "CsrExtensions": _csr_extensions_wire(item.csr_extensions),
        },
        "RevocationConfiguration": revocation_shapes.to_wire(item.revocation),
        "RestorableUntil": item.restorable_until,
        "KeyStorageSecurityStandard": item.key_storage,
        "UsageMode": item.usage_mode.value,
    }
    if item.certificate is not None:
        installed = Certificate.parse(item.certificate.der)
        # At least 16 octets, and as many as a CA outside of Greatseal chose.
        wire["Serial"] = installed.serial.to_bytes(max(16, (installed.serial.bit_length() + 7) // 8), "big").hex(":")
        wire["NotBefore"] = installed.not_before
        wire["NotAfter"] = installed.not_after
    return wire


def ca_certificate_wire(item: CaCertificate) -> dict[str, Any]:
    """The answer of GetCertificateAuthorityCertificate."""
    return {
        "Certificate": pem.write("CERTIFICATE", item.der),
        # Absent for a root, never empty (2.6).
        "CertificateChain": pem.write_certificates(item.chain) if item.chain else None,
    }


def issued_wire(item: IssuedCertificate) -> dict[str, Any]:
    """The answer of GetCertificate."""
    return {
        "Certificate": pem.write("CERTIFICATE", item.certificate),
        "CertificateChain": pem.write_certificates(item.chain) if item.chain is not None else None,
    }
