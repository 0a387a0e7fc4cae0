"""Requests: what is accepted, and every refusal of the fault catalogue that concerns a request."""

import re

import pytest
from asn1crypto import csr as asn1_csr
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, padding, rsa

from greatseal.crypto.algorithms import SignatureAlgorithm, signature_algorithms_for
from greatseal.crypto.signature import SoftwareSigner
from greatseal.kernel.errors import MalformedCsr
from greatseal.x509 import der, pem
from greatseal.x509.attributes import Attribute
from greatseal.x509.csr import MAX_SIZE, build_csr, parse_csr
from greatseal.x509.extensions import OID, Extension, basic_constraints, encode_extensions, subject_alternative_name
from greatseal.x509.general_names import dns
from greatseal.x509.names import Name, subject_from_attributes

RSA = rsa.generate_private_key(65537, 2048)
P256 = ec.derive_private_key(7, ec.SECP256R1())
MLDSA = mldsa.MLDSA44PrivateKey.from_seed_bytes(bytes(32))
SUBJECT = subject_from_attributes({"Country": "US", "CommonName": "example.com"})
ECDSA = SignatureAlgorithm.SHA256WITHECDSA


def spki_of(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def info(*, version=0, subject=SUBJECT.der, spki=None, attributes=b"", rest=b""):
    return der.sequence(der.integer(version), subject, spki or spki_of(P256), der.tlv(0xA0, attributes), rest)


def signed(body, *, identifier=ECDSA.identifier, signature=None):
    signature = P256.sign(body, ec.ECDSA(hashes.SHA256())) if signature is None else signature
    return der.sequence(body, identifier, der.bit_string(signature))


def attribute(*extensions):
    return der.sequence(der.oid(OID.EXTENSION_REQUEST), der.set_of([encode_extensions(extensions)]))


@pytest.mark.parametrize(
    "key", [RSA, P256, ec.derive_private_key(7, ec.SECP521R1()), MLDSA], ids=lambda k: type(k).__name__
)
def test_requests_of_our_own_with_every_algorithm(key):
    signer = SoftwareSigner.of(key)
    wanted = (basic_constraints(True), subject_alternative_name([dns("a.example.com")]))
    for algorithm in signature_algorithms_for(signer.algorithm):
        encoded = build_csr(SUBJECT, signer, algorithm, wanted)
        request = parse_csr(pem.write("CERTIFICATE REQUEST", encoded).encode())
        assert request == parse_csr(encoded)
        assert (request.der, request.subject, request.spki) == (encoded, SUBJECT, signer.spki)
        assert request.extensions == wanted
        assert request.attributes == (OID.EXTENSION_REQUEST,)
        assert [name.text for name in request.san] == ["a.example.com"]
        theirs = x509.load_der_x509_csr(encoded)
        assert len(theirs.extensions) == 2
        assert theirs.is_signature_valid
        assert (
            asn1_csr.CertificationRequest.load(encoded, strict=True)["certification_request_info"]["version"].native
            == "v1"
        )


def builder():
    return x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "example.com")])
    )


@pytest.mark.parametrize(
    ("key", "digest", "rsa_padding"),
    [
        (ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)), None, None),
        (ed448.Ed448PrivateKey.from_private_bytes(bytes(57)), None, None),
        (P256, hashes.SHA512(), None),
        (ec.derive_private_key(7, ec.SECP256K1()), hashes.SHA256(), None),
        (RSA, hashes.SHA256(), None),
        (RSA, hashes.SHA256(), padding.PSS(padding.MGF1(hashes.SHA256()), 20)),
        (RSA, hashes.SHA384(), padding.PSS(padding.MGF1(hashes.SHA384()), 48)),
    ],
    ids=["Ed25519", "Ed448", "P-256 SHA-512", "secp256k1", "RSA", "PSS salt 20", "PSS salt 48"],
)
def test_requests_of_others(key, digest, rsa_padding):
    request = (
        builder()
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("b.example.com")]), critical=True)
        .add_attribute(x509.oid.AttributeOID.CHALLENGE_PASSWORD, b"secret")
        .sign(key, digest, rsa_padding=rsa_padding)
    )
    parsed = parse_csr(request.public_bytes(serialization.Encoding.PEM))
    assert parsed.subject.common_names == ("example.com",)
    assert parsed.extension(OID.SUBJECT_ALTERNATIVE_NAME).critical
    assert set(parsed.attributes) == {OID.EXTENSION_REQUEST, "1.2.840.113549.1.9.7"}


