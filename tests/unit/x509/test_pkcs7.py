"""PKCS#7 with certificates only: read by two other implementations, strict DER."""

import asn1crypto.cms
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from doors.pki import ForeignCa
from greatseal.testing import FakeClock
from greatseal.x509.pkcs7 import certificates_only


def test_every_certificate_is_in_it_once_and_in_the_order_of_der():
    root = ForeignCa("Root", FakeClock().now())
    below = [ForeignCa(f"Below {number}", FakeClock().now(), root) for number in range(4)]
    certificates = [each.certificate.public_bytes(Encoding.DER) for each in (root, *below)]
    made = certificates_only([*certificates, certificates[0]])
    assert {each.public_bytes(Encoding.DER) for each in pkcs7.load_der_pkcs7_certificates(made)} == set(certificates)
    content = asn1crypto.cms.ContentInfo.load(made, strict=True)["content"]
    assert content["version"].native == "v1"
    assert len(content["signer_infos"]) == len(content["digest_algorithms"]) == 0
    assert content["encap_content_info"]["content_type"].native == "data"
    assert [each.dump() for each in content["certificates"]] == sorted(certificates)
