"""IssuerSignedItem: one element with its random and its place among the digests (ISO/IEC 18013-5 8.3.2.1.2.2, 9.1.2.5).

What is hashed is the whole tagged item, `24(<< map >>)`, in the octets that a reader receives.
"""

import hashlib
from dataclasses import dataclass

from greatseal.crypto.cbor import CborError, Tagged, decode, encode

ENCODED_TAG = 24
"""Encoded CBOR data item (RFC 8949 section 3.4.5.1)."""
RANDOM_SIZE = 32
"""Octets of randomness in an item of ours; 16 are least."""
_LEAST_RANDOM = 16
HASHES = {"SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
"""The digest algorithms of table 21, by the names that they have in the security object."""
_KEYS = ("digestID", "random", "elementIdentifier", "elementValue")


class MalformedItem(ValueError):
    """Not an IssuerSignedItem; the message is the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Item:
    """One element of a document."""

    digest_id: int
    random: bytes
    identifier: str
    value: object

    def encode(self) -> Tagged:
        """The whole tagged item, keys in the order of the standard's examples; its octets are in `raw`."""
        inner = encode(dict(zip(_KEYS, (self.digest_id, self.random, self.identifier, self.value), strict=True)))
        return Tagged(ENCODED_TAG, inner, encode(Tagged(ENCODED_TAG, inner)))


def read_item(tagged: object) -> Item:
    """The item inside a decoded `24(<< map >>)`. Raises MalformedItem, also for a key that the item does not have."""
    if not isinstance(tagged, Tagged) or tagged.number != ENCODED_TAG or not isinstance(tagged.value, bytes):
        raise MalformedItem("an item that is not encoded CBOR under tag 24")
    try:
        inside = decode(tagged.value)
    except CborError as error:
        raise MalformedItem(f"an item with {error}") from None
    if not isinstance(inside, dict):
        raise MalformedItem("an item that is not a map")
    if set(inside) != set(_KEYS):
        odd = sorted(str(key)[:40] for key in set(inside) ^ set(_KEYS))
        raise MalformedItem(f"an item whose keys are not {', '.join(_KEYS)}: see {', '.join(odd[:4])}")
    digest_id, random, identifier, value = (inside[key] for key in _KEYS)
    if isinstance(digest_id, bool) or not isinstance(digest_id, int) or not 0 <= digest_id < 2**31:
        raise MalformedItem("an item whose digestID is not a number below 2147483648")
    if not isinstance(random, bytes) or len(random) < _LEAST_RANDOM:
        raise MalformedItem(f"an item with less than {_LEAST_RANDOM} octets of randomness")
    if not isinstance(identifier, str):
        raise MalformedItem("an item whose elementIdentifier is not text")
    return Item(digest_id, random, identifier, value)


def digest(encoded: bytes, algorithm: str) -> bytes:
    """The digest of a whole tagged item, as received. `algorithm` is a key of HASHES."""
    return hashlib.new(HASHES[algorithm], encoded).digest()
