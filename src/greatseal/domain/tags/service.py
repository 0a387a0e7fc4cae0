"""The verbs of the tags room. All of them join the caller's transaction."""

from collections.abc import Sequence

from greatseal.domain.tags import model, store
from greatseal.domain.tags.model import Tag
from greatseal.storage import Tx


class Tags:
    """Sets, removes and lists the tags of a resource; the caller has checked that the resource exists."""

    def add(self, tx: Tx, resource_arn: str, tags: Sequence[Tag]) -> None:
        """Raises InvalidTag and TooManyTags; then nothing was changed."""
        model.check(tags)
        model.merge(store.load(tx, resource_arn), tags)
        store.add(tx, resource_arn, list(tags))

    def remove(self, tx: Tx, resource_arn: str, tags: Sequence[Tag]) -> None:
        """Removes by key; a tag given with a value goes only if the value is equal. Unknown keys are no error."""
        model.check(tags)
        present = {tag.key: tag.value for tag in store.load(tx, resource_arn)}
        gone = [t.key for t in tags if t.key in present and (t.value is None or t.value == present[t.key])]
        store.remove(tx, resource_arn, gone)

    def remove_all(self, tx: Tx, resource_arn: str) -> None:
        """For a resource that ceases to exist."""
        store.remove_all(tx, resource_arn)

    def holders(self, tx: Tx, tag: Tag, *, after: str = "", limit: int) -> list[str]:
        """The ARNs of the resources that have this very tag, in their order."""
        return store.holders(tx, tag, after=after, limit=limit)

    def of(self, tx: Tx, resource_arn: str) -> tuple[Tag, ...]:
        """The tags of a resource, by key."""
        return store.load(tx, resource_arn)
