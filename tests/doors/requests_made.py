"""Certificate signing requests that no tool would make: every field by hand, signed by keys of plain numbers."""

import hashlib
from functools import cache
from math import prod

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from doors.pki import P256
from greatseal.x509 import der, pem
from greatseal.x509.extensions import OID, Extension
from unit.crypto.spki_made import infineon_prime, is_prime, odd_number, prime_from, rsa_spki, small_primes

ECDSA = bytes.fromhex("300a06082a8648ce3d040302")
RSA = bytes.fromhex("300d06092a864886f70d01010b0500")
_SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
SAN = "2.5.29.17"


def spki_of(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def rdn(value=b"app.example.com", *, tag=der.UTF8_STRING, oid="2.5.4.3"):
    """A relative distinguished name with one attribute."""
    return der.tlv(0x31, der.sequence(der.oid(oid), der.tlv(tag, value)))


SUBJECT = der.sequence(rdn())


def attribute(*extensions):
    """An extensionRequest."""
    return der.sequence(
        der.oid(OID.EXTENSION_REQUEST), der.tlv(0x31, der.sequence(*(each.encode() for each in extensions)))
    )


def san(*names, critical=False):
    """A subjectAltName of (tag, octets)."""
    return Extension(SAN, critical, der.sequence(*(der.tlv(tag, value) for tag, value in names)))


def info(*, version=0, subject=SUBJECT, spki=None, attributes=b"", rest=b""):
    """The part that is signed."""
    return der.sequence(der.integer(version), subject, spki or spki_of(P256), der.tlv(0xA0, attributes), rest)


def signed(body, *, key=P256, identifier=ECDSA, signature=None):
    """A whole request as DER."""
    made = key.sign(body, ec.ECDSA(hashes.SHA256())) if signature is None else signature
    return der.sequence(body, identifier, der.bit_string(made))


def text(encoded, label="CERTIFICATE REQUEST"):
    """As PEM."""
    return (pem.write(label, encoded) + "\n").encode()


def with_extensions(*extensions, subject=SUBJECT):
    """A request, as PEM, that asks for extensions."""
    return text(signed(info(subject=subject, attributes=attribute(*extensions) if extensions else b"")))


def rsa_request(primes, exponent=65537):
    """A request for the RSA key with these primes, signed with it if that is possible at all."""
    modulus = prod(primes)
    body = info(spki=rsa_spki(modulus, exponent))
    size = (modulus.bit_length() + 7) // 8
    digest = _SHA256_INFO + hashlib.sha256(body).digest()
    padded = b"\x00\x01" + b"\xff" * max(8, size - len(digest) - 3) + b"\x00" + digest
    number = int.from_bytes(padded[:size])
    try:
        private = pow(exponent, -1, prod(prime - 1 for prime in primes))
        made = pow(number, private, modulus)
    except ValueError:
        made = number % modulus  # no inverse: such a key cannot sign
    return text(signed(body, identifier=RSA, signature=made.to_bytes(size)))


@cache
def primes_of(bits, seed=1):
    """Two primes for a modulus of `bits` bits that fit the exponents 3 and 65537."""

    def prime(size, start):
        found = odd_number(size, start)
        while not (is_prime(found) and found % 3 == 2):
            found += 2
        return found

    return prime(bits // 2, seed), prime(bits - bits // 2, seed + 100)


def close_primes(bits=2048):
    """Two primes next to each other."""
    first = primes_of(bits)[0]
    return first, prime_from(first + 2)


def roca_primes(bits=2048):
    """Two primes as a flawed chip made them."""
    primes = small_primes(702)
    return infineon_prime(bits // 2, 3, primes), infineon_prime(bits // 2, 5, primes)


def with_key(spki):
    """A request, as PEM, for a key that cannot sign or need not: another one did."""
    return text(signed(info(spki=spki)))


def ec_spki(parameters, point):
    """An EC key from the DER of its parameters and the octets of its point."""
    algorithm = der.sequence(der.oid("1.2.840.10045.2.1"), parameters)
    return der.sequence(algorithm, der.bit_string(point))