def test_rsa_without_the_null_of_its_parameters():
    body = info(spki=spki_of(RSA))
    signature = RSA.sign(body, padding.PKCS1v15(), hashes.SHA256())
    no_null = der.sequence(der.oid("1.2.840.113549.1.1.11"))
    assert parse_csr(signed(body, identifier=no_null, signature=signature)).subject == SUBJECT


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"some text\r\n"])
def test_pem_of_the_world(before):
    text = pem.write("NEW CERTIFICATE REQUEST", signed(info())).replace("\n", "\r\n").encode()
    assert parse_csr(before + text + b"\r\n").subject == SUBJECT


EMPTY = der.sequence()
SAN = subject_alternative_name([dns("a")])
GOOD = signed(info())
OTHER_SIGNATURE = ec.derive_private_key(8, ec.SECP256R1()).sign(info(), ec.ECDSA(hashes.SHA256()))
SHA1_SIGNATURE = RSA.sign(info(spki=spki_of(RSA)), padding.PKCS1v15(), hashes.SHA1())
SHA1 = bytes.fromhex("300d06092a864886f70d0101050500")
PSS_SHA1_DEFAULTS = der.sequence(der.oid("1.2.840.113549.1.1.10"), der.sequence())


def with_spki(algorithm, key):
    return signed(info(spki=der.sequence(der.sequence(*algorithm), der.bit_string(key))))


