"""What operations of EventBridge ask before they act."""

from collections.abc import Mapping, Sequence

from greatseal.aws.tags import conditions as tag_conditions
from greatseal.domain.access import Access, Question
from greatseal.domain.events.patterns import InvalidPattern, compile_pattern
from greatseal.domain.tags import Tag
from greatseal.kernel.caller import Caller

Conditions = Mapping[str, str | tuple[str, ...]]


class Asking:
    """May the caller do the operation at hand with a resource?"""

    def __init__(self, access: Access) -> None:
        self._access = access

    def __call__(self, caller: Caller, resource: str, context: Conditions | None = None) -> None:
        """Raises AccessDenied."""
        self._access.authorize(caller, Question(caller.operation, resource, context or {}))

    def tagging(self, caller: Caller, resource: str, tags: Sequence[Tag]) -> None:
        """Raises AccessDenied unless the caller may set the tags of what it makes."""
        if tags:
            self._access.authorize(caller, Question("events:TagResource", resource, tag_conditions(tags)))

    def pattern_keys(self, caller: Caller, pattern: str | None) -> Conditions:
        """The condition keys of PutRule: what its pattern asks of sources and types, and who makes it."""
        keys: dict[str, str | tuple[str, ...]] = {"events:creatorAccount": caller.account}
        try:
            compiled = compile_pattern(pattern) if pattern else None
        except InvalidPattern:
            # Refused for that later, once it is known that the caller may make rules at all.
            compiled = None
        if compiled is not None:
            for key, name in (("events:source", "source"), ("events:detail-type", "detail-type")):
                texts = compiled.literals(name)
                if texts:
                    keys[key] = tuple(sorted(texts))
        return keys
