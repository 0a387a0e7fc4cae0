"""Certificate revocation lists, read strictly (RFC 5280 section 5).

As with certificates, the octets are kept: `tbs` is what the signature covers, and extensions are raw values to be
read by whoever knows their OID.
"""

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from greatseal.x509 import der, public_keys
from greatseal.x509.extensions import Extension, find, parse_extensions
from greatseal.x509.names import Name

REASONS = {
    0: "unspecified",
    1: "keyCompromise",
    2: "cACompromise",
    3: "affiliationChanged",
    4: "superseded",
    5: "cessationOfOperation",
    6: "certificateHold",
    8: "removeFromCRL",
    9: "privilegeWithdrawn",
    10: "aACompromise",
}
"""CRLReason by its number (RFC 5280 section 5.3.1); 7 is not used."""

CRL_NUMBER = "2.5.29.20"
REASON_CODE = "2.5.29.21"
INVALIDITY_DATE = "2.5.29.24"
DELTA_CRL_INDICATOR = "2.5.29.27"
ISSUING_DISTRIBUTION_POINT = "2.5.29.28"
CERTIFICATE_ISSUER = "2.5.29.29"
FRESHEST_CRL = "2.5.29.46"

_LIMIT = der.MAX_SIZE
_ENUMERATED = 0x0A
_EXTENSIONS = 0xA0
_UNDERSTOOD = frozenset({CRL_NUMBER, REASON_CODE, INVALIDITY_DATE, ISSUING_DISTRIBUTION_POINT, "2.5.29.35"})


