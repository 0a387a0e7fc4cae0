"""What the verbs of this room share: their collaborators, names on the wire, and pages."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from greatseal.domain.access import ResourcePolicies
from greatseal.domain.audit import Audit, last_place
from greatseal.domain.events import refusals
from greatseal.domain.events.model import DEFAULT_BUS, Bus, BusKey
from greatseal.domain.events.patterns import InvalidPattern, compile_pattern
from greatseal.domain.events.store import buses, routing
from greatseal.domain.tags import Tags
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import LimitExceeded
from greatseal.kernel.pages import Page, PageTokens
from greatseal.storage import Storage, Tx

T = TypeVar("T")

LARGEST_PAGE = 100
API_CALL, SERVICE_CALL = "AWS API Call via CloudTrail", "AWS Service Event via CloudTrail"
"""The detail types of what the audit trail tells."""

_BUS_ARN = re.compile(r"arn:[^:]+:events:[^:]*:[^:]*:event-bus/.+")


@dataclass(frozen=True, slots=True)
class Desk:
    """The collaborators of every verb."""

    storage: Storage
    clock: Clock
    entropy: Entropy
    audit: Audit
    tags: Tags
    policies: ResourcePolicies
    tokens: PageTokens


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page that is asked for."""

    limit: int | None = None
    token: str | None = None
    prefix: str = ""


def own(caller: Caller, name: str) -> BusKey:
    """The name of something of the caller's, in the caller's region."""
    return BusKey(caller.partition, caller.region, caller.account, name)


def bus_key(caller: Caller, given: str | None) -> BusKey:
    """The bus with this name or ARN; the default bus for None. An ARN may be of another account and region."""
    if given is None:
        return own(caller, DEFAULT_BUS)
    return key_of(given) if given.startswith("arn:") else own(caller, given)


def key_of(bus_arn: str) -> BusKey:
    """The bus with this ARN. Raises ValidationFailed."""
    if _BUS_ARN.fullmatch(bus_arn) is None:
        raise refusals.wrong_arn(bus_arn)
    arn = Arn.parse(bus_arn)
    return BusKey(arn.partition, arn.region, arn.account, arn.resource.partition("/")[2])


def bus_of(tx: Tx, key: BusKey) -> Bus:
    """The bus. Raises NotFound."""
    found = buses.find(tx, key)
    if found is None:
        raise refusals.no_bus(key.name)
    return found


def check_pattern(text: str | None) -> None:
    """Raises InvalidEventPattern."""
    try:
        if text is not None:
            compile_pattern(text)
    except InvalidPattern as error:
        raise refusals.InvalidEventPattern(str(error)) from None


def wants_calls(pattern: str | None) -> bool:
    """Whether events of the audit trail can match a pattern; without one, everything does."""
    if pattern is None:
        return True
    compiled = compile_pattern(pattern)
    return compiled.may_want("detail-type", API_CALL) or compiled.may_want("detail-type", SERVICE_CALL)


def listen_to_trail(tx: Tx, pattern: str | None) -> None:
    """Has the audit trail read from now on, when the pattern is the first that wants it."""
    if wants_calls(pattern):
        routing.start(tx, last_place(tx))


def check_quota(total: int, largest: int) -> None:
    """Raises LimitExceeded when there would be too many."""
    if total > largest:
        raise LimitExceeded("The requested resource exceeds the maximum number allowed.")


def page(
    desk: Desk,
    scope: tuple[str, ...],
    wanted: Wanted,
    load: Callable[[Tx, str, int], Sequence[T]],
    name_of: Callable[[T], str],
) -> Page[T]:
    """A page of things that are listed by name: `load(tx, after, limit)` finds them. Raises InvalidToken."""
    scope = (*scope, wanted.prefix)
    after = "" if wanted.token is None else str(desk.tokens.open(scope, wanted.token)[0])
    limit = min(wanted.limit or LARGEST_PAGE, LARGEST_PAGE)
    found = desk.storage.read(lambda tx: load(tx, after, limit + 1))
    token = desk.tokens.issue(scope, [name_of(found[limit - 1])]) if len(found) > limit else None
    return Page(tuple(found[:limit]), token)
