"""The verbs of the access room."""

from greatseal.crypto.wrap import Sealer
from greatseal.domain.access import store
from greatseal.domain.access.model import Credential, Question, refusal_of, root_arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import AccessDenied
from greatseal.kernel.ids import new_access_key_id, new_secret_access_key
from greatseal.kernel.secret import Secret
from greatseal.storage import Storage, Tx


class Access:
    """Finds credentials and answers questions."""

    def __init__(self, *, storage: Storage, sealer: Sealer, clock: Clock, entropy: Entropy) -> None:
        self._storage = storage
        self._sealer = sealer
        self._clock = clock
        self._entropy = entropy
        self._configured: dict[str, Credential] = {}
        self._opened: dict[str, Credential] = {}

    def configure_root(self, access_key_id: str, secret: Secret, *, account: str, region: str) -> None:
        """Takes the root credential from the settings; it is kept in memory and never stored."""
        arn = root_arn(account, region)
        self._configured[access_key_id] = Credential(access_key_id, secret, account, arn)

    def ensure_root(self, *, account: str, region: str) -> Credential:
        """The stored root credential of an account; made on first use."""
        arn = root_arn(account, region)
        made = Credential(
            new_access_key_id(self._entropy), Secret(new_secret_access_key(self._entropy).encode()), account, arn
        )
        return self._storage.transact(lambda tx: self._ensure(tx, made))

    def find(self, access_key_id: str) -> Credential | None:
        """The credential with this id, or None.

        Opened credentials are remembered: they never change, and reading and unsealing one for each
        request would cost more than checking its signature.
        """
        known = self._configured.get(access_key_id) or self._opened.get(access_key_id)
        if known is not None:
            return known
        row = self._storage.read(lambda tx: store.find(tx, access_key_id))
        # The root credential of the settings replaces a generated one, which may be what it was changed for.
        if row is None or any(given.principal_arn == row[1] for given in self._configured.values()):
            return None
        self._opened[access_key_id] = self._open(access_key_id, row)
        return self._opened[access_key_id]

    def authorize(self, caller: Caller, *questions: Question) -> None:
        """Raises AccessDenied for the first question that the caller's policies do not answer with yes."""
        for question in questions:
            refusal = refusal_of(caller, question)
            if refusal is not None:
                raise AccessDenied(refusal)

    def _ensure(self, tx: Tx, made: Credential) -> Credential:
        present = store.any_of(tx, made.principal_arn)
        if present is not None:
            row = store.find(tx, present)
            assert row is not None
            return self._open(present, row)
        tx.insert_once(
            store.credential,
            {
                "access_key_id": made.access_key_id,
                "account": made.account,
                "principal_arn": made.principal_arn,
                "sealed_secret": self._sealer.seal(_identity(made.access_key_id), made.secret),
                "created_at": self._clock.now(),
            },
        )
        return made

    def _open(self, access_key_id: str, row: tuple[str, str, bytes]) -> Credential:
        account, principal_arn, sealed = row
        return Credential(access_key_id, self._sealer.open(_identity(access_key_id), sealed), account, principal_arn)


def _identity(access_key_id: str) -> str:
    return f"credential/{access_key_id}"
