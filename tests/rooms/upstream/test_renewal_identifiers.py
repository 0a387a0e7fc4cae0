"""How a CA is asked about one of its certificates (RFC 9773 section 4.1)."""

from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from greatseal.domain.upstream.outcome import ari_identifier
from greatseal.testing import FakeClock


def test_the_identifier_of_the_rfc() -> None:
    """RFC 9773 section 4.1 has the parts; a serial with a high bit keeps its zero."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(0x87654321)
        .not_valid_before(FakeClock().now())
        .not_valid_after(FakeClock().now() + timedelta(days=1))
        .add_extension(
            x509.AuthorityKeyIdentifier(bytes.fromhex("69885B6B87464041E1B37B847BA0AE2CDE01C8D4"), None, None),
            False,
        )
        .sign(key, hashes.SHA256())
    )
    assert ari_identifier(made.public_bytes(serialization.Encoding.DER)) == "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"
