"""What services deliver through: the buckets of this installation, or an object store outside."""

from collections.abc import Iterable
from typing import Protocol


class Deliverer(Protocol):
    """Writes into buckets for services."""

    def check(
        self, bucket: str, key: str, *, service_principal: str, source_account: str, source_arn: str, acl: str | None
    ) -> object:
        """Raises NoSuchBucket, AccessDenied or another Refusal unless the service may write this."""
        ...

    def put_as_service(
        self,
        bucket: str,
        key: str,
        content: Iterable[bytes],
        *,
        service_principal: str,
        source_account: str,
        source_arn: str,
        acl: str | None,
        content_type: str,
        number: int | None = None,
    ) -> None:
        """Writes an object; on return it is stored. With a `number`, one with a higher number stays.

        Raises as `check`, and OSError for what another attempt may mend. Must not be called in a transaction.
        """
        ...
