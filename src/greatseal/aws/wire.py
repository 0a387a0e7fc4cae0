"""An error as a client reads it, before any codec has spelled it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(eq=False)
class WireError(Exception):
    """An error as a client reads it: code, message and HTTP status.

    `member` is the spelling of the message's member; `extra` are further members of the modelled exception.
    """

    code: str
    message: str
    status: int = 400
    member: str = "message"
    extra: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


def serialization_error(message: str) -> WireError:
    """The body is not what the protocol allows."""
    return WireError("SerializationException", message)


def validation_error(message: str) -> WireError:
    """A value breaks a constraint of the model."""
    return WireError("ValidationException", message)


def internal_failure(request_id: str) -> WireError:
    """A defect of ours. The request id leads to the log; nothing else is told."""
    return WireError("InternalFailure", f"An internal error has occurred. Request id: {request_id}", 500)
