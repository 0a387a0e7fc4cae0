"""Where the events of rules can go, and the parcels that go there.

| target | kind of the parcel | address |
|---|---|---|
| `arn:…:sqs:…:NAME` | `queue` | `queue_arn`, `group_id` |
| `arn:…:sns:…:NAME` | `topic` | `topic_arn` |
| `arn:…:events:…:event-bus/NAME` | `bus` | `bus_arn`, `hops` |
| `arn:…:events:…:api-destination/NAME/ID` | `webhook` | `url`, `method`, `connection_arn`, `headers` (JSON) |
| `arn:…:greatseal:…:channel/NAME` | what the settings call the channel | `channel` |

Every address says besides for which `rule_arn` and `target_arn` it is, and may carry `retry_attempts`,
`retry_seconds` and `dead_letter_arn`. Who may send is asked where the parcel arrives, for the service
`events.amazonaws.com` and that rule.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from greatseal.domain.delivery import Parcel
from greatseal.domain.events import refusals
from greatseal.domain.events.model import Destination, Rule, Target
from greatseal.domain.events.tokens import NotJson, read_event
from greatseal.domain.events.transform import (
    InvalidPath,
    InvalidTemplate,
    Source,
    UnknownVariable,
    check_template,
    compile_path,
    filled,
    part_of,
)
from greatseal.kernel.arn import Arn
from greatseal.kernel.errors import ValidationFailed

QUEUE, TOPIC, BUS, WEBHOOK, UNKNOWN = "queue", "topic", "bus", "webhook", "unknown"
_SERVICES = {"sqs": QUEUE, "sns": TOPIC}


@dataclass(frozen=True, slots=True)
class Targets:
    """What can be a target here: `channels` are those of the settings, each with the kind of its parcels."""

    channels: Mapping[str, str]

    def check(self, target: Target) -> None:
        """Raises ValidationFailed for a target that makes no sense."""
        kind = kind_of(target.arn)
        if target.dead_letter_arn is not None:
            _check_queue(target.dead_letter_arn)
        inputs = (target.input, target.input_path, target.transformer)
        if sum(each is not None for each in inputs) > 1:
            raise ValidationFailed(
                f"Only one of Input, InputPath, or InputTransformer must be provided for target {target.id}."
            )
        if kind == BUS and any(each is not None for each in inputs):
            raise ValidationFailed(f"An event bus gets events as they are: target {target.id} cannot have an input.")
        _check_input(target)

    def unreachable(self, target: Target) -> str | None:
        """Why a target of the right form cannot be reached from here; None when it can."""
        arn = Arn.parse(target.arn)
        if arn.service == "sqs" and arn.resource.endswith(".fifo") and target.group_id is None:
            return f"Parameter(s) SqsParameters must be specified for target: {target.id}."
        if arn.service == "greatseal":
            name = arn.resource.partition("/")[2]
            if name not in self.channels:
                return f"There is no channel {name} in the settings of this installation."
        return None

    def parcel(
        self, rule: Rule, target: Target, source: Source, *, order_key: str, hops: int, to: Destination | None
    ) -> Parcel:
        """What is sent to a target of a rule. `to` is the API destination that the target names."""
        kind, receiver, address = self._address(target, source, hops, to)
        address |= {"rule_arn": rule.arn, "target_arn": target.arn}
        if target.dead_letter_arn is not None:
            address["dead_letter_arn"] = target.dead_letter_arn
        if target.retries.attempts is not None:
            address["retry_attempts"] = str(target.retries.attempts)
        if target.retries.age_seconds is not None:
            address["retry_seconds"] = str(target.retries.age_seconds)
        return Parcel(
            lane=f"{kind}:{receiver}",
            kind=kind,
            address=address,
            body=_body(target, source),
            message_id=str(source.tree["id"]),
            order_key=order_key,
            account=account_of(rule.arn),
        )

    def _address(
        self, target: Target, source: Source, hops: int, to: Destination | None
    ) -> tuple[str, str, dict[str, str]]:
        """The kind of the parcel, who gets it, and how to find them."""
        kind, arn = kind_of(target.arn), target.arn
        if kind == QUEUE:
            return kind, arn, {"queue_arn": arn, **({} if target.group_id is None else {"group_id": target.group_id})}
        if kind == TOPIC:
            return kind, arn, {"topic_arn": arn}
        if kind == BUS:
            return kind, arn, {"bus_arn": arn, "hops": str(hops + 1)}
        if kind == WEBHOOK:
            # One that is gone, or whose connection may not be used: the parcel becomes a dead letter.
            return (UNKNOWN, arn, {}) if to is None else (kind, arn, _call(target, source, to))
        name = arn.rpartition("/")[2]
        return self.channels.get(name, UNKNOWN), name, {"channel": name}


def kind_of(arn: str) -> str:
    """The kind of a target: that of its parcels, or `channel` for one that the settings name.

    Raises ValidationFailed for what is no target.
    """
    try:
        parsed = Arn.parse(arn)
    except ValueError:
        raise refusals.wrong_arn(arn) from None
    name = parsed.resource
    if parsed.service in _SERVICES:
        if "/" in name or ":" in name or not parsed.account:
            raise refusals.wrong_arn(arn)
        return _SERVICES[parsed.service]
    if parsed.service == "events" and name.startswith("event-bus/"):
        return BUS
    if is_destination(arn):
        return WEBHOOK
    if parsed.service == "greatseal" and name.startswith("channel/"):
        return "channel"
    raise refusals.invalid(
        arn,
        "targets here are queues (sqs), topics (sns), event buses and API destinations (events), "
        "and channels of the settings (greatseal).",
    )


def is_destination(arn: str) -> bool:
    """Whether this is the ARN of an API destination."""
    parts = arn.split(":", 5)
    return len(parts) == 6 and parts[2] == "events" and parts[5].startswith("api-destination/")


def account_of(arn: str) -> str:
    """Whose a rule or a target is."""
    return Arn.parse(arn).account


def dead_letter(parcel: Parcel, reason: str) -> Parcel | None:
    """What a queue for dead letters gets of a parcel that was given up; None when its target has no such queue."""
    arn = parcel.address.get("dead_letter_arn")
    if arn is None:
        return None
    attributes = {
        "RULE_ARN": parcel.address.get("rule_arn", ""),
        "TARGET_ARN": parcel.address.get("target_arn", ""),
        "ERROR_CODE": "SDK_CLIENT_ERROR",
        "ERROR_MESSAGE": reason[:256] or "unknown",
    }
    return Parcel(
        lane=f"{QUEUE}:{arn}",
        kind=QUEUE,
        address={
            "queue_arn": arn,
            "rule_arn": parcel.address.get("rule_arn", ""),
            "target_arn": arn,
            # Who sends it, where that is a topic and not a rule.
            **{name: parcel.address[name] for name in ("service", "source_arn") if name in parcel.address},
        },
        body=parcel.body,
        message_id=parcel.message_id,
        order_key=parcel.order_key,
        attributes=attributes,
        account=parcel.account,
    )


def _body(target: Target, source: Source) -> str:
    if target.input is not None:
        return target.input
    if target.input_path is not None:
        return part_of(source, target.input_path)
    return source.text if target.transformer is None else filled(source, target.transformer)


def _call(target: Target, source: Source, to: Destination) -> dict[str, str]:
    """How an API destination is called. Stars in its URL are filled from the target, in their order."""
    url = to.endpoint
    for value in target.path_values:
        url = url.replace("*", quote(_dynamic(value, source), safe=""), 1)
    if target.query:
        pairs = urlencode({name: _dynamic(value, source) for name, value in target.query.items()})
        url += ("&" if "?" in url else "?") + pairs
    called = {"url": url, "method": to.method, "connection_arn": to.connection_arn}
    if target.headers:
        called["headers"] = json.dumps({name: _dynamic(value, source) for name, value in target.headers.items()})
    return called


def _dynamic(value: str, source: Source) -> str:
    if not value.startswith("$."):
        return value
    try:
        found = part_of(source, value)
    except InvalidPath:
        return value
    text = json.loads(found)
    # Headers have one line, and a control character in a URL is quoted anyway.
    return "".join(c for c in (text if isinstance(text, str) else found) if c.isprintable())


def _check_queue(arn: str) -> None:
    if kind_of(arn) != QUEUE or arn.endswith(".fifo"):
        raise refusals.wrong_arn(arn)


def _check_input(target: Target) -> None:
    try:
        if target.input is not None:
            read_event(target.input)
        if target.input_path is not None:
            compile_path(target.input_path)
        if target.transformer is not None:
            check_template(target.transformer)
    except NotJson as error:
        raise ValidationFailed(f"JSON syntax error in input for target {target.id} : {error}") from None
    except InvalidPath as error:
        raise ValidationFailed(f"Invalid JSON path for target {target.id} : {error}") from None
    except UnknownVariable as error:
        raise ValidationFailed(f"InputTemplate for target {target.id} contains invalid placeholder {error}.") from None
    except InvalidTemplate as error:
        raise ValidationFailed(f"Invalid InputTemplate for target {target.id} : {error}") from None
