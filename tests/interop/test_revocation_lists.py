"""Revocation lists in the hands of OpenSSL: read, verified, and believed about every certificate of a chain."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from doors.lists import CRL, bucket, point_of, published, revoke
from doors.pki import Pki, parse

pytestmark = [pytest.mark.interop, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]
KEYS = ("EC_prime256v1", "EC_secp521r1", "RSA_2048")


def lists_of(pki, *certificates):
    """The lists at the addresses in the certificates, PEM."""
    pki.clock.advance(pki.installation.rooms.points._pace.delay)
    pki.installation.work()
    return b"".join(published(pki, point_of(each)).public_bytes(Encoding.PEM) for each in certificates)


@pytest.mark.parametrize("crl_type", ["COMPLETE", "PARTITIONED"])
@pytest.mark.parametrize("key", KEYS)
def test_openssl_believes_the_lists(storage, bench, key, crl_type):
    pki = Pki(storage)
    bucket(pki)
    enabled = {"CrlConfiguration": {**CRL, "CrlType": crl_type}}
    root = pki.root(key, RevocationConfiguration=enabled)
    low = pki.subordinate(root, key, RevocationConfiguration=enabled)
    good, bad = pki.issue(low), pki.issue(low)
    above = pki.pca.get_certificate_authority_certificate(CertificateAuthorityArn=low)
    parsed = parse(pki.get(low, good)["Certificate"])
    bench.put(
        root=above["CertificateChain"],
        between=above["Certificate"],
        good=pki.get(low, good)["Certificate"],
        bad=pki.get(low, bad)["Certificate"],
    )
    serial = revoke(pki, bad, "KEY_COMPROMISE")
    bench.put(lists=lists_of(pki, parsed, parse(above["Certificate"])))
    at = str(int(pki.now.timestamp()))
    # With -crl_check_all OpenSSL asks about the root, too, and no part covers what names none.
    checked = "-crl_check_all" if crl_type == "COMPLETE" else "-crl_check"
    verify = ("openssl", "verify", "-attime", at, "-x509_strict", checked, "-extended_crl")
    files = ("-CAfile", "root.pem", "-untrusted", "between.pem", "-CRLfile", "lists.pem")
    assert "good.pem: OK" in bench.run(*verify, *files, "good.pem")
    assert "between.pem: OK" in bench.run(*verify, *files, "between.pem")
    assert "certificate revoked" in bench.fail(*verify, *files, "bad.pem")
    # Without the lists nothing is known, and that is said.
    assert "unable to get certificate CRL" in bench.fail(*verify, *files[:4], "good.pem")
    shown = bench.run("openssl", "crl", "-in", "lists.pem", "-CAfile", "between.pem", "-noout", "-text")
    assert "verify OK" in shown
    assert f"Serial Number: {_as_shown(serial)}" in shown
    assert "Key Compromise" in shown
    assert ("Issuing Distribution Point: critical" in shown) == (crl_type == "PARTITIONED")
    # The subordinate itself is revoked, and with it everything below.
    revoke(pki, _arn_below(root, parse(above["Certificate"])))
    bench.put(lists=lists_of(pki, parsed, parse(above["Certificate"])))
    at = str(int(pki.now.timestamp()))
    assert "certificate revoked" in bench.fail(*verify[:3], at, *verify[4:], *files, "between.pem")


def _as_shown(serial: int) -> str:
    """OpenSSL prints whole octets."""
    digits = f"{serial:X}"
    return digits.zfill(len(digits) + len(digits) % 2)


def _arn_below(authority: str, certificate: x509.Certificate) -> str:
    return f"{authority}/certificate/{certificate.serial_number:032x}"
