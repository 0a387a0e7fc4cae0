"""Errors at the AWS door: what goes over the wire, and THE table from the rooms' refusals to modelled names."""

from collections.abc import Mapping

from greatseal.aws.protocol.models import Service
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

# What a refusal is called where the service has no better name for it. ValidationException is common to all
# services, so that no refusal can be without a translation.
_DEFAULT: Mapping[type[kernel.Refusal], str] = {
    kernel.Refusal: "ValidationException",
    kernel.ValidationFailed: "ValidationException",
    kernel.AccessDenied: "AccessDeniedException",
}

_TABLES: Mapping[str, Mapping[type[kernel.Refusal], str]] = {
    "acm": {
        kernel.InvalidArgument: "InvalidArgsException",
        kernel.InvalidParameter: "InvalidParameterException",
        kernel.InvalidArn: "InvalidArnException",
        kernel.InvalidRequest: "InvalidArgsException",
        kernel.InvalidState: "InvalidStateException",
        # ACM models no token exception; ValidationException is what the real service answers.
        kernel.InvalidToken: "ValidationException",
        # acm.md 20: clients see ValidationException for a reserved tag.
        kernel.InvalidTag: "ValidationException",
        kernel.TooManyTags: "TooManyTagsException",
        kernel.InvalidPolicy: "InvalidArgsException",
        kernel.InvalidDomainValidationOptions: "InvalidDomainValidationOptionsException",
        kernel.MalformedCsr: "ValidationException",
        # acm.md 10.4: what is wrong with an imported certificate is a ValidationException.
        kernel.MalformedCertificate: "ValidationException",
        kernel.CertificateMismatch: "ValidationException",
        kernel.NotFound: "ResourceNotFoundException",
        kernel.AlreadyExists: "ConflictException",
        kernel.AlreadyProcessed: "ConflictException",
        kernel.InProgress: "RequestInProgressException",
        kernel.ResourceInUse: "ResourceInUseException",
        kernel.Conflict: "ConflictException",
        kernel.LimitExceeded: "LimitExceededException",
        kernel.RequestFailed: "InvalidStateException",
    },
    "acm-pca": {
        kernel.InvalidArgument: "InvalidArgsException",
        kernel.InvalidParameter: "InvalidArgsException",
        kernel.InvalidArn: "InvalidArnException",
        kernel.InvalidRequest: "InvalidRequestException",
        kernel.InvalidState: "InvalidStateException",
        kernel.InvalidToken: "InvalidNextTokenException",
        kernel.InvalidTag: "InvalidTagException",
        kernel.TooManyTags: "TooManyTagsException",
        kernel.InvalidPolicy: "InvalidPolicyException",
        kernel.InvalidDomainValidationOptions: "InvalidArgsException",
        kernel.MalformedCsr: "MalformedCSRException",
        kernel.MalformedCertificate: "MalformedCertificateException",
        kernel.CertificateMismatch: "CertificateMismatchException",
        kernel.NotFound: "ResourceNotFoundException",
        kernel.AlreadyExists: "PermissionAlreadyExistsException",
        kernel.AlreadyProcessed: "RequestAlreadyProcessedException",
        kernel.InProgress: "RequestInProgressException",
        kernel.ResourceInUse: "InvalidStateException",
        kernel.Conflict: "ConcurrentModificationException",
        kernel.LimitExceeded: "LimitExceededException",
        kernel.RequestFailed: "RequestFailedException",
    },
}


def code_for(service: str, refusal: type[kernel.Refusal]) -> str:
    """The service's name for a kind of refusal: its own table along the class's ancestors, then the common names."""
    for table in (_TABLES.get(service, {}), _DEFAULT):
        for ancestor in refusal.__mro__:
            if ancestor in table:
                return table[ancestor]
    raise AssertionError(f"{refusal} is not a Refusal")  # pragma: no cover


def from_refusal(service: Service, refusal: kernel.Refusal) -> WireError:
    """The wire error for a refusal of a room: message unchanged, name, status and spelling from the model."""
    code = code_for(service.name, type(refusal))
    modelled = service.errors.get(code)
    if modelled is None:
        return WireError(code, refusal.message)
    return WireError(code, refusal.message, modelled.status, modelled.message_member)
