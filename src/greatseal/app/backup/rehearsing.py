"""The database of a rehearsal, with whatever keys there are to open what is sealed in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from greatseal.app.backup.container import Keys
from greatseal.crypto.wrap import CannotOpen, Keyring, key_fingerprint, key_from_passphrase
from greatseal.domain.keys.key_encryption import keyring, opens
from greatseal.integrations import kek
from greatseal.kernel.secret import Secret
from greatseal.settings.paths import DataPaths
from greatseal.storage import Storage, open_storage


@contextmanager
def keyring_of(place: Path, keys: Keys) -> Iterator[tuple[Storage, Keyring | None, str]]:
    """The restored database, its keys, and if there are none the reason why. Raises StorageError."""
    paths = DataPaths(place)
    storage = open_storage(f"sqlite:///{paths.database}", pool_size=1)
    try:
        try:
            found = _kek(paths, keys, storage)
            if found is None:
                yield storage, None, "the key-encryption key was not given and is not in the backup"
                return
            if not storage.read(lambda tx: opens(tx, key_fingerprint(found))):
                yield storage, None, "the key-encryption key that was given is not that of this installation"
                return
            ring = keyring(storage, found)
        except (OSError, CannotOpen) as error:
            yield storage, None, str(error)
            return
        yield storage, ring, ""
    finally:
        storage.close()


def _kek(paths: DataPaths, keys: Keys, storage: Storage) -> Secret | None:
    if keys.kek is not None:
        return keys.kek
    if keys.kek_passphrase is not None and (salt := kek.salt_of(storage)) is not None:
        return key_from_passphrase(keys.kek_passphrase, salt)
    return kek.existing(paths.kek) if paths.kek.exists() else None
