"""Checks of what protects the private keys."""

from collections.abc import Iterator

from greatseal.app import protection
from greatseal.cli.doctor.findings import Finding, Level, Patient
from greatseal.domain.keys import store as keys
from greatseal.domain.keys.key_encryption import under_way
from greatseal.kernel.entropy import SystemEntropy
from greatseal.settings import Settings
from greatseal.storage import Storage, installation


def kek(patient: Patient) -> Iterator[Finding]:
    """Says what protects the private keys."""
    settings = patient.settings
    if settings.kek.store is not None:
        said = f"private keys are sealed under a key that only the token of key store {settings.kek.store} opens"
        yield Finding("key protection", Level.OK, said)
        return
    if settings.kek.passphrase or settings.kek.passphrase_file:
        yield Finding("key protection", Level.OK, "private keys are sealed under a passphrase that is not stored here")
        return
    path = settings.kek_file
    if not path.is_file():
        if settings.paths.database.exists() or settings.database:
            yield Finding(
                "key protection",
                Level.FAILURE,
                f"the key-encryption key {path} is missing",
                "put it back from its backup; without it no private key can be opened",
            )
        return
    if path.parent == settings.paths.path:
        yield Finding(
            "key protection",
            Level.NOTE,
            f"private keys are sealed under {path}, which lies beside them: a copy of the directory opens them",
            "keep the two apart: greatseal keys rotate-kek --to-file, --to-passphrase-file or --to-store",
        )
    else:
        yield Finding(
            "key protection", Level.OK, f"private keys are sealed under {path}, apart from the data directory"
        )


def opens(storage: Storage, settings: Settings) -> Iterator[Finding]:
    """Whether the key-encryption key is the one under which this database's keys are sealed."""
    if storage.read(lambda tx: installation.recall(tx, "kek-fingerprint")) is None:
        return  # nothing was ever sealed; asking further would decide it
    try:
        protection.open_keyring(settings, storage, SystemEntropy(), protection.key_stores(settings))
    except OSError as error:
        yield Finding("key protection", Level.FAILURE, str(error), "give the key of the first start back")
    else:
        yield Finding("key protection", Level.OK, "the key-encryption key is the one that sealed the private keys")
    change = storage.read(under_way)
    if change is not None:
        yield Finding(
            "key protection",
            Level.WARNING,
            f"a change to the key-encryption key {change.after} ({change.source}) was begun at "
            f"{change.started_at:%F %T} and is not finished: the old key {change.before} still opens everything",
            "let the settings name the new key and start the service; it finishes the change after five minutes",
        )
    used = set(storage.read(keys.stores_in_use)) - set(settings.key_stores)
    for name in sorted(used):
        yield Finding(
            "key store",
            Level.FAILURE,
            f"keys are in the key store {name}, which is not among the settings",
            f"add the table [key_stores.{name}] again",
        )
