"""How a renewal starts: a new key and a new generation for the same ARN (acm.md 9)."""

from dataclasses import replace
from typing import Protocol

from greatseal.crypto.algorithms import KeyAlgorithm
from greatseal.domain.audit import Audit
from greatseal.domain.certificates import jobs
from greatseal.domain.certificates.inventory import Inventory
from greatseal.domain.certificates.model import ManagedCertificate, Renewal, RenewalStatus, Status, Type
from greatseal.domain.certificates.store import certificates as store
from greatseal.domain.certificates.store import courses
from greatseal.domain.keys import Keys, NewKey, Purpose
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import InProgress, ValidationFailed
from greatseal.storage import Storage, Tx


class StartsValidation(Protocol):
    """What shows anew that the names of a public certificate are the owner's, and then has it issued."""

    def start(self, tx: Tx, item: ManagedCertificate, caller: Caller) -> None:
        """Begins for the pending key and the generation of `item`, in the transaction that made them."""
        ...

    def remind(self, tx: Tx, item: ManagedCertificate) -> None:
        """Sends the mails that nobody has answered once more, if there are any."""
        ...


class Renewing:
    """Starts renewals, asked for or managed. Jobs carry them out; what replaces what is decided where they end."""

    def __init__(
        self,
        *,
        storage: Storage,
        inventory: Inventory,
        keys: Keys,
        audit: Audit,
        clock: Clock,
        public: StartsValidation | None = None,
    ) -> None:
        """Without `public` no public certificate exists."""
        self._storage = storage
        self._inventory = inventory
        self._keys = keys
        self._audit = audit
        self._clock = clock
        self._public = public

    def renew(self, caller: Caller, arn: str) -> None:
        """Starts a renewal with a new key; the certificate stays as it is until the new one exists (acm.md 9.6)."""
        found = self._inventory.describe(caller, arn)
        self._check_renewable(found)
        key = self.new_key(found)

        def work(tx: Tx) -> None:
            item = self._inventory.load(tx, caller, arn)
            self._check_renewable(item)
            self.start(tx, caller, item, key)

        self._storage.transact(work)

    def new_key(self, item: ManagedCertificate) -> NewKey:
        """A key for the successor. Takes its time: never inside a transaction."""
        return self._keys.generate(KeyAlgorithm[item.key_algorithm])

    def start(self, tx: Tx, caller: Caller, item: ManagedCertificate, key: NewKey) -> None:
        """Starts an attempt for an issued certificate that has none under way."""
        now = self._clock.now()
        self._keys.add(tx, key, account=item.account, purpose=Purpose.CERTIFICATE)
        changed = replace(
            item,
            pending_key_id=key.id,
            generation=item.generation + 1,
            renewal=Renewal(_first_status(item), now),
        )
        store.save(tx, changed)
        assert item.not_after is not None
        course = courses.course_of(tx, item.id, item.not_after)
        courses.keep(tx, item.id, item.not_after, replace(course, attempted_at=now))
        if item.type is Type.AMAZON_ISSUED:
            assert self._public is not None
            self._public.start(tx, changed, caller)
        else:
            jobs.enqueue(tx, caller, changed, permitted=False, due=now)
        self._audit.record(tx, caller, item.arn, key_id=key.id)

    def remind(self, tx: Tx, item: ManagedCertificate) -> None:
        """Sends the mails of the attempt that is under way once more, as far as nobody has answered them."""
        assert self._public is not None
        self._public.remind(tx, item)

    def _check_renewable(self, item: ManagedCertificate) -> None:
        if item.type is Type.IMPORTED or item.status_at(self._clock.now()) is not Status.ISSUED:
            raise ValidationFailed(f"Certificate ARN {item.arn} is not eligible for the Renew Certificate API.")
        if not item.ever_exported:
            raise ValidationFailed(
                f"Certificate ARN {item.arn} has not been exported so it is not eligible for the Renew Certificate API."
            )
        if item.pending_key_id is not None:
            raise InProgress(f"A renewal of certificate {item.arn} is in progress.")


def _first_status(item: ManagedCertificate) -> RenewalStatus:
    """With e-mail nothing happens until somebody answers (acm.md 9.3)."""
    by_mail = item.type is Type.AMAZON_ISSUED and item.validation_method == "EMAIL"
    return RenewalStatus.PENDING_VALIDATION if by_mail else RenewalStatus.PENDING_AUTO_RENEWAL
