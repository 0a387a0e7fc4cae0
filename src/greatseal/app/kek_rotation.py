"""A new key-encryption key: made where it will be kept, then put to use (docs/keys.md, "A new KEK")."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from greatseal.app import protection
from greatseal.app.rooms import Rooms
from greatseal.crypto.wrap import key_fingerprint
from greatseal.domain.keys.key_encryption import Change
from greatseal.integrations import kek
from greatseal.kernel.errors import InvalidArgument
from greatseal.kernel.secret import Secret
from greatseal.settings import Settings
from greatseal.storage import Tx


@dataclass(frozen=True, slots=True)
class Target:
    """Where the new key is to be. Nothing named means the same file as before."""

    file: Path | None = None
    passphrase_file: Path | None = None
    store: str | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """What was begun, and what the settings have to say from now on; None when they may stay as they are."""

    change: Change
    setting: str | None


def begin(settings: Settings, rooms: Rooms, target: Target) -> Begun:
    """Begins a change, or takes up one that died on the way. Raises Refusal, KekError, SignerUnavailable, OSError.

    1. The new key is made where it is to be. Dying after that leaves a key that opens nothing.
    2. One transaction puts it to use; from then on both keys open everything.
    3. Where it replaces a file, the file is replaced. Dying before that leaves the old file, which opens everything.
    """
    in_place = target == Target()
    if in_place and (settings.kek.store is not None or protection.passphrase(settings) is not None):
        raise InvalidArgument("Say where the new key is to be: --to-file, --to-passphrase-file or --to-store.")
    waiting = settings.kek_file.with_name(settings.kek_file.name + ".next")
    change = rooms.kek_change.under_way()
    setting: str | None = None
    if change is None:
        new, source, setting, also = _made(settings, rooms, Target(file=waiting) if in_place else target)
        if in_place:
            source, setting = f"the file {settings.kek_file}", None
        change = rooms.kek_change.begin(new, source, also=also)
    if waiting.is_file() and key_fingerprint(kek.in_file(waiting, rooms.entropy)) == change.after:
        kek.put_in_place(waiting, settings.kek_file)
    return Begun(change, setting)


def _made(settings: Settings, rooms: Rooms, target: Target) -> tuple[Secret, str, str, Callable[[Tx], None]]:
    """The new key, what holds it in words, the line of settings that names it, and what its transaction writes."""
    if target.file is not None:
        path = target.file.absolute()
        return kek.in_file(path, rooms.entropy), f"the file {path}", f'kek.file = "{path}"', _nothing
    if target.passphrase_file is not None:
        path = target.passphrase_file.absolute()
        given = Secret(path.read_bytes().rstrip(b"\r\n"))
        if not given.reveal():
            raise InvalidArgument(f"The passphrase in {path} is empty.")
        new, salt = kek.salted(given, rooms.storage, rooms.entropy)
        setting = f'kek.passphrase_file = "{path}"'
        return new, "a passphrase", setting, lambda tx: kek.keep_salt(tx, salt)
    stores = protection.key_stores(settings)
    if target.store is None or target.store not in stores:
        raise InvalidArgument(f"There is no key store {target.store} in the settings.")
    new, row = kek.sealed_by(stores[target.store], rooms.entropy)
    return new, f"key store {target.store}", f'kek.store = "{target.store}"', lambda tx: kek.keep_token(tx, row)


def _nothing(_: Tx) -> None:
    """A file needs no row."""
