"""The key-encryption key: made on first run, found again ever after, refused when it is another one.

Three things can hold it: a file, a passphrase, a token. A token keeps a key of its own that opens ours, which is in the
database sealed by it.
"""

import base64
import errno
import os
import stat
from pathlib import Path
from typing import Protocol

from greatseal.crypto.signature import SignerUnavailable
from greatseal.crypto.wrap import KEY_SIZE, key_fingerprint, key_from_passphrase
from greatseal.domain.keys.key_encryption import FINGERPRINT, RETIRED, TOKEN, opens
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.ids import new_uuid
from greatseal.kernel.secret import Secret
from greatseal.storage import Storage, Tx, installation

_SALT = "kek-salt"
_ID_SIZE = 36
_IV_SIZE = 16
_SALT_SIZE = 16
# Groups are left alone: that is how systemd and Kubernetes hand a secret to a service.
_OTHERS = stat.S_IROTH | stat.S_IWOTH
_LONGEST = 4096
# What file systems without hard links answer.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS)


class KekError(OSError):
    """The key-encryption key is missing or is not the one that sealed this installation's keys."""


class SealingStore(Protocol):
    """A token that can keep a key for sealing. Every method raises SignerUnavailable."""

    @property
    def name(self) -> str:
        """The key store's name in the settings."""
        ...

    def make_sealing_key(self, key_id: str) -> None:
        """A key of 256 bits that never leaves the token."""
        ...

    def encrypt(self, key_id: str, secret: Secret, iv: bytes) -> bytes:
        """`secret` sealed by the token."""
        ...

    def decrypt(self, key_id: str, sealed: bytes) -> Secret:
        """What `encrypt` sealed."""
        ...


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


def from_store(store: SealingStore, storage: Storage, entropy: Entropy) -> Secret:
    """The key that a token opens; made on the first start. Raises KekError."""
    try:
        row = storage.read(lambda tx: installation.recall(tx, TOKEN))
        if row is None:
            if _known(storage) is not None:
                raise KekError(
                    f"the key-encryption key of this installation is not sealed by key store {store.name}. Take "
                    "kek.store out of the settings, or move the key there: greatseal keys rotate-kek. Nothing was "
                    "changed."
                )
            _, made = sealed_by(store, entropy)
            row = storage.transact(lambda tx: installation.remember(tx, TOKEN, made))
        kek = store.decrypt(row[:_ID_SIZE].decode(), row[_ID_SIZE:])
    except SignerUnavailable as error:
        raise KekError(f"the key-encryption key cannot be opened: {error}") from error
    return _checked(kek, storage, f"what key store {store.name} opens", "Connect the token of the first start.")


def sealed_by(store: SealingStore, entropy: Entropy) -> tuple[Secret, bytes]:
    """A new key-encryption key, and the row that lets the token open it. Raises SignerUnavailable.

    A crash before the row is stored leaves a key in the token that opens nothing.
    """
    kek = Secret(entropy.token_bytes(KEY_SIZE))
    key_id = new_uuid(entropy)
    store.make_sealing_key(key_id)
    return kek, key_id.encode() + store.encrypt(key_id, kek, entropy.token_bytes(_IV_SIZE))


def salted(passphrase: Secret, storage: Storage, entropy: Entropy) -> tuple[Secret, bytes]:
    """The key that a passphrase stands for, and the salt: that of the installation, or a new one."""
    salt = storage.read(lambda tx: installation.recall(tx, _SALT)) or entropy.token_bytes(_SALT_SIZE)
    return key_from_passphrase(passphrase, salt), salt


def keep_salt(tx: Tx, salt: bytes) -> None:
    """Stores the salt of a passphrase that is about to be used."""
    installation.replace(tx, _SALT, salt)


def keep_token(tx: Tx, row: bytes) -> None:
    """Stores what a token opens."""
    installation.replace(tx, TOKEN, row)


def _known(storage: Storage) -> bytes | None:
    """The fingerprint of the key under which this installation seals; None as long as nothing was ever sealed."""
    return storage.read(lambda tx: installation.recall(tx, FINGERPRINT))


def _checked(kek: Secret, storage: Storage, source: str, remedy: str) -> Secret:
    fingerprint = key_fingerprint(kek)
    known = _known(storage) or storage.transact(lambda tx: installation.remember(tx, FINGERPRINT, fingerprint.encode()))
    if storage.read(lambda tx: opens(tx, fingerprint)):
        return kek
    if storage.read(lambda tx: installation.recall(tx, RETIRED)) == fingerprint.encode():
        remedy = "It was replaced and retired: let the settings name the new one."
    raise KekError(
        f"{source} is not the key-encryption key of this installation: its fingerprint is "
        f"{fingerprint}, but the private keys are sealed under {known.decode()}. {remedy} "
        "Nothing was changed."
    )


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


def existing(path: Path) -> Secret:
    """The key in a file, which must exist. Raises KekError and OSError."""
    return _read(path)


def salt_of(storage: Storage) -> bytes | None:
    """The salt of the passphrase; None when there is none."""
    return storage.read(lambda tx: installation.recall(tx, _SALT))


def in_file(path: Path, entropy: Entropy) -> Secret:
    """The key in a file, which is made when it does not exist. Raises KekError."""
    try:
        return _read(path)
    except FileNotFoundError:
        return _make(path, entropy)


def put_in_place(made: Path, path: Path) -> None:
    """Lets the file `path` be what `made` is. Afterwards one of the two keys is there, whole, whatever happens."""
    made.replace(path)
    _sync(path.parent)


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
