"""GetParametersForImport, ImportKeyMaterial and DeleteImportedKeyMaterial (kms.md 10).

1. The parameters: a fresh RSA key, sealed, whose public half wraps the material. They are good for a day, for one key,
   and for one import; new ones replace them.
2. The import unwraps and checks the material before any row is written. One transaction then stores the secret, gives
   it to the key and forgets the parameters. A crash before it leaves the parameters as they were.
3. Material that was deleted, or has expired, is known again by a slow hash, so that a key never takes other material.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from greatseal.crypto import import_wrapping
from greatseal.crypto import material as cryptographic
from greatseal.crypto.envelope import InvalidCiphertext as Undecryptable
from greatseal.crypto.key_specs import KeySpec
from greatseal.crypto.keypair import UnusableKey
from greatseal.crypto.opened import open_key
from greatseal.crypto.wrap import key_from_passphrase
from greatseal.domain.audit import Audit
from greatseal.domain.keys.managed.directory import Directory
from greatseal.domain.keys.managed.model import (
    KeyState,
    ManagedKey,
    Material,
    MaterialState,
    Origin,
    RegionRole,
    require_origin,
    require_present,
)
from greatseal.domain.keys.managed.refusals import (
    ExpiredImportToken,
    InvalidCiphertext,
    InvalidImportToken,
    UnsupportedOnKey,
    WrongKeyMaterial,
)
from greatseal.domain.keys.managed.store import imports as store
from greatseal.domain.keys.managed.store import keys, materials
from greatseal.domain.keys.model import NewSecret, Purpose
from greatseal.domain.keys.service import Keys
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import InvalidToken, NotFound, ValidationFailed
from greatseal.kernel.ids import new_uuid
from greatseal.kernel.pages import PageTokens
from greatseal.kernel.secret import Secret
from greatseal.storage import Storage, Tx

_GOOD_FOR = timedelta(hours=24)
_LONGEST_LIFE = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class ImportParameters:
    """What a client needs to wrap its material."""

    token: bytes
    public_key: bytes
    """SubjectPublicKeyInfo DER."""
    valid_to: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """What ImportKeyMaterial brings."""

    token: bytes
    wrapped: bytes
    valid_to: datetime | None
    """None for material that does not expire."""
    is_new: bool | None = None
    """True for another material than the key has, False for one that it had, None for whichever it must be."""
    description: str | None = None
    material_id: str | None = None


class KeyImports:
    """Brings material from outside into keys of the origin EXTERNAL."""

    def __init__(
        self,
        *,
        storage: Storage,
        directory: Directory,
        keys: Keys,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        tokens: PageTokens,
    ) -> None:
        self._storage = storage
        self._directory = directory
        self._keys = keys
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._tokens = tokens

    def parameters(self, caller: Caller, key: ManagedKey, algorithm: str, wrapping: KeySpec) -> ImportParameters:
        """A wrapping key and a token for one import. Raises UnsupportedOnKey and KeyInvalidState."""
        _require_external(key, self._clock.now())
        if algorithm not in import_wrapping.wrapping_algorithms(key.spec, wrapping):
            raise UnsupportedOnKey(
                f"Wrapping algorithm {algorithm} with {wrapping.name} is not valid for key spec {key.spec.name}."
            )
        assert wrapping.key_algorithm is not None
        made = self._keys.generate(wrapping.key_algorithm)
        token_id = new_uuid(self._entropy)
        valid_to = self._clock.now() + _GOOD_FOR

        def work(tx: Tx) -> None:
            _require_external(self._directory.load(tx, key.arn), self._clock.now())
            self._keys.add(tx, made, account=key.account, purpose=Purpose.KMS)
            new = store.Parameters(key.arn, token_id, made.id, algorithm, wrapping.name, valid_to)
            before = store.replace(tx, new)
            if before is not None:
                self._keys.destroy(tx, before)
            self._audit.record(tx, caller, key.arn)

        self._storage.transact(work)
        token = self._tokens.issue(_scope(key.arn), [token_id])
        return ImportParameters(token.encode("ascii"), made.spki, valid_to)

    def bring(self, caller: Caller, key: ManagedKey, given: Delivery) -> str:
        """Gives the key its material and returns the material's id.

        Raises InvalidImportToken, ExpiredImportToken, InvalidCiphertext, WrongKeyMaterial and ValidationFailed.
        """
        now = self._clock.now()
        _require_external(key, now)
        _check_life(given.valid_to, now)
        parameters = self._parameters_of(key, given.token)
        unwrapped = self._unwrap(parameters, given.wrapped)
        try:
            loaded = cryptographic.load(key.spec, unwrapped)
        except UnusableKey as error:
            raise WrongKeyMaterial(str(error)) from None
        digest = _digest(key, loaded.secret)
        sealed = self._keys.seal(loaded.secret)
        fresh_id = self._entropy.token_bytes(32).hex()

        def work(tx: Tx) -> str:
            current = self._directory.load(tx, key.arn)
            _require_external(current, self._clock.now())
            if store.find(tx, key.arn) != parameters:
                raise InvalidImportToken("The import token was used or replaced.")
            brought = self._brought(tx, current, given, digest, fresh_id, loaded.spki)
            self._store(tx, brought, sealed, digest)
            self._settle(tx, current)
            wrapping = store.remove(tx, key.arn)
            assert wrapping is not None
            self._keys.destroy(tx, wrapping)
            self._audit.record(tx, caller, key.arn)
            return brought.id

        return self._storage.transact(work)

    def delete(self, caller: Caller, key: ManagedKey, material_id: str | None) -> str | None:
        """Destroys imported material; the key waits for it to be imported again. The material's id, if there is one.

        Raises NotFound for a material that the key does not have.
        """

        def work(tx: Tx) -> str | None:
            current = self._directory.load(tx, key.arn)
            _require_external(current, self._clock.now())
            wanted = material_id or current.material
            found = None if wanted is None else materials.find(tx, key.arn, wanted)
            if found is None and material_id is not None:
                raise NotFound(f"Key material {material_id} does not exist on {key.arn}.")
            if found is not None:
                self._drop(tx, found)
                self._settle(tx, current)
            self._audit.record(tx, caller, key.arn)
            return wanted

        return self._storage.transact(work)

    def expire(self, tx: Tx, key: ManagedKey, now: datetime) -> None:
        """Destroys what has expired by now."""
        for each in materials.of_key(tx, key.arn):
            if each.valid_to is not None and each.valid_to <= now:
                self._drop(tx, each)
        self._settle(tx, key)

    def forget(self, tx: Tx, key_arn: str) -> None:
        """Destroys parameters that nobody used."""
        secret_id = store.remove(tx, key_arn)
        if secret_id is not None:
            self._keys.destroy(tx, secret_id)

    def _parameters_of(self, key: ManagedKey, token: bytes) -> store.Parameters:
        try:
            token_id = self._tokens.open(_scope(key.arn), token.decode("ascii"))[0]
        except (InvalidToken, UnicodeDecodeError):
            raise InvalidImportToken("The import token is not one of this key.") from None
        found = self._storage.read(lambda tx: store.find(tx, key.arn))
        if found is None or found.token_id != token_id:
            raise InvalidImportToken("The import token was used or replaced.")
        if found.valid_to <= self._clock.now():
            raise ExpiredImportToken("The import token has expired.")
        return found

    def _unwrap(self, parameters: store.Parameters, wrapped: bytes) -> Secret:
        try:
            wrapping = self._keys.material(parameters.secret_id)
        except LookupError:
            # Another import was faster.
            raise InvalidImportToken("The import token was used or replaced.") from None
        handle = open_key(KeySpec[parameters.wrapping_spec], wrapping)
        try:
            return import_wrapping.unwrap(handle, parameters.algorithm, wrapped)
        except Undecryptable:
            raise InvalidCiphertext from None

    def _brought(
        self, tx: Tx, key: ManagedKey, given: Delivery, digest: bytes, fresh_id: str, spki: bytes | None
    ) -> Material:
        """The material that this import is about: one that the key knows, or a new one."""
        known = materials.with_digest(tx, key.arn, digest)
        if known is None and key.region_role is RegionRole.REPLICA:
            return replace(self._of_primary(tx, key, digest), key_arn=key.arn, secret_id=None, valid_to=given.valid_to)
        first = not materials.of_key(tx, key.arn)
        is_new = first if given.is_new is None else given.is_new
        if not is_new:
            if known is None or given.material_id not in (None, known.id):
                raise WrongKeyMaterial("The key material is not the one that was imported into the key before.")
            return replace(known, valid_to=given.valid_to, description=given.description or known.description)
        if known is not None:
            raise WrongKeyMaterial("The key material was imported into the key before.")
        if not first and key.spec is not KeySpec.SYMMETRIC_DEFAULT:
            raise UnsupportedOnKey("Only symmetric encryption keys take more than one key material.")
        return Material(
            id=fresh_id,
            key_arn=key.arn,
            state=MaterialState.CURRENT if first else MaterialState.PENDING_ROTATION,
            created_at=self._clock.now(),
            secret_id=None,
            spki=spki,
            valid_to=given.valid_to,
            description=given.description,
        )

    def _of_primary(self, tx: Tx, replica: ManagedKey, digest: bytes) -> Material:
        """What a replica is given must wait at the primary already: there it got its id."""
        primary = next(m for m in keys.family(tx, replica.family_arn) if m.region_role is RegionRole.PRIMARY)
        found = materials.with_digest(tx, primary.arn, digest)
        if found is None:
            raise WrongKeyMaterial("The key material was not imported into the primary key.")
        return found

    def _store(self, tx: Tx, brought: Material, sealed: NewSecret, digest: bytes) -> None:
        if brought.secret_id is None:
            account = self._directory.load(tx, brought.key_arn).account
            self._keys.add(tx, sealed, account=account, purpose=Purpose.KMS)
            brought = replace(brought, secret_id=sealed.id)
        if materials.find(tx, brought.key_arn, brought.id) is None:
            if brought.state is MaterialState.PENDING_ROTATION:
                self._drop_pending(tx, brought)
            materials.add(tx, brought, digest=digest)
        else:
            materials.save(tx, brought)

    def _drop_pending(self, tx: Tx, next_one: Material) -> None:
        """A material that waits for its rotation gives way to the next one that is brought, in every region."""
        for member in keys.family(tx, self._directory.load(tx, next_one.key_arn).family_arn):
            for each in materials.of_key(tx, member.arn):
                if each.state is MaterialState.PENDING_ROTATION and each.id != next_one.id:
                    materials.remove(tx, member.arn, each.id)
                    self._directory.drop_secret(tx, each.secret_id)

    def _drop(self, tx: Tx, material: Material) -> None:
        materials.save(tx, replace(material, secret_id=None, valid_to=None))
        self._directory.drop_secret(tx, material.secret_id)

    def _settle(self, tx: Tx, key: ManagedKey) -> None:
        """The state and the expiry of the key follow from its materials: it works when all that it needs are there."""
        needed = [m for m in materials.of_key(tx, key.arn) if m.state is not MaterialState.PENDING_ROTATION]
        current = next((m for m in needed if m.state is MaterialState.CURRENT), None)
        complete = bool(needed) and all(m.secret_id is not None for m in needed)
        state = key.state
        if state in (KeyState.PENDING_DELETION, KeyState.PENDING_REPLICA_DELETION):
            pass
        elif not complete:
            state = KeyState.PENDING_IMPORT
        elif state is KeyState.PENDING_IMPORT:
            state = KeyState.ENABLED
        expiries = [m.valid_to for m in needed if m.valid_to is not None]
        keys.save(
            tx,
            replace(
                key,
                state=state,
                material=None if current is None else current.id,
                valid_to=min(expiries) if complete and expiries else None,
            ),
        )


def _require_external(key: ManagedKey, now: datetime) -> None:
    require_origin(key, Origin.EXTERNAL)
    require_present(key, now)


def _check_life(valid_to: datetime | None, now: datetime) -> None:
    if valid_to is not None and not now < valid_to <= now + _LONGEST_LIFE:
        raise ValidationFailed("The validTo date must be in the future, and at most 365 days from now.")


def _digest(key: ManagedKey, secret: Secret) -> bytes:
    """Tells the material again. Slow, because what is imported may have been chosen by somebody."""
    return key_from_passphrase(secret, key.family_arn.encode()).reveal()


def _scope(key_arn: str) -> tuple[str, ...]:
    return ("kms-import", key_arn)
