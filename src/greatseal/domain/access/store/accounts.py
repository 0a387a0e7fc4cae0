"""The table of accounts, and the role through which a made account is entered."""

from datetime import datetime

from sqlalchemy import insert, select, update

from greatseal.domain.access.model import Account, Identity
from greatseal.domain.access.store.tables import account, attached_policy, identity
from greatseal.storage import Tx


def add(tx: Tx, new: Account) -> bool:
    """False when the id is taken."""
    row = {"id": new.id, "name": new.name, "email": new.email, "alias": new.alias, "created_at": new.created_at}
    return tx.insert_once(account, row)


def find(tx: Tx, account_id: str) -> Account | None:
    """One account."""
    row = tx.first(select(account).where(account.c.id == account_id))
    return None if row is None else Account(row.id, row.name, row.email, row.created_at, row.alias)


def listing(tx: Tx) -> list[Account]:
    """Every account, by id."""
    rows = tx.all(select(account).order_by(account.c.id))
    return [Account(row.id, row.name, row.email, row.created_at, row.alias) for row in rows]


def email_is_taken(tx: Tx, email: str) -> bool:
    """Whether an account has this address, in any case."""
    return any(row.email.lower() == email.lower() for row in tx.all(select(account.c.email)))


def rename(tx: Tx, account_id: str, name: str) -> None:
    """Changes what people call the account."""
    tx.execute(update(account).where(account.c.id == account_id).values(name=name))


def add_role(tx: Tx, role: Identity, policy_arn: str, at: datetime) -> None:
    """A role with one managed policy."""
    row = {
        "id": role.id,
        "account": role.account,
        "kind": role.kind.value,
        "name": role.name,
        "folded_name": role.name.lower(),
        "path": role.path,
        "created_at": at,
        "boundary_arn": None,
        "trust_policy": role.trust_policy,
        "description": role.description,
        "max_session_seconds": role.max_session_seconds,
        "service_linked": role.service_linked,
    }
    tx.execute(insert(identity), row)
    tx.execute(insert(attached_policy), {"owner_id": role.id, "policy_arn": policy_arn})
