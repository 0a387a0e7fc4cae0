"""The verbs of tags on roots, units, accounts and policies."""

from collections.abc import Callable, Sequence

from greatseal.domain.access import Accounts
from greatseal.domain.audit import Audit
from greatseal.domain.organizations import gate, targets
from greatseal.domain.organizations.model import FULL_ACCESS, Organization
from greatseal.domain.organizations.refusals import TargetNotFound
from greatseal.domain.organizations.store import policies
from greatseal.domain.tags import Tag, Tags
from greatseal.kernel.caller import Caller
from greatseal.storage import Storage, Tx


class Tagging:
    """Tags what an organization is made of."""

    def __init__(self, *, storage: Storage, accounts: Accounts, tags: Tags, audit: Audit) -> None:
        self._storage = storage
        self._accounts = accounts
        self._tags = tags
        self._audit = audit

    def add(self, caller: Caller, thing_id: str, tags: Sequence[Tag]) -> None:
        """Adds tags. Raises TargetNotFound, InvalidTag and TooManyTags."""
        self._change(caller, thing_id, lambda tx, arn: self._tags.add(tx, arn, tags))

    def remove(self, caller: Caller, thing_id: str, keys: Sequence[str]) -> None:
        """Removes tags by key. Raises TargetNotFound and InvalidTag."""
        gone = [Tag(key) for key in dict.fromkeys(keys)]
        self._change(caller, thing_id, lambda tx, arn: self._tags.remove(tx, arn, gone))

    def of(self, caller: Caller, thing_id: str) -> tuple[Tag, ...]:
        """The tags, by key. Raises TargetNotFound."""

        def work(tx: Tx) -> tuple[Tag, ...]:
            return self._tags.of(tx, self._arn(tx, caller, gate.readable(tx, caller), thing_id))

        return self._storage.read(work)

    def _change(self, caller: Caller, thing_id: str, change: Callable[[Tx, str], None]) -> None:
        def work(tx: Tx) -> None:
            arn = self._arn(tx, caller, gate.managed(tx, caller), thing_id)
            change(tx, arn)
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def _arn(self, tx: Tx, caller: Caller, organization: Organization, thing_id: str) -> str:
        if thing_id.startswith("p-"):
            # AWS's own policy is everybody's, so nobody tags it.
            if thing_id == FULL_ACCESS.id or policies.find(tx, organization.id, thing_id) is None:
                raise TargetNotFound
        elif thing_id.startswith(("rp-", "rt-")):
            raise TargetNotFound
        else:
            targets.find(tx, self._accounts, organization, thing_id)
        return organization.arn(caller.partition, thing_id)
