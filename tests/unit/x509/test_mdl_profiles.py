"""The profiles of ISO/IEC 18013-5 annex B: what conforms, and each deviation by its name."""

from datetime import UTC, datetime, timedelta

import iso3166
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from greatseal.x509 import der
from greatseal.x509.attributes import COMMON_NAME, Attribute
from greatseal.x509.countries import COUNTRIES
from greatseal.x509.extensions import (
    OID,
    Extension,
    basic_constraints,
    crl_distribution_points,
    extended_key_usage,
    key_usage,
    subject_alternative_name,
)
from greatseal.x509.general_names import GeneralName, dns, encode_general_names
from greatseal.x509.mdl_profiles import (
    DOCUMENT_SIGNING,
    issuer_alternative_name,
    root_deviations,
    signer_deviations,
)
from greatseal.x509.names import Name
from made_certificates import NOW
from made_mdl import IACA, LIST, SIGNER, subject


def codes(order, root=None) -> set[str]:
    found = root_deviations(order.sign()) if root is None else signer_deviations(order.sign(), root.sign())
    return {each.code for each in found}


def but(order, *added: Extension):
    kept = [each for each in order.add if each.oid not in {extension.oid for extension in added}]
    return order.but(add=(*kept, *added))


def without(order, oid: str):
    return order.but(add=tuple(each for each in order.add if each.oid != oid), drop=(*order.drop, oid))


def test_both_conform():
    assert codes(IACA) == set()
    assert codes(SIGNER, IACA) == set()


def test_country_codes_are_those_of_the_standard():
    # XK is a user-assigned code that the other list has too.
    assert {country.alpha2 for country in iso3166.countries} - {"XK"} == COUNTRIES


ROOTS = [
    (IACA.but(not_after=NOW + timedelta(days=366 * 20 + 5)), "validity"),
    (IACA.but(serial=5), "serial"),
    (IACA.but(subject=subject("root", "us")), "country"),
    (IACA.but(subject=Name.build([(Attribute(COMMON_NAME, der.UTF8_STRING, "root"),)])), "subject"),
    (but(IACA, basic_constraints(True, 1)), "basic-constraints"),
    (but(IACA, basic_constraints(True, 0, critical=False)), "basic-constraints"),
    (but(IACA, key_usage(("KeyCertSign",))), "key-usage"),
    (but(IACA, key_usage(("KeyCertSign", "CRLSign"), critical=False)), "key-usage"),
    (but(IACA, extended_key_usage([DOCUMENT_SIGNING])), "extended-key-usage"),
    (without(IACA, OID.ISSUER_ALTERNATIVE_NAME), "issuer-alternative-name"),
    (without(IACA, OID.CRL_DISTRIBUTION_POINTS), "crl-distribution-points"),
    (without(IACA, OID.SUBJECT_KEY_IDENTIFIER), "subject-key-identifier"),
    (but(IACA, Extension(OID.SUBJECT_KEY_IDENTIFIER, False, der.octet_string(b"x" * 20))), "subject-key-identifier"),
    (but(IACA, Extension(OID.FRESHEST_CRL, False, crl_distribution_points(LIST).value)), "forbidden-extension"),
    (but(IACA, subject_alternative_name([dns("x.example.com")], critical=True)), "critical-extension"),
    (
        but(IACA, Extension(OID.ISSUER_ALTERNATIVE_NAME, False, encode_general_names([dns("x.example.com")]))),
        "issuer-alternative-name",
    ),
    (
        but(IACA, Extension(OID.ISSUER_ALTERNATIVE_NAME, True, issuer_alternative_name("a@example.com").value)),
        "issuer-alternative-name",
    ),
    (
        but(IACA, Extension(OID.CRL_DISTRIBUTION_POINTS, True, crl_distribution_points(LIST).value)),
        "crl-distribution-points",
    ),
    (but(IACA, Extension(OID.CRL_DISTRIBUTION_POINTS, False, b"\x30\x03\x01")), "unreadable-extension"),
]


@pytest.mark.parametrize(("order", "code"), ROOTS)
def test_roots(order, code):
    assert codes(order) == {code}


def test_a_point_with_reasons_is_none():
    uri = GeneralName("uri", LIST).encode()
    point = der.sequence(der.explicit(0, der.explicit(0, uri)), der.tlv(0x81, b"\x06\x40"))
    assert codes(but(IACA, Extension(OID.CRL_DISTRIBUTION_POINTS, False, der.sequence(point)))) == {
        "crl-distribution-points"
    }


ED25519 = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
ED_SPKI = der.sequence(der.sequence(der.oid("1.3.101.112")), der.bit_string(ED25519))

SIGNERS = [
    (SIGNER.but(not_after=NOW + timedelta(days=457)), {"validity"}),
    (SIGNER.but(not_before=NOW - timedelta(days=2)), {"validity"}),
    (SIGNER.but(subject=subject("x", "CA")), {"country"}),
    (SIGNER.but(subject=subject("x", "US", "US-NV")), {"state"}),
    (SIGNER.but(subject=subject("x", "US", None)), {"state"}),
    (SIGNER.but(issuer_name=subject("mDL IACA ROOT")), {"issuer"}),
    (but(SIGNER, key_usage(("DigitalSignature", "NonRepudiation"))), {"key-usage"}),
    (but(SIGNER, extended_key_usage([DOCUMENT_SIGNING])), {"extended-key-usage-critical"}),
    (but(SIGNER, extended_key_usage([DOCUMENT_SIGNING, OID.CODE_SIGNING], critical=True)), {"extended-key-usage"}),
    (without(SIGNER, OID.EXTENDED_KEY_USAGE), {"extended-key-usage"}),
    (without(SIGNER, OID.ISSUER_ALTERNATIVE_NAME), {"issuer-alternative-name"}),
    (without(SIGNER, OID.CRL_DISTRIBUTION_POINTS), {"crl-distribution-points"}),
    (without(SIGNER, OID.AUTHORITY_KEY_IDENTIFIER), {"authority-key-identifier"}),
    (but(SIGNER, basic_constraints(True, 0)), {"basic-constraints"}),
    (without(SIGNER, OID.BASIC_CONSTRAINTS), set()),
    (SIGNER.but(spki=ED_SPKI), set()),
]


@pytest.mark.parametrize(("order", "expected"), SIGNERS)
def test_signers(order, expected):
    assert codes(order, IACA) == expected


def test_an_edwards_key_is_no_root():
    assert "key" in codes(IACA.but(spki=ED_SPKI))


def test_a_contact_is_an_address_or_a_uri():
    with pytest.raises(der.DerError, match="neither a mail address nor a URI"):
        issuer_alternative_name("dmv")


def test_the_end_of_the_calendar():
    last = datetime(9999, 12, 31, tzinfo=UTC)
    far = IACA.but(not_before=datetime(9990, 2, 28, tzinfo=UTC), not_after=last).sign()
    assert "validity" not in {each.code for each in root_deviations(far)}
