"""`greatseal verify`: is this certificate to be trusted, and if not, why exactly? (docs/verify.md)"""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from greatseal.cli import options

if TYPE_CHECKING:
    from greatseal.domain.trust import Fetcher, Question, Report
    from greatseal.x509.certificate import Certificate
    from greatseal.x509.revocation import Material

_LARGEST_FILE = 65 * 1024 * 1024
_PURPOSES = {"any": "ANY", "serverAuth": "SERVER_AUTH", "clientAuth": "CLIENT_AUTH", "codeSigning": "CODE_SIGNING"}
_Read = TypeVar("_Read")
_FILE = click.Path(dir_okay=False, path_type=Path)


class Unusable(click.ClickException):
    """The question cannot be asked: a file that cannot be read, or an option that means nothing."""

    exit_code = 2


@click.command("verify")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=_FILE)
@click.option("--root", "roots", multiple=True, type=_FILE, help="Trust these.  [default: the system's authorities]")
@click.option("--intermediate", "intermediates", multiple=True, type=_FILE, help="Certificates to build a path with.")
@click.option("--name", "server", help="The server it must be for: a DNS name or an address.")
@click.option("--purpose", type=click.Choice(list(_PURPOSES)), default="any", show_default=True)
@click.option("--time", "at", metavar="ISO", help="Judge as of this time, 2026-01-31T12:00:00Z.  [default: now]")
@click.option("--policy", "policies", multiple=True, metavar="OID", help="A policy that the path must be valid for.")
@click.option("--crl", "lists", multiple=True, type=_FILE, help="A revocation list, complete or delta.")
@click.option("--ocsp", "answers", multiple=True, type=_FILE, help="An OCSP response, DER.")
@click.option(
    "--revocation",
    type=click.Choice(["off", "soft", "hard"]),
    help="off: do not ask; soft: refuse what is revoked; hard: every certificate must be known to be good.  "
    "[default: hard with --crl, --ocsp or --fetch, else off]",
)
@click.option("--fetch/--no-fetch", default=False, help="Fetch issuers, OCSP answers and CRLs.  [default: no-fetch]")
@click.option("--nonce", is_flag=True, help="With --fetch: demand fresh OCSP answers; many responders give none.")
@click.option("--allow-private-addresses", is_flag=True, help="With --fetch: also from addresses inside the network.")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@options.data
@options.config
def command(files: tuple[Path, ...], output: str, **given: Any) -> None:
    """Verify certificates: path, names, purpose, policies and revocation.

    The first certificate of each FILE is judged, the others in it help to build its path.  PEM, DER
    and PKCS#7 are read.  Nothing is fetched unless asked; with --data or --config, the base URL of that
    installation may be fetched from even when it is private.

    Exit code 0: every FILE is valid.  1: one is not, and one exact reason is printed.  2: nothing could be
    judged.

    \b
    Examples:
      greatseal verify fullchain.pem --root root.pem --name app.example.com
      greatseal verify leaf.pem --root root.pem --intermediate ca.pem --crl root.crl --crl ca.crl
      greatseal verify leaf.pem --root root.pem --fetch --revocation hard --output json
    """
    from greatseal.domain.trust import verify
    from greatseal.x509.path import NotAServerName

    questions = _questions(files, given)
    results: list[tuple[Path, Report]] = []
    for path, question in questions:
        try:
            results.append((path, verify(question, _fetcher(given))))
        except NotAServerName as error:
            raise Unusable(f"--name: {error}") from None
    if output == "json":
        import json

        from greatseal.cli.verdicts import as_json

        click.echo(json.dumps([as_json(path, report) for path, report in results], indent=2))
    else:
        from greatseal.cli.verdicts import as_text

        for path, report in results:
            click.echo(as_text(path, report))
    _leave(results)


def _leave(results: list[tuple[Path, "Report"]]) -> NoReturn:
    from greatseal.x509.path import Valid

    sys.exit(0 if all(isinstance(report.verdict, Valid) for _, report in results) else 1)


def _questions(files: tuple[Path, ...], given: dict[str, Any]) -> list[tuple[Path, "Question"]]:
    """One question a file. Raises Unusable."""
    from greatseal.domain.trust import Question
    from greatseal.x509.path import ANY_POLICY, Purpose, Rules
    from greatseal.x509.revocation import Mode

    anchors = _anchors(given["roots"])
    shared = _certificates(given["intermediates"])
    material = _material(given)
    policies = frozenset(_policy(each) for each in given["policies"])
    asked = bool(given["lists"] or given["answers"] or given["fetch"])
    mode = Mode(given["revocation"] or ("hard" if asked else "off"))
    rules = Rules(
        at=_time(given["at"]),
        purpose=Purpose[_PURPOSES[given["purpose"]]],
        server_name=given["server"],
        policies=policies or ANY_POLICY,
        require_explicit_policy=bool(policies),
    )
    found: list[tuple[Path, Question]] = []
    for path in files:
        leaf, *others = _certificates((path,))
        found.append((path, Question(leaf, (*others, *shared), anchors, rules, mode, material)))
    return found


def _material(given: dict[str, Any]) -> "Material":
    from greatseal.kernel.entropy import SystemEntropy
    from greatseal.x509.bundle import read_list
    from greatseal.x509.ocsp.answer import parse_answer
    from greatseal.x509.revocation import Material

    if given["nonce"] and (given["answers"] or not given["fetch"]):
        raise Unusable("--nonce is about answers that are fetched: it goes with --fetch and without --ocsp")
    return Material(
        tuple(_read(path, read_list) for path in given["lists"]),
        tuple(_read(path, parse_answer) for path in given["answers"]),
        SystemEntropy().token_bytes(32) if given["nonce"] else None,
    )


def _fetcher(given: dict[str, Any]) -> "Fetcher | None":
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


def _anchors(roots: tuple[Path, ...]) -> tuple["Certificate", ...]:
    if roots:
        return _certificates(roots)
    import ssl

    bundle = ssl.get_default_verify_paths().cafile
    if bundle is None:
        raise Unusable("this system has no bundle of authorities; name what to trust with --root")
    from greatseal.x509.bundle import read_store

    return _read(Path(bundle), read_store)


def _certificates(paths: tuple[Path, ...]) -> tuple["Certificate", ...]:
    from greatseal.x509.bundle import read_any

    return tuple(each for path in paths for each in _read(path, read_any))


def _read(path: Path, reader: Callable[[bytes], _Read]) -> _Read:
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


def _time(text: str | None) -> datetime:
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


def _policy(text: str) -> str:
    from greatseal.x509 import der

    try:
        der.oid(text)
    except der.DerError as error:
        raise Unusable(f"--policy: {error}") from None
    return text
