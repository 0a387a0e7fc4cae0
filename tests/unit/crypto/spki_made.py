"""Public keys that no library would make: SubjectPublicKeyInfo from plain numbers, and ways to find primes."""

from math import isqrt, prod

RSA = bytes.fromhex("300d06092a864886f70d0101010500")


def tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    length = bytes([size]) if size < 128 else bytes([0x80 + len(octets)]) + octets
    return bytes([tag]) + length + content


def integer(value: int) -> bytes:
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def spki(algorithm: bytes, key: bytes, unused: int = 0) -> bytes:
    return tlv(0x30, algorithm + tlv(3, bytes([unused]) + key))


def rsa_spki(modulus: int, exponent: int = 65537) -> bytes:
    return spki(RSA, tlv(0x30, integer(modulus) + integer(exponent)))


def small_primes(limit: int) -> list[int]:
    return [n for n in range(2, limit) if all(n % d for d in range(2, isqrt(n) + 1))]


def is_prime(number: int) -> bool:
    """Miller and Rabin with fixed bases: enough for numbers that nobody chose to deceive it."""
    if any(number % prime == 0 for prime in (2, 3, 5, 7, 11, 13)):
        return False
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in (2, 3, 5, 7):
        power = pow(base, odd, number)
        if power in (1, number - 1):
            continue
        if not any((power := power * power % number) == number - 1 for _ in range(twos - 1)):
            return False
    return True


def prime_from(start: int, step: int = 2) -> int:
    """The first prime in start, start + step, …; `start` must be odd and prime to `step`."""
    while not is_prime(start):
        start += step
    return start


def odd_number(bits: int, seed: int) -> int:
    """An odd number of exactly `bits` bits with both top bits set, the same for the same seed."""
    state, number = seed, 0
    for _ in range(bits // 32 + 1):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        number = number << 32 | state >> 32
    return number % (1 << bits) | 3 << (bits - 2) | 1


def infineon_prime(bits: int, seed: int, primes: list[int]) -> int:
    """A prime of the form k*M + (65537^a mod M), as in CVE-2017-15361; M is the product of `primes`."""
    product = prod(primes)
    residue = pow(65537, seed, product)
    start = odd_number(bits, seed) // product * product + residue
    # The product is even and the residue odd, so every candidate is odd.
    return prime_from(start, product)
