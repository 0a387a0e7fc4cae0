"""Everything that is sealed, opened."""

from collections.abc import Iterator
from contextlib import suppress

from greatseal.app.invariants.model import Case, Violation
from greatseal.app.protection import SEALED_COLUMNS
from greatseal.crypto.keypair import UnusableKey, encode_public, load_private
from greatseal.crypto.wrap import CannotOpen
from greatseal.domain.keys.store import SEALED as SEALED_KEYS
from greatseal.kernel.secret import Secret


def open_all(case: Case) -> Iterator[Violation]:
    """Every sealed value of every table. Keys in key stores are only known to be in one of the settings."""
    assert case.keyring is not None
    for column in SEALED_COLUMNS:
        for (rows,) in case.pages(column.table):
            for row in rows:
                key, sealed = row._mapping[column.key], row._mapping[column.column]
                subject = f"{column.table.name} {key}"
                if sealed is None:
                    if column is SEALED_KEYS and row.store not in case.stores:
                        yield Violation(
                            subject, f"it is in the key store {row.store!r}, which the settings do not name"
                        )
                    continue
                try:
                    secret = case.keyring.open(column.identity(key), sealed)
                except CannotOpen as error:
                    yield Violation(subject, str(error))
                    continue
                if column is SEALED_KEYS and row.spki is not None and not _is_of(secret, row.spki):
                    yield Violation(subject, "the private key is not that of the public key beside it")


def _is_of(secret: Secret, spki: bytes) -> bool:
    """Whether a private key has this public half. Keys that only KMS knows are opened there, and taken for good."""
    with suppress(UnusableKey):
        return encode_public(load_private(secret).public_key()) == spki
    return True
