"""Keys that are known to strangers: published test keys, and lists that the operator brings.

A key is known by the SHA-256 of its SubjectPublicKeyInfo in the one canonical form (EC points
uncompressed), so that another encoding of the same key is found as well.

The list of Debian's predictable keys (CVE-2008-0166, faults.md row 15) is not shipped: it is no longer
in Debian, and it is large. `Blocklist.with_openssl_blacklist` reads its published form, and so takes
any file in that form that an operator still has.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_DEBIAN_LINE = re.compile(r"[0-9a-f]{20}")

# SHA-256 of the SubjectPublicKeyInfo. Provenance: the RFCs named, whose private keys are printed in them or are
# seeds printed in them; tests/unit/crypto/test_blocklist.py derives each value again.
_TEST_KEYS = {
    "8fb6bad671cfe698393c453357da61b56d757ab8c0f3fb9c87f2849e63131878": "testRSA2048 of RFC 9500",
    "96465ea5dc9bb2da7b351d808a7196e5761f2412a5040131c68d719aaba28fb9": "testRSA4096 of RFC 9500",
    "b2b04340cfaee616ec9c2c62d261b208e54bb197498df52e8cadede23ac0ba5e": "testECCP256 of RFC 9500",
    "c4c10105a0be0ed4dd3354428dc38a9bfee64da141ce16e75c94eda272f9dd3a": "testECCP384 of RFC 9500",
    "acb1b8327fef995e2458fdf5e3c33b2dc0749feabd6a894cb9bda9d70ac06c24": "testECCP521 of RFC 9500",
    "5a7a78cca4a0f420d9bc62bb669c3c2759e39f723d3ae10dcbe0f0815a07ecd4": "the P-256 key of RFC 6979",
    "2f95601fa82060b909bfc6b979dbd303d34d34e0afb27ea496beac362f242a4b": "the P-384 key of RFC 6979",
    "2fb6d46385242ea4ad431f7175e7014eb74a5fc60f65b50ca54cc23c5b08de38": "the P-521 key of RFC 6979",
    "837832708c5236d951581f1fddf2b79991b3424a0486d16da1ddad0fd69701be": "the ML-DSA-44 key of RFC 9881",
    "b8b62131bfbe84433efb2273d7f5b87f7a22854a2cfd366fc2aead86d837c52d": "the ML-DSA-65 key of RFC 9881",
    "07e57c4f14dbad1267f621ec3777b4e2e6c4fbc4c22fbb87510ff8e0b3c6a642": "the ML-DSA-87 key of RFC 9881",
    # The private key 1: the public key is the curve's generator.
    "5cd252fb0ce8932436faf8ccd1040981b89ee4ad6b9fe9e2a2b7e71aacb27cd3": "the generator of P-256",
    "29f8fe74f38c49d49810cec736a26732a30bff2e64827b709a1c63340d4f7181": "the generator of P-384",
    "dcaa139396632a8daba1ba49ceccce0c417786f014698a06221b083d77754bda": "the generator of P-521",
}


@dataclass(frozen=True, slots=True)
class Blocklist:
    """Hashes of keys that must not be certified.

    `keys` maps the lower-case hexadecimal SHA-256 of a canonical SubjectPublicKeyInfo to what the key is;
    `debian` holds the last ten octets of SHA-1 values in the form of the openssl-blacklist package.
    """

    keys: Mapping[str, str] = field(default_factory=lambda: dict(_TEST_KEYS))
    debian: frozenset[bytes] = frozenset()

    def with_openssl_blacklist(self, text: str) -> "Blocklist":
        """Adds a file of the openssl-blacklist package: 20 hexadecimal digits a line, `#` starts a comment.

        Raises ValueError for any other line, with its number, because a list that is silently half read
        protects nobody.
        """
        found = set(self.debian)
        for number, line in enumerate(text.splitlines(), start=1):
            entry = line.partition("#")[0].strip()
            if not entry:
                continue
            if not _DEBIAN_LINE.fullmatch(entry):
                raise ValueError(f"line {number} of the blocklist is not 20 hexadecimal digits")
            found.add(bytes.fromhex(entry))
        return Blocklist(self.keys, frozenset(found))

    def find(self, canonical_spki: bytes) -> str | None:
        """What the key is known as, or None."""
        return self.keys.get(hashlib.sha256(canonical_spki).hexdigest())

    def has_modulus(self, modulus: int) -> bool:
        """Whether the RSA modulus is on the list of Debian's predictable keys."""
        return bool(self.debian) and _debian_digest(modulus) in self.debian


def _debian_digest(modulus: int) -> bytes:
    # The package hashed what `openssl rsa -noout -modulus` prints and kept the lower 80 bits.
    printed = f"Modulus={modulus:X}\n".encode("ascii")
    return hashlib.sha1(printed, usedforsecurity=False).digest()[10:]


DEFAULT_BLOCKLIST = Blocklist()
"""The published test keys."""
