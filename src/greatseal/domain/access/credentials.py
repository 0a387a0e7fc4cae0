"""How the secrets of access keys are kept: sealed, each bound to its own id."""

from datetime import datetime

from greatseal.crypto.wrap import Sealer
from greatseal.domain.access.model import Credential, root_arn
from greatseal.domain.access.store import credentials as store
from greatseal.domain.access.store import generation
from greatseal.domain.access.store.credentials import StoredCredential
from greatseal.domain.access.store.tables import credential
from greatseal.kernel.arn import Arn, partition_of
from greatseal.storage import Tx
from greatseal.storage.sealed import SealedColumn


def add_credential(tx: Tx, sealer: Sealer, made: Credential, *, owner_id: str, at: datetime) -> None:
    """Stores a new credential of a user, or of a root by its account id."""
    store.add(
        tx,
        {
            "access_key_id": made.access_key_id,
            "account": made.account,
            "owner_id": owner_id,
            "active": True,
            "sealed_secret": sealer.seal(_identity(made.access_key_id), made.secret),
            "created_at": at,
        },
    )
    generation.raise_(tx)


def opened(sealer: Sealer, row: StoredCredential, region: str) -> Credential:
    """The credential with its secret. Raises CannotOpen when the row was altered."""
    secret = sealer.open(_identity(row.access_key_id), row.sealed_secret)
    if row.owner_id == row.account:
        arn = root_arn(row.account, region)
    else:
        arn = str(Arn(partition_of(region), "iam", "", row.account, f"user{row.user_path}{row.user_name}"))
    return Credential(row.access_key_id, secret, row.account, arn, row.owner_id)


def _identity(access_key_id: str) -> str:
    return f"credential/{access_key_id}"


SEALED = SealedColumn(credential, "access_key_id", "sealed_secret", _identity)
