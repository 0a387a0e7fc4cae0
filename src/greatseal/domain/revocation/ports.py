"""What the room needs from outside: somewhere to put copies of its lists."""

from dataclasses import dataclass
from typing import Protocol


class TargetUnavailable(Exception):
    """A list could not be written. `denied`: the target refused, rather than failed."""

    def __init__(self, message: str, *, denied: bool = False) -> None:
        super().__init__(message)
        self.denied = denied


@dataclass(frozen=True, slots=True)
class Copied:
    """For whom a copy is made, and into which bucket. `acl` is PUBLIC_READ or BUCKET_OWNER_FULL_CONTROL."""

    account: str
    authority_arn: str
    bucket: str
    acl: str


class CrlTarget(Protocol):
    """Buckets that lists are copied into."""

    def put(self, copied: Copied, key: str, body: bytes, *, content_type: str, number: int) -> None:
        """Replaces an object unless it has a higher number; on return one of both is stored.

        Raises TargetUnavailable. Must not be called in a transaction.
        """
        ...
