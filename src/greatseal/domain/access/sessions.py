"""Temporary credentials: made once, kept by nobody but their owner (iam.md 9).

The session token holds the secret and the whole session, sealed under the key-encryption key and bound to the access
key id. There is no row: any node opens a token that any other made, and a restart ends no session.
"""

import base64
import zlib
from datetime import datetime
from math import ceil

import msgspec

from greatseal.crypto.wrap import CannotOpen, Sealer
from greatseal.domain.access.model import Credential
from greatseal.kernel.caller import Session
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import LimitExceeded
from greatseal.kernel.ids import new_access_key_id, new_secret_access_key
from greatseal.kernel.secret import Secret

# Clients and proxies carry headers of 4 KiB without trouble; what policies and tags may take of it is counted in
# bytes after packing, and callers read how much they used (PackedPolicySize).
_LARGEST_PACK = 1800
# Whoever opens a token inflates what somebody packed: our own packs are smaller than this.
_LARGEST_CONTENT = 64 * 1024


class SessionInvalid(Exception):
    """The token is not one of ours for this access key."""


class SessionExpired(Exception):
    """The token was good once."""


class _Content(msgspec.Struct, array_like=True):
    secret: str
    account: str
    principal_arn: str
    principal_id: str
    session: Session


class Sessions:
    """Makes session tokens and opens them."""

    def __init__(self, *, sealer: Sealer, clock: Clock, entropy: Entropy) -> None:
        self._sealer = sealer
        self._clock = clock
        self._entropy = entropy

    def make(self, *, account: str, principal_arn: str, principal_id: str, session: Session) -> tuple[Credential, str]:
        """A new credential and its token. Raises LimitExceeded when policies and tags are too large."""
        if packed_size(session) > 100:
            raise LimitExceeded(
                f"Packed size of session tags consumes {packed_size(session)}% of allotted space."
                if not session.policies
                else f"Packed policy consumes {packed_size(session)}% of allotted space, please use smaller policy."
            )
        access_key_id = new_access_key_id(self._entropy, "ASIA")
        secret = new_secret_access_key(self._entropy)
        content = msgspec.json.encode(_Content(secret, account, principal_arn, principal_id, session))
        sealed = self._sealer.seal(_identity(access_key_id), Secret(zlib.compress(content, 9)))
        credential = Credential(access_key_id, Secret(secret.encode()), account, principal_arn, principal_id, session)
        return credential, base64.b64encode(sealed).decode("ascii")

    def open(self, access_key_id: str, token: str) -> Credential:
        """The credential of a key id and the token that came with it. Raises SessionInvalid and SessionExpired."""
        try:
            sealed = base64.b64decode(token, validate=True)
            packed = self._sealer.open(_identity(access_key_id), sealed).reveal()
        except (CannotOpen, ValueError):
            raise SessionInvalid from None
        content = msgspec.json.decode(_inflated(packed), type=_Content)
        if self._clock.now() >= content.session.expires_at:
            raise SessionExpired
        return Credential(
            access_key_id,
            Secret(content.secret.encode()),
            content.account,
            content.principal_arn,
            content.principal_id,
            content.session,
        )


def packed_size(session: Session) -> int:
    """How much of the room for policies and tags a session takes, in per cent."""
    content = msgspec.json.encode([session.policies, session.policy_arns, session.tags, session.keys])
    return ceil(100 * len(zlib.compress(content, 9)) / _LARGEST_PACK)


def expiry(now: datetime, seconds: int) -> datetime:
    """When a session ends; whole seconds, because clients are told no more."""
    return datetime.fromtimestamp(int(now.timestamp()) + seconds, tz=now.tzinfo)


def _inflated(packed: bytes) -> bytes:
    return zlib.decompressobj().decompress(packed, _LARGEST_CONTENT)


def _identity(access_key_id: str) -> str:
    return f"session/{access_key_id}"
