"""How each protocol family names the ways in which authentication fails (the table of iam.md 7)."""

from enum import Enum
from types import MappingProxyType

from greatseal.aws.wire import WireError


class Failure(Enum):
    """Why a request could not be authenticated."""

    MISSING = "no credentials"
    MALFORMED = "malformed header"
    UNKNOWN_KEY = "unknown or inactive key, or a bad token"
    BAD_SIGNATURE = "signature or scope wrong"
    BAD_TIME = "time wrong"
    TOKEN_EXPIRED = "token expired"  # noqa: S105 - not a password


class Family(Enum):
    """Protocol families, which name the same failure differently."""

    AWS_JSON = "awsJson"
    QUERY = "query"
    REST_JSON = "rest-json"
    REST_XML = "rest-xml"


AUTH_ERRORS = MappingProxyType(
    {
        Family.AWS_JSON: {
            Failure.MISSING: ("MissingAuthenticationTokenException", 400),
            Failure.MALFORMED: ("IncompleteSignatureException", 400),
            Failure.UNKNOWN_KEY: ("UnrecognizedClientException", 400),
            Failure.BAD_SIGNATURE: ("InvalidSignatureException", 400),
            Failure.BAD_TIME: ("InvalidSignatureException", 400),
            Failure.TOKEN_EXPIRED: ("ExpiredTokenException", 400),
        },
        Family.QUERY: {
            Failure.MISSING: ("MissingAuthenticationToken", 403),
            Failure.MALFORMED: ("IncompleteSignature", 400),
            Failure.UNKNOWN_KEY: ("InvalidClientTokenId", 403),
            Failure.BAD_SIGNATURE: ("SignatureDoesNotMatch", 403),
            Failure.BAD_TIME: ("SignatureDoesNotMatch", 403),
            Failure.TOKEN_EXPIRED: ("ExpiredToken", 403),
        },
        Family.REST_JSON: {
            Failure.MISSING: ("MissingAuthenticationTokenException", 403),
            Failure.MALFORMED: ("IncompleteSignatureException", 403),
            Failure.UNKNOWN_KEY: ("UnrecognizedClientException", 403),
            Failure.BAD_SIGNATURE: ("InvalidSignatureException", 403),
            Failure.BAD_TIME: ("InvalidSignatureException", 403),
            Failure.TOKEN_EXPIRED: ("ExpiredTokenException", 403),
        },
        Family.REST_XML: {
            Failure.MISSING: ("AccessDenied", 403),
            Failure.MALFORMED: ("AuthorizationHeaderMalformed", 400),
            Failure.UNKNOWN_KEY: ("InvalidAccessKeyId", 403),
            Failure.BAD_SIGNATURE: ("SignatureDoesNotMatch", 403),
            Failure.BAD_TIME: ("RequestTimeTooSkewed", 403),
            Failure.TOKEN_EXPIRED: ("ExpiredToken", 400),
        },
    }
)
"""Code and HTTP status of each failure (the table of iam.md 7)."""


_MISSING = {Family.QUERY: "Request is missing Authentication Token", Family.REST_XML: "Access Denied"}
"""Where a family words the commonest failure in its own way."""


class Unauthenticated(Exception):
    """Who signed could not be established; not yet in the spelling of any protocol."""

    def __init__(self, failure: Failure, message: str) -> None:
        super().__init__(message)
        self.failure = failure
        self.message = message


def auth_error(failure: Failure, message: str, family: Family = Family.AWS_JSON) -> WireError:
    """The wire error of a failure in the spelling of a protocol family."""
    code, status = AUTH_ERRORS[family][failure]
    if failure is Failure.MISSING:
        message = _MISSING.get(family, message)
    return WireError(code, message, status)


def malformed(message: str) -> Unauthenticated:
    """For an Authorization header or a date that cannot be read."""
    return Unauthenticated(Failure.MALFORMED, message)
