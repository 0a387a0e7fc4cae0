"""What `greatseal verify` is told: anchors, certificates, lists and answers, the time, and what may be fetched."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from greatseal.cli import options

if TYPE_CHECKING:
    from greatseal.domain.trust import Fetcher
    from greatseal.x509.certificate import Certificate
    from greatseal.x509.revocation import Material

PURPOSES = {"any": "ANY", "serverAuth": "SERVER_AUTH", "clientAuth": "CLIENT_AUTH", "codeSigning": "CODE_SIGNING"}

_LARGEST_FILE = 65 * 1024 * 1024
_Read = TypeVar("_Read")


class Unusable(click.ClickException):
    """The question cannot be asked: a file that cannot be read, or an option that means nothing."""

    exit_code = 2


def material_of(given: dict[str, Any]) -> "Material":
    """Lists and answers that were given. Raises Unusable."""
    from greatseal.kernel.entropy import SystemEntropy
    from greatseal.x509.bundle import read_list
    from greatseal.x509.ocsp.answer import parse_answer
    from greatseal.x509.revocation import Material

    if given["nonce"] and (given["answers"] or not given["fetch"]):
        raise Unusable("--nonce is about answers that are fetched: it goes with --fetch and without --ocsp")
    return Material(
        tuple(read_with(path, read_list) for path in given["lists"]),
        tuple(read_with(path, parse_answer) for path in given["answers"]),
        SystemEntropy().token_bytes(32) if given["nonce"] else None,
    )


def fetcher_of(given: dict[str, Any]) -> "Fetcher | None":
    """A new one for each certificate: each has its own allowance."""
    if not given["fetch"]:
        return None
    from greatseal.integrations.revocation_fetch import SafeFetcher

    own: list[str] = []
    if given["data"] or given["config"]:
        try:
            settings = options.read_settings(given["config"], data=given["data"])
        except click.ClickException as error:
            raise Unusable(error.message) from None
        own = [settings.publication.base_url] if settings.publication.base_url else []
    return SafeFetcher(allow_private=given["allow_private_addresses"], own=own)


def anchors_of(roots: tuple[Path, ...]) -> tuple["Certificate", ...]:
    """Whom to trust: these, or the system's authorities. Raises Unusable."""
    if roots:
        return certificates_of(roots)
    import ssl

    bundle = ssl.get_default_verify_paths().cafile
    if bundle is None:
        raise Unusable("this system has no bundle of authorities; name what to trust with --root")
    from greatseal.x509.bundle import read_store

    return read_with(Path(bundle), read_store)


def certificates_of(paths: tuple[Path, ...]) -> tuple["Certificate", ...]:
    """Every certificate of these files. Raises Unusable."""
    from greatseal.x509.bundle import read_any

    return tuple(each for path in paths for each in read_with(path, read_any))


def read_with(path: Path, reader: Callable[[bytes], _Read]) -> _Read:
    """A file as `reader` understands it. Raises Unusable."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
        if len(data) > _LARGEST_FILE:
            raise Unusable(f"{path}: it has more than {_LARGEST_FILE} octets")
        return reader(data)
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror or error}") from None
    except ValueError as error:
        raise Unusable(f"{path}: {error}") from None


def time_of(text: str | None) -> datetime:
    """The time that was given, or now. Raises Unusable."""
    from greatseal.kernel.clock import SystemClock

    if text is None:
        return SystemClock().now()
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Unusable(f"--time: {text[:80]!r} is not a time such as 2026-01-31T12:00:00Z") from None
    try:
        # Without a zone it is UTC, as every time in a certificate.
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        raise Unusable(f"--time: {text[:80]!r} is not a time of the calendar") from None
