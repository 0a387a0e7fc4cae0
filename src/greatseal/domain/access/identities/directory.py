"""Users, groups and roles: made, found, listed, renamed and deleted in the same way."""

from collections.abc import Sequence
from dataclasses import dataclass

from greatseal.domain.access import naming
from greatseal.domain.access.identities import rules
from greatseal.domain.access.identities.library import attachable
from greatseal.domain.access.identities.registrar import After, Registrar, partition
from greatseal.domain.access.model import Identity, IdentityKind
from greatseal.domain.access.store import identities as store
from greatseal.domain.access.store import policies, reading
from greatseal.domain.tags import Tag
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import AlreadyExists, InvalidTag, ResourceInUse
from greatseal.kernel.ids import new_principal_id
from greatseal.kernel.pages import Page
from greatseal.storage import Tx

DEFAULT_SESSION_SECONDS = 3600
_PREFIXES = {IdentityKind.USER: "AIDA", IdentityKind.GROUP: "AGPA", IdentityKind.ROLE: "AROA"}


@dataclass(frozen=True, slots=True)
class NewIdentity:
    """What a caller says about a user, group or role that it wants."""

    kind: IdentityKind
    name: str
    path: str = "/"
    boundary_arn: str | None = None
    trust_policy: str | None = None
    description: str | None = None
    max_session_seconds: int | None = None
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """An identity with its tags; `shown_trust` is the trust policy as people read it."""

    identity: Identity
    tags: tuple[Tag, ...] = ()
    shown_trust: str | None = None


