"""Every row of the table, against certificates that `cryptography` makes with the same algorithm."""

from datetime import UTC, datetime

import pytest
from asn1crypto import core as asn1_core
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, mldsa, padding, rsa

from greatseal.crypto.algorithms import (
    KeyAlgorithm,
    SignatureAlgorithm,
    default_signature_algorithm,
    signature_algorithm_of,
    signature_algorithms_for,
)
from greatseal.crypto.keypair import algorithm_of, generate, load_private

HASHES = {"SHA256": hashes.SHA256(), "SHA384": hashes.SHA384(), "SHA512": hashes.SHA512()}
KEYS = {
    "RSA": rsa.generate_private_key(65537, 2048),
    "EC": ec.generate_private_key(ec.SECP256R1()),
    "ML_DSA_44": mldsa.MLDSA44PrivateKey.generate(),
    "ML_DSA_65": mldsa.MLDSA65PrivateKey.generate(),
    "ML_DSA_87": mldsa.MLDSA87PrivateKey.generate(),
}


def certificate_by_cryptography(row: SignatureAlgorithm) -> bytes:
    """A certificate signed with the row's algorithm, by a library that writes the identifier itself."""
    key = KEYS[row.name if row.family == "ML_DSA" else row.family]
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "table")])
    day = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, day, day)
    digest = HASHES[row.value.hash] if row.value.hash else None
    rsa_padding = padding.PSS(padding.MGF1(digest), digest.digest_size) if row.value.pss and digest else None
    made = builder.sign(key, digest, rsa_padding=rsa_padding)
    return made.public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize("row", SignatureAlgorithm, ids=lambda row: row.name)
def test_the_identifier_is_what_another_implementation_writes(row):
    made = asn1.Certificate.load(certificate_by_cryptography(row))
    # Once inside the signed part and once outside of it (RFC 5280 section 4.1.1.2).
    assert made["signature_algorithm"].dump() == row.identifier
    assert made["tbs_certificate"]["signature"].dump() == row.identifier
    assert signature_algorithm_of(row.identifier) is row


@pytest.mark.parametrize("row", SignatureAlgorithm, ids=lambda row: row.name)
def test_the_identifier_is_matched_exactly(row):
    assert signature_algorithm_of(row.identifier + b"\0") is None
    assert signature_algorithm_of(row.identifier[:-1]) is None


@pytest.mark.parametrize("row", KeyAlgorithm, ids=lambda row: row.name)
def test_a_generated_key_belongs_to_its_row(row):
    public = load_private(generate(row)).public_key()
    assert algorithm_of(public) is row
    spki = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert asn1_core.ObjectIdentifier(row.value.spki_oid).dump() in spki[:32]


@pytest.mark.parametrize("row", KeyAlgorithm, ids=lambda row: row.name)
def test_the_default_is_one_of_the_possible(row):
    possible = signature_algorithms_for(row)
    assert default_signature_algorithm(row) in possible
    assert all(algorithm.family == row.family for algorithm in possible)
    assert (len(possible) == 1) == (row.family == "ML_DSA")


def test_sha1_and_md5_are_not_in_the_table():
    for oid in ("1.2.840.113549.1.1.5", "1.2.840.113549.1.1.4", "1.2.840.10045.4.1"):
        encoded = asn1_core.ObjectIdentifier(oid).dump()
        assert all(encoded not in row.identifier for row in SignatureAlgorithm)
