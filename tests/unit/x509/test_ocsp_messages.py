"""OCSP messages octet by octet, with `cryptography` as the other implementation."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp as theirs
from cryptography.x509.oid import NameOID

from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.x509 import der, ocsp
from greatseal.x509.extensions import Extension, encode_extensions

NOW = datetime(2050, 2, 3, 4, 5, 6, tzinfo=UTC)
NULL = der.null()
SHA1, SHA256 = "1.3.14.3.2.26", "2.16.840.1.101.3.4.2.1"
NONCE = "1.3.6.1.5.5.7.48.1.2"


def cert_id(serial=5, *, hash=SHA1, size=20, parameters=NULL, extra=b""):
    return der.sequence(
        der.sequence(der.oid(hash), parameters),
        der.octet_string(bytes(size)),
        der.octet_string(b"\x01" * size),
        der.integer(serial),
        extra,
    )


def single(identifier=None, extensions=b""):
    return der.sequence(identifier or cert_id(), extensions)


def message(*singles, before=b"", extensions=b"", after=b"", signature=b""):
    listed = der.sequence(*(singles or (single(),)))
    return der.sequence(der.sequence(before, listed, extensions, after), signature)


def tagged(number, *extensions):
    return der.explicit(number, encode_extensions(extensions))


def nonce(content, critical=False):
    return Extension(NONCE, critical, content)


def test_what_a_request_says():
    request = ocsp.parse_request(
        message(
            single(cert_id(5)),
            single(cert_id(1 << 150, hash=SHA256, size=32, parameters=b"")),
            single(cert_id(-7, hash="1.2.3", size=7, parameters=der.integer(1))),
            extensions=tagged(2, nonce(der.octet_string(b"n"))),
        )
    )
    assert [each.serial for each in request.certificates] == [5, 1 << 150, -7]
    assert [each.hash for each in request.certificates] == ["sha1", "sha256", None]
    assert request.certificates[0].der == cert_id(5)
    assert request.certificates[0].name_hash == bytes(20)
    assert request.certificates[0].key_hash == b"\x01" * 20
    assert request.nonce == b"n"


NAME = der.explicit(1, der.explicit(4, der.sequence(der.set_of([der.sequence(der.oid("2.5.4.3"), der.utf8("me"))]))))
SIGNATURE = der.sequence(der.sequence(der.oid("1.2.3")), der.bit_string(b"s"), der.explicit(0, der.sequence()))
ACCEPTED = {
    "version spelled out": message(before=der.explicit(0, der.integer(0))),
    "requestor name": message(before=NAME),
    "signature": message(signature=der.explicit(0, SIGNATURE)),
    "signature without certificates": message(
        signature=der.explicit(0, der.sequence(der.sequence(der.oid("1.2.3")), der.bit_string(b"s")))
    ),
    "unknown extension": message(extensions=tagged(2, Extension("1.2.3.4", False, b"whatever"))),
    "critical nonce": message(extensions=tagged(2, nonce(der.octet_string(b"n"), critical=True))),
    "acceptable responses": message(extensions=tagged(2, Extension("1.3.6.1.5.5.7.48.1.4", True, der.sequence()))),
    "preferred algorithms": message(extensions=tagged(2, Extension("1.3.6.1.5.5.7.48.1.8", True, der.sequence()))),
    "service locator": message(single(extensions=tagged(0, Extension("1.3.6.1.5.5.7.48.1.7", False, der.sequence())))),
    "a hundred": message(*[single()] * 100),
}


@pytest.mark.parametrize("kind", ACCEPTED)
def test_accepted(kind):
    assert ocsp.parse_request(ACCEPTED[kind]).certificates[0].serial == 5


REFUSED = {
    "nothing": b"",
    "empty": der.sequence(),
    "no certificate": der.sequence(der.sequence(der.sequence())),
    "a hundred and one": message(*[single()] * 101),
    "octets after it": message() + b"\0",
    "octets after the list": message(after=der.null()),
    "two of them": message() * 2,
    "another structure": der.sequence(der.integer(5)),
    "version 2": message(before=der.explicit(0, der.integer(1))),
    "octets in the version": message(before=der.explicit(0, der.integer(0) + der.integer(0))),
    "unknown critical extension": message(extensions=tagged(2, Extension("1.2.3.4", True, b"x"))),
    "unknown critical extension of one": message(single(extensions=tagged(0, Extension(NONCE, True, b"\4\1n")))),
    "extension twice": message(
        extensions=der.explicit(2, der.sequence(nonce(b"\4\1n").encode(), nonce(b"\4\1n").encode()))
    ),
    "nonce without its own OCTET STRING": message(extensions=tagged(2, nonce(b"nonce"))),
    "empty nonce": message(extensions=tagged(2, nonce(der.octet_string(b"")))),
    "endless nonce": message(extensions=tagged(2, nonce(der.octet_string(bytes(129))))),
    "octets after the nonce": message(extensions=tagged(2, nonce(der.octet_string(b"n") + b"\0"))),
    "short hash": message(single(cert_id(size=19))),
    "hash of another algorithm": message(single(cert_id(hash=SHA256, size=20))),
    "hash with parameters": message(single(cert_id(parameters=der.integer(1)))),
    "endless serial": message(single(cert_id(1 << 2000))),
    "octets in the CertID": message(single(cert_id(extra=der.null()))),
    "octets after the CertID": message(single(extensions=der.null())),
    "indefinite length": b"\x30\x80" + message()[2:] + b"\0\0",
    "too large": message(single(extensions=tagged(0, Extension("1.2.3", False, bytes(ocsp.MAX_REQUEST))))),
    "octets after the signature": message(signature=der.explicit(0, SIGNATURE + der.null())),
    "empty extensions": message(extensions=der.explicit(2, der.sequence())),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refused(kind):
    with pytest.raises(der.DerError):
        ocsp.parse_request(REFUSED[kind])


def test_an_answer_as_the_other_implementation_writes_it():
    """The same fields, signed by the same key in the same (deterministic) way, are the same octets."""
    key = ec.derive_private_key(2**200 + 3, ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "OCSP responder")])
    responder = (
        x509.CertificateBuilder(name, name, key.public_key(), 77, NOW - timedelta(1), NOW + timedelta(9))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )
    certificate = x509.load_der_x509_certificate(responder)
    until = NOW + timedelta(hours=24)
    for status, at, reason, ours in (
        (theirs.OCSPCertStatus.GOOD, None, None, ocsp.Good()),
        (theirs.OCSPCertStatus.UNKNOWN, None, None, ocsp.Unknown()),
        (theirs.OCSPCertStatus.REVOKED, NOW, x509.ReasonFlags.superseded, ocsp.Revoked(NOW, 4)),
        (theirs.OCSPCertStatus.REVOKED, NOW, None, ocsp.Revoked(NOW, 0)),
    ):
        expected = (
            theirs.OCSPResponseBuilder()
            .add_response_by_hash(bytes(20), b"\x01" * 20, 5, hashes.SHA1(), status, NOW, until, at, reason)
            .responder_id(theirs.OCSPResponderEncoding.HASH, certificate)
            .certificates([certificate])
            .add_extension(x509.OCSPNonce(b"nonce"), critical=False)
            .sign(key, hashes.SHA256())
        )
        tbs = ocsp.encode_tbs(
            [ocsp.SingleResponse(cert_id(), ours, NOW, until)],
            responder_key_hash=x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest,
            produced_at=expected.produced_at_utc,
            nonce=b"nonce",
        )
        assert tbs == expected.tbs_response_bytes
        made = ocsp.assemble(tbs, SignatureAlgorithm.SHA256WITHECDSA, expected.signature, responder)
        assert made == expected.public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize("error", list(ocsp.OcspError))
def test_errors_as_the_other_implementation_writes_them(error):
    status = theirs.OCSPResponseStatus(error.value)
    expected = theirs.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(serialization.Encoding.DER)
    assert ocsp.error_response(error) == expected
