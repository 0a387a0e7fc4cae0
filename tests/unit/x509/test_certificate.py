"""Certificates: those of another library read by us, ours read by others, signatures, refusals."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, padding, rsa

from greatseal.crypto.algorithms import SignatureAlgorithm, signature_algorithms_for
from greatseal.crypto.signature import SoftwareSigner
from greatseal.x509 import der, public_keys
from greatseal.x509.certificate import Certificate, TbsCertificate, assemble, encode_tbs, verify_signature
from greatseal.x509.extensions import OID, Extension, basic_constraints, subject_key_identifier
from greatseal.x509.names import subject_from_attributes

RSA = rsa.generate_private_key(65537, 2048)
P256 = ec.derive_private_key(7, ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
ED4 = ed448.Ed448PrivateKey.from_private_bytes(bytes(57))
NAME = subject_from_attributes({"Country": "US", "CommonName": "Test"})
OTHER = subject_from_attributes({"CommonName": "Other"})
START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2056, 1, 1, tzinfo=UTC)


def spki_of(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


FIELDS = TbsCertificate(1, SignatureAlgorithm.SHA256WITHECDSA, NAME, START, END, NAME, spki_of(P256), ())


def certificate(fields=FIELDS, key=P256):
    tbs = encode_tbs(fields)
    return Certificate.parse(assemble(tbs, fields.algorithm, SoftwareSigner.of(key).sign(tbs, fields.algorithm)))


@pytest.mark.parametrize(
    "key", [RSA, P256, mldsa.MLDSA65PrivateKey.from_seed_bytes(bytes(32))], ids=["RSA", "EC", "ML-DSA"]
)
def test_ours_with_every_algorithm(key):
    signer = SoftwareSigner.of(key)
    wanted = (basic_constraints(True, 1), subject_key_identifier(signer.spki))
    for algorithm in signature_algorithms_for(signer.algorithm):
        fields = replace(FIELDS, algorithm=algorithm, spki=signer.spki, serial=2**127 + 1, extensions=wanted)
        ours = certificate(fields, key)
        theirs = x509.load_der_x509_certificate(ours.der)
        theirs.verify_directly_issued_by(theirs)
        assert theirs.serial_number == ours.serial == 2**127 + 1
        assert theirs.tbs_certificate_bytes == ours.tbs
        assert (theirs.not_valid_before_utc, theirs.not_valid_after_utc) == (ours.not_before, ours.not_after)
        assert theirs.fingerprint(hashes.SHA256()) == ours.fingerprint_sha256
        assert (ours.version, ours.subject, ours.issuer, ours.spki) == (3, NAME, NAME, signer.spki)
        assert ours.extensions == wanted
        assert (ours.is_ca, ours.path_length, ours.is_self_issued) == (True, 1, True)
        assert ours.key_identifier == theirs.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        assert verify_signature(ours, signer.spki)
        assert not verify_signature(ours, spki_of(P256 if key is RSA else RSA))


@pytest.mark.parametrize(
    ("key", "digest", "pss"),
    [
        (ED, None, None),
        (ED4, None, None),
        (ec.derive_private_key(7, ec.SECP256K1()), hashes.SHA256(), None),
        (RSA, hashes.SHA512(), None),
        (RSA, hashes.SHA256(), padding.PSS(padding.MGF1(hashes.SHA384()), 20)),
        (RSA, hashes.SHA256(), padding.PSS(padding.MGF1(hashes.SHA256()), 222)),
    ],
    ids=["Ed25519", "Ed448", "secp256k1", "RSA", "PSS mixed", "PSS longest salt"],
)
def test_those_of_others(key, digest, pss):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    theirs = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .serial_number(77)
        .public_key(key.public_key())
        .not_valid_before(START)
        .not_valid_after(END)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("a.example.com")]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier(b"\x01\x02", None, None), critical=False)
        .sign(key, digest, rsa_padding=pss)
    )
    ours = Certificate.parse(theirs.public_bytes(serialization.Encoding.DER))
    assert (ours.serial, ours.subject.common_names) == (77, ("x",))
    assert [name.text for name in ours.san] == ["a.example.com"]
    assert ours.authority_key_identifier == b"\x01\x02"
    assert (ours.is_ca, ours.path_length) == (False, None)
    assert verify_signature(ours, spki_of(key))
    assert not verify_signature(ours, spki_of(ED4 if key is ED else ED))


def test_a_signature_of_another_key_or_over_other_octets():
    ours = certificate()
    assert verify_signature(ours, spki_of(P256))
    assert not verify_signature(ours, spki_of(ec.derive_private_key(8, ec.SECP256R1())))
    assert not verify_signature(replace(ours, tbs=ours.tbs + b"\0"), spki_of(P256))
    assert not verify_signature(ours, b"no key")


def test_inner_and_outer_algorithm_must_be_the_same():
    fields = replace(FIELDS, algorithm=SignatureAlgorithm.SHA384WITHECDSA)
    tbs = encode_tbs(fields)
    outer = SignatureAlgorithm.SHA256WITHECDSA
    mixed = Certificate.parse(assemble(tbs, outer, SoftwareSigner.of(P256).sign(tbs, outer)))
    assert public_keys.verify(spki_of(P256), outer.identifier, mixed.signature, mixed.tbs)
    assert not verify_signature(mixed, spki_of(P256))


def identifier(oid, *parameters):
    return der.sequence(der.oid(oid), *parameters)


DATA = b"data"
PKCS1 = RSA.sign(DATA, padding.PKCS1v15(), hashes.SHA256())
SHA256_RSA, PSS, MGF1 = "1.2.840.113549.1.1.11", "1.2.840.113549.1.1.10", "1.2.840.113549.1.1.8"
SHA256_ID = identifier("2.16.840.1.101.3.4.2.1")
PSS_SIGNATURE = RSA.sign(DATA, padding.PSS(padding.MGF1(hashes.SHA256()), 20), hashes.SHA256())


def pss(*fields):
    return identifier(PSS, der.sequence(*fields))


HASH, MASK = der.explicit(0, SHA256_ID), der.explicit(1, identifier(MGF1, SHA256_ID))


@pytest.mark.parametrize(
    ("algorithm", "signature", "valid"),
    [
        (identifier(SHA256_RSA, der.null()), PKCS1, True),
        (identifier(SHA256_RSA), PKCS1, True),
        (identifier(SHA256_RSA, der.integer(1)), PKCS1, False),
        (identifier("1.2.840.113549.1.1.12"), PKCS1, False),
        (identifier("1.2.3.4"), PKCS1, False),
        (identifier("1.2.840.113549.1.1.5", der.null()), RSA.sign(DATA, padding.PKCS1v15(), hashes.SHA1()), False),
        (identifier("1.3.101.112"), PKCS1, False),
        (b"", PKCS1, False),
        (pss(HASH, MASK), PSS_SIGNATURE, True),
        (pss(HASH, MASK, der.explicit(2, der.integer(20)), der.explicit(3, der.integer(1))), PSS_SIGNATURE, True),
        (pss(HASH, MASK, der.explicit(2, der.integer(32))), PSS_SIGNATURE, False),
        (pss(HASH, MASK, der.explicit(2, der.integer(-1))), PSS_SIGNATURE, False),
        (pss(HASH, MASK, der.explicit(3, der.integer(2))), PSS_SIGNATURE, False),
        (pss(HASH), PSS_SIGNATURE, False),
        (pss(HASH, der.explicit(1, identifier("1.2.3", SHA256_ID))), PSS_SIGNATURE, False),
        (pss(der.explicit(0, identifier("1.3.14.3.2.26")), MASK), PSS_SIGNATURE, False),
        (identifier(PSS), PSS_SIGNATURE, False),
    ],
)
def test_spellings_of_rsa_signatures(algorithm, signature, valid):
    assert public_keys.verify(spki_of(RSA), algorithm, signature, DATA) is valid


def test_edwards_signatures_take_no_parameters():
    signature = ED.sign(DATA)
    assert public_keys.verify(spki_of(ED), identifier("1.3.101.112"), signature, DATA)
    assert not public_keys.verify(spki_of(ED), identifier("1.3.101.112", der.null()), signature, DATA)
    assert not public_keys.verify(spki_of(ED), identifier("1.3.101.113"), signature, DATA)
    assert not public_keys.verify(spki_of(ED), SignatureAlgorithm.SHA256WITHECDSA.identifier, signature, DATA)
    assert not public_keys.verify(spki_of(P256), identifier("1.3.101.112"), signature, DATA)


@pytest.mark.parametrize("serial", [0, -1, 1 << 160, 1 << 159])
def test_serials_that_are_not_written(serial):
    with pytest.raises(der.DerError, match="serial"):
        encode_tbs(replace(FIELDS, serial=serial))


def test_the_largest_serial():
    assert certificate(replace(FIELDS, serial=(1 << 159) - 1)).serial == (1 << 159) - 1


def test_an_extension_twice_is_not_written():
    one = Extension("1.2.3", False, b"")
    with pytest.raises(der.DerError, match="twice"):
        encode_tbs(replace(FIELDS, extensions=(one, one)))


VALIDITY = der.sequence(der.time(START), der.time(END))
ALGORITHM = SignatureAlgorithm.SHA256WITHECDSA.identifier


def raw(*, version=b"", serial=1, rest=b"", validity=VALIDITY):
    tbs = der.sequence(version, der.integer(serial), ALGORITHM, NAME.der, validity, OTHER.der, spki_of(P256), rest)
    return der.sequence(tbs, ALGORITHM, der.bit_string(b"x"))


V2, V3 = der.explicit(0, der.integer(1)), der.explicit(0, der.integer(2))
EXTENSIONS = der.explicit(3, der.sequence(Extension("1.2.3", False, b"").encode()))


def test_old_versions_and_odd_serials_are_read():
    first = Certificate.parse(raw())
    assert (first.version, first.extensions, first.is_self_issued) == (1, (), False)
    unique = der.tlv(0x81, b"\0\x01") + der.tlv(0x82, b"\0\x02")
    assert Certificate.parse(raw(version=V2, rest=unique)).version == 2
    assert Certificate.parse(raw(version=V3, rest=unique + EXTENSIONS)).extension("1.2.3") is not None
    # Such certificates exist; whether they may be used is decided elsewhere.
    assert [Certificate.parse(raw(serial=serial)).serial for serial in (0, -5, 1 << 200)] == [0, -5, 1 << 200]


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        raw() + b"\0",
        raw(version=der.explicit(0, der.integer(0))),
        raw(version=der.explicit(0, der.integer(3))),
        raw(rest=EXTENSIONS),
        raw(version=V2, rest=EXTENSIONS),
        raw(rest=der.tlv(0x81, b"\0\x01")),
        raw(version=V3, rest=der.explicit(3, der.sequence())),
        raw(version=V3, rest=EXTENSIONS + EXTENSIONS),
        raw(version=V3, rest=der.null()),
        raw(validity=der.sequence(der.time(START))),
        raw(validity=der.sequence(der.tlv(der.UTC_TIME, b"2601010000Z"), der.time(END))),
        der.sequence(der.sequence(), ALGORITHM, der.bit_string(b"x")),
        der.sequence(der.only(raw(), der.SEQUENCE).raw(), ALGORITHM, der.tlv(3, b"\x01\x00")),
    ],
)
def test_what_is_refused(encoded):
    with pytest.raises(der.DerError):
        Certificate.parse(encoded)


def test_broken_values_of_extensions_do_not_hide_the_certificate():
    oids = (
        OID.BASIC_CONSTRAINTS,
        OID.SUBJECT_KEY_IDENTIFIER,
        OID.SUBJECT_ALTERNATIVE_NAME,
        OID.AUTHORITY_KEY_IDENTIFIER,
    )
    broken = certificate(replace(FIELDS, extensions=tuple(Extension(oid, True, b"junk") for oid in oids)))
    assert (broken.is_ca, broken.path_length) == (False, None)
    assert len(broken.key_identifier) == 20
    with pytest.raises(der.DerError):
        _ = broken.san
    with pytest.raises(der.DerError):
        _ = broken.authority_key_identifier


def test_equality_is_that_of_octets():
    encoded = certificate().der
    assert Certificate.parse(encoded) == Certificate.parse(encoded)
    assert len({Certificate.parse(encoded), Certificate.parse(encoded)}) == 1
    assert Certificate.parse(raw()) != Certificate.parse(raw(serial=2))


def test_what_is_not_signed_yet_is_equal_to_itself_alone():
    one, other = (Certificate.unsigned(encode_tbs(replace(FIELDS, serial=serial))) for serial in (5, 6))
    assert one == Certificate.unsigned(one.tbs)
    assert one != other
