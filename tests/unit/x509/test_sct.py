"""SCTs: those of the world and those of another library read and verified, ours read by it, and refusals."""

from base64 import b64decode
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import cryptography_vectors
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as some

from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.crypto.signature import SoftwareSigner
from greatseal.x509 import der, sct
from greatseal.x509.certificate import Certificate, assemble
from greatseal.x509.extensions import OID, Extension
from greatseal.x509.sct import Sct
from greatseal.x509.tls_encoding import EncodingError, TlsReader, vector

# Google's log Icarus, as it was in every list of logs of 2018; its SHA-256 is the log id inside the certificate.
ICARUS = b64decode(
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAETtK8v7MICve56qTHHDhhBOuV4IlUaESxZryCfk9QbG9co/CqPvTsgPDbCpp6oFtyAHwlDhnv"
    "r7JijXRD9Cb2FA=="
)
START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)


def vector_file(name):
    with cryptography_vectors.open_vector_file(f"x509/{name}", "rb") as file:
        return file.read()


def public_certificate():
    theirs = x509.load_pem_x509_certificate(vector_file("cryptography-scts.pem"))
    return theirs, Certificate.parse(theirs.public_bytes(serialization.Encoding.DER))


def issuer_spki():
    issuer = x509.load_pem_x509_certificate(vector_file("letsencryptx3.pem")).public_key()
    return issuer.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def made(*extensions):
    """A self-signed certificate by another library, with these extensions among others."""
    key = ec.derive_private_key(7, ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sct.example")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, START, END)
    builder = builder.add_extension(x509.BasicConstraints(False, None), critical=True)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=isinstance(extension, x509.PrecertPoison))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("sct.example")]), critical=False)
    return builder.sign(key, hashes.SHA256())


def test_the_scts_of_a_public_certificate():
    theirs, ours = public_certificate()
    expected = theirs.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps).value
    found = sct.read_sct_list(ours.extension(OID.CT_SCTS))
    assert [each.log_id for each in found] == [each.log_id for each in expected]
    for mine, other in zip(found, expected, strict=True):
        assert datetime.fromtimestamp(mine.timestamp / 1000, UTC) == other.timestamp.replace(tzinfo=UTC)
        assert (mine.signature, mine.extensions) == (other.signature, other.extension_bytes)
        assert mine.algorithm == sct.SHA256_ECDSA
    assert sct.sct_list([each.encode() for each in found]) == ours.extension(OID.CT_SCTS)


def test_the_entry_is_that_of_another_library():
    theirs, ours = public_certificate()
    bare = theirs.tbs_precertificate_bytes
    assert bare == vector_file("cryptography-scts-tbs-precert.der")
    assert sct.without(ours.tbs, OID.CT_SCTS) == bare
    entry = sct.precertificate_entry(issuer_spki(), ours.tbs)
    assert entry == b"\0\1" + sha256(issuer_spki()).digest() + len(bare).to_bytes(3, "big") + bare


def test_the_signature_of_a_public_log():
    _, ours = public_certificate()
    entry = sct.precertificate_entry(issuer_spki(), ours.tbs)
    found = next(
        each for each in sct.read_sct_list(ours.extension(OID.CT_SCTS)) if each.log_id == sct.log_id_of(ICARUS)
    )
    assert sct.verify(found, ICARUS, entry)
    assert not sct.verify(replace(found, timestamp=found.timestamp + 1), ICARUS, entry)
    assert not sct.verify(replace(found, extensions=b"\0\0\0"), ICARUS, entry)
    assert not sct.verify(replace(found, algorithm=b"\2\3"), ICARUS, entry)
    assert not sct.verify(replace(found, algorithm=sct.SHA256_RSA), ICARUS, entry)
    assert not sct.verify(found, issuer_spki(), entry)
    assert not sct.verify(found, ICARUS, sct.precertificate_entry(ICARUS, ours.tbs))
    assert not sct.verify(found, ICARUS, sct.certificate_entry(ours.der))


def test_a_precertificate_and_its_certificate_have_one_entry():
    poisoned = Certificate.parse(made(x509.PrecertPoison()).public_bytes(serialization.Encoding.DER))
    plain = Certificate.parse(made().public_bytes(serialization.Encoding.DER))
    bare = sct.without(poisoned.tbs, OID.CT_POISON)
    assert bare == plain.tbs
    assert poisoned.extension(OID.CT_POISON) == sct.POISON
    stamp = Sct(bytes(32), 1, b"", b"signature")
    final = sct.with_extension(bare, sct.sct_list([stamp.encode()]))
    entries = {sct.precertificate_entry(b"issuer", each) for each in (poisoned.tbs, plain.tbs, final)}
    entries |= {sct.precertificate_entry_of(b"issuer", each) for each in (poisoned, plain)}
    assert len(entries) == 1


def test_another_library_reads_what_we_embed():
    plain = Certificate.parse(made().public_bytes(serialization.Encoding.DER))
    stamps = [Sct(bytes([number]) * 32, 1_790_000_000_123 + number, b"", b"signed" * number) for number in (1, 2)]
    tbs = sct.with_extension(plain.tbs, sct.sct_list([each.encode() for each in stamps]))
    signer = SoftwareSigner.of(ec.derive_private_key(7, ec.SECP256R1()))
    algorithm = SignatureAlgorithm.SHA256WITHECDSA
    theirs = x509.load_der_x509_certificate(assemble(tbs, algorithm, signer.sign(tbs, algorithm)))
    theirs.verify_directly_issued_by(theirs)
    listed = theirs.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps)
    assert not listed.critical
    assert [each.log_id for each in listed.value] == [each.log_id for each in stamps]
    assert [each.signature for each in listed.value] == [each.signature for each in stamps]
    assert theirs.tbs_precertificate_bytes == plain.tbs
    poisoned = sct.with_extension(plain.tbs, sct.POISON)
    theirs = x509.load_der_x509_certificate(assemble(poisoned, algorithm, signer.sign(poisoned, algorithm)))
    assert theirs.extensions.get_extension_for_class(x509.PrecertPoison).critical
    with pytest.raises(der.DerError, match="there already"):
        sct.with_extension(poisoned, sct.POISON)


