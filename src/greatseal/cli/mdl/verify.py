"""`greatseal mdl verify`: is this document to be trusted, and if not, why exactly?"""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from greatseal.cli.mdl.files import FILE, Unusable, certificates, octets, read

if TYPE_CHECKING:
    from greatseal.mdoc import Question, Verdict


@click.command("verify")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FILE)
@click.option("--root", "roots", multiple=True, required=True, type=FILE, help="Trust this IACA root.")
@click.option("--crl", "lists", multiple=True, type=FILE, help="A revocation list; then the signer must be on one.")
@click.option("--time", "at", metavar="ISO", help="Judge as of this time, 2026-01-31T12:00:00Z.  [default: now]")
@click.option("--doc-type", help="The kind of document that is expected.  [default: the licence]")
@click.option("--tolerate-deviations", is_flag=True, help="Accept certificates that are not as annex B has them.")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def verify(files: tuple[Path, ...], output: str, **given: Any) -> None:
    """Verify documents as a reader does: IssuerSigned, Document or DeviceResponse, in CBOR.

    The checks of ISO/IEC 18013-5 9.3.1 in their order; the first that fails is the answer.  Digests are over
    the octets that were received.  One element that differs, and nothing of its document is trusted.

    Exit code 0: every document is valid.  1: one is not, and one exact reason is printed.  2: nothing could be
    judged.

    \b
    Examples:
      greatseal mdl verify doe.cbor --root root.pem
      greatseal mdl verify response.cbor --root root.pem --crl iaca.crl --output json
    """
    question = _question(given)
    results = [(path, verdict) for path in files for verdict in _verdicts(path, question)]
    if output == "json":
        click.echo(json.dumps([_as_json(path, verdict) for path, verdict in results], indent=2))
    else:
        for path, verdict in results:
            click.echo("".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in _as_text(path, verdict)))
    from greatseal.mdoc import Accepted

    sys.exit(0 if all(isinstance(verdict, Accepted) for _, verdict in results) else 1)


def _question(given: dict[str, Any]) -> "Question":
    from greatseal.mdoc import DOC_TYPE, Question
    from greatseal.x509.bundle import read_list
    from greatseal.x509.revocation import Material

    return Question(
        roots=[each for path in given["roots"] for each in certificates(path)],
        at=_time(given["at"]),
        doc_type=given["doc_type"] or DOC_TYPE,
        material=Material(tuple(read(path, read_list) for path in given["lists"])),
        tolerate_deviations=given["tolerate_deviations"],
    )


def _verdicts(path: Path, question: "Question") -> Iterator["Verdict"]:
    from greatseal.mdoc import Code, MalformedDocument, Refused, read_documents, verify

    try:
        documents = read_documents(octets(path))
    except MalformedDocument as error:
        yield Refused(Code.MALFORMED, f"it is not a mobile document: {error}")
        return
    for document in documents:
        yield verify(document, question)


def _as_text(path: Path, verdict: "Verdict") -> str:
    from greatseal.mdoc import Refused

    if isinstance(verdict, Refused):
        return f"{path}: not valid: {verdict.sentence}"
    document = verdict.document
    count = sum(len(items) for items in document.items.values())
    until = document.security.valid_until.strftime("%Y-%m-%dT%H:%M:%SZ")
    tolerated = f", {len(verdict.deviations)} deviations tolerated" if verdict.deviations else ""
    by = document.chain[0].subject.display()
    return f"{path}: valid until {until}, {count} elements, signed by {by}{tolerated}"


def _as_json(path: Path, verdict: "Verdict") -> dict[str, Any]:
    from greatseal.mdoc import Refused
    from greatseal.mdoc.notation import to_json

    if isinstance(verdict, Refused):
        problem = {"code": verdict.code.value, "sentence": verdict.sentence, "element": verdict.element}
        return {"file": str(path), "valid": False, "problem": problem}
    document, security = verdict.document, verdict.document.security
    times = {"signed": security.signed, "valid_from": security.valid_from, "valid_until": security.valid_until}
    return {
        "file": str(path),
        "valid": True,
        "problem": None,
        "doc_type": security.doc_type,
        **{name: at.strftime("%Y-%m-%dT%H:%M:%SZ") for name, at in times.items()},
        "elements": {
            namespace: {each.item.identifier: to_json(each.item.value) for each in items}
            for namespace, items in document.items.items()
        },
        "signer": document.chain[0].subject.display(),
        "root": verdict.path[-1].subject.display(),
        "deviations": list(verdict.deviations),
    }


def _time(text: str | None) -> datetime:
    from greatseal.kernel.clock import SystemClock

    if text is None:
        return SystemClock().now()
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unusable(f"--time: {text[:80]!r} is not a time such as 2026-01-31T12:00:00Z") from None
