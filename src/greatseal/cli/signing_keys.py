"""Keys and certificates of whoever signs on the command line: files here, or KMS behind its endpoint."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from greatseal.cli.wire import wire_of

if TYPE_CHECKING:
    from greatseal.domain.signing import SigningKey
    from greatseal.integrations.aws_service import AwsService
    from greatseal.integrations.kms_keys import KmsKey
    from greatseal.x509.certificate import Certificate

_FILE = "file:"
_LARGEST_FILE = 16 * 1024 * 1024


class Unusable(click.ClickException):
    """Nothing can begin: a file that cannot be read, or an option that means nothing."""

    exit_code = 2


def keys_of(names: tuple[str, ...], data: Path | None, config: Path | None) -> list["SigningKey"]:
    """The keys that were named, in their order. Raises Unusable."""
    place = _Place(data, config)
    return [_local(name.removeprefix(_FILE)) if name.startswith(_FILE) else place.key(name) for name in names]


def kms_key_of(name: str, data: Path | None, config: Path | None) -> "KmsKey":
    """One key of KMS. Raises Unusable."""
    return _Place(data, config).key(name)


class _Place:
    """The KMS that is meant: of a data directory, or of the AWS environment. Connected when the first key is asked."""

    def __init__(self, data: Path | None, config: Path | None) -> None:
        self._data, self._config = data, config
        self._service: AwsService | None = None

    def key(self, name: str) -> "KmsKey":
        """One key. Raises Unusable, NoService."""
        from greatseal.domain.signing import KeyFailed
        from greatseal.integrations.kms_keys import KmsKey

        if self._service is None:
            self._service = wire_of(self._data, self._config).service
        try:
            return KmsKey(self._service, name)
        except KeyFailed as error:
            raise Unusable(f"--key {name}: {error}") from None


def _local(path: str) -> "SigningKey":
    from greatseal.domain.signing import KeyFailed, LocalKey
    from greatseal.kernel.secret import Secret
    from greatseal.x509 import pem

    data = read_file(Path(path))
    try:
        if b"-----BEGIN " in data:
            blocks = [block for block in pem.read_blocks(data) if block.label.endswith("PRIVATE KEY")]
            if len(blocks) != 1:
                raise Unusable(f"{path}: there is not exactly one private key in it")
            data = blocks[0].der
        return LocalKey.open(path, Secret(data))
    except (KeyFailed, pem.PemError) as error:
        raise Unusable(f"{path}: {error}") from None


def certificates_of(paths: tuple[Path, ...]) -> tuple["Certificate", ...]:
    """Every certificate of these files, PEM, DER or PKCS#7. Raises Unusable."""
    from greatseal.x509.bundle import read_any

    found: list[Certificate] = []
    for path in paths:
        try:
            found.extend(read_any(read_file(path)))
        except ValueError as error:
            raise Unusable(f"{path}: {error}") from None
    return tuple(found)


def read_file(path: Path) -> bytes:
    """A small file as a whole. Raises Unusable."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror or error}") from None
    if len(data) > _LARGEST_FILE:
        raise Unusable(f"{path}: it has more than {_LARGEST_FILE} octets")
    return data
