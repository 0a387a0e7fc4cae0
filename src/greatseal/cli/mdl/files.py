"""Files of these commands: read with an error that names them, written whole or not at all."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from greatseal.x509.certificate import Certificate

_LARGEST = 64 * 1024 * 1024
_Read = TypeVar("_Read")
FILE = click.Path(dir_okay=False, path_type=Path)


class Unusable(click.ClickException):
    """The command cannot begin: a file that cannot be read, or an option that means nothing."""

    exit_code = 2


def read(path: Path, reader: Callable[[bytes], _Read]) -> _Read:
    """What `reader` makes of a file. Raises Unusable for what it refuses with a ValueError."""
    try:
        return reader(octets(path))
    except ValueError as error:
        raise Unusable(f"{path}: {error}") from None


def octets(path: Path) -> bytes:
    """The content of a file of at most 64 MiB. Raises Unusable."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror or error}") from None
    if len(data) > _LARGEST:
        raise Unusable(f"{path}: it has more than {_LARGEST} octets")
    return data


def certificates(path: Path) -> tuple["Certificate", ...]:
    """The certificates of a file, PEM or DER. Raises Unusable."""
    from greatseal.x509.bundle import read_any

    return read(path, read_any)


def write(path: Path, content: bytes) -> None:
    """Writes a file in one step, so that nobody finds half of one. Raises Unusable."""
    half = path.with_name(path.name + ".part")
    try:
        half.write_bytes(content)
        os.replace(half, path)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise Unusable(f"{path}: {error.strerror or error}") from None
