"""What uses a certificate: InUseBy (acm.md 4.5, 5.1, 9.1).

A certificate in use is renewed and can be neither deleted nor revoked. Whoever serves one says so here, in the
transaction in which it begins or ends to serve it; an operator says so on the command line.
"""

from dataclasses import replace

from greatseal.domain.audit import Audit
from greatseal.domain.certificates.inventory import Inventory
from greatseal.domain.certificates.model import Status
from greatseal.domain.certificates.store import associations as store
from greatseal.domain.certificates.store import certificates
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import InvalidArn, InvalidState, NotFound
from greatseal.storage import Storage, Tx

MAX_ARN = 2048


class Associations:
    """Begins and ends the use of certificates. The caller is of the certificate's account and region."""

    def __init__(self, *, storage: Storage, inventory: Inventory, audit: Audit, clock: Clock) -> None:
        self._storage = storage
        self._inventory = inventory
        self._audit = audit
        self._clock = clock

    def associate(self, caller: Caller, certificate_arn: str, resource_arn: str) -> None:
        """As `begin`, in a transaction of its own."""
        self._storage.transact(lambda tx: self.begin(tx, caller, certificate_arn, resource_arn))

    def dissociate(self, caller: Caller, certificate_arn: str, resource_arn: str) -> None:
        """As `end`, in a transaction of its own."""
        self._storage.transact(lambda tx: self.end(tx, caller, certificate_arn, resource_arn))

    def begin(self, tx: Tx, caller: Caller, certificate_arn: str, resource_arn: str) -> None:
        """A resource, also one of another account, uses a certificate from now on; saying it twice changes nothing.

        Raises NotFound; InvalidArn for a resource without one; InvalidState for a certificate that is not ISSUED.
        """
        _check(resource_arn)
        item = self._inventory.load(tx, caller, certificate_arn)
        status = item.status_at(self._clock.now())
        if status is not Status.ISSUED:
            raise InvalidState(f"Certificate {certificate_arn} is {status.value}, so nothing can use it.")
        if store.add(tx, item.id, resource_arn, self._clock.now()):
            # Saved anew, because from now on it is looked at for its renewal.
            certificates.save(tx, replace(item, in_use_by=tuple(sorted({*item.in_use_by, resource_arn}))))
            self._audit.record(tx, caller, certificate_arn, resource_arn)

    def end(self, tx: Tx, caller: Caller, certificate_arn: str, resource_arn: str) -> None:
        """A resource uses a certificate no more. Raises NotFound, also when it did not use it."""
        item = self._inventory.load(tx, caller, certificate_arn)
        if not store.remove(tx, item.id, resource_arn):
            raise NotFound(f"Certificate {certificate_arn} is not in use by {resource_arn}.")
        left = tuple(each for each in item.in_use_by if each != resource_arn)
        certificates.save(tx, replace(item, in_use_by=left))
        self._audit.record(tx, caller, certificate_arn, resource_arn)

    def used_by(self, tx: Tx, resource_arn: str) -> tuple[str, ...]:
        """The ARNs of the certificates that a resource uses."""
        found = (certificates.find(tx, each) for each in store.of_resource(tx, resource_arn))
        return tuple(item.arn for item in found if item is not None)


def _check(resource_arn: str) -> None:
    try:
        arn = Arn.parse(resource_arn)
    except ValueError as error:
        raise InvalidArn(f"{resource_arn} is not an ARN.") from error
    if not (arn.service and arn.resource and len(resource_arn) <= MAX_ARN and resource_arn.isprintable()):
        raise InvalidArn(f"{resource_arn[:MAX_ARN]} is not the ARN of a resource.")
