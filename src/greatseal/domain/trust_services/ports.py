"""What the room needs of others: timestamps of logs, and orders."""

from typing import Protocol


class Submission(Protocol):
    """Sends precertificates to logs."""

    def collect(self, precertificate: bytes, chain: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """Encoded, verified SCTs of enough logs for a precertificate (DER) and the chain above it, root last.

        Raises InProgress when too few logs answer now.
        """
        ...


class Ordered(Protocol):
    """A public certificate that is ordered: `PublicOrder` of the room above."""

    @property
    def key_algorithm(self) -> str:
        """As in `KeyAlgorithm`."""
        ...

    @property
    def csr(self) -> bytes:
        """PEM; its names were validated."""
        ...

    @property
    def logged(self) -> bool:
        """Whether the certificate carries SCTs."""
        ...

    @property
    def token(self) -> str:
        """The same token gives the same certificate."""
        ...

    @property
    def request_id(self) -> str:
        """Of the request that led to it."""
        ...
