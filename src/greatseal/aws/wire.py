"""An error as a client reads it, before any codec has spelled it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(eq=False)
class WireError(Exception):
    """An error as a client reads it: code, message and HTTP status.

    `member` is the spelling of the message's member; `extra` are further members of the modelled exception;
    `headers` go with the answer, for instance `allow`.

    Codes that every service has (`ValidationException`, `SerializationException`, `AccessDeniedException`, ...) are
    raised by their AWS JSON names; the door gives them the name and the status of the client's protocol.
    """

    code: str
    message: str
    status: int = 400
    member: str = "message"
    extra: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


def serialization_error(message: str) -> WireError:
    """The request is not what the protocol allows."""
    return WireError("SerializationException", message)


def validation_error(message: str) -> WireError:
    """A value breaks a constraint of the model."""
    return WireError("ValidationException", message)


def method_not_allowed(*methods: str) -> WireError:
    """There is something at this path, but not for this method (RFC 9110 section 15.5.6)."""
    allowed = " or ".join(methods)
    headers = ((b"allow", ", ".join(methods).encode("ascii")),)
    return WireError("UnknownOperationException", f"Only {allowed} is allowed here.", 405, headers=headers)


def internal_failure(request_id: str) -> WireError:
    """A defect of ours. The request id leads to the log; nothing else is told."""
    return WireError("InternalFailure", f"An internal error has occurred. Request id: {request_id}", 500)
