"""Serial numbers that a CA outside of Greatseal chose: of any length up to 20 octets (RFC 5280 section 4.1.2.2)."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from conformance.hierarchy import pem, private_key

# One digit, an odd number of digits, high bits that need an octet more, the longest.
SERIALS = [0x1, 0x80, 0xABC, 1 << 127, 0x0123456789ABCDEF0123456789ABCDEF01234567, (1 << 159) - 1]


def signed(at, subject, public_key, serial: int) -> str:
    """A certificate of an authority below (or of) the root outside."""
    outside = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Outside Root")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject or outside)
        .issuer_name(outside)
        .public_key(public_key)
        .serial_number(serial)
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=100))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    return pem(builder.sign(private_key("EC_secp384r1"), hashes.SHA384()))


@pytest.mark.parametrize("serial", SERIALS, ids=hex)
def test_it_is_shown_as_it_is(customer, installation, serial):
    now = installation.clock.now()
    arn = customer.create("SUBORDINATE", "EC_prime256v1")
    request = x509.load_pem_x509_csr(customer.csr_of(arn))
    customer.pca.import_certificate_authority_certificate(
        CertificateAuthorityArn=arn,
        Certificate=signed(now, request.subject, request.public_key(), serial).encode(),
        CertificateChain=signed(now, None, private_key("EC_secp384r1").public_key(), 7).encode(),
    )
    described = customer.pca.describe_certificate_authority(CertificateAuthorityArn=arn)["CertificateAuthority"]
    assert described["Status"] == "ACTIVE"
    assert int(described["Serial"].replace(":", ""), 16) == serial
    listed = customer.pca.list_certificate_authorities(MaxResults=1000)["CertificateAuthorities"]
    assert described["Serial"] in [each.get("Serial") for each in listed]
