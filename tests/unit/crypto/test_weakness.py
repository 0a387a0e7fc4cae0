"""Weak keys, made by hand, are refused with their reason; good keys pass."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, rsa, x25519
from hypothesis import given
from hypothesis import strategies as st
from spki_made import RSA, infineon_prime, odd_number, prime_from, rsa_spki, small_primes, spki, tlv

from greatseal.crypto.blocklist import Blocklist
from greatseal.crypto.keypair import load_public
from greatseal.crypto.weakness import WeakKey, refuse_weak, weaknesses

EC_OID = bytes.fromhex("06072a8648ce3d0201")
P256 = bytes.fromhex("06082a8648ce3d030107")


def der(key) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture(scope="module")
def primes() -> tuple[int, int]:
    return prime_from(odd_number(1024, 1)), prime_from(odd_number(1024, 2))


@pytest.fixture(scope="module")
def modulus(primes) -> int:
    return primes[0] * primes[1]


def reasons(key: bytes, **options) -> str:
    return " ".join(weaknesses(key, **options))


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 2048),
        rsa.generate_private_key(65537, 3072),
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP521R1()),
        mldsa.MLDSA44PrivateKey.generate(),
        mldsa.MLDSA65PrivateKey.generate(),
        mldsa.MLDSA87PrivateKey.generate(),
    ],
    ids=lambda key: type(key).__name__,
)
def test_fresh_keys_have_no_weakness(key):
    assert weaknesses(der(key.public_key())) == ()
    refuse_weak(der(key.public_key()))


def test_the_hand_made_modulus_is_good(modulus):
    assert weaknesses(rsa_spki(modulus)) == ()


@pytest.mark.parametrize(
    ("exponent", "reason"),
    [
        (65536, "is even"),
        (0, "is even"),
        (-2, "is negative"),
        (1, "is 1; at least 65537"),
        (3, "is 3; at least 65537"),
        (65535, "at least 65537"),
        (-3, "is negative"),
        (2**256 + 1, "more than 256 bits"),
    ],
)
def test_exponents_are_judged(modulus, exponent, reason):
    assert reason in reasons(rsa_spki(modulus, exponent))


def test_an_exponent_above_the_modulus_is_refused(modulus):
    assert "not less than the modulus" in reasons(rsa_spki(modulus, modulus + 2))
    assert "not less than the modulus" in reasons(rsa_spki(modulus, modulus))


def test_the_largest_legal_exponent_passes(modulus):
    assert weaknesses(rsa_spki(modulus, 2**256 - 1)) == ()


@pytest.mark.parametrize("bits", [512, 1024, 2047])
def test_small_moduli_are_refused(bits):
    found = prime_from(odd_number(bits // 2, 3)) * prime_from(odd_number(bits - bits // 2, 4))
    assert f"has {found.bit_length()} bits; at least 2048" in reasons(rsa_spki(found))


def test_a_smaller_limit_serves_stored_certificates():
    found = prime_from(odd_number(512, 3)) * prime_from(odd_number(512, 4))
    assert weaknesses(rsa_spki(found), min_rsa_bits=1024) == ()


def test_huge_moduli_are_refused_without_work():
    assert "at most 16384" in reasons(rsa_spki((1 << 16385) - 1))


def test_a_modulus_of_uneven_octets_is_refused(primes):
    longer = prime_from(odd_number(1028, 5))
    found = longer * primes[0]
    assert found.bit_length() % 8
    assert "not a multiple of 8" in reasons(rsa_spki(found))


@pytest.mark.parametrize("modulus", [0, -(2**2048) + 1])
def test_a_modulus_that_is_not_positive_is_refused(modulus):
    assert "not positive" in reasons(rsa_spki(modulus))


@pytest.mark.parametrize("factor", [2, 3, 751, 757, 65521])
def test_small_factors_are_found(factor):
    big = odd_number(2048, 7) // factor
    assert "factor below" in reasons(rsa_spki(factor * big))


def test_a_prime_modulus_is_found():
    assert "is a prime number" in reasons(rsa_spki(prime_from(odd_number(2048, 8))))


@pytest.mark.parametrize(("bits", "largest"), [(512, 167), (1024, 353), (2048, 701), (4096, 1427)])
def test_roca_keys_are_found(bits, largest):
    table = small_primes(largest + 1)
    found = infineon_prime(bits // 2, 12345, table) * infineon_prime(bits // 2, 54321, table)
    assert "CVE-2017-15361" in reasons(rsa_spki(found), min_rsa_bits=512)


@given(st.integers(1, 2**63))
def test_close_primes_are_found_however_close(seed):
    first = odd_number(1024, seed)
    # Compositeness of the factors does not matter to Fermat's method, only their distance.
    second = first + 2 * (seed % 1000)
    found = reasons(rsa_spki(first * second))
    assert "Fermat" in found or "factor below" in found


def test_adjacent_primes_are_found(primes):
    assert "Fermat" in reasons(rsa_spki(primes[0] * prime_from(primes[0] + 2)))
    assert "Fermat" in reasons(rsa_spki(primes[0] ** 2))


def test_two_faults_are_two_reasons(primes):
    assert len(weaknesses(rsa_spki(primes[0] ** 2, 3))) == 2


def test_the_exception_carries_every_reason(primes):
    with pytest.raises(WeakKey) as caught:
        refuse_weak(rsa_spki(primes[0] ** 2, 3))
    assert len(caught.value.reasons) == 2


@pytest.mark.parametrize("parameters", [b"", bytes.fromhex("040100"), bytes.fromhex("3000")])
def test_rsa_parameters_must_be_null(modulus, parameters):
    good = rsa_spki(modulus)
    body = good[good.index(RSA) + len(RSA) :]
    algorithm = tlv(0x30, bytes.fromhex("06092a864886f70d010101") + parameters)
    assert "must be NULL" in reasons(tlv(0x30, algorithm + body))


@pytest.mark.parametrize("curve", [ec.SECP224R1, ec.SECP256K1, ec.BrainpoolP256R1, ec.SECP192R1])
def test_other_curves_are_refused(curve):
    assert "not one of P-256" in reasons(der(ec.generate_private_key(curve()).public_key()))


def test_explicit_parameters_are_refused():
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    raw = point.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    explicit = spki(tlv(0x30, EC_OID + tlv(0x30, bytes.fromhex("020101"))), raw)
    assert "explicit parameters" in reasons(explicit)


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        (b"\x00", "infinity"),
        (b"\x04" + bytes(64), "not a point"),
        (b"\x04" + b"\xff" * 64, "not a point"),
        (b"\x04" + bytes(63), "not a point"),
        (b"\x02" + b"\xff" * 32, "not a point"),
        (b"", "form"),
    ],
)
def test_false_points_are_refused(point, reason):
    assert reason in reasons(spki(tlv(0x30, EC_OID + P256), point))


def test_absent_curve_is_refused():
    assert "not one of P-256" in reasons(spki(tlv(0x30, EC_OID), b"\x04" + bytes(64)))


def test_the_hybrid_form_is_refused_and_the_compressed_one_accepted():
    key = ec.derive_private_key(2**200 + 99, ec.SECP256R1()).public_key()
    full = key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    short = key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    hybrid = bytes([6 + (full[-1] & 1)]) + full[1:]
    assert weaknesses(spki(tlv(0x30, EC_OID + P256), short)) == ()
    assert "form" in reasons(spki(tlv(0x30, EC_OID + P256), hybrid))
    load_public(spki(tlv(0x30, EC_OID + P256), short))


@pytest.mark.parametrize(
    "key",
    [
        ed25519.Ed25519PrivateKey.generate(),
        ed448.Ed448PrivateKey.generate(),
        x25519.X25519PrivateKey.generate(),
        dsa.generate_private_key(1024),
    ],
    ids=lambda key: type(key).__name__,
)
def test_other_algorithms_are_refused(key):
    assert "are not supported for certificates" in reasons(der(key.public_key()))


def test_an_unknown_algorithm_is_named_by_its_oid():
    assert "1.2.3.4" in reasons(spki(tlv(0x30, bytes.fromhex("06032a0304")), b"x"))


@pytest.mark.parametrize(("arc", "size"), [(17, 1312), (18, 1952), (19, 2592)])
def test_ml_dsa_length_and_parameters(arc, size):
    oid = bytes.fromhex("06096086480165030403") + bytes([arc])
    assert weaknesses(spki(tlv(0x30, oid), bytes(size))) == ()
    assert f"has {size} octets, not {size + 1}" in reasons(spki(tlv(0x30, oid), bytes(size + 1)))
    assert "must be absent" in reasons(spki(tlv(0x30, oid + b"\x05\0"), bytes(size)))


@given(st.binary(max_size=300))
def test_any_bytes_get_an_answer(data):
    assert weaknesses(data)


@given(st.integers(0, 293), st.integers(0, 255))
def test_any_damage_to_a_key_gets_an_answer(at, octet):
    good = bytearray(rsa_spki(odd_number(2048, 9)))
    good[at] = octet
    assert isinstance(weaknesses(bytes(good)), tuple)


def test_bits_left_over_are_refused(modulus):
    assert "not a DER SubjectPublicKeyInfo" in reasons(spki(RSA, bytes(8), unused=1))


def test_a_debian_list_is_honoured(modulus):
    from hashlib import sha1

    digest = sha1(f"Modulus={modulus:X}\n".encode()).hexdigest()
    listed = Blocklist().with_openssl_blacklist(f"# comment\n\n{'0' * 20}\n{digest[20:]}\n")
    assert "CVE-2008-0166" in reasons(rsa_spki(modulus), blocklist=listed)
    assert weaknesses(rsa_spki(modulus)) == ()


def test_numbers_too_long_to_print_get_an_answer(modulus):
    for huge in (2**20000, 2**20000 + 1, -(2**20000) - 1):
        assert weaknesses(rsa_spki(modulus, huge))
        assert weaknesses(rsa_spki(huge, 65537))
        assert weaknesses(rsa_spki(huge, huge))


def test_tiny_numbers_get_an_answer():
    for modulus in range(-5, 300):
        assert weaknesses(rsa_spki(modulus), min_rsa_bits=1)
