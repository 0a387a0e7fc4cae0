"""Damaged requests and certificates: whatever one changes, the answer is a refusal or a value, never a crash."""

import base64
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from greatseal.kernel.errors import MalformedCsr
from greatseal.x509 import der
from greatseal.x509.certificate import Certificate, verify_signature
from greatseal.x509.csr import parse_csr

GOLDEN = Path(__file__).parents[2] / "golden"
CERTIFICATES = [
    base64.b64decode(line.split()[2])
    for name in ("EC_prime256v1-full.txt", "RSA_2048.txt")
    for line in (GOLDEN / name).read_text("ascii").splitlines()[1::9]
]
KEYS = [
    (rsa.generate_private_key(65537, 2048), hashes.SHA256()),
    (ec.derive_private_key(7, ec.SECP256R1()), hashes.SHA256()),
    (ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)), None),
    (mldsa.MLDSA44PrivateKey.from_seed_bytes(bytes(32)), None),
]
REQUESTS = [
    x509.CertificateSigningRequestBuilder()
    .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "example.com")]))
    .add_extension(x509.SubjectAlternativeName([x509.DNSName("a.example.com")]), critical=False)
    .sign(key, digest)
    .public_bytes(serialization.Encoding.DER)
    for key, digest in KEYS
]


@st.composite
def damaged(draw, originals):
    """An original with a few octets changed, removed or inserted; mostly near the front, where structure is."""
    octets = bytearray(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.one_of(st.integers(0, 120), st.integers(0, len(octets) - 1)))
        match draw(st.integers(0, 2)):
            case 0:
                octets[at] = draw(st.integers(0, 255))
            case 1:
                del octets[at]
            case _:
                octets.insert(at, draw(st.sampled_from([0, 0x30, 0x7F, 0x80, 0x81, 0xFF])))
    return bytes(octets)


@settings(max_examples=400)
@given(damaged(REQUESTS))
def test_a_damaged_request_is_never_accepted(data):
    if data in REQUESTS:
        return
    with pytest.raises(MalformedCsr):
        parse_csr(data)


@settings(max_examples=400)
@given(damaged(CERTIFICATES))
def test_a_damaged_certificate_is_read_or_refused_and_never_verifies(data):
    try:
        certificate = Certificate.parse(data)
    except der.DerError:
        return
    issuer = Certificate.parse(next(encoded for encoded in CERTIFICATES if Certificate.parse(encoded).is_self_issued))
    assert not verify_signature(certificate, issuer.spki) or data in CERTIFICATES
    assert isinstance(certificate.is_ca, bool)
    assert isinstance(certificate.subject.display() + certificate.issuer.rfc2253(), str)
