"""The room put together, and the verbs of tags, which are the same for every noun."""

from collections.abc import Sequence
from dataclasses import dataclass

from greatseal.domain.access import Access, Sessions
from greatseal.domain.anywhere.anchors import TrustAnchors
from greatseal.domain.anywhere.crls import Crls
from greatseal.domain.anywhere.model import SERVICE, R, not_found
from greatseal.domain.anywhere.profiles import Profiles
from greatseal.domain.anywhere.shelf import Shelf
from greatseal.domain.anywhere.store.resources import ANCHORS, CRLS, PROFILES, Kind
from greatseal.domain.anywhere.subjects import Subjects
from greatseal.domain.anywhere.vending import Vending
from greatseal.domain.audit import Audit
from greatseal.domain.authorities import Registry
from greatseal.domain.tags import Tag, Tags
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.pages import PageTokens
from greatseal.storage import Storage, Tx


@dataclass(frozen=True, slots=True)
class Collaborators:
    """What the parts of the room stand on."""

    storage: Storage
    registry: Registry
    access: Access
    sessions: Sessions
    tags: Tags
    audit: Audit
    clock: Clock
    entropy: Entropy
    tokens: PageTokens


class Anywhere:
    """The verbs of the room, by noun."""

    def __init__(self, given: Collaborators) -> None:
        self._given = given
        self.anchors = TrustAnchors(shelf=self._shelf(ANCHORS), registry=given.registry)
        self.profiles = Profiles(shelf=self._shelf(PROFILES))
        self.crls = Crls(shelf=self._shelf(CRLS), anchors=self.anchors)
        self.subjects = Subjects(storage=given.storage, tokens=given.tokens)
        self.vending = Vending(
            storage=given.storage,
            access=given.access,
            sessions=given.sessions,
            anchors=self.anchors,
            profiles=self.profiles,
            subjects=self.subjects,
            audit=given.audit,
            clock=given.clock,
            entropy=given.entropy,
        )

    def tag(self, caller: Caller, arn: str, tags: Sequence[Tag]) -> None:
        """Adds tags to a resource of the room. Raises NotFound, InvalidTag and TooManyTags."""
        self._check_exists(caller, arn)

        def work(tx: Tx) -> None:
            self._given.tags.add(tx, arn, tags)
            self._given.audit.record(tx, caller, arn)

        self._given.storage.transact(work)

    def untag(self, caller: Caller, arn: str, keys: Sequence[str]) -> None:
        """Removes tags by their keys; unknown ones are no error. Raises NotFound."""
        self._check_exists(caller, arn)

        def work(tx: Tx) -> None:
            self._given.tags.remove(tx, arn, [Tag(key) for key in dict.fromkeys(keys)])
            self._given.audit.record(tx, caller, arn)

        self._given.storage.transact(work)

    def tags_of(self, caller: Caller, arn: str) -> tuple[Tag, ...]:
        """The tags of a resource, by key. Raises NotFound."""
        self._check_exists(caller, arn)
        return self._given.storage.read(lambda tx: self._given.tags.of(tx, arn))

    def _check_exists(self, caller: Caller, arn: str) -> None:
        try:
            parsed = Arn.parse(arn)
        except ValueError:
            raise not_found(arn) from None
        kind = parsed.resource.partition("/")[0]
        if parsed.service != SERVICE:
            raise not_found(arn)
        if kind == "subject":
            self.subjects.get(caller, arn)
            return
        shelves = {each.shelf.kind: each.shelf for each in (self.anchors, self.profiles, self.crls)}
        if kind not in shelves:
            raise not_found(arn)
        shelves[kind].get(caller, arn)

    def _shelf(self, kind: Kind[R]) -> Shelf[R]:
        given = self._given
        return Shelf(
            kind=kind,
            storage=given.storage,
            tags=given.tags,
            audit=given.audit,
            clock=given.clock,
            entropy=given.entropy,
            tokens=given.tokens,
        )