EC_OID, P256_OID = der.oid("1.2.840.10045.2.1"), der.oid("1.2.840.10045.3.1.7")
POINT = spki_of(P256)[-65:]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(signed(info(), signature=OTHER_SIGNATURE), "does not prove possession", id="1 another key"),
        pytest.param(signed(info(), signature=b""), "does not prove possession", id="1 no signature"),
        pytest.param(
            signed(info(), identifier=SignatureAlgorithm.SHA384WITHECDSA.identifier), "prove", id="1 other hash"
        ),
        pytest.param(signed(info(), identifier=SignatureAlgorithm.ML_DSA_44.identifier), "prove", id="1 other family"),
        pytest.param(signed(info(spki=spki_of(RSA)), identifier=SHA1, signature=SHA1_SIGNATURE), "prove", id="SHA-1"),
        pytest.param(
            signed(info(spki=spki_of(RSA)), identifier=PSS_SHA1_DEFAULTS, signature=SHA1_SIGNATURE),
            "prove",
            id="PSS SHA-1",
        ),
        pytest.param(GOOD + b"\0", "follow", id="2 trailing octet"),
        pytest.param(b"\x30\x80" + GOOD[3:] + b"\0\0", "indefinite", id="2 indefinite length"),
        pytest.param(b"\x30\x83\x00" + bytes([GOOD[1] & 0x7F]) + GOOD[2:], "not minimal", id="2 non-minimal length"),
        pytest.param(signed(info(attributes=b"\x30\x80\0\0")), "indefinite", id="2 BER inside"),
        pytest.param(signed(info(rest=der.null())), "follow", id="2 more after the attributes"),
        pytest.param(b"", "one PEM block was expected, 0", id="3 nothing"),
        pytest.param(b"hello", "0 were found", id="3 no PEM"),
        pytest.param(2 * pem.write("CERTIFICATE REQUEST", GOOD).encode(), "2 were found", id="3 two blocks"),
        pytest.param(pem.write("CERTIFICATE", GOOD).encode(), "is a CERTIFICATE", id="3 wrong label"),
        pytest.param(pem.write("CERTIFICATE REQUEST", GOOD)[:-9].encode(), "no matching END", id="3 cut off"),
        pytest.param(signed(info(version=1)), "version is not 0", id="4 version"),
        pytest.param(
            signed(
                info(
                    attributes=der.sequence(
                        der.oid(OID.EXTENSION_REQUEST), der.set_of([der.sequence(SAN.encode(), SAN.encode())])
                    )
                )
            ),
            "occurs twice",
            id="5 duplicate extension",
        ),
        pytest.param(signed(info(attributes=2 * attribute(SAN))), "two attributes", id="5 two extension requests"),
        pytest.param(
            signed(
                info(
                    attributes=der.sequence(
                        der.oid(OID.EXTENSION_REQUEST), der.set_of([encode_extensions([SAN]), encode_extensions([SAN])])
                    )
                )
            ),
            "follow",
            id="5 two values",
        ),
        pytest.param(signed(info(subject=der.sequence(der.set_of([])))), "missing", id="8 empty RDN"),
        pytest.param(
            signed(info(subject=subject_from_attributes({"CommonName": "x" * 65}).der)), "longer than 64", id="8 CN"
        ),
        pytest.param(
            signed(
                info(
                    subject=der.sequence(
                        der.set_of([der.sequence(der.oid("2.5.4.3"), der.tlv(der.BMP_STRING, b"abc"))])
                    )
                )
            ),
            "not text",
            id="8 broken BMPString",
        ),
        pytest.param(bytes(10_000_000), "larger than", id="9 10 MB"),
        pytest.param(b"\x30\x82\xff\xff" + bytes(MAX_SIZE), "larger than", id="9 over the limit"),
        pytest.param(
            signed(
                info(attributes=attribute(subject_alternative_name([dns(f"{n}.example.com") for n in range(10_000)])))
            ),
            "larger than",
            id="9 10,000 names",
        ),
        pytest.param(signed(info(subject=EMPTY)), "neither a subject nor", id="nobody"),
        pytest.param(
            signed(info(subject=EMPTY, attributes=attribute(Extension(OID.SUBJECT_ALTERNATIVE_NAME, False, EMPTY)))),
            "cannot be read",
            id="empty SAN",
        ),
        pytest.param(with_spki((EC_OID, P256_OID), POINT[:-1] + b"\0"), "cannot be read", id="18 not on the curve"),
        pytest.param(with_spki((EC_OID, P256_OID), b"\0"), "cannot be read", id="18 at infinity"),
        pytest.param(with_spki((EC_OID, der.sequence(der.integer(1))), POINT), "not given by name", id="18 explicit"),
        pytest.param(with_spki((EC_OID,), POINT), "not given by name", id="18 no curve"),
        pytest.param(with_spki((EC_OID, der.oid("1.2.3.4")), POINT), "cannot be read", id="19 unknown curve"),
        pytest.param(
            with_spki((der.oid("1.3.101.112"), der.null()), bytes(32)), "no parameters", id="20 Ed25519 parameters"
        ),
        pytest.param(with_spki((der.oid("1.3.101.110"),), bytes(31) + b"\x09"), "cannot prove", id="20 X25519"),
        pytest.param(with_spki((der.oid("2.16.840.1.101.3.4.3.17"),), bytes(1311)), "cannot be read", id="21 short"),
        pytest.param(
            with_spki((der.oid("2.16.840.1.101.3.4.3.17"), der.null()), bytes(1312)), "no parameters", id="21 NULL"
        ),
        pytest.param(
            with_spki((der.oid("1.2.840.113549.1.1.1"),), spki_of(RSA)[24:]), "missing", id="RSA without NULL"
        ),
        pytest.param(
            with_spki((der.oid("1.2.840.113549.1.1.10"),), spki_of(RSA)[24:]), "restricted to PSS", id="PSS key"
        ),
        pytest.param(with_spki((der.oid("1.2.3.4"),), b"x"), "cannot be read", id="unknown key"),
    ],
)
def test_what_is_refused(data, reason):
    with pytest.raises(MalformedCsr, match=reason) as refused:
        parse_csr(data)
    assert re.match(r"^(The|The .*) .*\.$", refused.value.message)


def test_deep_nesting_in_an_unknown_attribute():
    nested = der.null()
    for _ in range(100):
        nested = der.sequence(nested)
    with pytest.raises(MalformedCsr, match="deep"):
        parse_csr(signed(info(attributes=der.sequence(der.oid("1.2.3"), der.set_of([nested])))))


def test_what_the_issuance_policy_decides_is_read():
    """Rows 6 and 7, multi-valued RDNs and old string types are not malformed."""
    subject = Name.build([[Attribute("2.5.4.3", der.BMP_STRING, "a"), Attribute("2.5.4.10", der.TELETEX_STRING, "b")]])
    wanted = (Extension("1.2.3.4", True, b"junk"), basic_constraints(True), SAN)
    request = parse_csr(signed(info(subject=subject.der, attributes=attribute(*wanted))))
    assert (request.subject, request.extensions) == (subject, wanted)


def test_a_subject_may_be_empty_when_there_are_names():
    request = parse_csr(signed(info(subject=EMPTY, attributes=attribute(SAN))))
    assert request.subject.is_empty
