"""Which messages a subscription wants: the pattern language of the event bus, with limits of its own. Pure."""

import json
import re
from collections.abc import Mapping

from greatseal.domain.events.patterns import InvalidPattern, compile_pattern, nested
from greatseal.domain.events.tokens import NotJson, Number, read, read_event
from greatseal.domain.notifications.model import Attribute, Message, Options, Protocol
from greatseal.domain.notifications.refusals import Invalid

_LARGEST = 256 * 1024
_MOST_KEYS = 5
# What JSON allows: a number of attributes may be written otherwise.
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")


def check(policy: str, *, of_body: bool) -> None:
    """Raises Invalid for a text that is not a filter policy."""
    if len(policy) > _LARGEST:
        raise Invalid("FilterPolicy: Filter policy is too long")
    try:
        tree = read(policy)
        compile_pattern(policy)
    except NotJson:
        raise Invalid("FilterPolicy: failed to parse JSON") from None
    except InvalidPattern as error:
        raise Invalid(f"FilterPolicy: {error}") from None
    assert isinstance(tree, dict)
    if _leaves(tree) > _MOST_KEYS:
        raise Invalid(f"FilterPolicy: Filter policy can not have more than {_MOST_KEYS} keys")
    if not of_body and any(isinstance(wanted, dict) for wanted in tree.values()):
        raise Invalid("FilterPolicy: Filter policy scope MessageAttributes does not support nested filter policy")


def wants(options: Options, protocol: Protocol, message: Message) -> bool:
    """Whether a message comes through the filter of a subscription. What is no JSON object has no members."""
    if options.filter_policy is None:
        return True
    pattern = compile_pattern(options.filter_policy)
    if not options.filter_body:
        return pattern(_members(message.attributes))
    try:
        body = read_event(message.text_for(protocol))
    except NotJson:
        return False
    return isinstance(body, dict) and pattern(nested(body))


def _members(attributes: Mapping[str, Attribute]) -> Mapping[str, object]:
    """Attributes as an event has members. Octets cannot be asked for."""
    found: dict[str, object] = {}
    for name, each in attributes.items():
        if isinstance(each.value, bytes):
            continue
        if each.type.startswith("String.Array"):
            found[name] = read_event(each.value)
        elif each.type.startswith("Number"):
            found[name] = Number(each.value if _NUMBER.fullmatch(each.value) else json.dumps(float(each.value)))
        else:
            found[name] = each.value
    return nested(found)


def _leaves(tree: Mapping[str, object]) -> int:
    count = 0
    for name, wanted in tree.items():
        if isinstance(wanted, dict):
            count += _leaves(wanted)
        elif name == "$or" and isinstance(wanted, list):
            count += sum(_leaves(each) for each in wanted if isinstance(each, dict))
        else:
            count += 1
    return count
