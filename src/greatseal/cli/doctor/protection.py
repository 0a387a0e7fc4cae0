"""Checks of what protects the private keys."""

from collections.abc import Iterator

from greatseal.cli.doctor.findings import Finding, Level, Patient
from greatseal.integrations import kek as keks
from greatseal.kernel.entropy import SystemEntropy
from greatseal.kernel.secret import Secret
from greatseal.settings import Settings
from greatseal.storage import Storage, installation


def kek(patient: Patient) -> Iterator[Finding]:
    """Says what protects the private keys."""
    settings = patient.settings
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
            "keep the two apart: set kek.file to another place, or GREATSEAL_KEK_PASSPHRASE before the first start",
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
        if settings.kek.passphrase_file:
            passphrase = settings.kek.passphrase_file.read_bytes().rstrip(b"\r\n")
            keks.from_passphrase(Secret(passphrase), storage, SystemEntropy())
        elif settings.kek.passphrase:
            keks.from_passphrase(Secret(settings.kek.passphrase.encode()), storage, SystemEntropy())
        else:
            keks.from_file(settings.kek_file, storage, SystemEntropy())
    except OSError as error:
        yield Finding("key protection", Level.FAILURE, str(error), "give the key of the first start back")
    else:
        yield Finding("key protection", Level.OK, "the key-encryption key is the one that sealed the private keys")
