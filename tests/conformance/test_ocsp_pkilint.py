"""pkilint finds no error in any OCSP answer, nor in any responder's certificate."""

import warnings

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from doors.ocsp_client import ENABLED, Door, ca_certificate, request
from doors.pki import Pki
from pkilint_opinion import pkilint_errors

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pkilint import loader, pkix, validation
    from pkilint.pkix import extension, name, ocsp


def errors(answer: bytes) -> list[str]:
    """What pkilint calls an ERROR or worse about an OCSPResponse (DER)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        validator = ocsp.create_pkix_ocsp_response_validator_container(
            [
                ocsp.create_response_decoder(),
                pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
                pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
            ],
            [],
        )
        parsed = loader.RFC6960OCSPResponseDocumentLoader().load_der_document(answer, "answer")
        return sorted(
            f"{found.finding.code}: {found.message or ''}"
            for result in validator.validate(parsed.root)
            for found in result.finding_descriptions
            if found.finding.severity <= validation.ValidationFindingSeverity.WARNING
        )


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("algorithm", ["RSA_2048", "EC_prime256v1", "ML_DSA_65"])
def test_answers_and_responders(storage, algorithm):
    pki = Pki(storage)
    door = Door(pki)
    arn = pki.root(algorithm, RevocationConfiguration=ENABLED)
    root = ca_certificate(pki, arn)
    good, bad = pki.certificate(arn), pki.certificate(arn)
    pki.pca.revoke_certificate(
        CertificateAuthorityArn=arn, CertificateSerial=f"{bad.serial_number:x}", RevocationReason="SUPERSEDED"
    )
    for body in (request(good, root), request(bad, root), request(9, root), request(good, root, nonce=bytes(32))):
        answer = door.ask(body, root)
        assert errors(answer.public_bytes(serialization.Encoding.DER)) == []
        (responder,) = answer.certificates
        assert isinstance(responder, x509.Certificate)
        assert pkilint_errors(responder.public_bytes(serialization.Encoding.DER)) == []
    for body in (b"", request(good, good)):
        assert errors(door.post(body).body) == []
