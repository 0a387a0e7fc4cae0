"""The key-encryption key: made on first run, found again ever after, refused when it is another one."""

import base64
import os
from pathlib import Path

from greatseal.crypto.wrap import KEY_SIZE, key_fingerprint, key_from_passphrase
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.secret import Secret
from greatseal.storage import Storage, installation

_FINGERPRINT = "kek-fingerprint"
_SALT = "kek-salt"
_SALT_SIZE = 16


class KekError(OSError):
    """The key-encryption key is missing or is not the one that sealed this installation's keys."""


def from_file(path: Path, storage: Storage, entropy: Entropy) -> Secret:
    """The key in `path`. It is made there as long as nothing was ever sealed. Raises KekError."""
    try:
        kek = _read(path)
    except FileNotFoundError:
        if storage.read(lambda tx: installation.recall(tx, _FINGERPRINT)) is not None:
            raise KekError(
                f"the key-encryption key {path} is missing. The private keys of this installation cannot be opened "
                "without it: put the file back from its backup."
            ) from None
        kek = _make(path, entropy)
    return _checked(kek, storage, f"the file {path}")


def from_passphrase(passphrase: Secret, storage: Storage, entropy: Entropy) -> Secret:
    """The key that a passphrase stands for. Raises KekError for another passphrase than at the first run."""
    fresh = entropy.token_bytes(_SALT_SIZE)
    salt = storage.transact(lambda tx: installation.remember(tx, _SALT, fresh))
    return _checked(key_from_passphrase(passphrase, salt), storage, "the passphrase")


def _checked(kek: Secret, storage: Storage, source: str) -> Secret:
    fingerprint = key_fingerprint(kek).encode()
    known = storage.transact(lambda tx: installation.remember(tx, _FINGERPRINT, fingerprint))
    if known != fingerprint:
        raise KekError(
            f"{source} is not the key-encryption key of this installation: its fingerprint is "
            f"{fingerprint.decode()}, but the private keys are sealed under {known.decode()}. Nothing was changed."
        )
    return kek


def _read(path: Path) -> Secret:
    try:
        kek = base64.b64decode(path.read_bytes().strip(), validate=True)
    except ValueError:
        kek = b""
    if len(kek) != KEY_SIZE:
        raise KekError(f"{path} does not hold a key-encryption key ({KEY_SIZE} bytes in base64).")
    return Secret(kek)


def _make(path: Path, entropy: Entropy) -> Secret:
    """Written under another name, synced and renamed, so that a crash leaves a whole key or none."""
    kek = entropy.token_bytes(KEY_SIZE)
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(base64.b64encode(kek) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return Secret(kek)
