"""An OCSP client for tests: requests and answers by `cryptography`, through the door, and every answer is verified."""

import base64
from datetime import datetime
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from doors.pki import Pki, parse
from greatseal.edge.messages import HttpRequest, HttpResponse
from greatseal.web.ocsp import OcspDoor

ENABLED = {"OcspConfiguration": {"Enabled": True}}


def authority_id(arn: str) -> str:
    """The id in a CA's ARN."""
    return arn.rpartition("/")[2]


def ca_certificate(pki: Pki, arn: str) -> x509.Certificate:
    """The certificate of a CA."""
    return parse(pki.pca.get_certificate_authority_certificate(CertificateAuthorityArn=arn)["Certificate"])


def request(
    certificate: x509.Certificate | int,
    issuer: x509.Certificate,
    *,
    hash: hashes.HashAlgorithm | None = None,
    nonce: bytes | None = None,
) -> bytes:
    """The DER of a request about a certificate, or about a serial number."""
    hash = hash or hashes.SHA1()
    builder = ocsp.OCSPRequestBuilder()
    if isinstance(certificate, int):
        bits = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        assert isinstance(hash, hashes.SHA1), "the key identifier is a SHA-1"
        name = hashes.Hash(hash)
        name.update(issuer.subject.public_bytes())
        builder = builder.add_certificate_by_hash(name.finalize(), bits, certificate, hash)
    else:
        builder = builder.add_certificate(certificate, issuer, hash)
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(serialization.Encoding.DER)


class Door:
    """The OCSP door of an installation."""

    def __init__(self, pki: Pki) -> None:
        self.pki = pki
        self.answers = OcspDoor(pki.installation.rooms.ocsp, pki.clock)
        self.handle = self.answers.handle

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> HttpResponse:
        """One HTTP request; `content_type="…"` becomes a header."""
        given = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items())
        return self.handle(HttpRequest(method, path.encode(), b"", given, body, "request-id"))

    def post(self, body: bytes, path: str = "/ocsp") -> HttpResponse:
        """POST with the right content type."""
        return self.send("POST", path, body, content_type="application/ocsp-request")

    def get(self, body: bytes, path: str = "/ocsp", **headers: str) -> HttpResponse:
        """GET as RFC 6960 appendix A.1 says."""
        return self.send("GET", f"{path}/{quote(base64.b64encode(body).decode(), safe='')}", **headers)

    def ask(self, body: bytes, issuer: x509.Certificate, path: str = "/ocsp") -> ocsp.OCSPResponse:
        """A successful answer, verified up to the issuer at the installation's time."""
        answer = self.post(body, path)
        assert answer.status == 200, answer
        parsed = ocsp.load_der_ocsp_response(answer.body)
        assert parsed.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL, parsed.response_status
        verify(parsed, issuer, self.pki.now)
        return parsed

    def status(self, certificate: x509.Certificate | int, issuer: x509.Certificate, path: str = "/ocsp") -> str:
        """GOOD, REVOKED or UNKNOWN."""
        return self.ask(request(certificate, issuer), issuer, path).certificate_status.name

    def error(self, body: bytes, path: str = "/ocsp") -> str:
        """The name of the error in an unsuccessful answer."""
        answer = self.post(body, path)
        assert answer.status == 200, answer
        assert dict(answer.headers)[b"cache-control"] == b"no-store"
        return ocsp.load_der_ocsp_response(answer.body).response_status.name


def verify(answer: ocsp.OCSPResponse, issuer: x509.Certificate, now: datetime) -> x509.Certificate:
    """The responder's certificate; everything that RFC 6960 section 3.2 asks a client to check must be right."""
    (responder,) = answer.certificates
    responder.verify_directly_issued_by(issuer)
    assert responder.not_valid_before_utc <= now <= responder.not_valid_after_utc
    usage = responder.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.OCSP_SIGNING]
    assert responder.extensions.get_extension_for_class(x509.OCSPNoCheck)
    assert answer.responder_key_hash == x509.SubjectKeyIdentifier.from_public_key(responder.public_key()).digest
    key = responder.public_key()
    signed, data = answer.signature, answer.tbs_response_bytes
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signed, data, padding.PKCS1v15(), answer.signature_hash_algorithm)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signed, data, ec.ECDSA(answer.signature_hash_algorithm))
    else:
        key.verify(signed, data)
    for each in answer.responses:
        assert each.this_update_utc <= now < each.next_update_utc <= responder.not_valid_after_utc
    return responder
