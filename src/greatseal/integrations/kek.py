"""The key-encryption key: made on first run, found again ever after, refused when it is another one."""

import base64
import errno
import os
import stat
from pathlib import Path

from greatseal.crypto.wrap import KEY_SIZE, key_fingerprint, key_from_passphrase
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.secret import Secret
from greatseal.storage import Storage, installation

_FINGERPRINT = "kek-fingerprint"
_SALT = "kek-salt"
_SALT_SIZE = 16
# Groups are left alone: that is how systemd and Kubernetes hand a secret to a service.
_OTHERS = stat.S_IROTH | stat.S_IWOTH
_LONGEST = 4096
# What file systems without hard links answer.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS)


class KekError(OSError):
    """The key-encryption key is missing or is not the one that sealed this installation's keys."""


def from_file(path: Path, storage: Storage, entropy: Entropy) -> Secret:
    """The key in `path`. It is made there as long as nothing was ever sealed. Raises KekError."""
    try:
        kek = _read(path)
    except FileNotFoundError:
        if _known(storage) is not None:
            raise KekError(
                f"the key-encryption key {path} is missing. The private keys of this installation cannot be opened "
                "without it: put the file back from its backup, or name the place where it is (kek.file), or give "
                "the passphrase if it was sealed under one."
            ) from None
        kek = _make(path, entropy)
    return _checked(kek, storage, f"the file {path}", "Put the file of the first start back.")


def from_passphrase(passphrase: Secret, storage: Storage, entropy: Entropy) -> Secret:
    """The key that a passphrase stands for. Raises KekError for another passphrase than at the first run."""
    if not passphrase.reveal():
        raise KekError("the passphrase of the key-encryption key is empty. Set one, or use a file.")
    salt = storage.read(lambda tx: installation.recall(tx, _SALT))
    if salt is None:
        if _known(storage) is not None:
            raise KekError(
                "the passphrase is not the key-encryption key of this installation: the private keys are sealed under "
                "a key in a file. Take the passphrase out of the settings. Nothing was changed."
            )
        fresh = entropy.token_bytes(_SALT_SIZE)
        salt = storage.transact(lambda tx: installation.remember(tx, _SALT, fresh))
    return _checked(key_from_passphrase(passphrase, salt), storage, "the passphrase", "Give that of the first start.")


def _known(storage: Storage) -> bytes | None:
    """The fingerprint of the key under which this installation seals; None as long as nothing was ever sealed."""
    return storage.read(lambda tx: installation.recall(tx, _FINGERPRINT))


def _checked(kek: Secret, storage: Storage, source: str, remedy: str) -> Secret:
    fingerprint = key_fingerprint(kek).encode()
    known = _known(storage) or storage.transact(lambda tx: installation.remember(tx, _FINGERPRINT, fingerprint))
    if known != fingerprint:
        raise KekError(
            f"{source} is not the key-encryption key of this installation: its fingerprint is "
            f"{fingerprint.decode()}, but the private keys are sealed under {known.decode()}. {remedy} "
            "Nothing was changed."
        )
    return kek


def _read(path: Path) -> Secret:
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_mode & _OTHERS:
            raise KekError(f"the key-encryption key {path} is open to every user of this machine: chmod 600 {path}")
        content = file.read(_LONGEST)
    try:
        kek = base64.b64decode(content.strip(), validate=True)
    except ValueError:
        kek = b""
    if len(kek) != KEY_SIZE:
        raise KekError(
            f"{path} does not hold a key-encryption key ({KEY_SIZE} bytes in base64): it may be cut short. "
            "Put the file back from its backup."
        )
    return Secret(kek)


def _make(path: Path, entropy: Entropy) -> Secret:
    """Written under another name, synced and linked, so that a crash leaves a whole key or none.

    The link fails when somebody else was faster: a key that may be in use already is never replaced.
    """
    kek = entropy.token_bytes(KEY_SIZE)
    temporary = path.with_name(f"{path.name}.{entropy.token_bytes(8).hex()}.new")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileNotFoundError:
        raise KekError(f"the key-encryption key cannot be made: the directory {path.parent} does not exist.") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(kek) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    except FileExistsError:
        return _read(path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
        _sync(path.parent)
    return Secret(kek)


def _sync(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
