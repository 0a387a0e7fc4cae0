"""Seals: a keyed hash on everything of the trail that only the service may write.

A checkpoint protects what is below it. A seal protects the second before, and keeps somebody who can write
to the database but does not hold the key-encryption key from adding records that the service would then sign.
"""

from hashlib import sha256
from hmac import compare_digest, digest

from greatseal.kernel.secret import Secret


class Seals:
    """Makes and checks seals. Without a key there are none: seals are empty and none is checked."""

    def __init__(self, key: Secret | None) -> None:
        self._key = key

    @classmethod
    def under(cls, secret: Secret) -> "Seals":
        """Seals under the key that an installation derives from its secret, which outlives key-encryption keys."""
        return cls(Secret(digest(secret.reveal(), b"audit seals", sha256)))

    @property
    def checked(self) -> bool:
        """Whether there is a key."""
        return self._key is not None

    def of(self, kind: str, *parts: bytes) -> bytes:
        """The seal of a thing of this kind. Parts are counted in, so that none can flow into the next."""
        if self._key is None:
            return b""
        message = b"".join(len(part).to_bytes(8, "big") + part for part in (kind.encode(), *parts))
        return digest(self._key.reveal(), message, sha256)

    def holds(self, seal: object, kind: str, *parts: bytes) -> bool:
        """Whether the seal is ours, or cannot be checked for want of a key."""
        if self._key is None:
            return True
        return isinstance(seal, bytes) and compare_digest(seal, self.of(kind, *parts))


RECORD = "record"
HEAD = "head"
CHECKPOINT = "checkpoint"
