"""What is wrong with an RSA public key, judged from its two numbers alone.

Rules: CA/Browser Forum Baseline Requirements 6.1.1.3 (ROCA, close primes, keys of known generators), 6.1.5
(size) and 6.1.6 (exponent, small factors); NIST SP 800-56B; faults.md rows 11 to 16. Every check is
deterministic; a key of 4096 bits costs about 20 ms, nearly all of it in `_no_composite`.
"""

from functools import cache
from math import isqrt, prod

import gmpy2
from gmpy2 import mpz

MIN_BITS, MAX_BITS = 2048, 16384
"""Sizes of moduli; beyond the upper limit arithmetic would be a way to burn our processor (row 11)."""

_MIN_EXPONENT = 2**16 + 1
_MAX_EXPONENT_BITS = 256
_SMALL_PRIME_LIMIT = 2**16
_FERMAT_ROUNDS = 100
_MAX_PRIMALITY_BITS = 4096

# Infineon's library built primes as k*M + (65537^a mod M), M being the product of the first n primes; n grows
# with the size of the modulus (Nemec et al., "The Return of Coppersmith's Attack", CCS 2017, table 1).
_ROCA_LARGEST_PRIME = ((1984, 701), (992, 353), (0, 167))
_ROCA_GENERATOR = 65537


def rsa_weaknesses(modulus: int, exponent: int, *, min_bits: int = MIN_BITS) -> tuple[str, ...]:
    """Every reason to refuse the key, as sentences; empty for a good key.

    `min_bits` is lowered only where another's certificate is stored rather than issued (ACM import takes
    RSA_1024, acm.md 7.2).
    """
    size = modulus.bit_length()
    if modulus <= 0:
        return ("The RSA modulus is not positive.",)
    if size > MAX_BITS:
        return (f"The RSA modulus has {size} bits; at most {MAX_BITS} are accepted.",)
    found = [*_size(size, min_bits), *_exponent(modulus, exponent)]
    # A broken number makes the deeper checks meaningless, so the first structural finding ends the search.
    structure = _small_factors(modulus) or _roca(modulus) or _close_primes(modulus) or _no_composite(modulus)
    return (*found, *structure)


def _size(size: int, min_bits: int) -> tuple[str, ...]:
    if size < min_bits:
        return (f"The RSA modulus has {size} bits; at least {min_bits} are required.",)
    if size % 8:
        return (f"The RSA modulus has {size} bits, which is not a multiple of 8.",)
    return ()


def _exponent(modulus: int, exponent: int) -> tuple[str, ...]:
    if exponent < 0:
        # Not printed: a number of a million digits takes Python's conversion past its limit.
        return ("The RSA public exponent is negative.",)
    if exponent % 2 == 0:
        return ("The RSA public exponent is even.",)
    if exponent < _MIN_EXPONENT:
        return (f"The RSA public exponent is {exponent}; at least {_MIN_EXPONENT} is required.",)
    if exponent >= modulus:
        return ("The RSA public exponent is not less than the modulus.",)
    if exponent.bit_length() > _MAX_EXPONENT_BITS:
        return (f"The RSA public exponent has more than {_MAX_EXPONENT_BITS} bits.",)
    return ()


@cache
def _small_primes() -> tuple[int, ...]:
    sieve = bytearray([1]) * _SMALL_PRIME_LIMIT
    sieve[:2] = b"\0\0"
    for number in range(2, isqrt(_SMALL_PRIME_LIMIT) + 1):
        if sieve[number]:
            multiples = range(number * number, _SMALL_PRIME_LIMIT, number)
            sieve[number * number :: number] = bytes(len(multiples))
    return tuple(number for number, flag in enumerate(sieve) if flag)


@cache
def _small_primes_product() -> mpz:
    return mpz(prod(_small_primes()))


def _small_factors(modulus: int) -> tuple[str, ...]:
    # BR 6.1.6 asks for no factor below 752; all primes below 2^16 cost the same single gcd.
    if gmpy2.gcd(modulus, _small_primes_product()) != 1:
        return (f"The RSA modulus has a prime factor below {_SMALL_PRIME_LIMIT}.",)
    return ()


@cache
def _roca_subgroups() -> tuple[tuple[int, frozenset[int]], ...]:
    """For each odd prime up to 701: the residues that powers of 65537 take."""
    groups = []
    for prime in _small_primes()[1:126]:
        residues, power = set(), 1
        while power not in residues:
            residues.add(power)
            power = power * _ROCA_GENERATOR % prime
        groups.append((prime, frozenset(residues)))
    return tuple(groups)


def _roca(modulus: int) -> tuple[str, ...]:
    """CVE-2017-15361: both primes, hence the modulus too, are powers of 65537 modulo every prime in M."""
    largest = next(prime for size, prime in _ROCA_LARGEST_PRIME if modulus.bit_length() >= size)
    for prime, residues in _roca_subgroups():
        if prime > largest:
            break
        if modulus % prime not in residues:
            return ()
    return ("The RSA key comes from a generator with the ROCA defect (CVE-2017-15361).",)


def _close_primes(modulus: int) -> tuple[str, ...]:
    """Fermat's method (BR 6.1.1.3: 100 rounds): n = a^2 - b^2 with a just above the square root of n."""
    middle = gmpy2.isqrt(mpz(modulus - 1)) + 1
    square = middle * middle - modulus
    for _ in range(_FERMAT_ROUNDS):
        if gmpy2.is_square(square):
            return ("The prime factors of the RSA modulus are too close to each other (Fermat's method).",)
        # (a + 1)^2 - n
        square += 2 * middle + 1
        middle += 1
    return ()


def _no_composite(modulus: int) -> tuple[str, ...]:
    """A modulus that is itself prime gives its private key away; Fermat's test to base 2 finds it.

    Above 4096 bits the test would take seconds, and such a key harms nobody but its owner.
    """
    if modulus.bit_length() <= _MAX_PRIMALITY_BITS and gmpy2.powmod(2, modulus - 1, modulus) == 1:
        return ("The RSA modulus is a prime number.",)
    return ()
