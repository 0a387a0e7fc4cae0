"""What a tag is and which tags may be set."""

from collections.abc import Sequence
from dataclasses import dataclass

from greatseal.kernel.errors import InvalidTag, TooManyTags

MAX_TAGS = 50
# Not every model says so.
MAX_KEY, MAX_VALUE = 128, 256


@dataclass(frozen=True, slots=True)
class Tag:
    """A key and an optional value; a tag without a value stays without one (acm.md 10.6)."""

    key: str
    value: str | None = None


def check(tags: Sequence[Tag]) -> None:
    """Refuses reserved keys, a key given twice and texts that are too long. The alphabet is the model's business."""
    seen: set[str] = set()
    for tag in tags:
        if tag.key.lower().startswith("aws:"):
            raise InvalidTag(f'Invalid Tag Key: "{tag.key}". AWS internal tags cannot be changed with this API')
        if len(tag.key) > MAX_KEY or len(tag.value or "") > MAX_VALUE:
            raise InvalidTag(f"A tag has a key of at most {MAX_KEY} and a value of at most {MAX_VALUE} characters.")
        if tag.key in seen:
            raise InvalidTag(f'Invalid Tag Key: "{tag.key}". The same key may be given only once.')
        seen.add(tag.key)


def merge(present: Sequence[Tag], added: Sequence[Tag]) -> tuple[Tag, ...]:
    """The tags after adding: the same key is overwritten. Raises TooManyTags above the limit."""
    merged = {tag.key: tag for tag in present} | {tag.key: tag for tag in added}
    if len(merged) > MAX_TAGS:
        shown = ", ".join(f"{tag.key}={tag.value or ''}" for tag in added)
        raise TooManyTags(f"the TagSet: '{{{shown}}}' contains too many Tags")
    return tuple(merged.values())
