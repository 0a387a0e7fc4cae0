"""The one family of errors that rooms raise, in the words of the trade.

Each class is one way in which a request can be refused. The message is what the caller reads; a door
translates the class to its own protocol (`aws/errors.py` for the AWS wire) and never the message.
Anything that is not a `Refusal` is a defect and reaches the caller as an opaque internal failure.
"""


class Refusal(Exception):
    """A request that was understood and refused; nothing was stored and nothing was signed."""

    reason: str | None = None
    """A word for programs, where one kind of refusal has several causes that callers must tell apart."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ValidationFailed(Refusal):
    """A value breaks a constraint that the service checks before anything else."""


class InvalidArgument(Refusal):
    """A value or a combination of values is wrong for this operation."""


class InvalidParameter(Refusal):
    """As `InvalidArgument`, where the service has a second name for it."""


class InvalidArn(Refusal):
    """The ARN does not name a resource of the right kind."""


class InvalidRequest(Refusal):
    """The action cannot be done or is forbidden for this resource."""


class InvalidState(Refusal):
    """The state of the resource forbids the action."""


class InvalidToken(Refusal):
    """A pagination token that this service did not hand out for this listing."""


class TokenExpired(Refusal):
    """A token of an identity provider that was good once."""


class InvalidTag(Refusal):
    """A tag that may not be set."""


class TooManyTags(Refusal):
    """The resource would carry more tags than allowed."""


class InvalidPolicy(Refusal):
    """A resource policy outside its grammar."""


class InvalidDomainValidationOptions(Refusal):
    """Domain names and validation options that do not fit together."""


class MalformedCsr(Refusal):
    """A certificate signing request that cannot be parsed or does not prove possession of its key."""


class MalformedCertificate(Refusal):
    """A certificate that cannot be parsed or breaks the rules of its kind."""


class CertificateMismatch(Refusal):
    """A certificate that does not belong to this key or subject."""


class NameConstraintViolation(ValidationFailed):
    """A name that the issuing CA's name constraints forbid (RFC 5280 section 4.2.1.10)."""


class DurationExceeded(ValidationFailed):
    """A validity that ends after that of the issuer, or exceeds the CA's mode."""


class NotFound(Refusal):
    """The resource does not exist for this caller."""


class AlreadyExists(Refusal):
    """The same thing exists already."""


class AlreadyProcessed(Refusal):
    """The request was carried out before."""


class InProgress(Refusal):
    """The answer is not ready yet; asking again will help."""


class ResourceInUse(Refusal):
    """Something still uses the resource."""


class Conflict(Refusal):
    """Another change to the same resource is running or won."""


class LimitExceeded(Refusal):
    """A quota is used up."""


class RequestFailed(Refusal):
    """The action was tried and failed for good."""


class AccessDenied(Refusal):
    """The caller may not do this."""
