"""The verbs of aliases (kms.md 12)."""

from collections.abc import Sequence

from greatseal.crypto.key_specs import Kind
from greatseal.domain.audit import Audit
from greatseal.domain.keys.managed.directory import Directory
from greatseal.domain.keys.managed.model import Alias, ManagedKey, require_present
from greatseal.domain.keys.managed.refusals import AliasExists, InvalidAliasName, KeyNotFound
from greatseal.domain.keys.managed.store import aliases as store
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import LimitExceeded, ValidationFailed
from greatseal.kernel.pages import Page, PageTokens
from greatseal.storage import Storage, Tx

MOST = 50
"""Aliases of one key (kms.md 17)."""

_PREFIX, _RESERVED = "alias/", "alias/aws/"


class Aliases:
    """Names for keys, in the account and region of the caller."""

    def __init__(
        self, *, storage: Storage, directory: Directory, audit: Audit, clock: Clock, tokens: PageTokens
    ) -> None:
        self._storage = storage
        self._directory = directory
        self._audit = audit
        self._clock = clock
        self._tokens = tokens

    def create(self, caller: Caller, name: str, key_arn: str) -> None:
        """Names a key. Raises InvalidAliasName, AliasExists, LimitExceeded and KeyInvalidState."""
        arn = self.arn(caller, name)

        def work(tx: Tx) -> None:
            now = self._clock.now()
            self._target(tx, caller, key_arn)
            if not store.add(tx, Alias(arn, key_arn, now, now), account=caller.account, region=caller.region):
                raise AliasExists(f"An alias with the name {arn} already exists")
            self._audit.record(tx, caller, arn, key_arn)

        self._storage.transact(work)

    def update(self, caller: Caller, name: str, key_arn: str) -> None:
        """Lets the name stand for another key of the same kind and usage. Raises KeyNotFound, ValidationFailed."""
        arn = self.arn(caller, name)

        def work(tx: Tx) -> None:
            before = self._load(tx, arn)
            old = self._directory.load(tx, before.target_arn)
            new = self._target(tx, caller, key_arn, counts=before.target_arn != key_arn)
            if (_kind(old), old.usage) != (_kind(new), new.usage):
                raise ValidationFailed(
                    f"Alias {arn} cannot be changed from key {old.arn} to key {new.arn}: key type and key usage differ."
                )
            store.point(tx, arn, key_arn, self._clock.now())
            self._audit.record(tx, caller, arn, key_arn)

        self._storage.transact(work)

    def delete(self, caller: Caller, name: str) -> None:
        """Takes the name away. Raises KeyNotFound."""
        arn = self.arn(caller, name)

        def work(tx: Tx) -> None:
            found = self._load(tx, arn)
            store.remove(tx, arn)
            self._audit.record(tx, caller, arn, found.target_arn)

        self._storage.transact(work)

    def target(self, caller: Caller, name: str) -> str:
        """The ARN of the key behind a name. Raises InvalidAliasName and KeyNotFound."""
        arn = self.arn(caller, name)
        return self._storage.read(lambda tx: self._load(tx, arn)).target_arn

    def list(self, caller: Caller, key_arn: str | None, *, limit: int, marker: str | None) -> Page[Alias]:
        """The aliases of the caller's account and region, or of one key."""
        scope = (caller.account, caller.region, "ListAliases", key_arn or "")
        after = str(self._tokens.open(scope, marker)[0]) if marker is not None else ""

        def work(tx: Tx) -> Sequence[Alias]:
            return store.listing(tx, caller.account, caller.region, target_arn=key_arn, after=after, limit=limit + 1)

        found = self._storage.read(work)
        token = self._tokens.issue(scope, [found[limit - 1].arn]) if len(found) > limit else None
        return Page(tuple(found[:limit]), token)

    def arn(self, caller: Caller, name: str) -> str:
        """The ARN that an alias of this name has. Raises InvalidAliasName."""
        if not name.startswith(_PREFIX):
            raise ValidationFailed(
                'Alias must start with the prefix "alias/". Please see '
                "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
            )
        if name.startswith(_RESERVED) or name == _PREFIX or name.removeprefix(_PREFIX).startswith("/"):
            raise InvalidAliasName(f"Alias name {name} is reserved or has nothing behind its prefix.")
        return str(caller.arn("kms", name))

    def _target(self, tx: Tx, caller: Caller, key_arn: str, *, counts: bool = True) -> ManagedKey:
        """The key that is to be named: the caller's own, not on its way out, with room for a name."""
        key = self._directory.load(tx, key_arn)
        if key.account != caller.account:
            raise KeyNotFound(f"Key '{key_arn}' does not exist")
        require_present(key, self._clock.now())
        if counts and store.count(tx, key_arn) >= MOST:
            raise LimitExceeded(f"A KMS key has at most {MOST} aliases.")
        return key

    def _load(self, tx: Tx, arn: str) -> Alias:
        found = store.find(tx, arn)
        if found is None:
            raise KeyNotFound(f"Alias {arn} is not found.")
        return found


def _kind(key: ManagedKey) -> str:
    """Symmetric, HMAC or asymmetric: what an alias may not change between."""
    return key.spec.kind.name if key.spec.kind in (Kind.SYMMETRIC, Kind.HMAC) else "ASYMMETRIC"
