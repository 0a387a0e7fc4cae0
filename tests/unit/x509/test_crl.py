"""Reading CRLs: what `cryptography` writes is read back, what RFC 5280 section 5 forbids is refused."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from greatseal.x509 import der
from greatseal.x509.crl import RevocationList, check_complete, verify_signature

KEY = ec.derive_private_key(2**203 + 5, ec.SECP256R1())
OTHER = ec.derive_private_key(2**203 + 9, ec.SECP256R1())
AT = datetime(2026, 1, 15, 12, tzinfo=UTC)
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA")])


def spki(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def made(*entries, extensions=(), key=KEY):
    """The DER of a list; entries are (serial, reason or None, further extensions)."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(NAME).last_update(AT)
    builder = builder.next_update(AT + timedelta(days=7))
    for serial, reason, *more in entries:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(AT)
        for extension, critical in ([(x509.CRLReason(reason), False)] if reason else []) + more:
            entry = entry.add_extension(extension, critical)
        builder = builder.add_revoked_certificate(entry.build())
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_a_list_says_what_was_written():
    data = made((7, x509.ReasonFlags.key_compromise), (2**158, None), extensions=((x509.CRLNumber(9), False),))
    found = RevocationList.parse(data)
    assert (found.version, found.number) == (2, 9)
    assert (found.this_update, found.next_update) == (AT, AT + timedelta(days=7))
    assert found.issuer.der == NAME.public_bytes()
    assert [(each.serial, each.reason, each.revoked_at) for each in found.entries] == [
        (7, "keyCompromise", AT),
        (2**158, None, AT),
    ]
    assert found.entry(7) == found.entries[0]
    assert found.entry(8) is None
    assert found == RevocationList.parse(data)
    check_complete(found)


def test_a_list_without_entries_and_extensions():
    found = RevocationList.parse(made())
    assert found.entries == ()
    assert found.number is None
    check_complete(found)


def test_signatures():
    found = RevocationList.parse(made((7, None)))
    assert verify_signature(found, spki(KEY))
    assert not verify_signature(found, spki(OTHER))
    data = found.der.replace(b"\x02\x01\x07", b"\x02\x01\x08")
    assert not verify_signature(RevocationList.parse(data), spki(KEY))


@pytest.mark.parametrize("reason", [each for each in x509.ReasonFlags if each is not x509.ReasonFlags.unspecified])
def test_every_reason_has_its_name(reason):
    (entry,) = RevocationList.parse(made((7, reason))).entries
    assert entry.reason == reason.value


POINT = {"full_name": None, "relative_name": None, "only_some_reasons": None, "only_contains_attribute_certs": False}


def point(**given):
    usual = {"only_contains_user_certs": False, "only_contains_ca_certs": False, "indirect_crl": False}
    return x509.IssuingDistributionPoint(**{**POINT, **usual, **given})


def test_a_part_of_the_certificates_is_enough():
    urls = [x509.UniformResourceIdentifier("http://crl.example/1")]
    for extension in (point(full_name=urls), point(only_contains_user_certs=True)):
        check_complete(RevocationList.parse(made((7, None), extensions=((extension, True),))))


@pytest.mark.parametrize(
    ("extension", "text"),
    [
        (x509.DeltaCRLIndicator(3), "delta"),
        (point(indirect_crl=True), "indirect"),
        (point(only_some_reasons=frozenset({x509.ReasonFlags.key_compromise})), "some reasons"),
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\5\0"), "1.2.3"),
    ],
)
def test_lists_that_say_something_else(extension, text):
    found = RevocationList.parse(made((7, None), extensions=((extension, True),)))
    with pytest.raises(der.DerError, match=text):
        check_complete(found)


def test_an_entry_of_another_issuer():
    issuer = x509.CertificateIssuer([x509.DirectoryName(NAME)])
    found = RevocationList.parse(made((7, None, (issuer, True)), (7, None)))
    with pytest.raises(der.DerError, match=r"2\.5\.29\.29"):
        check_complete(found)


def rebuilt(*parts):
    """A list with other contents in its signed part; nobody signed it."""
    tbs = der.sequence(*parts)
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")
    return der.sequence(tbs, algorithm, der.bit_string(b"\1"))


ALGORITHM = bytes.fromhex("300a06082a8648ce3d040302")
HEAD = (der.integer(1), ALGORITHM, NAME.public_bytes(), der.time(AT))
ENTRY = der.sequence(der.integer(7), der.time(AT))
WITH_EXTENSION = der.sequence(
    der.integer(7), der.time(AT), der.sequence(der.sequence(der.oid("2.5.29.21"), der.octet_string(b"\x0a\x01\x01")))
)


def test_version_1_has_no_extensions():
    assert RevocationList.parse(rebuilt(*HEAD[1:], der.sequence(ENTRY))).version == 1
    for parts in ((*HEAD[1:], der.sequence(WITH_EXTENSION)), (*HEAD[1:], der.explicit(0, der.sequence(ENTRY)))):
        with pytest.raises(der.DerError):
            RevocationList.parse(rebuilt(*parts))


@pytest.mark.parametrize(
    "parts",
    [
        (*HEAD, der.sequence()),
        (*HEAD, der.sequence(ENTRY, ENTRY)),
        (*HEAD, der.sequence(ENTRY), der.null()),
        (der.integer(2), *HEAD[1:]),
        (der.integer(0), *HEAD[1:]),
        HEAD[:3],
        (*HEAD, der.explicit(0, der.sequence())),
        (*HEAD, der.sequence(WITH_EXTENSION.replace(b"\x0a\x01\x01", b"\x0a\x01\x07"))),
        (*HEAD, der.sequence(WITH_EXTENSION.replace(b"\x0a\x01\x01", b"\x02\x01\x01"))),
    ],
    ids=["no entry", "twice", "more", "version 3", "version 1", "no time", "no extension", "reason 7", "integer"],
)
def test_what_is_not_allowed(parts):
    with pytest.raises(der.DerError):
        RevocationList.parse(rebuilt(*parts))


GOOD = made((7, x509.ReasonFlags.superseded), (8, None), extensions=((x509.CRLNumber(9), False),))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255), st.booleans())
def test_damage_is_refused_or_breaks_the_signature(position, octet, cut):
    data = GOOD[:position] if cut else GOOD[:position] + bytes([octet]) + GOOD[position + 1 :]
    try:
        found = RevocationList.parse(data)
    except der.DerError:
        return
    assert data == GOOD or not verify_signature(found, spki(KEY))