@pytest.mark.parametrize("key", [ec.derive_private_key(9, ec.SECP256R1()), rsa.generate_private_key(65537, 2048)])
def test_signatures_of_logs_with_keys_of_both_kinds(key):
    signer = SoftwareSigner.of(key)
    of_rsa = isinstance(key, rsa.RSAPrivateKey)
    algorithm = SignatureAlgorithm.SHA256WITHRSA if of_rsa else SignatureAlgorithm.SHA256WITHECDSA
    entry = sct.certificate_entry(b"certificate")
    signed = signer.sign(sct.signed_data(5, entry, b""), algorithm)
    stamp = Sct(sct.log_id_of(signer.spki), 5, b"", signed, sct.SHA256_RSA if of_rsa else sct.SHA256_ECDSA)
    assert sct.verify(stamp, signer.spki, entry)
    assert not sct.verify(stamp, signer.spki, sct.certificate_entry(b"Certificate"))


def test_a_certificate_without_extensions_keeps_none():
    plain = Certificate.parse(made().public_bytes(serialization.Encoding.DER))
    nothing = sct.without(plain.tbs, OID.BASIC_CONSTRAINTS, OID.SUBJECT_ALTERNATIVE_NAME)
    assert der.only(nothing, der.SEQUENCE).peek() == 0xA0
    assert sct.without(nothing, OID.CT_POISON) == nothing
    assert sct.without(sct.with_extension(nothing, sct.POISON), OID.CT_POISON) == nothing


def test_vectors_of_damaged_lists():
    damaged = x509.load_der_x509_certificate(vector_file("custom/invalid-sct-length.der"))
    ours = Certificate.parse(damaged.public_bytes(serialization.Encoding.DER))
    with pytest.raises(EncodingError):
        sct.read_sct_list(ours.extension(OID.CT_SCTS))
    # A version that nobody knows is passed over (RFC 6962 section 3.3), where the other library refuses all.
    other = x509.load_der_x509_certificate(vector_file("custom/invalid-sct-version.der"))
    ours = Certificate.parse(other.public_bytes(serialization.Encoding.DER))
    assert len(sct.read_sct_list(ours.extension(OID.CT_SCTS))) == 1


@pytest.mark.parametrize("inside", [b"", b"\0", b"\0\0", b"\0\1", b"\0\3\0\1\0", b"\0\5\0\1\1" + bytes(3)])
def test_lists_that_are_none(inside):
    with pytest.raises(EncodingError):
        sct.read_sct_list(Extension(OID.CT_SCTS, False, der.octet_string(inside)))
    with pytest.raises(EncodingError, match="no SCTs"):
        sct.sct_list([])


@given(
    log_id=some.binary(min_size=32, max_size=32),
    timestamp=some.integers(0, 2**64 - 1),
    extensions=some.binary(max_size=40),
    signature=some.binary(max_size=80),
)
def test_what_is_encoded_is_parsed(log_id, timestamp, extensions, signature):
    stamp = Sct(log_id, timestamp, extensions, signature)
    assert Sct.parse(stamp.encode()) == stamp
    for end in range(len(stamp.encode())):
        with pytest.raises(EncodingError):
            Sct.parse(stamp.encode()[:end])
    with pytest.raises(EncodingError, match="follow"):
        Sct.parse(stamp.encode() + b"\0")
    with pytest.raises(EncodingError, match="version"):
        Sct.parse(b"\1" + stamp.encode()[1:])


@given(some.binary(max_size=200))
def test_nothing_else_is_raised_for_any_octets(data):
    for read in (
        Sct.parse,
        sct.read_leaf_index,
        lambda value: sct.read_sct_list(Extension(OID.CT_SCTS, False, value)),
        lambda value: sct.without(value, OID.CT_POISON),
    ):
        with suppress(EncodingError, der.DerError):
            read(data)


def test_leaf_indexes():
    assert sct.leaf_index_extension(0x0102030405) == bytes.fromhex("0000050102030405")
    assert sct.read_leaf_index(sct.leaf_index_extension(2**40 - 1)) == 2**40 - 1
    assert sct.read_leaf_index(b"") is None
    assert sct.read_leaf_index(b"\x07\0\1\xff" + sct.leaf_index_extension(3)) == 3
    for wrong in (sct.leaf_index_extension(1) * 2, b"\0\0\4" + bytes(4), b"\0\0", b"\0\0\5" + bytes(4)):
        with pytest.raises(EncodingError):
            sct.read_leaf_index(wrong)


def test_vectors_of_the_presentation_language():
    assert vector(b"ab", 1) == b"\2ab"
    assert vector(b"ab", 3) == b"\0\0\2ab"
    with pytest.raises(EncodingError):
        vector(bytes(256), 1)
    reader = TlsReader(b"\1\0\2ab")
    assert (reader.number(1), reader.vector(2), reader.more) == (1, b"ab", False)
    reader.end()
