"""Identifiers made from an `Entropy`: UUIDs, access keys, certificate serial numbers."""

import base64
from datetime import UTC, datetime, timedelta

from greatseal.kernel.entropy import Entropy

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# RFC 9562 sections 4.1 and 4.2: four bits say which version, two which variant.
_VERSION_4 = 4 << 76 | 2 << 62
_VERSION_7 = 7 << 76 | 2 << 62
_RANDOM_BITS = ~(0xF << 76 | 3 << 62)


def new_uuid(entropy: Entropy) -> str:
    """A random UUID (RFC 9562 version 4) as lower-case text."""
    return _uuid(int.from_bytes(entropy.token_bytes(16), "big") & _RANDOM_BITS | _VERSION_4)


def new_ordered_uuid(entropy: Entropy, at: datetime) -> str:
    """A UUID that sorts by time (RFC 9562 version 7): milliseconds since 1970, then 74 random bits.

    For rows of which there are very many: an index of random values is written all over, one of these at its end.
    """
    millis = (at - _EPOCH) // timedelta(milliseconds=1)
    random = int.from_bytes(entropy.token_bytes(16), "big") & _RANDOM_BITS & (1 << 80) - 1
    return _uuid(millis << 80 | _VERSION_7 | random)


def _uuid(number: int) -> str:
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def new_serial(entropy: Entropy) -> int:
    """A 128-bit certificate serial number, never zero (RFC 5280 section 4.1.2.2; acm-pca.md 6.3).

    The whole range is used, as the real service does: a set top bit costs one more octet in DER, and
    2^128 stays far below the limit of 20 octets.
    """
    serial = int.from_bytes(entropy.token_bytes(16), "big")
    # Eight leading zero octets happen once in 2^64 serials, or when the source is broken.
    if not serial >> 64:
        raise RuntimeError("the source of randomness does not look random")
    return serial


def new_access_key_id(entropy: Entropy, prefix: str = "AKIA") -> str:
    """An access key id: the prefix (AKIA long-term, ASIA temporary) and 16 characters of base32 (iam.md 8)."""
    return prefix + base64.b32encode(entropy.token_bytes(10)).decode("ascii")


def new_principal_id(entropy: Entropy, prefix: str) -> str:
    """A unique id of IAM: the prefix (AIDA, AROA, AGPA, ANPA, …) and 17 characters of base32 (iam.md 8)."""
    return prefix + base64.b32encode(entropy.token_bytes(11)).decode("ascii")[:17]


def new_account_id(entropy: Entropy) -> str:
    """Twelve digits, the first of which is not zero."""
    return str(10**11 + int.from_bytes(entropy.token_bytes(8), "big") % (9 * 10**11))


def new_secret_access_key(entropy: Entropy) -> str:
    """A secret access key: 40 characters of the base64 alphabet (iam.md 8)."""
    return base64.b64encode(entropy.token_bytes(30)).decode("ascii")


def new_ordered_id(entropy: Entropy, at: datetime) -> str:
    """32 hex digits that sort by time: microseconds since 1970, then 64 random bits.

    Rows that are read in the order of their making get such a key, because a sequence of the database
    would make writers wait for each other.
    """
    micros = (at - _EPOCH) // timedelta(microseconds=1)
    return f"{micros:016x}{entropy.token_bytes(8).hex()}"
