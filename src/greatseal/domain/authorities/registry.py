"""The verbs that read private CAs, and their tags."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from greatseal.domain.audit import Audit
from greatseal.domain.authorities.model import Authority, CaCertificate, authority_id, require
from greatseal.domain.authorities.store import authorities as store
from greatseal.domain.tags import Tag, Tags
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import NotFound
from greatseal.kernel.pages import Page, PageTokens
from greatseal.storage import Storage, Tx

MAX_PAGE = 100
Position = tuple[datetime, str]
"""The time of making and the id of the last CA of a page."""


class Registry:
    """Finds, lists and tags CAs."""

    def __init__(self, *, storage: Storage, tags: Tags, audit: Audit, clock: Clock, tokens: PageTokens) -> None:
        self._storage = storage
        self._tags = tags
        self._audit = audit
        self._clock = clock
        self._tokens = tokens
        self._read = store.Read()

    def load(self, tx: Tx, arn: str) -> Authority:
        """The CA with this ARN. Raises InvalidArn and NotFound."""
        found = self._read.find(tx, authority_id(arn))
        if found is None or found.arn != arn or found.is_gone(self._clock.now()):
            raise NotFound(f"Could not find Certificate Authority {arn}")
        return found

    def last_read(self, arn: str) -> Authority | None:
        """The CA as `load` found it the last time in this process; None when it never did.

        A guess: whoever acts on it loads the CA in the transaction of the act and sees whether it is the same value.
        """
        found = self._read.last(authority_id(arn))
        return found if found is not None and found.arn == arn else None

    def describe(self, arn: str) -> Authority:
        """The CA in any state, also deleted within its restore window."""
        return self._storage.read(lambda tx: self.load(tx, arn))

    def list(self, caller: Caller, *, limit: int, token: str | None) -> Page[Authority]:
        """The caller's own CAs, oldest first, at most 100 at a time whatever is asked."""
        scope = (caller.account, caller.region, "ListCertificateAuthorities")

        def read(tx: Tx, after: Position | None, limit: int) -> Sequence[Authority]:
            return store.listing(
                tx, account=caller.account, region=caller.region, after=after, now=self._clock.now(), limit=limit
            )

        return self._page(scope, read, limit, token)

    def list_shared(self, caller: Caller, arns: Collection[str], *, limit: int, token: str | None) -> Page[Authority]:
        """The CAs of other accounts among `arns`, in the order and the pages of `list`."""
        scope = (caller.account, caller.region, "ListCertificateAuthorities", "OTHER_ACCOUNTS")
        ids = [authority_id(arn) for arn in arns]

        def read(tx: Tx, after: Position | None, limit: int) -> Sequence[Authority]:
            return store.listing_of(tx, ids, after=after, now=self._clock.now(), limit=limit)

        return self._page(scope, read, limit, token)

    def _page(
        self,
        scope: tuple[str, ...],
        read: Callable[[Tx, Position | None, int], Sequence[Authority]],
        limit: int,
        token: str | None,
    ) -> Page[Authority]:
        after = None
        if token is not None:
            at, last = self._tokens.open(scope, token)
            after = (datetime.fromisoformat(str(at)), str(last))
        limit = min(limit, MAX_PAGE)
        found = self._storage.read(lambda tx: read(tx, after, limit + 1))
        items = found[:limit]
        if len(found) <= limit:
            return Page(tuple(items))
        return Page(tuple(items), self._tokens.issue(scope, [items[-1].created_at.isoformat(), items[-1].id]))

    def csr(self, arn: str) -> bytes:
        """The CSR (DER) that was made with the CA's key; the same as long as the CA lives."""
        authority = self.describe(arn)
        require(authority, "csr", self._clock.now())
        return authority.csr

    def certificate(self, arn: str) -> CaCertificate:
        """The installed CA certificate and the chain above it."""
        authority = self.describe(arn)
        require(authority, "certificate", self._clock.now())
        assert authority.certificate is not None
        return authority.certificate

    def tag(self, caller: Caller, arn: str, tags: Sequence[Tag]) -> None:
        """Adds tags."""
        self._change_tags(caller, arn, lambda tx: self._tags.add(tx, arn, tags))

    def untag(self, caller: Caller, arn: str, tags: Sequence[Tag]) -> None:
        """Removes tags, those with a value only if the value is equal."""
        self._change_tags(caller, arn, lambda tx: self._tags.remove(tx, arn, tags))

    def tags_of(self, arn: str) -> tuple[Tag, ...]:
        """The tags of a CA, by key."""

        def work(tx: Tx) -> tuple[Tag, ...]:
            require(self.load(tx, arn), "tag", self._clock.now())
            return self._tags.of(tx, arn)

        return self._storage.read(work)

    def _change_tags(self, caller: Caller, arn: str, change: Callable[[Tx], None]) -> None:
        def work(tx: Tx) -> None:
            require(self.load(tx, arn), "tag", self._clock.now())
            change(tx)
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)
