"""Names and statuses of S3's errors, of which the model tells only a few ("Error responses", S3 API reference)."""

from collections.abc import Mapping

S3_STATUSES: Mapping[str, int] = {
    "AccessControlListNotSupported": 400,
    "AccessDenied": 403,
    "BadDigest": 400,
    "BucketNotEmpty": 409,
    "IncompleteBody": 400,
    "InternalError": 500,
    "InvalidArgument": 400,
    "InvalidBucketName": 400,
    "InvalidBucketState": 409,
    "InvalidDigest": 400,
    "InvalidRange": 416,
    "InvalidRequest": 400,
    "InvalidTag": 400,
    "KeyTooLongError": 400,
    "MalformedPolicy": 400,
    "MalformedXML": 400,
    "MethodNotAllowed": 405,
    "NoSuchBucketPolicy": 404,
    "NoSuchPublicAccessBlockConfiguration": 404,
    "NoSuchTagSet": 404,
    "NoSuchVersion": 404,
    # The real service says 501, which SDKs take for a reason to try again.
    "NotImplemented": 400,
    "NotModified": 304,
    "OperationAborted": 409,
    "OwnershipControlsNotFoundError": 404,
    "PreconditionFailed": 412,
    "SlowDown": 503,
    "TooManyBuckets": 400,
}
"""HTTP status of the codes that the model does not have."""

_RENAMED = {
    "AccessDeniedException": "AccessDenied",
    "InternalFailure": "InternalError",
    "SerializationException": "MalformedXML",
    "ServiceUnavailable": "SlowDown",
    "ThrottlingException": "SlowDown",
    "UnknownOperationException": "MethodNotAllowed",
    "UnsupportedOperation": "NotImplemented",
    "ValidationException": "InvalidArgument",
}

S3_SPELLINGS: Mapping[str, tuple[str, int | None]] = {
    **{code: (code, status) for code, status in S3_STATUSES.items()},
    **{common: (code, S3_STATUSES[code]) for common, code in _RENAMED.items()},
}
"""By the name that the door or a room uses: S3's name and status."""
