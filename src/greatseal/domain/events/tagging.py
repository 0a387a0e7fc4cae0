"""Tags of buses and rules."""

from collections.abc import Sequence

from greatseal.domain.events import refusals
from greatseal.domain.events.desk import Desk, bus_of, key_of
from greatseal.domain.events.model import DEFAULT_BUS
from greatseal.domain.events.store import rules
from greatseal.domain.tags import Tag
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.storage import Tx


class Tagging:
    """Sets, removes and lists tags by ARN."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def of(self, arn: str) -> tuple[Tag, ...]:
        """The tags. Raises NotFound, ValidationFailed."""

        def work(tx: Tx) -> tuple[Tag, ...]:
            _check(tx, arn)
            return self._desk.tags.of(tx, arn)

        return self._desk.storage.read(work)

    def tag(self, caller: Caller, arn: str, tags: Sequence[Tag]) -> None:
        """Adds tags or changes their values. Raises NotFound, ValidationFailed, InvalidTag, TooManyTags."""

        def work(tx: Tx) -> None:
            _check(tx, arn)
            self._desk.tags.add(tx, arn, tags)
            self._desk.audit.record(tx, caller, arn)

        self._desk.storage.transact(work)

    def untag(self, caller: Caller, arn: str, keys: Sequence[str]) -> None:
        """Removes tags by key. Raises NotFound, ValidationFailed."""

        def work(tx: Tx) -> None:
            _check(tx, arn)
            self._desk.tags.remove(tx, arn, [Tag(key, None) for key in keys])
            self._desk.audit.record(tx, caller, arn)

        self._desk.storage.transact(work)


def _check(tx: Tx, arn: str) -> None:
    """Raises NotFound unless there is a bus or a rule with this ARN."""
    try:
        parsed = Arn.parse(arn)
    except ValueError:
        raise refusals.wrong_arn(arn) from None
    kind, _, name = parsed.resource.partition("/")
    if parsed.service != "events" or kind not in ("event-bus", "rule"):
        raise refusals.wrong_arn(arn)
    if kind == "event-bus":
        bus_of(tx, key_of(arn))
        return
    bus, slash, rule = name.rpartition("/")
    if rules.at(tx, arn) is None:
        raise refusals.no_rule(rule, bus if slash else DEFAULT_BUS)
