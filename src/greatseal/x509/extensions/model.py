"""The extension itself, the OIDs of the ones we know, and lists of them (RFC 5280 section 4.2)."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from greatseal.x509 import der

# Nearly all extensions are those that other certificates of the same CA have, too.
_KEPT, _LARGEST_KEPT = 1024, 512


class OID:
    """Object identifiers of extensions, key purposes, access methods and policies, in dotted decimal."""

    SUBJECT_KEY_IDENTIFIER = "2.5.29.14"
    KEY_USAGE = "2.5.29.15"
    SUBJECT_ALTERNATIVE_NAME = "2.5.29.17"
    ISSUER_ALTERNATIVE_NAME = "2.5.29.18"
    BASIC_CONSTRAINTS = "2.5.29.19"
    NAME_CONSTRAINTS = "2.5.29.30"
    CRL_DISTRIBUTION_POINTS = "2.5.29.31"
    CERTIFICATE_POLICIES = "2.5.29.32"
    POLICY_MAPPINGS = "2.5.29.33"
    AUTHORITY_KEY_IDENTIFIER = "2.5.29.35"
    POLICY_CONSTRAINTS = "2.5.29.36"
    EXTENDED_KEY_USAGE = "2.5.29.37"
    FRESHEST_CRL = "2.5.29.46"
    INHIBIT_ANY_POLICY = "2.5.29.54"
    SUBJECT_DIRECTORY_ATTRIBUTES = "2.5.29.9"
    AUTHORITY_INFORMATION_ACCESS = "1.3.6.1.5.5.7.1.1"
    SUBJECT_INFORMATION_ACCESS = "1.3.6.1.5.5.7.1.11"
    TLS_FEATURE = "1.3.6.1.5.5.7.1.24"
    OCSP_NO_CHECK = "1.3.6.1.5.5.7.48.1.5"
    CT_POISON = "1.3.6.1.4.1.11129.2.4.3"
    CT_SCTS = "1.3.6.1.4.1.11129.2.4.2"

    ANY_EXTENDED_KEY_USAGE = "2.5.29.37.0"
    SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
    CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"
    CODE_SIGNING = "1.3.6.1.5.5.7.3.3"
    EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4"
    TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
    OCSP_SIGNING = "1.3.6.1.5.5.7.3.9"
    SMART_CARD_LOGIN = "1.3.6.1.4.1.311.20.2.2"
    DOCUMENT_SIGNING = "1.3.6.1.4.1.311.10.3.12"
    CERTIFICATE_TRANSPARENCY = "1.3.6.1.4.1.11129.2.4.4"

    ACCESS_OCSP = "1.3.6.1.5.5.7.48.1"
    ACCESS_CA_ISSUERS = "1.3.6.1.5.5.7.48.2"
    ACCESS_CA_REPOSITORY = "1.3.6.1.5.5.7.48.5"
    ACCESS_RESOURCE_PKI_MANIFEST = "1.3.6.1.5.5.7.48.10"
    ACCESS_RESOURCE_PKI_NOTIFY = "1.3.6.1.5.5.7.48.13"

    ANY_POLICY = "2.5.29.32.0"
    CPS = "1.3.6.1.5.5.7.2.1"
    EXTENSION_REQUEST = "1.2.840.113549.1.9.14"


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension: dotted OID, criticality, and the content of the extnValue OCTET STRING (DER of its own)."""

    oid: str
    critical: bool
    value: bytes

    def encode(self) -> bytes:
        """The DER of the Extension. FALSE is the default of `critical` and therefore not written."""
        parts = [der.oid(self.oid), der.boolean(True)] if self.critical else [der.oid(self.oid)]
        return der.sequence(*parts, der.octet_string(self.value))


def encode_extensions(extensions: Iterable[Extension]) -> bytes:
    """The DER of Extensions. Raises DerError for an OID that occurs twice or for an empty list."""
    kept = tuple(extensions)
    refuse_duplicates(kept)
    if not kept:
        raise der.DerError("an empty list of extensions")
    return der.sequence(*(_encode_before(each) if len(each.value) <= _LARGEST_KEPT else each.encode() for each in kept))


_encode_before = lru_cache(_KEPT)(Extension.encode)


def parse_extensions(data: bytes) -> tuple[Extension, ...]:
    """The extensions whose Extensions DER is `data`. Raises DerError, also for an OID that occurs twice."""
    encoded = der.members(data, der.SEQUENCE)
    if not encoded:
        raise der.DerError("a value is missing")
    extensions = tuple(_read_before(each) if len(each) <= _LARGEST_KEPT else _read(each) for each in encoded)
    refuse_duplicates(extensions)
    return extensions


def _read(encoded: bytes) -> Extension:
    parts = der.members(encoded, der.SEQUENCE)
    critical = len(parts) > 1 and parts[1][0] == der.BOOLEAN
    spelled = der.decode_boolean(der.content(parts.pop(1), der.BOOLEAN)) if critical else None
    kind, held = der.expect(parts, der.OBJECT_IDENTIFIER, der.OCTET_STRING)
    oid = der.decode_oid(der.content(kind, der.OBJECT_IDENTIFIER))
    if spelled is False:
        raise der.DerError(f"extension {oid} spells out the default of critical, which is BER")
    return Extension(oid, critical, der.content(held, der.OCTET_STRING))


_read_before = lru_cache(_KEPT)(_read)


def refuse_duplicates(extensions: Iterable[Extension]) -> None:
    """Raises DerError when two extensions have the same OID (RFC 5280 section 4.2)."""
    seen: set[str] = set()
    for extension in extensions:
        if extension.oid in seen:
            raise der.DerError(f"extension {extension.oid} occurs twice")
        seen.add(extension.oid)


def find(extensions: Iterable[Extension], oid: str) -> Extension | None:
    """The extension with this OID, or None."""
    for extension in extensions:
        if extension.oid == oid:
            return extension
    return None
