"""The verbs that read the inventory, and those on tags, deletion and account configuration."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from greatseal.domain.audit import Audit
from greatseal.domain.certificates import happenings
from greatseal.domain.certificates.expiry import reconsider
from greatseal.domain.certificates.model import ManagedCertificate, Status, Type, certificate_id
from greatseal.domain.certificates.search import Ordering, Predicate
from greatseal.domain.certificates.store import certificates as store
from greatseal.domain.certificates.store import search
from greatseal.domain.events import Events
from greatseal.domain.keys import Keys
from greatseal.domain.revocation import Revocations
from greatseal.domain.tags import Tag, Tags
from greatseal.domain.validation import Validation
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import InProgress, NotFound, ResourceInUse, ValidationFailed
from greatseal.kernel.pages import Page, PageTokens
from greatseal.storage import Storage, Tx, idempotency

DEFAULT_DAYS_BEFORE_EXPIRY = 45
MAX_DAYS_BEFORE_EXPIRY = 45


class Inventory:
    """Finds, lists, tags and deletes certificates of an account and region."""

    def __init__(
        self,
        *,
        storage: Storage,
        keys: Keys,
        tags: Tags,
        events: Events,
        revocations: Revocations,
        validation: Validation,
        audit: Audit,
        clock: Clock,
        tokens: PageTokens,
        served_chain: Callable[[bytes], tuple[bytes, ...] | None] = lambda certificate: None,
    ) -> None:
        """`served_chain` gives what stands above a public certificate (DER) now; None for those of other issuers."""
        self._served_chain = served_chain
        self._storage = storage
        self._keys = keys
        self._tags = tags
        self._events = events
        self._revocations = revocations
        self._validation = validation
        self._audit = audit
        self._clock = clock
        self._tokens = tokens

    def load(self, tx: Tx, caller: Caller, arn: str) -> ManagedCertificate:
        """The caller's certificate with this ARN. Raises NotFound."""
        wanted = certificate_id(arn)
        found = store.find(tx, wanted) if wanted is not None else None
        if found is None or found.arn != arn or found.account != caller.account or found.region != caller.region:
            raise NotFound(f"Could not find certificate {arn} in account {caller.account}.")
        return found

    def describe(self, caller: Caller, arn: str) -> ManagedCertificate:
        """One certificate."""
        return self._storage.read(lambda tx: self.load(tx, caller, arn))

    def body(self, caller: Caller, arn: str) -> ManagedCertificate:
        """One certificate that has a body. Raises InProgress until it was issued."""
        found = self.describe(caller, arn)
        if found.material is None:
            raise InProgress(
                "The certificate request is in process and the certificate in your account has not yet been issued."
            )
        return found

    def chain_of(self, item: ManagedCertificate) -> tuple[bytes, ...]:
        """What is handed out above a certificate that has a body: of a public one what its issuer serves now."""
        assert item.material is not None
        served = self._served_chain(item.material.certificate) if item.type is Type.AMAZON_ISSUED else None
        return item.material.chain if served is None else served

    def find(
        self,
        caller: Caller,
        predicate: Predicate | None,
        ordering: Ordering,
        *,
        operation: str,
        filters: str,
        limit: int,
        token: str | None,
    ) -> Page[ManagedCertificate]:
        """The certificates that a predicate holds for, in an order, `limit` at a time.

        `operation` and `filters` name the listing, so that a token is good for the same listing only.
        """
        scope = (caller.account, caller.region, operation, filters, ordering.key, str(ordering.descending))
        after = self._tokens.open(scope, token) if token is not None else None
        now = self._clock.now()

        def work(tx: Tx) -> tuple[list[ManagedCertificate], list[str | int]]:
            return search.run(tx, caller.account, caller.region, predicate, ordering, now=now, after=after, limit=limit)

        items, last = self._storage.read(work)
        return Page(tuple(items[:limit]), self._tokens.issue(scope, last) if len(items) > limit else None)

    def delete(self, caller: Caller, arn: str) -> None:
        """Deletes a certificate with its key; it is not revoked (acm.md 4.5)."""

        def work(tx: Tx) -> None:
            found = self.load(tx, caller, arn)
            check_unused(found)
            store.remove(tx, found.id)
            self._tags.remove_all(tx, arn)
            self._validation.forget(tx, found.id)
            for key_id in (found.material.key_id if found.material else None, found.pending_key_id):
                if key_id is not None:
                    self._keys.destroy(tx, key_id)
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def tag(self, caller: Caller, arn: str, tags: Sequence[Tag]) -> None:
        """Adds tags."""
        self._change_tags(caller, arn, lambda tx: self._tags.add(tx, arn, tags))

    def untag(self, caller: Caller, arn: str, tags: Sequence[Tag]) -> None:
        """Removes tags, those with a value only if the value is equal."""
        self._change_tags(caller, arn, lambda tx: self._tags.remove(tx, arn, tags))

    def tags_of(self, caller: Caller, arn: str) -> tuple[Tag, ...]:
        """The tags of a certificate, by key."""

        def work(tx: Tx) -> tuple[Tag, ...]:
            self.load(tx, caller, arn)
            return self._tags.of(tx, arn)

        return self._storage.read(work)

    def days_before_expiry(self, caller: Caller) -> int:
        """When expiry events start, in days before the end; one setting per account and region."""
        found = self._storage.read(lambda tx: store.configured_days(tx, caller.account, caller.region))
        return DEFAULT_DAYS_BEFORE_EXPIRY if found is None else found

    def configure_expiry(self, caller: Caller, *, days: int | None, token: str) -> None:
        """Sets `days_before_expiry` (1 to 45); the same token within an hour changes nothing (acm.md 4.11)."""
        if days is None:
            raise ValidationFailed("Configuration for events is empty.")
        if not 1 <= days <= MAX_DAYS_BEFORE_EXPIRY:
            raise ValidationFailed(f"DaysBeforeExpiry must be between 1 and {MAX_DAYS_BEFORE_EXPIRY}.")

        def work(tx: Tx) -> None:
            earlier = idempotency.claim(
                tx,
                scope=f"{caller.account}/{caller.region}/PutAccountConfiguration",
                token=token,
                fingerprint="",
                result="",
                now=self._clock.now(),
                ttl=timedelta(hours=1),
            )
            if earlier is None:
                store.configure_days(tx, caller.account, caller.region, days)
                reconsider(tx, caller.account, caller.region, self._clock.now())
                self._audit.record(tx, caller)

        self._storage.transact(work)

    def take_revocation(self, tx: Tx, authority_certificate_arn: str) -> None:
        """Marks the certificate whose CA certificate is revoked, if it is one of ours and not marked yet."""
        found = store.find_issued_by(tx, authority_certificate_arn)
        if found is None or found.status is Status.REVOKED:
            return
        serial = authority_certificate_arn.rpartition("/")[2]
        authority = authority_certificate_arn.partition("/certificate/")[0].rpartition("/")[2]
        revocation = self._revocations.find(tx, authority, serial)
        if revocation is not None:
            self.mark_revoked(tx, found, revocation.revoked_at, revocation.reason.name)

    def mark_revoked(self, tx: Tx, item: ManagedCertificate, at: datetime, reason: str) -> None:
        """Its CA has revoked the certificate, for a reason by its name; nothing when that is known."""
        if item.status is Status.REVOKED:
            return
        marked = replace(item, status=Status.REVOKED, revoked_at=at, revocation_reason=reason)
        store.save(tx, marked)
        self._events.emit(tx, happenings.revoked(marked))

    def _change_tags(self, caller: Caller, arn: str, change: Callable[[Tx], None]) -> None:
        def work(tx: Tx) -> None:
            self.load(tx, caller, arn)
            change(tx)
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)


def check_unused(item: ManagedCertificate) -> None:
    """Raises ResourceInUse for a certificate that something uses (acm.md 4.5)."""
    if item.in_use_by:
        raise ResourceInUse(f"Certificate {item.arn} in account {item.account} is in use.")
