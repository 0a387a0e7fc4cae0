"""What protects the private keys, from the settings: key stores, and where the key-encryption key comes from."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from greatseal.crypto.wrap import CannotOpen, Keyring, key_fingerprint
from greatseal.domain.access.credentials import SEALED as SEALED_CREDENTIALS
from greatseal.domain.events.store.connections import SEALED as SEALED_CONNECTIONS
from greatseal.domain.keys import Purpose
from greatseal.domain.keys.key_encryption import keyring
from greatseal.domain.keys.store import SEALED as SEALED_KEYS
from greatseal.integrations import kek
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.secret import Secret
from greatseal.settings import Settings
from greatseal.storage import Storage

if TYPE_CHECKING:
    from greatseal.integrations.signers.pkcs11 import Pkcs11Store

Stores = Mapping[str, "Pkcs11Store"]

SEALED_COLUMNS = (SEALED_KEYS, SEALED_CREDENTIALS, SEALED_CONNECTIONS)
"""Every column of sealed secrets: what a change of the key-encryption key goes through."""


def key_stores(settings: Settings) -> Stores:
    """The key stores of the settings; no token is touched yet. Raises KekError when python-pkcs11 is missing."""
    if not settings.key_stores:
        return {}
    try:
        from greatseal.integrations.signers.pkcs11 import Pkcs11Store
        from greatseal.integrations.signers.sessions import TokenAddress
    except ImportError:
        raise kek.KekError("key stores need python-pkcs11: pip install 'greatseal[pkcs11]'") from None
    return {
        name: Pkcs11Store(
            TokenAddress(
                store=name,
                module=str(each.module),
                label=each.token_label,
                pin=_pin_of(each.pin_file),
                max_sessions=each.max_sessions,
                timeout=each.timeout_seconds,
            )
        )
        for name, each in settings.key_stores.items()
    }


def stores_by_purpose(settings: Settings) -> dict[Purpose, str]:
    """Where new keys are made; what is not named is sealed in the database."""
    chosen = {
        Purpose.AUTHORITY: settings.keys.authority_store,
        Purpose.KMS: settings.keys.kms_store,
        Purpose.OCSP: settings.keys.ocsp_store,
    }
    return {purpose: name for purpose, name in chosen.items() if name is not None}


def key_encryption_key(settings: Settings, storage: Storage, entropy: Entropy, stores: Stores) -> Secret:
    """What the settings name; made on the first start. Raises KekError and OSError."""
    if settings.kek.store is not None:
        return kek.from_store(stores[settings.kek.store], storage, entropy)
    given = passphrase(settings)
    if given is not None:
        return kek.from_passphrase(given, storage, entropy)
    return kek.from_file(settings.kek_file, storage, entropy)


def open_keyring(settings: Settings, storage: Storage, entropy: Entropy, stores: Stores) -> Keyring:
    """The key of the settings, and every key that it leads to. Raises KekError and OSError."""
    found = key_encryption_key(settings, storage, entropy, stores)
    try:
        return keyring(storage, found)
    except CannotOpen as error:
        raise kek.KekError(f"{error}. The database was altered, or a change of the key was not finished.") from error


def configured(settings: Settings, storage: Storage, entropy: Entropy, stores: Stores) -> Callable[[], str]:
    """The fingerprint of the key that the settings name now, which may be another than at the start."""
    return lambda: key_fingerprint(key_encryption_key(settings, storage, entropy, stores))


def passphrase(settings: Settings) -> Secret | None:
    """The passphrase of the settings. Raises OSError."""
    if settings.kek.passphrase_file is not None:
        return Secret(settings.kek.passphrase_file.read_bytes().rstrip(b"\r\n"))
    return None if settings.kek.passphrase is None else Secret(settings.kek.passphrase.encode())


def described(settings: Settings) -> str:
    """What protects the keys, for the log."""
    if settings.kek.store is not None:
        return f"sealed under a key that key store {settings.kek.store} opens"
    if settings.kek.passphrase is not None or settings.kek.passphrase_file is not None:
        return "sealed under a passphrase"
    return f"sealed under the file {settings.kek_file}"


def _pin_of(path: Path) -> Callable[[], Secret]:
    return lambda: Secret(path.read_bytes().rstrip(b"\r\n"))
