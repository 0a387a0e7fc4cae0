"""What the audit room needs from outside."""

from collections.abc import Callable, Sequence
from typing import Protocol

from greatseal.crypto.signature import Signer
from greatseal.kernel.caller import Caller

SignerOf = Callable[[], Signer]
"""The key that signs checkpoints: ECDSA on P-256. Asked for when one is due, so that it may be opened late."""

IdentityOf = Callable[[Caller], str]
"""JSON with the members of CloudTrail's `userIdentity` that the caller's ARN does not tell."""


class AuditSink(Protocol):
    """A copy of the trail elsewhere, written before the transaction of the act commits."""

    def write(self, lines: Sequence[bytes]) -> None:
        """Hands over records, each the canonical bytes of one leaf without a line break, in this order.

        Returns when every one of them is as safe as this sink can make it, and raises OSError otherwise. Called from
        several threads at once. A line may come twice (same `eventId`) and may tell of an act that failed afterwards.
        """
        ...
