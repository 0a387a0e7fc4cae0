"""`greatseal verify`: is this certificate, or what was signed, to be trusted, and if not, why? (docs/verify.md)"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from greatseal.cli import options
from greatseal.cli.trust_options import (
    PURPOSES,
    Unusable,
    anchors_of,
    certificates_of,
    fetcher_of,
    material_of,
    time_of,
)

if TYPE_CHECKING:
    from greatseal.domain.trust import Question, Report

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("verify")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--signature", "signatures", multiple=True, type=_FILE, help="FILE was signed: this is its signature.")
@click.option("--signed", is_flag=True, help="Each FILE was signed: FILE.p7s is its signature.")
@click.option(
    "--signers",
    type=click.Choice(["all", "any", "classical", "post-quantum", "both"]),
    default="all",
    show_default=True,
    help="Whose signatures must be good.",
)
@click.option("--timestamp-root", "stamp_roots", multiple=True, type=_FILE, help="Of authorities.  [default: --root]")
@click.option("--require-timestamp", "needs_stamp", is_flag=True, help="Refuse signatures without a timestamp.")
@click.option("--root", "roots", multiple=True, type=_FILE, help="Trust these.  [default: the system's authorities]")
@click.option("--intermediate", "intermediates", multiple=True, type=_FILE, help="Certificates to build a path with.")
@click.option("--name", "server", help="The server it must be for: a DNS name or an address.")
@click.option(
    "--purpose", type=click.Choice(list(PURPOSES)), help="[default: any; codeSigning for those who signed files]"
)
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
    """Verify certificates, and files that were signed: signatures, paths, purpose and revocation.

    The first certificate of each FILE is judged, the others in it help to build its path.  PEM, DER
    and PKCS#7 are read.  With --signature or --signed, what FILE contains is judged by its CMS signature;
    a directory by its signed manifest; a classic custom object by itself, with the certificates of
    --intermediate.  Nothing is fetched unless asked; with --data or --config, the base URL of that
    installation may be fetched from even when it is private.

    Exit code 0: every FILE is valid.  1: one is not, and one exact reason is printed.  2: nothing could be
    judged.

    \b
    Examples:
      greatseal verify fullchain.pem --root root.pem --name app.example.com
      greatseal verify leaf.pem --root root.pem --intermediate ca.pem --crl root.crl --crl ca.crl
      greatseal verify leaf.pem --root root.pem --fetch --revocation hard --output json
      greatseal verify app.tar --signature app.tar.p7s --root root.pem
      greatseal verify dist/ --root root.pem --signers post-quantum
    """
    from greatseal.cli.verify_signed import is_about_signatures, verify_signed

    if is_about_signatures(files, given):
        sys.exit(0 if verify_signed(files, output, given) else 1)
    from greatseal.domain.trust import verify
    from greatseal.x509.path import NotAServerName

    questions = _questions(files, given)
    results: list[tuple[Path, Report]] = []
    for path, question in questions:
        try:
            results.append((path, verify(question, fetcher_of(given))))
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

    anchors = anchors_of(given["roots"])
    shared = certificates_of(given["intermediates"])
    material = material_of(given)
    policies = frozenset(_policy(each) for each in given["policies"])
    asked = bool(given["lists"] or given["answers"] or given["fetch"])
    mode = Mode(given["revocation"] or ("hard" if asked else "off"))
    rules = Rules(
        at=time_of(given["at"]),
        purpose=Purpose[PURPOSES[given["purpose"] or "any"]],
        server_name=given["server"],
        policies=policies or ANY_POLICY,
        require_explicit_policy=bool(policies),
    )
    found: list[tuple[Path, Question]] = []
    for path in files:
        leaf, *others = certificates_of((path,))
        found.append((path, Question(leaf, (*others, *shared), anchors, rules, mode, material)))
    return found


def _policy(text: str) -> str:
    from greatseal.x509 import der

    try:
        der.oid(text)
    except der.DerError as error:
        raise Unusable(f"--policy: {error}") from None
    return text