@dataclass(frozen=True, slots=True)
class RevokedCertificate:
    """One entry: whose serial, since when, and why; None when no reason is given."""

    serial: int
    revoked_at: datetime
    reason: str | None
    extensions: tuple[Extension, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class RevocationList:
    """What a CRL says. Two lists are equal when their octets are. Times are aware and in UTC."""

    der: bytes
    tbs: bytes = field(compare=False, repr=False)
    version: int = field(compare=False)
    inner_algorithm_identifier: bytes = field(compare=False, repr=False)
    issuer: Name = field(compare=False)
    this_update: datetime = field(compare=False)
    next_update: datetime | None = field(compare=False)
    entries: tuple[RevokedCertificate, ...] = field(compare=False, repr=False)
    extensions: tuple[Extension, ...] = field(compare=False, repr=False)
    signature_algorithm_identifier: bytes = field(compare=False, repr=False)
    signature: bytes = field(compare=False, repr=False)

    @classmethod
    def parse(cls, data: bytes, *, limit: int = _LIMIT) -> "RevocationList":
        """The list whose complete DER is `data`, of at most `limit` octets.

        Raises DerError, also for a certificate that is listed twice.
        """
        outer = der.only(data, der.SEQUENCE, limit)
        tbs = outer.raw(der.SEQUENCE)
        algorithm = outer.raw(der.SEQUENCE)
        signature = outer.octets()
        outer.end()

        inside = der.only(tbs, der.SEQUENCE, limit)
        version = _read_version(inside)
        inner = inside.raw(der.SEQUENCE)
        issuer = Name.parse(inside.raw(der.SEQUENCE))
        this_update = inside.time()
        next_update = inside.time() if inside.peek() in (der.UTC_TIME, der.GENERALIZED_TIME) else None
        entries = _read_entries(inside.enter(der.SEQUENCE), version) if inside.peek() == der.SEQUENCE else ()
        extensions: tuple[Extension, ...] = ()
        if version == 2 and inside.peek() == _EXTENSIONS:
            holder = inside.enter(_EXTENSIONS)
            extensions = parse_extensions(holder.raw(der.SEQUENCE))
            holder.end()
        inside.end()
        return cls(
            der=data,
            tbs=tbs,
            version=version,
            inner_algorithm_identifier=inner,
            issuer=issuer,
            this_update=this_update,
            next_update=next_update,
            entries=entries,
            extensions=extensions,
            signature_algorithm_identifier=algorithm,
            signature=signature,
        )

    def extension(self, oid: str) -> Extension | None:
        """The extension of the list (not of an entry) with this OID, or None."""
        return find(self.extensions, oid)

    @property
    def number(self) -> int | None:
        """The CRL number; None when the list has none. Raises DerError when the value is broken."""
        found = self.extension(CRL_NUMBER)
        return None if found is None else _only_integer(found.value)

    def entry(self, serial: int) -> RevokedCertificate | None:
        """The entry of a certificate, or None."""
        return next((each for each in self.entries if each.serial == serial), None)


def check_complete(crl: RevocationList) -> None:
    """Raises DerError for a list that says more, or less, than "these certificates of mine are revoked".

    Those are deltas, indirect lists, lists of some reasons, and lists with critical extensions that nobody here
    understands (RFC 5280 section 5.2). A list for a part of the certificates passes: what it names is revoked.
    """
    if crl.extension(DELTA_CRL_INDICATOR):
        raise der.DerError("a delta CRL")
    for extension in (*crl.extensions, *(each for entry in crl.entries for each in entry.extensions)):
        if extension.critical and extension.oid not in _UNDERSTOOD:
            raise der.DerError(f"a CRL with the critical extension {extension.oid}")
    point = crl.extension(ISSUING_DISTRIBUTION_POINT)
    if point is not None:
        _check_distribution_point(point)


def verify_signature(crl: RevocationList, issuer_spki: bytes) -> bool:
    """Whether the issuer's key (DER of its SubjectPublicKeyInfo) made the signature.

    The algorithm inside and outside of the signed part must be the same (RFC 5280 section 5.1.1.2). Unknown and
    weak algorithms: False.
    """
    if crl.inner_algorithm_identifier != crl.signature_algorithm_identifier:
        return False
    return public_keys.verify(issuer_spki, crl.signature_algorithm_identifier, crl.signature, crl.tbs)


def _read_version(reader: der.Reader) -> int:
    """The version as people count it: 1 has no field, 2 is the only one that is spelled out."""
    if reader.peek() != der.INTEGER:
        return 1
    if reader.integer() != 1:
        raise der.DerError("a CRL of an unknown version")
    return 2


def _read_entries(reader: der.Reader, version: int) -> tuple[RevokedCertificate, ...]:
    """At least one entry: an empty list must be left out (RFC 5280 section 5.1.2.6)."""
    entries = [_read_entry(reader.enter(der.SEQUENCE), version)]
    while reader.peek() is not None:
        entries.append(_read_entry(reader.enter(der.SEQUENCE), version))
    # In an indirect list the serial alone does not name a certificate.
    if all(find(each.extensions, CERTIFICATE_ISSUER) is None for each in entries) and len(
        {each.serial for each in entries}
    ) != len(entries):
        raise der.DerError("a CRL that lists a certificate twice")
    return tuple(entries)


def _read_entry(reader: der.Reader, version: int) -> RevokedCertificate:
    serial = reader.integer()
    revoked_at = reader.time()
    if version == 1 or reader.peek() is None:
        reader.end()
        return RevokedCertificate(serial, revoked_at, None)
    raw = reader.raw(der.SEQUENCE)
    reader.end()
    reason, extensions = _few(raw) if len(raw) <= _FEW_OCTETS else _read_entry_extensions(raw)
    return RevokedCertificate(serial, revoked_at, reason, extensions)


def _read_entry_extensions(raw: bytes) -> tuple[str | None, tuple[Extension, ...]]:
    extensions = parse_extensions(raw)
    code = find(extensions, REASON_CODE)
    return None if code is None else _read_reason(code), extensions


# A million entries have the same few reasons, and nothing else in their extensions.
_FEW_OCTETS = 32
_few = lru_cache(maxsize=256)(_read_entry_extensions)


def _read_reason(extension: Extension) -> str:
    reader = der.Reader(extension.value)
    code = der.decode_integer(reader.read(_ENUMERATED))
    reader.end()
    if code not in REASONS:
        raise der.DerError("a reason that no CRL may give")
    return REASONS[code]


def _check_distribution_point(extension: Extension) -> None:
    inside = der.only(extension.value, der.SEQUENCE)
    for tag in (0xA0, 0x81, 0x82):
        inside.optional(tag)
    if inside.optional(0x83) is not None:
        raise der.DerError("a CRL of some reasons only")
    if inside.optional(0x84) is not None:
        raise der.DerError("an indirect CRL")
    inside.optional(0x85)
    inside.end()


def _only_integer(data: bytes) -> int:
    reader = der.Reader(data)
    value = reader.integer()
    reader.end()
    return value