class Directory:
    """The verbs that users, groups and roles have in common."""

    def __init__(self, registrar: Registrar) -> None:
        self._registrar = registrar

    def create(self, caller: Caller, new: NewIdentity) -> Found:
        """Raises AlreadyExists, LimitExceeded, InvalidPolicy, NotFound for a boundary, InvalidTag, InvalidRequest."""
        registrar, kind = self._registrar, new.kind
        rules.check_path(new.path)
        made_id = new_principal_id(registrar.entropy, _PREFIXES[kind])
        seconds = (new.max_session_seconds or DEFAULT_SESSION_SECONDS) if kind is IdentityKind.ROLE else None

        def work(tx: Tx) -> Found:
            if store.count(tx, caller.account, kind) >= rules.PER_ACCOUNT[kind]:
                raise rules.over(f"{rules.plural(kind)}PerAccount", rules.PER_ACCOUNT[kind])
            if new.boundary_arn is not None:
                attachable(tx, caller, new.boundary_arn, f"Scope ARN: {new.boundary_arn}")
            made = Identity(
                id=made_id,
                account=caller.account,
                kind=kind,
                name=new.name,
                path=new.path,
                created_at=registrar.clock.now(),
                boundary_arn=new.boundary_arn,
                trust_policy=None if new.trust_policy is None else rules.pinned_trust(tx, new.trust_policy),
                description=new.description,
                max_session_seconds=seconds,
            )
            if not store.add(tx, made):
                raise AlreadyExists(f"{kind.value.title()} with name {new.name} already exists.")
            arn = made.arn(partition(caller))
            self._set_tags(tx, arn, new.tags)
            word = kind.value
            told = {"path": made.path, f"{word}_name": made.name, f"{word}_id": made.id, "arn": arn}
            registrar.changed(tx, caller, arn, response={word: {**told, "create_date": made.created_at}})
            return Found(made, new.tags, new.trust_policy)

        return registrar.storage.transact(work)

    def find(self, caller: Caller, kind: IdentityKind, name: str) -> Found | None:
        """The identity, or None."""

        def work(tx: Tx) -> Found | None:
            found = reading.identity_by_name(tx, caller.account, kind, name)
            return None if found is None else self._shown(tx, caller, found)

        return self._registrar.storage.read(work)

    def get(self, caller: Caller, kind: IdentityKind, name: str) -> Found:
        """The identity. Raises NotFound."""
        registrar = self._registrar
        return registrar.storage.read(lambda tx: self._shown(tx, caller, registrar.find(tx, caller, kind, name)))

    def _shown(self, tx: Tx, caller: Caller, found: Identity) -> Found:
        trust = None if found.trust_policy is None else naming.unpin(tx, found.trust_policy, partition(caller))
        return Found(found, self._registrar.tags.of(tx, found.arn(partition(caller))), trust)

    def listing(self, caller: Caller, kind: IdentityKind, prefix: str, limit: int, marker: str | None) -> Page[Found]:
        """The identities below a path, by name."""

        def fetch(tx: Tx, after: After, count: int) -> list[Found]:
            found = store.listing(tx, caller.account, kind, prefix, after[0] if after else None, count)
            return [self._shown(tx, caller, each) for each in found]

        return self._registrar.page(
            caller, ("List", kind.value, prefix), limit, marker, fetch, lambda each: (each.identity.name.lower(),)
        )

    def rename(
        self, caller: Caller, kind: IdentityKind, name: str, *, new_name: str | None, new_path: str | None
    ) -> None:
        """Changes name or path, and with them the ARN; the id stays. Raises NotFound, AlreadyExists."""
        registrar = self._registrar

        def work(tx: Tx) -> None:
            found = registrar.find(tx, caller, kind, name)
            to_name, to_path = new_name or found.name, new_path or found.path
            taken = reading.identity_by_name(tx, caller.account, kind, to_name)
            if taken is not None and taken.id != found.id:
                raise AlreadyExists(f"{kind.value.title()} with name {to_name} already exists.")
            store.change(tx, found.id, name=to_name, path=to_path)
            old = found.arn(partition(caller))
            new = str(Arn(partition(caller), "iam", "", caller.account, f"{kind.value}{to_path}{to_name}"))
            if new != old:
                tags = registrar.tags.of(tx, old)
                registrar.tags.remove_all(tx, old)
                registrar.tags.add(tx, new, tags)
            registrar.changed(tx, caller, old, new)

        registrar.storage.transact(work)

    def delete(self, caller: Caller, kind: IdentityKind, name: str) -> None:
        """Raises NotFound, InvalidState for a service's role, ResourceInUse while something hangs on it."""
        registrar = self._registrar

        def work(tx: Tx) -> None:
            found = registrar.find_own(tx, caller, kind, name)
            _check_bare(tx, found)
            self.remove(tx, caller, found)

        registrar.storage.transact(work)

    def remove(self, tx: Tx, caller: Caller, found: Identity) -> None:
        """Removes an identity on which nothing hangs but tags."""
        arn = found.arn(partition(caller))
        self._registrar.tags.remove_all(tx, arn)
        store.remove(tx, found.id)
        self._registrar.changed(tx, caller, arn, id=found.id)

    def tag(self, caller: Caller, kind: IdentityKind, name: str, tags: Sequence[Tag]) -> None:
        """Sets tags; keys that differ only in case are the same key. Raises NotFound, InvalidTag, TooManyTags."""
        registrar = self._registrar

        def work(tx: Tx) -> None:
            arn = registrar.find(tx, caller, kind, name).arn(partition(caller))
            self._set_tags(tx, arn, tags)
            registrar.changed(tx, caller, arn)

        registrar.storage.transact(work)

    def untag(self, caller: Caller, kind: IdentityKind, name: str, keys: Sequence[str]) -> None:
        """Removes tags by key, in any case; unknown keys are no error. Raises NotFound."""
        registrar = self._registrar

        def work(tx: Tx) -> None:
            arn = registrar.find(tx, caller, kind, name).arn(partition(caller))
            drop_tags(registrar, tx, arn, keys)
            registrar.changed(tx, caller, arn)

        registrar.storage.transact(work)

    def tags(self, caller: Caller, kind: IdentityKind, name: str, limit: int, marker: str | None) -> Page[Tag]:
        """The tags, by key. Raises NotFound."""
        registrar = self._registrar

        def fetch(tx: Tx) -> Sequence[Tag]:
            return registrar.tags.of(tx, registrar.find(tx, caller, kind, name).arn(partition(caller)))

        return registrar.numbered(caller, ("ListTags", kind.value, name.lower()), limit, marker, fetch)

    def _set_tags(self, tx: Tx, arn: str, tags: Sequence[Tag]) -> None:
        set_tags(self._registrar, tx, arn, tags)


def set_tags(registrar: Registrar, tx: Tx, arn: str, tags: Sequence[Tag]) -> None:
    """Sets tags of an IAM resource, on which keys that differ only in case are the same key.

    Raises InvalidTag and TooManyTags.
    """
    folded = {tag.key.lower() for tag in tags}
    if len(folded) != len(tags):
        raise InvalidTag("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    drop_tags(registrar, tx, arn, list(folded))
    registrar.tags.add(tx, arn, tags)


def drop_tags(registrar: Registrar, tx: Tx, arn: str, keys: Sequence[str]) -> None:
    """Removes the tags with these keys, in any case."""
    folded = {key.lower() for key in keys}
    present = [Tag(tag.key) for tag in registrar.tags.of(tx, arn) if tag.key.lower() in folded]
    registrar.tags.remove(tx, arn, present)


def _check_bare(tx: Tx, found: Identity) -> None:
    user, group = found.kind is IdentityKind.USER, found.kind is IdentityKind.GROUP
    problem = ""
    if user and store.has_keys(tx, found.id):
        problem = "must delete access keys first"
    elif (user and store.groups_of(tx, found.id)) or (group and store.members(tx, found.id, None, 1)):
        problem = "must remove users from group first"
    elif policies.inline_of(tx, found.id):
        problem = "must delete policies first"
    elif policies.attached_to(tx, found.id):
        problem = "must detach all policies first"
    if problem:
        raise ResourceInUse(f"Cannot delete entity, {problem}.")
