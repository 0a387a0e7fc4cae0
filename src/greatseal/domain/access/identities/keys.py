"""Access keys of users, and of the root principal."""

from dataclasses import dataclass
from datetime import datetime

from greatseal.crypto.wrap import Sealer
from greatseal.domain.access.credentials import add_credential
from greatseal.domain.access.identities import rules
from greatseal.domain.access.identities.registrar import Registrar, partition
from greatseal.domain.access.model import Credential, IdentityKind, is_root
from greatseal.domain.access.store import credentials as store
from greatseal.domain.access.store import reading
from greatseal.domain.access.store.credentials import StoredCredential
from greatseal.domain.audit import AuditRecord
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import NotFound, ValidationFailed
from greatseal.kernel.ids import new_access_key_id, new_secret_access_key
from greatseal.kernel.pages import Page
from greatseal.kernel.secret import Secret
from greatseal.storage import Tx

ROOT_NAME = "root"
"""What the owner of the root principal's keys is called."""


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An access key; the secret is there only when the key was just made."""

    id: str
    user_name: str
    active: bool
    created_at: datetime
    secret: Secret | None = None


@dataclass(frozen=True, slots=True)
class KeyUse:
    """Whose key it is, and the newest call that was signed with it."""

    user_name: str
    record: AuditRecord | None


@dataclass(frozen=True, slots=True)
class _Owner:
    id: str
    name: str
    arn: str


class AccessKeys:
    """Makes, lists, switches and deletes access keys. Without a user's name it is about the caller's own."""

    def __init__(self, registrar: Registrar, sealer: Sealer) -> None:
        self._registrar = registrar
        self._sealer = sealer

    def create(self, caller: Caller, user: str | None) -> AccessKey:
        """Raises NotFound, and LimitExceeded when there are two."""
        registrar = self._registrar
        key_id = new_access_key_id(registrar.entropy)
        secret = Secret(new_secret_access_key(registrar.entropy).encode())

        def work(tx: Tx) -> AccessKey:
            owner = self._owner(tx, caller, user)
            if len(store.of_owner(tx, owner.id)) >= rules.KEYS_PER_USER:
                raise rules.over("AccessKeysPerUser", rules.KEYS_PER_USER)
            now = registrar.clock.now()
            made = Credential(key_id, secret, caller.account, owner.arn, owner.id)
            add_credential(tx, self._sealer, made, owner_id=owner.id, at=now)
            told = {"user_name": owner.name, "access_key_id": key_id, "status": "Active", "create_date": now}
            registrar.audit.record(tx, caller, owner.arn, response={"access_key": told})
            return AccessKey(key_id, owner.name, active=True, created_at=now, secret=secret)

        return registrar.storage.transact(work)

    def listing(self, caller: Caller, user: str | None, limit: int, marker: str | None) -> Page[AccessKey]:
        """Oldest first. Raises NotFound."""

        def fetch(tx: Tx) -> list[AccessKey]:
            owner = self._owner(tx, caller, user)
            return [
                AccessKey(row.access_key_id, owner.name, row.active, row.created_at)
                for row in store.of_owner(tx, owner.id)
            ]

        listing = ("ListAccessKeys", (user or caller.principal_arn).lower())
        return self._registrar.numbered(caller, listing, limit, marker, fetch)

    def set_active(self, caller: Caller, user: str | None, key_id: str, *, active: bool) -> None:
        """Switches a key on or off, at once and on every node. Raises NotFound."""
        registrar = self._registrar

        def work(tx: Tx) -> None:
            owner = self._owner(tx, caller, user)
            _find(tx, owner, key_id)
            store.set_active(tx, key_id, active)
            registrar.changed(tx, caller, owner.arn, accessKeyId=key_id)

        registrar.storage.transact(work)

    def delete(self, caller: Caller, user: str | None, key_id: str) -> None:
        """Raises NotFound."""
        registrar = self._registrar

        def work(tx: Tx) -> None:
            owner = self._owner(tx, caller, user)
            _find(tx, owner, key_id)
            store.remove(tx, key_id)
            registrar.changed(tx, caller, owner.arn, accessKeyId=key_id)

        registrar.storage.transact(work)

    def owner_arn(self, caller: Caller, key_id: str) -> str | None:
        """The user, or the root principal, of the caller's account who has this key."""
        registrar = self._registrar

        def work(tx: Tx) -> str | None:
            row = store.find(tx, key_id)
            if row is None or row.account != caller.account:
                return None
            path = ROOT_NAME if row.owner_id == row.account else f"user{row.user_path}{row.user_name}"
            return f"arn:{partition(caller)}:iam::{row.account}:{path}"

        return registrar.storage.read(work)

    def last_use(self, caller: Caller, key_id: str) -> KeyUse:
        """The newest call with a key of the account, good or refused. Raises NotFound."""
        registrar = self._registrar

        def work(tx: Tx) -> KeyUse:
            row = store.find(tx, key_id)
            if row is None or row.account != caller.account:
                raise _missing(key_id)
            record = registrar.audit.last_use(tx, row.account, key_id, since=row.created_at)
            return KeyUse(row.user_name or ROOT_NAME, record)

        return registrar.storage.read(work)

    def _owner(self, tx: Tx, caller: Caller, user: str | None) -> _Owner:
        if user is None and is_root(caller):
            return _Owner(caller.account, ROOT_NAME, caller.principal_arn)
        if user is None:
            own = None if caller.session else reading.identity_by_id(tx, caller.principal_id)
            if own is None:
                raise ValidationFailed("Must specify userName when calling with non-User credentials")
            return _Owner(own.id, own.name, own.arn(partition(caller)))
        found = self._registrar.find(tx, caller, IdentityKind.USER, user)
        return _Owner(found.id, found.name, found.arn(partition(caller)))


def _find(tx: Tx, owner: _Owner, key_id: str) -> StoredCredential:
    row = store.find(tx, key_id)
    if row is None or row.owner_id != owner.id:
        raise _missing(key_id)
    return row


def _missing(key_id: str) -> NotFound:
    return NotFound(f"The Access Key with id {key_id} cannot be found.")
