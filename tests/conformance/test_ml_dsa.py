"""Chains signed with ML-DSA, judged by a second implementation: pure Python, from FIPS 204."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from dilithium_py import ml_dsa

from conformance.hierarchy import POST_QUANTUM, csr

PUBLIC_KEY_SIZES = {
    "ML_DSA_44": 1312,
    "ML_DSA_65": 1952,
    "ML_DSA_87": 2592,
}  # octets of the public key, FIPS 204 table 2
OIDS = {f"ML_DSA_{size}": f"2.16.840.1.101.3.4.3.{arc}" for size, arc in ((44, 17), (65, 18), (87, 19))}


def agrees(signer: x509.Certificate | x509.CertificateSigningRequest, tbs: bytes, signature: bytes, key: str) -> bool:
    public = signer.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    assert len(public) == PUBLIC_KEY_SIZES[key]
    return bool(getattr(ml_dsa, key).verify(public, tbs, signature))


@pytest.mark.parametrize("key", POST_QUANTUM)
def test_dilithium_verifies_every_link(customer, chain, key):
    leaf = customer.issue(chain(key), csr(key, "app.example.internal"))
    path = [leaf.parsed, *leaf.above]
    assert len(path) == 3
    for certificate, issuer in zip(path, [*path[1:], path[-1]], strict=True):
        assert certificate.issuer == issuer.subject
        assert certificate.signature_algorithm_oid.dotted_string == OIDS[key]
        assert certificate.public_key_algorithm_oid.dotted_string == OIDS[key]
        assert agrees(issuer, certificate.tbs_certificate_bytes, certificate.signature, key)
    changed = leaf.parsed.tbs_certificate_bytes[:-1] + b"\0"
    assert not agrees(leaf.above[0], changed, leaf.parsed.signature, key)


@pytest.mark.parametrize("key", POST_QUANTUM)
def test_dilithium_verifies_the_request(customer, key):
    request = x509.load_pem_x509_csr(customer.csr_of(customer.create("SUBORDINATE", key)))
    assert agrees(request, request.tbs_certrequest_bytes, request.signature, key)


@pytest.mark.parametrize("key", POST_QUANTUM)
@pytest.mark.parametrize("subject", ["RSA_2048", "EC_prime256v1"])
def test_a_post_quantum_authority_certifies_classical_keys(customer, chain, key, subject):
    leaf = customer.issue(chain(key), csr(subject, "app.example.internal"))
    assert agrees(leaf.above[0], leaf.parsed.tbs_certificate_bytes, leaf.parsed.signature, key)
