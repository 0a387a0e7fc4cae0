"""The golden certificates: regenerated in memory, and read by two other implementations."""

import base64
import hashlib
import importlib.util
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from dilithium_py import ml_dsa
from plain_language import asn1_key_bits, by_asn1crypto, by_cryptography

from greatseal.crypto import keypair
from greatseal.crypto.algorithms import KeyAlgorithm, SignatureAlgorithm
from greatseal.crypto.signature import SoftwareSigner
from greatseal.x509.certificate import Certificate, TbsCertificate, assemble, encode_tbs, verify_signature
from greatseal.x509.extensions import key_identifier_of
from greatseal.x509.names import subject_from_attributes
from greatseal.x509.templates import TEMPLATES

ROOT = Path(__file__).parents[3]
SPEC = importlib.util.spec_from_file_location("make_golden", ROOT / "tools" / "make_golden.py")
assert SPEC
assert SPEC.loader
golden = importlib.util.module_from_spec(SPEC)
sys.modules["make_golden"] = golden
SPEC.loader.exec_module(golden)

PLAIN = [family for family in golden.FAMILIES if not family.full]
EACH_FAMILY = pytest.mark.parametrize("family", golden.FAMILIES, ids=lambda family: family.path.stem)


def rows(family):
    for line in family.path.read_text("ascii").splitlines():
        if not line.startswith("#"):
            name, digest, encoded = line.split()
            yield name, digest, base64.b64decode(encoded)


def whole(family, encoded):
    """The certificate of a row; to-be-signed parts are signed here."""
    return encoded if family.signed else golden.sign(family, encoded)


def expectations():
    """Family name -> lines of families.txt."""
    found, current = {}, []
    for line in (golden.GOLDEN / "families.txt").read_text("ascii").splitlines():
        if line.startswith("  "):
            current.append(line.strip())
        elif line and not line.startswith("#"):
            current = found.setdefault(line, [])
    return found


@EACH_FAMILY
def test_regenerated_bytes_are_the_checked_in_ones(family):
    assert "\n".join(golden.lines(family)) + "\n" == family.path.read_text("ascii")


@EACH_FAMILY
def test_every_template_has_its_golden_certificate_that_verifies(family):
    issuer_spki = golden.signer(family.issuer).spki
    names = []
    for name, digest, encoded in rows(family):
        certificate = Certificate.parse(whole(family, encoded))
        assert hashlib.sha256(certificate.tbs).hexdigest() == digest
        assert verify_signature(certificate, issuer_spki)
        names.append(name)
    assert sorted(names) == sorted(TEMPLATES)


@pytest.mark.parametrize("family", PLAIN, ids=lambda family: family.path.stem)
def test_two_other_implementations_find_what_the_families_promise(family):
    issuer = golden.signer(family.issuer)
    issuer_key_id = hashlib.sha1(asn1_key_bits(issuer.spki)).digest()
    promises = expectations()
    used = set()
    for name, _, encoded in rows(family):
        base = re.sub(r"_(CSR|API|APICSR)Passthrough$", "", name)
        number = re.search(r"_PathLen(\d)$", base)
        key = re.sub(r"_PathLen\d$", "_PathLenN", base)
        used.add(key)
        expected = [
            line.replace("path length N", f"path length {number[1]}" if number else "") for line in promises[key]
        ]
        certificate = whole(family, encoded)
        assert by_cryptography(x509.load_der_x509_certificate(certificate), issuer_key_id) == expected, name
        assert by_asn1crypto(certificate, issuer_key_id) == expected, name
    assert used == set(promises)


