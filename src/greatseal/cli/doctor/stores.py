"""Checks of the key stores: the module loads, the token is there, tries are left, the PIN is right, it makes keys."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from greatseal.app import protection
from greatseal.cli.doctor.findings import Finding, Level, Patient
from greatseal.crypto.algorithms import KeyAlgorithm
from greatseal.crypto.signature import SignerLied, SignerUnavailable
from greatseal.domain.keys import StoreRefuses

if TYPE_CHECKING:
    from greatseal.integrations.signers.pkcs11 import Pkcs11Store


def key_stores(patient: Patient) -> Iterator[Finding]:
    """One store after the other, each check only when the one before it holds."""
    try:
        stores = protection.key_stores(patient.settings)
    except OSError as error:
        yield Finding("key store", Level.FAILURE, str(error), "install it beside greatseal and start again")
        return
    for name, store in stores.items():
        yield from _examined(name, store)
        store.close()


def _examined(name: str, store: "Pkcs11Store") -> Iterator[Finding]:
    from pkcs11.exceptions import PKCS11Error

    check = f"key store {name}"
    try:
        warning = store.pin_warning()
    except (SignerUnavailable, PKCS11Error) as error:
        text = str(error) or type(error).__name__
        fix = f"see that key_stores.{name}.module is the library of the token's maker, and token_label its label"
        yield Finding(check, Level.FAILURE, text, fix)
        return
    if warning is not None:
        # Whoever looks must not use up the last try.
        fix = "log in once with the right PIN with the tools of its maker, or unlock it there"
        yield Finding(check, Level.FAILURE, f"the token says: {warning}. The PIN was not tried", fix)
        return
    health = store.health()
    if not health.reachable:
        fix = f"see that key_stores.{name}.pin_file holds the user PIN, and that the token answers"
        yield Finding(check, Level.FAILURE, health.description, fix)
        return
    try:
        store.trial()
    except (SignerUnavailable, SignerLied, StoreRefuses) as error:
        yield Finding(check, Level.FAILURE, f"a trial signature failed: {error}", "ask the maker of the token")
        return
    missing = [row.name for row in KeyAlgorithm if row not in health.algorithms]
    yield Finding(check, Level.OK, f"{health.description} answers, the PIN is right, and a trial signature verifies")
    if missing:
        yield Finding(check, Level.NOTE, f"it refuses keys of type {', '.join(missing)}")
