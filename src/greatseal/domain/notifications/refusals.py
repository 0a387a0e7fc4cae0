"""How topics refuse."""

from greatseal.kernel.errors import AccessDenied, InvalidArgument, LimitExceeded, NotFound


class Invalid(InvalidArgument):
    """A parameter that cannot be what it is; the message begins as that of the real service."""

    def __init__(self, what: str) -> None:
        super().__init__(f"Invalid parameter: {what}")


class NoSuchTopic(NotFound):
    """There is no topic with this ARN."""

    def __init__(self) -> None:
        super().__init__("Topic does not exist")


class NoSuchSubscription(NotFound):
    """There is no subscription with this ARN."""

    def __init__(self) -> None:
        super().__init__("Subscription does not exist")


class NoSuchResource(NotFound):
    """There is nothing with this ARN that could have tags."""

    def __init__(self) -> None:
        super().__init__("Resource does not exist")


class Throttled(LimitExceeded):
    """An address has been asked too often lately whether it wants to hear of something."""


class TooManySubscriptions(LimitExceeded):
    """The topic has as many subscriptions as it may have."""

    def __init__(self) -> None:
        super().__init__("Subscription limit exceeded for this topic")


class NotYours(AccessDenied):
    """The subscription belongs to another account, and so does its topic."""


class EmptyBatch(InvalidArgument):
    """A batch with nothing in it."""

    def __init__(self) -> None:
        super().__init__("The batch request doesn't contain any entries.")


class TooManyEntries(InvalidArgument):
    """A batch of more than ten entries."""

    def __init__(self) -> None:
        super().__init__("The batch request contains more entries than permissible.")


class EntryIdsNotDistinct(InvalidArgument):
    """Two entries of a batch with one id."""

    def __init__(self) -> None:
        super().__init__("Two or more batch entries in the request have the same Id.")


class InvalidEntryId(InvalidArgument):
    """An id in a batch that is too long or has other characters than letters, digits, hyphens and underscores."""

    def __init__(self) -> None:
        super().__init__("The Id of a batch entry in a batch request doesn't abide by the specification.")


class BatchTooLong(InvalidArgument):
    """Entries of a batch that together are larger than a message may be."""

    def __init__(self) -> None:
        super().__init__("The length of all the batch messages put together is more than the limit.")
