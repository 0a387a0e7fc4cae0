"""`greatseal mdl issue`: documents from JSON, signed in KMS."""

import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from greatseal.cli import options
from greatseal.cli.mdl.files import FILE, Unusable, certificates, octets, read, write
from greatseal.cli.wire import wire_of

if TYPE_CHECKING:
    from greatseal.mdoc import Order
    from greatseal.x509.certificate import Certificate

# Calls to KMS wait for the network most of the time.
_AT_ONCE = 8
_DEVICE_KEY = "device_key"


@dataclass(frozen=True, slots=True)
class _Issued:
    path: Path
    out: Path
    error: str | None


def _time(_: click.Context, __: click.Parameter, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no time, expected for instance 2026-11-01T12:00Z") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@click.command("issue")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FILE)
@click.option("--signer", required=True, type=FILE, help="The document signer's certificate, from `mdl ds`.")
@click.option("--key", required=True, metavar="KEY", help="Its KMS key: id, ARN or alias.")
@click.option("--root", required=True, type=FILE, help="The IACA root, to hold the signer against its profile.")
@click.option("--device-key", type=FILE, help="The device's public key: COSE_Key, JWK, PEM or DER.")
@click.option("--valid-from", callback=_time, metavar="TIME", help="[default: now]")
@click.option(
    "--days", type=click.IntRange(1, 7305), default=30, show_default=True, help="How long a document is valid."
)
@click.option("--valid-until", callback=_time, metavar="TIME", help="Instead of --days.")
@click.option("--expected-update", callback=_time, metavar="TIME", help="When the device should ask for a new one.")
@click.option("--digest", type=click.Choice(["SHA-256", "SHA-384", "SHA-512"]), default="SHA-256", show_default=True)
@click.option("--doc-type", help="Another kind of document, whose elements are not checked.  [default: the licence]")
@click.option("--tolerate-deviations", is_flag=True, help="Sign although root or signer is not as annex B has it.")
@click.option("--out", type=FILE, help="Write the document here, for one FILE.  [default: FILE with .cbor]")
@click.option("--out-dir", type=click.Path(file_okay=False, path_type=Path), help="Write documents to this directory.")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@options.config
@options.data
def issue(files: tuple[Path, ...], data: Path | None, config: Path | None, output: str, **given: Any) -> None:
    """Issue documents (IssuerSigned, CBOR) from JSON files of elements.

    A FILE is an object of elements by their identifiers in ISO/IEC 18013-5 table 5, and of namespaces with
    elements of your own; `device_key` in it is the device's JWK.  Dates are text, octets base64 or
    {"file": "portrait.jpg"} beside FILE.  docs/mdl.md has an example.

    Exit code 0: every document was issued.  1: one was not, the others were.  2: nothing could begin.

    \b
    Examples:
      greatseal mdl issue doe.json --device-key phone.jwk --signer signer.pem --key alias/mdl --root root.pem
      greatseal mdl issue batch/*.json --out-dir issued --signer signer.pem --key alias/mdl --root root.pem
    """
    outs = _outs(files, given["out"], given["out_dir"])
    chain, root = certificates(given["signer"]), certificates(given["root"])[0]
    if not given["tolerate_deviations"]:
        _conforms(chain[0], root)
    make = _maker(chain, given, wire_of(data, config).service.call)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        done = []
        for each in pool.map(make, files, outs):
            done.append(each)
            click.echo(f"{each.path}: {each.error or f'issued {each.out}'}", err=True)
    if output == "json":
        told = [{"file": str(d.path), "out": None if d.error else str(d.out), "problem": d.error} for d in done]
        click.echo(json.dumps(told, indent=2))
    sys.exit(1 if any(each.error for each in done) else 0)


def _maker(
    chain: tuple["Certificate", ...], given: dict[str, Any], call: Callable[..., Any]
) -> Callable[[Path, Path], _Issued]:
    """One document, from its file to its file."""
    from greatseal.cli.mdl.ceremony import sign_in_kms
    from greatseal.integrations.aws_service import CallFailed
    from greatseal.kernel.clock import SystemClock
    from greatseal.kernel.entropy import SystemEntropy
    from greatseal.mdoc import CannotIssue, ElementRefused, prepare
    from greatseal.mdoc.device_keys import UnusableDeviceKey, read_device_key

    random, clock = SystemEntropy().token_bytes, SystemClock()
    device_key = read(given["device_key"], read_device_key) if given["device_key"] else None

    def make(path: Path, out: Path) -> _Issued:
        try:
            order = _order(path, device_key, given, clock.now())
            prepared = prepare(order, chain, random)
            signature = sign_in_kms(call, given["key"], prepared.algorithm, prepared.to_be_signed)
            write(out, prepared.finish(signature))
        except (Unusable, CallFailed) as error:
            return _Issued(path, out, error.message if isinstance(error, Unusable) else str(error))
        except (CannotIssue, ElementRefused, UnusableDeviceKey) as error:
            return _Issued(path, out, str(error))
        return _Issued(path, out, None)

    return make


def _order(path: Path, device_key: bytes | None, given: dict[str, Any], now: datetime) -> "Order":
    from greatseal.mdoc import DOC_TYPE, Order
    from greatseal.mdoc.device_keys import UnusableDeviceKey, from_jwk
    from greatseal.mdoc.notation import from_json

    document = read(path, _parsed)
    if isinstance(document, dict) and _DEVICE_KEY in document:
        device_key = from_jwk(document.pop(_DEVICE_KEY))
    if device_key is None:
        raise UnusableDeviceKey("no device key: give --device-key, or device_key in the file")
    begin = max(given["valid_from"] or now, now)
    return Order(
        namespaces=from_json(document, lambda name: octets(_beside(path, name))),
        device_key=device_key,
        signed=now,
        valid_from=given["valid_from"] or now,
        valid_until=given["valid_until"] or begin + timedelta(days=given["days"]),
        expected_update=given["expected_update"],
        doc_type=given["doc_type"] or DOC_TYPE,
        digest_algorithm=given["digest"],
    )


def _beside(path: Path, name: str) -> Path:
    """A file that a FILE names. It cannot lead elsewhere: what it holds would go into the document."""
    parts = Path(name).parts
    if not parts or name.startswith("/") or ".." in parts or not name.isprintable():
        raise Unusable(f"{path}: the file {name[:80]!r} is not beside it")
    return path.parent / name


def _parsed(data: bytes) -> object:
    """JSON in which no name occurs twice. Raises ValueError."""

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            raise ValueError(f"{next(n for n in names if names.count(n) > 1)[:60]} is given twice")
        return found

    try:
        return json.loads(data, object_pairs_hook=once)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _outs(files: tuple[Path, ...], out: Path | None, folder: Path | None) -> Iterator[Path]:
    """Where each document goes. Raises Unusable."""
    if out is not None and (folder is not None or len(files) > 1):
        raise Unusable("--out is for one FILE; name a directory with --out-dir")
    if out is not None:
        return iter((out,))
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    outs = [(folder or path.parent) / f"{path.stem}.cbor" for path in files]
    if len(set(outs)) != len(outs):
        raise Unusable("two of the files would be issued under the same name")
    return iter(outs)


def _conforms(signer: "Certificate", root: "Certificate") -> None:
    from greatseal.x509.mdl_profiles import root_deviations, signer_deviations

    for found in (*root_deviations(root), *signer_deviations(signer, root)):
        raise Unusable(
            f"readers would refuse every document: the certificate {found.what} (ISO/IEC 18013-5 annex B); "
            "see `greatseal mdl check`"
        )
