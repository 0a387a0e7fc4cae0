"""What the room of events refuses, in the words of the real service."""

from greatseal.kernel.errors import AlreadyExists, InvalidPolicy, InvalidState, NotFound, Refusal, ValidationFailed


class InvalidEventPattern(Refusal):
    """An event pattern outside its language."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Event pattern is not valid. Reason: {reason}")


class PolicyTooLong(InvalidPolicy):
    """The policy of a bus would be longer than allowed."""


class NotCancellable(InvalidState):
    """A replay that has ended."""


def no_bus(name: str) -> NotFound:
    """For a bus."""
    return NotFound(f"Event bus {name} does not exist.")


def no_rule(name: str, bus: str) -> NotFound:
    """For a rule of a bus."""
    return NotFound(f"Rule {name} does not exist on EventBus {bus}.")


def no_archive(name: str) -> NotFound:
    """For an archive."""
    return NotFound(f"Archive {name} does not exist.")


def no_replay(name: str) -> NotFound:
    """For a replay."""
    return NotFound(f"Replay {name} does not exist.")


def no_connection(name: str) -> NotFound:
    """For a connection, by its name or ARN."""
    return NotFound(f"Connection '{name}' does not exist.")


def no_destination(name: str) -> NotFound:
    """For an API destination."""
    return NotFound(f"An api-destination '{name}' does not exist.")


def exists(what: str, name: str) -> AlreadyExists:
    """For a name that is taken."""
    return AlreadyExists(f"{what} {name} already exists.")


def invalid(parameter: str, reason: str = "") -> ValidationFailed:
    """For a parameter that the service checks itself."""
    return ValidationFailed(f"Parameter {parameter} is not valid." + (f" Reason: {reason}" if reason else ""))


def wrong_arn(arn: str) -> ValidationFailed:
    """For an ARN of the wrong form or kind."""
    return invalid(arn, "Provided Arn is not in correct format.")
