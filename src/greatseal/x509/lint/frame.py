"""Rules for the fields of the certificate itself (RFC 5280 section 4.1)."""

from collections.abc import Iterator

from greatseal.crypto.algorithms import signature_algorithm_of
from greatseal.x509 import der, public_keys
from greatseal.x509.lint.model import Draft, Rule, error, warning

_FIRST_GENERALIZED_YEAR = 2050


def _version(draft: Draft) -> Iterator[str]:
    if draft.certificate.version != 3:
        yield f"The version is {draft.certificate.version}, not 3."


def _serial(draft: Draft) -> Iterator[str]:
    serial = draft.certificate.serial
    if serial <= 0:
        yield "The serial number is not positive."
    elif serial.bit_length() > 20 * 8 - 1:
        yield "The serial number has more than 20 octets."


def _serial_entropy(draft: Draft) -> Iterator[str]:
    if 0 < draft.certificate.serial < 1 << 63:
        yield "The serial number is too short to hold 64 bits of randomness."


def _algorithm(draft: Draft) -> Iterator[str]:
    identifier = draft.certificate.inner_algorithm_identifier
    row = signature_algorithm_of(identifier)
    if row is None:
        yield "The signature algorithm is not one of those that Greatseal signs with, in its exact encoding."
    elif draft.profile.algorithm not in (None, row):
        yield f"The signature algorithm inside is {row.name}, but the certificate will be signed otherwise."


def _issuer(draft: Draft) -> Iterator[str]:
    # Relying parties chain by octets; an equal name in another encoding does not chain everywhere.
    expected = draft.certificate.subject if draft.issuer is None else draft.issuer.subject
    if draft.certificate.issuer.is_empty:
        yield "The issuer is empty."
    if draft.certificate.issuer.der != expected.der:
        yield "The issuer is not, octet for octet, the subject of the issuing certificate."


def _validity_order(draft: Draft) -> Iterator[str]:
    if draft.certificate.not_before > draft.certificate.not_after:
        yield "The certificate ends before it begins."


def _validity_within_issuer(draft: Draft) -> Iterator[str]:
    if draft.issuer is not None and draft.certificate.not_after > draft.issuer.not_after:
        yield "The certificate ends after that of its issuer."


def _validity_encoding(draft: Draft) -> Iterator[str]:
    for tag, moment in zip(_time_tags(draft), _times(draft), strict=True):
        expected = der.UTC_TIME if moment < _FIRST_GENERALIZED_YEAR else der.GENERALIZED_TIME
        if tag != expected:
            yield f"A time in {moment} is not in the encoding for that year (UTCTime through 2049)."


def _times(draft: Draft) -> tuple[int, int]:
    return draft.certificate.not_before.year, draft.certificate.not_after.year


def _time_tags(draft: Draft) -> tuple[int, int]:
    """The tags of notBefore and notAfter; the certificate was parsed before, so this cannot fail."""
    # Before them are version (of 2 and 3), serialNumber, signature and issuer.
    not_before, not_after = der.members(draft.fields[4 if draft.fields[0][0] == 0xA0 else 3], der.SEQUENCE)
    return not_before[0], not_after[0]


def _public_key(draft: Draft) -> Iterator[str]:
    try:
        public_keys.load_subject_key(draft.certificate.spki)
    except der.DerError as broken:
        yield f"The public key cannot be read: {broken}."


def _unique_identifiers(draft: Draft) -> Iterator[str]:
    for field in draft.fields:
        if field[0] in (0x81, 0x82):
            yield "The certificate has a unique identifier."


RULES: tuple[Rule[Draft], ...] = (
    error("version", "RFC 5280 section 4.1.2.1", _version),
    error("serial", "RFC 5280 section 4.1.2.2", _serial),
    warning("serial-entropy", "BR section 7.1", _serial_entropy),
    error("signature-algorithm", "RFC 5280 sections 4.1.1.2 and 4.1.2.3", _algorithm),
    error("issuer", "RFC 5280 sections 4.1.2.4 and 6.1.3", _issuer),
    error("validity-order", "RFC 5280 section 4.1.2.5", _validity_order),
    error("validity-issuer", "acm-pca.md 6.1", _validity_within_issuer),
    error("validity-encoding", "RFC 5280 section 4.1.2.5", _validity_encoding),
    error("public-key", "RFC 5280 section 4.1.2.7", _public_key),
    error("unique-identifier", "RFC 5280 section 4.1.2.8", _unique_identifiers),
)