@EACH_FAMILY
def test_two_other_implementations_agree_on_names_serial_and_dates(family):
    issuer = f"C=US,O=Greatseal Tests,CN=Golden {family.issuer}"
    api, leaf = "C=SE,O=Greatseal API,CN=api.example.com", "C=US,O=Greatseal Tests,CN=leaf.example.com"
    for name, _, encoded in rows(family):
        root = "Root" in name
        takes_api_subject = family.full and "_API" in name
        subject = api if takes_api_subject else (issuer if root else leaf)
        not_after = datetime(2056, 1, 1, tzinfo=UTC) if root else datetime(2027, 2, 1, tzinfo=UTC)
        serial = golden.serial_of(family, TEMPLATES[name])

        first = x509.load_der_x509_certificate(whole(family, encoded))
        assert ",".join(rdn.rfc4514_string() for rdn in first.subject.rdns) == subject
        assert ",".join(rdn.rfc4514_string() for rdn in first.issuer.rdns) == (subject if root else issuer)
        assert (first.serial_number, first.version) == (serial, x509.Version.v3)
        assert first.not_valid_before_utc == datetime(2025, 12, 31, 23, tzinfo=UTC)
        assert first.not_valid_after_utc == not_after

        second = asn1.Certificate.load(whole(family, encoded), strict=True)
        short = {"country_name": "C", "organization_name": "O", "common_name": "CN"}
        assert ",".join(f"{short[k]}={v}" for k, v in second.subject.native.items()) == subject
        assert second.serial_number == serial
        assert second.not_valid_before == datetime(2025, 12, 31, 23, tzinfo=UTC)
        assert second.not_valid_after == not_after
        if family.signed:  # it cannot encode ML-DSA keys
            # It encodes anew what it decoded: the same octets mean that ours were canonical.
            assert second.dump(force=True) == encoded


def test_full_family_keeps_every_template_value_against_request_and_api():
    """What the sources tried to override did not change; what only they have arrived where allowed."""
    family = next(family for family in golden.FAMILIES if family.full)
    for name, _, encoded in rows(family):
        template = TEMPLATES[name]
        certificate = x509.load_der_x509_certificate(encoded)
        found = {extension.oid.dotted_string: extension for extension in certificate.extensions}
        basic = found["2.5.29.19"]
        assert (basic.value.ca, basic.value.path_length) == (template.ca, template.path_length), name
        assert basic.critical == (template.ca or "CriticalBasicConstraints" in name)
        assert found["2.5.29.14"].value.digest not in (b"csr", b"api")
        if template.root:
            assert ("2.5.29.35" in found) == ("_API" in name)
            assert "1.3.6.1.5.5.7.1.1" not in found
        else:
            assert found["2.5.29.35"].value.key_identifier not in (b"csr", b"api")
            assert found["2.5.29.31"].value[0].full_name[0].value == "http://ca.example.com/crl/1.crl"
            assert found["1.3.6.1.5.5.7.1.1"].value[0].access_location.value == "http://ocsp.example.com"
        blank = name.startswith("Blank")
        if "2.5.29.15" in found:
            assert found["2.5.29.15"].critical
            assert found["2.5.29.15"].value.key_agreement == blank
        if "2.5.29.37" in found and not blank and not template.ca:
            purposes = {oid.dotted_string for oid in found["2.5.29.37"].value}
            assert not purposes & {"1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.8"}
        assert ("1.3.6.1.4.1.37244.9.1" in found) == name.endswith(("_CSRPassthrough", "_APICSRPassthrough"))
        assert ("1.3.6.1.4.1.37244.9.2" in found) == name.endswith(("_APIPassthrough", "_APICSRPassthrough"))


@pytest.mark.parametrize("number", [44, 65, 87])
def test_ml_dsa_signatures_verify_with_a_second_library(number):
    algorithm = KeyAlgorithm[f"ML_DSA_{number}"]
    signer = (
        golden.signer("ML_DSA_44")
        if number == 44
        else SoftwareSigner.of(keypair.load_private(keypair.generate(algorithm)))
    )
    name = subject_from_attributes({"CommonName": "pq"})
    row = SignatureAlgorithm[algorithm.name]
    if number == 44:
        tbs = next(
            encoded for template, _, encoded in rows(golden.Family("ML_DSA_44")) if template == "RootCACertificate"
        )
    else:
        start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
        tbs = encode_tbs(TbsCertificate(7, row, name, start, end, name, signer.spki, ()))
    certificate = Certificate.parse(assemble(tbs, row, signer.sign(tbs, row)))
    other = getattr(ml_dsa, f"ML_DSA_{number}")
    public = asn1_key_bits(signer.spki)
    assert other.verify(public, certificate.tbs, certificate.signature)
    assert not other.verify(public, certificate.tbs + b"\0", certificate.signature)
    assert key_identifier_of(signer.spki) == hashlib.sha1(public).digest()
