"""How queues refuse."""

from greatseal.kernel.errors import (
    AlreadyExists,
    Conflict,
    InvalidArgument,
    InvalidParameter,
    InvalidState,
    NotFound,
)


class NoSuchQueue(NotFound):
    """There is no queue of this name in this account and region."""

    def __init__(self) -> None:
        super().__init__("The specified queue does not exist.")


class QueueExists(AlreadyExists):
    """A queue of this name exists, with other attributes."""


class InvalidAttributeName(InvalidArgument):
    """An attribute that queues do not have, or that cannot be set."""


class InvalidAttributeValue(InvalidArgument):
    """A value that the attribute may not have."""


class MissingParameter(InvalidParameter):
    """A value without which the request means nothing."""


class InvalidContents(InvalidArgument):
    """A message with characters that XML does not allow."""


class InvalidHandle(InvalidArgument):
    """A text that is not a receipt handle of this queue."""

    def __init__(self, handle: str) -> None:
        super().__init__(f'The input receipt handle "{handle[:100]}" is not a valid receipt handle.')


class NotInFlight(InvalidState):
    """The message is in nobody's hands."""

    def __init__(self) -> None:
        super().__init__("The message referred to is not in flight.")


class PurgedRecently(Conflict):
    """A queue is emptied at most once a minute."""


class EmptyBatch(InvalidArgument):
    """A batch with nothing in it."""

    def __init__(self, what: str) -> None:
        super().__init__(f"There should be at least one {what} in the request.")


class TooManyEntries(InvalidArgument):
    """A batch of more than ten entries."""

    def __init__(self, count: int) -> None:
        super().__init__(f"Maximum number of entries per request are 10. You have sent {count}.")


class InvalidEntryId(InvalidArgument):
    """An id in a batch that is too long or has other characters than letters, digits, hyphens and underscores."""

    def __init__(self) -> None:
        super().__init__(
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
            "It can be at most 80 letters long."
        )


class EntryIdsNotDistinct(InvalidArgument):
    """Two entries of a batch with one id."""

    def __init__(self, entry_id: str) -> None:
        super().__init__(f"Id {entry_id} repeated.")


class BatchTooLong(InvalidArgument):
    """Entries of a batch that together are larger than a message may be."""
