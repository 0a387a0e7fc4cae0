"""Accounts of the installation, and the root credentials that open them."""

import json
from collections.abc import Sequence

from greatseal.crypto.wrap import Sealer
from greatseal.domain.access.credentials import add_credential
from greatseal.domain.access.managed import ADMINISTRATOR
from greatseal.domain.access.model import Account, Credential, Identity, IdentityKind, root_arn
from greatseal.domain.access.store import accounts as store
from greatseal.domain.access.store import credentials, generation
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import AlreadyExists, NotFound
from greatseal.kernel.ids import new_access_key_id, new_account_id, new_principal_id, new_secret_access_key
from greatseal.kernel.secret import Secret
from greatseal.storage import Tx

ENTRY_ROLE = "OrganizationAccountAccessRole"
_MAX_SESSION = 3600


class Accounts:
    """Makes, finds and lists accounts. Every verb joins the caller's transaction."""

    def __init__(self, *, sealer: Sealer, clock: Clock, entropy: Entropy) -> None:
        self._sealer = sealer
        self._clock = clock
        self._entropy = entropy

    def create(self, tx: Tx, *, name: str, email: str, account_id: str | None = None) -> Account:
        """A new account without any credential. Raises AlreadyExists when the address or the id is taken."""
        if store.email_is_taken(tx, email):
            raise AlreadyExists(f"An account with the email address {email} exists already.")
        new = Account(account_id or new_account_id(self._entropy), name, email, self._clock.now())
        if not store.add(tx, new):
            raise AlreadyExists(f"The account {new.id} exists already.")
        return new

    def add_entry_role(self, tx: Tx, account: str, trusted_account: str, *, name: str = ENTRY_ROLE) -> str:
        """The role by which administrators of another account administrate this one; its ARN.

        Organizations makes it in every account that it creates (organizations CreateAccount, `RoleName`).
        """
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{trusted_account}:root"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
        role = Identity(
            id=new_principal_id(self._entropy, "AROA"),
            account=account,
            kind=IdentityKind.ROLE,
            name=name,
            path="/",
            created_at=self._clock.now(),
            trust_policy=json.dumps(trust, separators=(",", ":")),
            max_session_seconds=_MAX_SESSION,
        )
        store.add_role(tx, role, ADMINISTRATOR, role.created_at)
        generation.raise_(tx)
        return role.arn()

    def find(self, tx: Tx, account: str) -> Account:
        """Raises NotFound."""
        found = store.find(tx, account)
        if found is None:
            raise NotFound(f"The account {account} does not exist.")
        return found

    def exists(self, tx: Tx, account: str) -> bool:
        """Whether there is such an account."""
        return store.find(tx, account) is not None

    def listing(self, tx: Tx) -> Sequence[Account]:
        """Every account, by id."""
        return store.listing(tx)

    def rename(self, tx: Tx, account: str, name: str) -> None:
        """Changes what people call the account."""
        store.rename(tx, account, name)

    def new_root_credential(self, tx: Tx, account: str, region: str) -> Credential:
        """One more access key for the account's root principal; its secret is shown only now."""
        self.find(tx, account)
        made = Credential(
            new_access_key_id(self._entropy),
            Secret(new_secret_access_key(self._entropy).encode()),
            account,
            root_arn(account, region),
            account,
        )
        add_credential(tx, self._sealer, made, owner_id=account, at=self._clock.now())
        return made

    def revoke_root_credentials(self, tx: Tx, account: str, *, but: str) -> int:
        """Removes every access key of the root principal but one; how many."""
        gone = [each.access_key_id for each in credentials.of_owner(tx, account) if each.access_key_id != but]
        for access_key_id in gone:
            credentials.remove(tx, access_key_id)
        if gone:
            generation.raise_(tx)
        return len(gone)
