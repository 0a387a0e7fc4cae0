"""Chains of the classical algorithms, judged by Python's cryptography (path validation) and ssl (real handshakes)."""

import socket
import ssl
import threading
from pathlib import Path

import pytest
from asn1crypto import pem
from asn1crypto import x509 as asn1
from asn1crypto.core import Sequence
from asn1crypto.csr import CertificationRequest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from conformance.hierarchy import CLASSICAL, POST_QUANTUM, Issued, csr, pkcs8, requestable

HOST, OTHER = "app.example.internal", "www.app.example.internal"
PSS = {
    "SHA256WITHRSA_PSS": hashes.SHA256(),
    "SHA384WITHRSA_PSS": hashes.SHA384(),
    "SHA512WITHRSA_PSS": hashes.SHA512(),
}


def verified(leaf: Issued, host: str, *, client: bool = False) -> list[x509.Certificate]:
    """The path that cryptography builds from the leaf to the root."""
    builder = PolicyBuilder().store(Store([leaf.above[-1]]))
    if client:
        return builder.build_client_verifier().verify(leaf.parsed, leaf.above[:-1]).chain
    return builder.build_server_verifier(x509.DNSName(host)).verify(leaf.parsed, leaf.above[:-1])


@pytest.mark.parametrize("key", CLASSICAL)
def test_cryptography_builds_the_path(customer, chain, key):
    leaf = customer.issue(chain(key), csr(key, HOST, OTHER))
    for host in (HOST, OTHER):
        path = verified(leaf, host)
        assert [str(each.subject) for each in path] == [str(each.subject) for each in (leaf.parsed, *leaf.above)]
    assert len(verified(leaf, HOST, client=True)) == 3
    with pytest.raises(VerificationError):
        verified(leaf, "other.example.internal")


@pytest.mark.parametrize("signing", PSS)
def test_cryptography_agrees_about_pss(customer, signing):
    issuing = customer.chain("RSA_2048", signing=signing)
    leaf = customer.issue(issuing, csr("RSA_2048", HOST))
    assert len(verified(leaf, HOST)) == 3
    digest = PSS[signing]
    for certificate, issuer in zip((leaf.parsed, *leaf.above), (*leaf.above, leaf.above[-1]), strict=True):
        parameters = certificate.signature_algorithm_parameters
        assert isinstance(parameters, padding.PSS)
        # RFC 4055 section 3.1: MGF1 with the same hash, and a salt as long as the hash.
        assert parameters._salt_length == digest.digest_size
        assert parameters._mgf._algorithm.name == digest.name
        assert certificate.signature_hash_algorithm.name == digest.name
        certificate.verify_directly_issued_by(issuer)


def handshake(folder: Path, leaf: Issued, key: bytes, host: str) -> tuple[str, dict]:
    """TLS over a socket pair, both ends Python's ssl: the version, and the certificate that the client saw."""
    (folder / "server.pem").write_bytes(leaf.full_chain.encode() + key)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server.pem")
    client = ssl.create_default_context(cadata=leaf.root)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    ours, theirs = socket.socketpair()
    answered = threading.Thread(target=_serve, args=(server, theirs))
    answered.start()
    try:
        with client.wrap_socket(ours, server_hostname=host) as connection:
            assert connection.recv(5) == b"hello"
            return connection.version() or "", connection.getpeercert() or {}
    finally:
        ours.close()
        answered.join(10)


def _serve(context: ssl.SSLContext, raw: socket.socket) -> None:
    with raw:
        try:
            with context.wrap_socket(raw, server_side=True) as connection:
                connection.sendall(b"hello")
        except (ssl.SSLError, ConnectionError):
            return  # the client did not like the certificate, and says why itself


@pytest.mark.parametrize("key", CLASSICAL)
def test_a_handshake_with_an_exported_key(customer, chain, tmp_path, key):
    leaf = customer.export(chain(key), requestable(key), HOST, OTHER)
    version, seen = handshake(tmp_path, leaf, leaf.clear_key, OTHER)
    assert version == "TLSv1.3"
    assert {name for _, name in seen["subjectAltName"]} == {HOST, OTHER}
    assert len(verified(leaf, HOST)) == 3


@pytest.mark.parametrize("key", CLASSICAL)
def test_a_handshake_with_a_key_of_ones_own(customer, chain, tmp_path, key):
    leaf = customer.issue(chain(key), csr(key, HOST), "EndEntityServerAuthCertificate")
    assert handshake(tmp_path, leaf, pkcs8(key), HOST)[0] == "TLSv1.3"


def test_a_handshake_under_another_name_or_purpose_fails(customer, chain, tmp_path):
    served = customer.issue(chain("EC_prime256v1"), csr("EC_prime256v1", HOST))
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(tmp_path, served, pkcs8("EC_prime256v1"), "other.example.internal")
    of_client = customer.issue(chain("EC_prime256v1"), csr("EC_prime256v1", HOST), "EndEntityClientAuthCertificate")
    with pytest.raises(ssl.SSLCertVerificationError, match=r"unsuitable|unsupported"):
        handshake(tmp_path, of_client, pkcs8("EC_prime256v1"), HOST)


def takes_apart(structure: Sequence, *, opaque: str | None) -> None:
    """asn1crypto must write every member as it read it; `opaque` names one that it does not know how to read."""
    for name in structure:
        if name != opaque:
            as_read = structure[name].dump()
            assert structure[name].dump(force=True) == as_read, name


@pytest.mark.parametrize("key", [*CLASSICAL, *POST_QUANTUM])
def test_asn1crypto_writes_back_what_it_read(customer, chain, key):
    issuing = chain(key)
    request = customer.csr_of(issuing.arn)
    leaf = customer.issue(issuing, csr(key, HOST))
    # asn1crypto knows no ML-DSA keys.
    newer = key.startswith("ML_DSA")
    for text in (leaf.certificate, leaf.intermediates, leaf.root):
        parsed = asn1.Certificate.load(pem.unarmor(text.encode())[2], strict=True)
        tbs = parsed["tbs_certificate"]
        takes_apart(tbs, opaque="subject_public_key_info" if newer else None)
        takes_apart(parsed, opaque="tbs_certificate" if newer else None)
        assert tbs["version"].native == "v3"
        assert all(extension["extn_value"].parsed is not None for extension in tbs["extensions"])
    parsed = CertificationRequest.load(pem.unarmor(request)[2], strict=True)
    takes_apart(parsed["certification_request_info"], opaque="subject_pk_info" if newer else None)
    takes_apart(parsed, opaque="certification_request_info" if newer else None)
