"""Services that left the Query protocol for JSON and still tell clients the codes of old, in a header.

SDKs raise exceptions by these codes, so that programs written before need no change.
"""

from collections.abc import Mapping

from greatseal.aws.protocol.message import Headers
from greatseal.aws.protocol.models import Service
from greatseal.aws.wire import WireError

_SQS = "AWS.SimpleQueueService."

QUERY_CODES: Mapping[str, Mapping[str, str]] = {
    "sqs": {
        "AccessDeniedException": "AccessDenied",
        "QueueDoesNotExist": f"{_SQS}NonExistentQueue",
        "QueueNameExists": "QueueAlreadyExists",
        "SerializationException": "MalformedInput",
        "ThrottlingException": "RequestThrottled",
        "UnknownOperationException": "InvalidAction",
        "ValidationException": "ValidationError",
        **{
            name: f"{_SQS}{name}"
            for name in (
                "BatchEntryIdsNotDistinct",
                "BatchRequestTooLong",
                "EmptyBatchRequest",
                "InvalidBatchEntryId",
                "MessageNotInflight",
                "PurgeQueueInProgress",
                "TooManyEntriesInBatchRequest",
                "UnsupportedOperation",
            )
        },
    },
}
"""By service: the old names of those errors that have another one now."""


def headers(service: Service | None, error: WireError) -> Headers:
    """The header with the old code and whose fault it is; none for other services."""
    codes = QUERY_CODES.get(service.name) if service else None
    if codes is None:
        return ()
    fault = "Receiver" if error.status >= 500 else "Sender"
    return ((b"x-amzn-query-error", f"{codes.get(error.code, error.code)};{fault}".encode("ascii")),)
