"""Errors at the AWS door: from refusals to modelled errors, and from common names to the client's protocol."""

import dataclasses
from collections.abc import Mapping

from greatseal.aws.protocol.auth_errors import Family
from greatseal.aws.protocol.models import Service
from greatseal.aws.protocol.refusals import DEFAULT, REFUSALS
from greatseal.aws.protocol.s3_errors import S3_SPELLINGS
from greatseal.aws.wire import WireError
from greatseal.kernel import errors as kernel

COMMON_ERRORS = frozenset(
    {
        "AccessDeniedException",
        "ValidationException",
        "SerializationException",
        "UnknownOperationException",
        "UnsupportedOperation",
        "IncompleteSignatureException",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "UnrecognizedClientException",
        "ExpiredTokenException",
        "ThrottlingException",
        "ServiceUnavailable",
        "InternalFailure",
    }
)
"""Codes that every service may answer without declaring them (acm-pca.md 1.1)."""

QUERY_ERRORS = frozenset(
    {
        "AccessDenied",
        "InvalidAction",
        "InvalidParameterValue",
        "MalformedInput",
        "MissingAction",
        "MissingParameter",
        "Throttling",
        "ValidationError",
    }
)
"""Codes that every service with the Query protocol may answer besides ("Common Errors" of its API reference)."""

_SPELLINGS: Mapping[Family, Mapping[str, tuple[str, int | None]]] = {
    Family.AWS_JSON: {},
    Family.QUERY: {
        "AccessDeniedException": ("AccessDenied", 403),
        "SerializationException": ("MalformedInput", 400),
        "ThrottlingException": ("Throttling", 400),
        "UnknownOperationException": ("InvalidAction", None),
        "ValidationException": ("ValidationError", 400),
    },
    Family.REST_XML: S3_SPELLINGS,
    Family.REST_JSON: {
        "AccessDeniedException": ("AccessDeniedException", 403),
        "ThrottlingException": ("ThrottlingException", 429),
    },
}
"""Name and status of common errors where a family differs (iam.md 6); None keeps the status."""


def code_for(service: str, refusal: type[kernel.Refusal]) -> str:
    """The service's name for a kind of refusal: its own table along the class's ancestors, then the common names."""
    for table in (REFUSALS.get(service, {}), DEFAULT):
        for ancestor in refusal.__mro__:
            if ancestor in table:
                return table[ancestor]
    raise AssertionError(f"{refusal} is not a Refusal")  # pragma: no cover


def from_refusal(service: Service, refusal: kernel.Refusal) -> WireError:
    """The wire error for a refusal of a room: message unchanged, name, status and spelling from the model."""
    code = code_for(service.name, type(refusal))
    modelled = service.errors.get(code)
    if modelled is None:
        # What no model has comes from the authorization layer, which spells it so (kms.md 1).
        member = "Message" if isinstance(refusal, kernel.AccessDenied) else "message"
        return WireError(code, refusal.message, member=member)
    # Organizations model a `Reason` beside the message.
    extra = {"Reason": refusal.reason} if refusal.reason else {}
    return WireError(code, refusal.message, modelled.status, modelled.message_member, extra)


def trail_code(code: str) -> str:
    """The name of an error in the audit trail: CloudTrail has one for a denial in all protocols (iam.md 6)."""
    return "AccessDenied" if code == "AccessDeniedException" else code


def spelled(error: WireError, family: Family, service: Service | None) -> WireError:
    """The error as the client's protocol has it.

    A code that the service models has the model's status and message member, whoever raised it; a common code has
    the name and the status of the family. Everything else stays as it is.
    """
    modelled = service.errors.get(error.code) if service else None
    if modelled is not None:
        return dataclasses.replace(error, status=modelled.status, member=modelled.message_member)
    code, status = _SPELLINGS[family].get(error.code, (error.code, None))
    return dataclasses.replace(error, code=code, status=status or error.status)
