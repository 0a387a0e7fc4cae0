"""What strangers may know of a CA: its certificate, and where its certificates are checked (docs/repository.md)."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from greatseal.domain.authorities.model import Authority, Status
from greatseal.domain.authorities.store import authorities
from greatseal.domain.revocation.lists import ListState, delta_name
from greatseal.domain.revocation.points import DistributionPoints
from greatseal.domain.revocation.store import deltas as delta_store
from greatseal.domain.revocation.store import lists as list_store
from greatseal.domain.tags import Tag, Tags
from greatseal.kernel.clock import Clock
from greatseal.storage import Storage, Tx
from greatseal.x509.certificate import Certificate

LISTED = Tag("greatseal:repository", "listed")
"""The tag with which the owner of a CA wants it in the index."""
MOST_LISTS = 1000
"""Parts of a list on one page; the newest of more."""
INDEX_PAGE = 100


class Visibility(Enum):
    """What of the repository there is, besides the certificates themselves, which issued ones may point to."""

    OFF = "off"
    UNLISTED = "unlisted"
    LISTED = "listed"


@dataclass(frozen=True, slots=True)
class PublishedList:
    """A list, where it is, and the delta to it, if there is one."""

    url: str
    is_part: bool
    number: int
    next_update: datetime
    delta_url: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A CA as strangers see it. `chain` are the certificates above it (DER), nearest issuer first."""

    id: str
    certificate: Certificate
    key_algorithm: str
    chain: tuple[bytes, ...]
    lists: tuple[PublishedList, ...]
    ocsp_url: str | None
    at: datetime


class Repository:
    """Reads CAs for everybody."""

    def __init__(
        self,
        *,
        storage: Storage,
        points: DistributionPoints,
        tags: Tags,
        clock: Clock,
        visibility: Visibility = Visibility.UNLISTED,
    ) -> None:
        self._storage = storage
        self._points = points
        self._tags = tags
        self._clock = clock
        self.visibility = visibility

    def certificates(self, authority_id: str) -> tuple[bytes, ...] | None:
        """The certificate of a CA and the chain above it (DER); None for a CA without one.

        Also of one that is deleted, for as long as it can be restored: its certificates are still about.
        """
        found = self._storage.read(lambda tx: authorities.find(tx, authority_id))
        installed = found.certificate if found else None
        return (installed.der, *installed.chain) if installed else None

    def find(self, authority_id: str) -> Entry | None:
        """The page of a CA; None for a CA without a certificate, and when there are no pages."""
        if self.visibility is Visibility.OFF:
            return None

        def work(tx: Tx) -> Entry | None:
            found = authorities.find(tx, authority_id)
            return self._entry(tx, found) if found else None

        return self._storage.read(work)

    def index(self, after: str = "") -> tuple[tuple[Entry, ...], str | None] | None:
        """The CAs whose owners want them listed, without their lists, and the id after which there are more.

        None when there is no index. `after` is the id of a CA; an unknown one begins anew.
        """
        if self.visibility is not Visibility.LISTED:
            return None

        def work(tx: Tx) -> tuple[tuple[Entry, ...], str | None]:
            before = authorities.find(tx, after) if after else None
            arns = self._tags.holders(tx, LISTED, after=before.arn if before else "", limit=INDEX_PAGE + 1)
            found = [authorities.find(tx, arn.rpartition("/")[2]) for arn in arns[:INDEX_PAGE]]
            shown = [each for each in found if each is not None and each.status is not Status.DELETED]
            entries = [self._entry(tx, each, with_lists=False) for each in shown]
            more = arns[INDEX_PAGE - 1].rpartition("/")[2] if len(arns) > INDEX_PAGE else None
            return tuple(each for each in entries if each is not None), more

        return self._storage.read(work)

    def _entry(self, tx: Tx, authority: Authority, *, with_lists: bool = True) -> Entry | None:
        installed = authority.certificate
        if installed is None:
            return None
        lists = list_store.published(tx, authority.id, MOST_LISTS) if with_lists else []
        return Entry(
            id=authority.id,
            certificate=Certificate.parse(installed.der),
            key_algorithm=authority.key_algorithm.name,
            chain=installed.chain,
            lists=tuple(self._list(tx, authority, *each) for each in lists),
            ocsp_url=self._points.ocsp_url(authority),
            at=self._clock.now(),
        )

    def _list(self, tx: Tx, authority: Authority, state: ListState, next_update: datetime) -> PublishedList:
        url = self._points.url_of(state, authority)
        delta = delta_name(url) if delta_store.head(tx, state.id) else None
        return PublishedList(url, state.is_part, state.published_number, next_update, delta)
