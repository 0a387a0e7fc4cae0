"""Tags as both services spell them: {Key, Value?}."""

from collections.abc import Iterable, Mapping
from typing import Any

from greatseal.domain.tags import Tag


def from_wire(tags: Iterable[Mapping[str, str]] | None) -> tuple[Tag, ...]:
    """The tags of a request."""
    return tuple(Tag(tag["Key"], tag.get("Value")) for tag in tags or ())


def to_wire(tags: Iterable[Tag]) -> list[dict[str, Any]]:
    """The tags of an answer; a tag without a value is sent without one."""
    return [{"Key": tag.key, "Value": tag.value} for tag in tags]


def conditions(tags: Iterable[Tag]) -> dict[str, str | tuple[str, ...]]:
    """The condition keys that policies see: `aws:RequestTag/…` and `aws:TagKeys`."""
    given = tuple(tags)
    return {
        **{f"aws:RequestTag/{tag.key}": tag.value or "" for tag in given},
        "aws:TagKeys": tuple(tag.key for tag in given),
    }
