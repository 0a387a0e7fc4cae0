"""Whether an account takes findings in a region. It does until it says otherwise: nobody has to switch anything on."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from greatseal.domain.audit import Audit
from greatseal.domain.findings.model import AlreadySubscribed, NotSubscribed
from greatseal.domain.findings.store import findings, hubs
from greatseal.domain.findings.store.hubs import Hub
from greatseal.domain.tags import Tag, Tags
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import NotFound
from greatseal.storage import Storage, Tx


class Hubs:
    """The hub of each account and region."""

    def __init__(self, *, storage: Storage, tags: Tags, audit: Audit, clock: Clock) -> None:
        self._storage = storage
        self._tags = tags
        self._audit = audit
        self._clock = clock

    def require(self, tx: Tx, account: str, region: str) -> Hub:
        """The hub. Raises NotSubscribed when it was switched off."""
        found = hubs.find(tx, account, region) or Hub()
        if not found.enabled:
            raise NotSubscribed(f"Account {account} is not subscribed to AWS Security Hub")
        return found

    def is_open(self, tx: Tx, account: str, region: str) -> bool:
        """Whether findings are taken."""
        return (hubs.find(tx, account, region) or Hub()).enabled

    def describe(self, caller: Caller, arn: str | None) -> Hub:
        """The hub of the caller. Raises NotSubscribed, and NotFound for the ARN of another."""
        if arn is not None and arn != self.arn(caller):
            raise NotFound(f"The resource {arn} was not found.")
        return self._storage.read(lambda tx: self.require(tx, caller.account, caller.region))

    def enable(self, caller: Caller, *, generator: str | None, tags: Sequence[Tag]) -> None:
        """Switches the hub on. Raises AlreadySubscribed if the account has said so before."""

        def work(tx: Tx) -> None:
            before = hubs.find(tx, caller.account, caller.region)
            if before is not None and before.enabled and before.changed_at is not None:
                raise AlreadySubscribed("Account is already subscribed to Security Hub")
            made = replace(before or Hub(), enabled=True, changed_at=self._clock.now())
            if generator is not None:
                made = replace(made, control_finding_generator=generator)
            hubs.put(tx, caller.account, caller.region, made)
            self._tags.add(tx, self.arn(caller), tags)
            self._audit.record(tx, caller, self.arn(caller))

        self._storage.transact(work)

    def configure(self, caller: Caller, settings: Mapping[str, bool | str]) -> None:
        """Sets `auto_enable_controls` and `control_finding_generator`. Raises NotSubscribed."""

        def work(tx: Tx) -> None:
            found = self.require(tx, caller.account, caller.region)
            hubs.put(tx, caller.account, caller.region, replace(found, **settings))  # type: ignore[arg-type]
            self._audit.record(tx, caller, self.arn(caller))

        self._storage.transact(work)

    def disable(self, caller: Caller) -> None:
        """Switches the hub off; its findings go (the real service forgets them, too). Raises NotSubscribed."""

        def work(tx: Tx) -> None:
            self.require(tx, caller.account, caller.region)
            hubs.put(tx, caller.account, caller.region, Hub(enabled=False))
            findings.forget(tx, caller.account, caller.region)
            self._tags.remove_all(tx, self.arn(caller))
            self._audit.record(tx, caller, self.arn(caller))

        self._storage.transact(work)

    def tag(self, caller: Caller, arn: str, tags: Sequence[Tag]) -> None:
        """Adds tags to the hub."""

        def work(tx: Tx) -> None:
            self._own(tx, caller, arn)
            self._tags.add(tx, arn, tags)
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def untag(self, caller: Caller, arn: str, keys: Sequence[str]) -> None:
        """Removes tags from the hub."""

        def work(tx: Tx) -> None:
            self._own(tx, caller, arn)
            self._tags.remove(tx, arn, [Tag(key) for key in keys])
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def tags_of(self, caller: Caller, arn: str) -> tuple[Tag, ...]:
        """The tags of the hub, by key."""

        def work(tx: Tx) -> tuple[Tag, ...]:
            self._own(tx, caller, arn)
            return self._tags.of(tx, arn)

        return self._storage.read(work)

    def arn(self, caller: Caller) -> str:
        """The ARN of the caller's hub."""
        return str(caller.arn("securityhub", "hub/default"))

    def _own(self, tx: Tx, caller: Caller, arn: str) -> None:
        if arn != self.arn(caller):
            raise NotFound(f"The resource {arn} was not found.")
        self.require(tx, caller.account, caller.region)
