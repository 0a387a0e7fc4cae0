"""The archive cutoff in OCSP answers about expired certificates (RFC 6960 section 4.4.4)."""

from datetime import timedelta

import asn1crypto.ocsp
import pytest
from cryptography.hazmat.primitives import serialization

from conformance.test_ocsp_pkilint import errors
from doors.ocsp_client import ENABLED, Door, ca_certificate, request
from doors.pki import Pki, days

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


def extensions(door, certificate, root):
    answer = door.ask(request(certificate, root), root).public_bytes(serialization.Encoding.DER)
    assert errors(answer) == []
    [single] = asn1crypto.ocsp.OCSPResponse.load(answer, strict=True).response_data["responses"]
    return {each["extn_id"].native: each["extn_value"].parsed.native for each in single["single_extensions"]}


def test_of_expired_certificates_it_is_told_since_when_everything_is_kept(storage):
    pki = Pki(storage)
    door = Door(pki)
    since = pki.now
    arn = pki.root(RevocationConfiguration=ENABLED)
    root = ca_certificate(pki, arn)
    pki.clock.advance(timedelta(hours=5))
    good, bad, long = (pki.certificate(arn, valid=days(number)) for number in (1, 1, 500))
    pki.pca.revoke_certificate(
        CertificateAuthorityArn=arn, CertificateSerial=f"{bad.serial_number:x}", RevocationReason="SUPERSEDED"
    )
    assert [extensions(door, each, root) for each in (good, bad, long)] == [{}, {}, {}]
    pki.clock.advance(timedelta(days=2))
    told = {"archive_cutoff": since.replace(microsecond=0)}
    assert [extensions(door, each, root) for each in (good, bad, long)] == [told, told, {}]
    assert (door.status(good, root), door.status(bad, root)) == ("GOOD", "REVOKED")
    # Once more, from memory.
    assert extensions(door, good, root) == told


def test_an_answer_from_before_the_end_is_not_given_out_for_long(storage):
    pki = Pki(storage)
    door = Door(pki)
    arn = pki.root(RevocationConfiguration=ENABLED)
    root, leaf = ca_certificate(pki, arn), pki.certificate(arn, valid=days(1))
    pki.clock.at = leaf.not_valid_after_utc - timedelta(minutes=1)
    assert extensions(door, leaf, root) == {}
    pki.clock.advance(timedelta(hours=1))
    assert set(extensions(door, leaf, root)) == {"archive_cutoff"}
