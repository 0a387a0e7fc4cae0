"""THE table from the rooms' refusals to the names that each service has for them.

Names are those that go over the wire (for Query the `code` of the modelled error). Names that are common to all
services are written as AWS JSON has them; `errors.spelled` turns them into the client's protocol.
"""

from collections.abc import Mapping

from greatseal.kernel import errors as kernel

# What a refusal is called where the service has no better name for it. ValidationException is common to all
# services, so that no refusal can be without a translation.
DEFAULT: Mapping[type[kernel.Refusal], str] = {
    kernel.Refusal: "ValidationException",
    kernel.ValidationFailed: "ValidationException",
    kernel.AccessDenied: "AccessDeniedException",
}
"""For every service."""

REFUSALS: Mapping[str, Mapping[type[kernel.Refusal], str]] = {
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
    "iam": {
        kernel.InvalidArgument: "InvalidInput",
        kernel.InvalidParameter: "InvalidInput",
        kernel.InvalidArn: "InvalidInput",
        kernel.InvalidRequest: "InvalidInput",
        kernel.InvalidState: "UnmodifiableEntity",
        # A marker that was not handed out.
        kernel.InvalidToken: "ValidationException",
        kernel.InvalidTag: "InvalidInput",
        kernel.TooManyTags: "LimitExceeded",
        kernel.InvalidPolicy: "MalformedPolicyDocument",
        kernel.InvalidDomainValidationOptions: "InvalidInput",
        kernel.MalformedCsr: "InvalidInput",
        kernel.MalformedCertificate: "MalformedCertificate",
        kernel.CertificateMismatch: "KeyPairMismatch",
        kernel.NotFound: "NoSuchEntity",
        kernel.AlreadyExists: "EntityAlreadyExists",
        kernel.AlreadyProcessed: "EntityAlreadyExists",
        kernel.InProgress: "EntityTemporarilyUnmodifiable",
        kernel.ResourceInUse: "DeleteConflict",
        kernel.Conflict: "ConcurrentModification",
        kernel.LimitExceeded: "LimitExceeded",
        kernel.RequestFailed: "InvalidInput",
    },
    "sts": {
        # iam.md 9: duplicate or transitive tags; the model has no name for it.
        kernel.InvalidArgument: "InvalidParameterValue",
        kernel.InvalidParameter: "InvalidParameterValue",
        kernel.InvalidArn: "ValidationException",
        kernel.InvalidRequest: "ValidationException",
        kernel.InvalidState: "ValidationException",
        # The token of AssumeRoleWithWebIdentity.
        kernel.InvalidToken: "InvalidIdentityToken",
        kernel.TokenExpired: "ExpiredTokenException",
        kernel.InvalidTag: "InvalidParameterValue",
        kernel.TooManyTags: "InvalidParameterValue",
        kernel.InvalidPolicy: "MalformedPolicyDocument",
        kernel.LimitExceeded: "PackedPolicyTooLarge",
        kernel.RequestFailed: "IDPCommunicationError",
    },
    "organizations": {
        kernel.InvalidArgument: "InvalidInputException",
        kernel.InvalidParameter: "InvalidInputException",
        kernel.InvalidArn: "InvalidInputException",
        kernel.InvalidRequest: "ConstraintViolationException",
        kernel.InvalidState: "ConstraintViolationException",
        kernel.InvalidToken: "InvalidInputException",
        kernel.InvalidTag: "InvalidInputException",
        kernel.TooManyTags: "ConstraintViolationException",
        kernel.InvalidPolicy: "MalformedPolicyDocumentException",
        # Each noun has its own name in the model; the room's subclasses of NotFound go beside this row.
        kernel.NotFound: "TargetNotFoundException",
        kernel.AlreadyExists: "DuplicatePolicyException",
        kernel.AlreadyProcessed: "DuplicatePolicyAttachmentException",
        kernel.InProgress: "PolicyChangesInProgressException",
        kernel.ResourceInUse: "PolicyInUseException",
        kernel.Conflict: "ConcurrentModificationException",
        kernel.LimitExceeded: "ConstraintViolationException",
        kernel.RequestFailed: "ConstraintViolationException",
    },
    "ram": {
        kernel.InvalidArgument: "InvalidParameterException",
        kernel.InvalidParameter: "InvalidParameterException",
        kernel.InvalidArn: "MalformedArnException",
        kernel.InvalidRequest: "OperationNotPermittedException",
        kernel.InvalidState: "InvalidStateTransitionException",
        kernel.InvalidToken: "InvalidNextTokenException",
        kernel.InvalidTag: "InvalidParameterException",
        kernel.TooManyTags: "TagLimitExceededException",
        kernel.InvalidPolicy: "InvalidPolicyException",
        kernel.NotFound: "UnknownResourceException",
        kernel.AlreadyExists: "PermissionAlreadyExistsException",
        kernel.AlreadyProcessed: "ResourceShareInvitationAlreadyAcceptedException",
        kernel.InProgress: "OperationNotPermittedException",
        kernel.ResourceInUse: "OperationNotPermittedException",
        kernel.Conflict: "IdempotentParameterMismatchException",
        kernel.LimitExceeded: "ResourceShareLimitExceededException",
        kernel.RequestFailed: "OperationNotPermittedException",
    },
    # Four exceptions in all; what is not listed is a ValidationException.
    "rolesanywhere": {
        kernel.TooManyTags: "TooManyTagsException",
        kernel.NotFound: "ResourceNotFoundException",
    },
    "cloudtrail": {
        kernel.InvalidArgument: "InvalidParameterCombinationException",
        kernel.InvalidParameter: "InvalidParameterException",
        kernel.InvalidArn: "CloudTrailARNInvalidException",
        kernel.InvalidRequest: "OperationNotPermittedException",
        kernel.InvalidState: "OperationNotPermittedException",
        kernel.InvalidToken: "InvalidNextTokenException",
        kernel.InvalidTag: "InvalidTagParameterException",
        kernel.TooManyTags: "TagsLimitExceededException",
        kernel.InvalidPolicy: "ResourcePolicyNotValidException",
        kernel.NotFound: "ResourceNotFoundException",
        kernel.AlreadyExists: "TrailAlreadyExistsException",
        kernel.AlreadyProcessed: "ConflictException",
        kernel.InProgress: "ConflictException",
        kernel.ResourceInUse: "ConflictException",
        kernel.Conflict: "ConflictException",
        kernel.LimitExceeded: "ServiceQuotaExceededException",
        kernel.RequestFailed: "OperationNotPermittedException",
    },
}
"""By service and kind of refusal; a subclass follows its parent."""
