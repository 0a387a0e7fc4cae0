"""`greatseal sign`: signatures over files and directories, with keys of KMS (docs/signing.md)."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from greatseal.cli import options
from greatseal.cli.signing_keys import Unusable, certificates_of, keys_of

if TYPE_CHECKING:
    from datetime import datetime

    from greatseal.domain.signing import Author, Stamper
    from greatseal.x509.certificate import Certificate

_DIGESTS = ("SHA256", "SHA384", "SHA512", "SHA3_256", "SHA3_384", "SHA3_512", "SHAKE128", "SHAKE256")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class Done:
    """One signature that was written; `files` is how many it vouches for."""

    file: str
    signature: str
    files: int


@click.command("sign")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--key", "keys", multiple=True, required=True, metavar="KEY", help="Alias, id or ARN, or file:PATH.")
@click.option(
    "--certificate", "certificates", multiple=True, required=True, type=_FILE, help="Of the keys; chains too."
)
@click.option("--digest", type=click.Choice(_DIGESTS), help="Of the content.  [default: what goes with the key]")
@click.option("--pss", is_flag=True, help="Sign with RSASSA-PSS where the key is RSA.")
@click.option("--timestamp", "stamper", metavar="URL", help="Have each signature stamped by this authority (RFC 3161).")
@click.option(
    "--format",
    "form",
    type=click.Choice(["cms", "classic"]),
    default="cms",
    show_default=True,
    help="classic: the custom object, with the content inside.",
)
@click.option("--pem", is_flag=True, help="Write PEM instead of DER.")
@click.option("--to", "target", type=click.Path(dir_okay=False, path_type=Path), help="Where the one signature goes.")
@click.option("--jobs", type=click.IntRange(1, 64), metavar="N", help="Files in work at once.  [default: one a core]")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@options.data
@options.config
def command(files: tuple[Path, ...], output: str, **given: Any) -> None:
    """Sign files and directories; `greatseal verify` and other programs verify offline with only the root.

    FILE.p7s is a detached CMS signature by all keys.  Of a directory, its MANIFEST.sha256 is written and
    signed.  Keys are those of the KMS that the AWS environment names, else of --data; each finds its own
    certificate among those given, and the issuers among them go into the signature.

    Exit code 0: everything is signed.  1: something is not; what was signed before stays.  2: nothing was begun.

    \b
    Examples:
      greatseal sign app.tar --key alias/CodeSigning --certificate chain.pem
      greatseal sign app.tar --key alias/rsa --key alias/ml-dsa --certificate rsa.pem --certificate ml-dsa.pem
      greatseal sign dist/ --key alias/CodeSigning --certificate chain.pem --timestamp http://127.0.0.1:8080/tsa
      greatseal sign note.txt --format classic --key alias/CodeSigningCMK --certificate chain.pem
    """
    from greatseal.domain.signing import KeyFailed, StampFailed
    from greatseal.domain.signing.files import in_parallel
    from greatseal.domain.signing.manifest import ManifestError

    files = tuple(dict.fromkeys(files))
    task = _task(files, given)
    done: list[Done] = []
    problem: str | None = None
    try:
        for each in in_parallel(files, task, workers=given["jobs"]):
            done.append(each)
            click.echo(f"[{len(done)}/{len(files)}] {each.file}", err=True)
    except (KeyFailed, StampFailed, ManifestError) as error:
        problem = str(error)
    except OSError as error:
        problem = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    if output == "json":
        click.echo(json.dumps({"signed": [asdict(each) for each in done], "problem": problem}, indent=2))
    else:
        for each in done:
            click.echo(each.signature)
    if problem is not None:
        click.echo(f"Error: {problem}", err=True)
        sys.exit(1)


def _task(files: tuple[Path, ...], given: dict[str, Any]) -> Callable[[Path], Done]:
    """What is done with each file. Raises Unusable for a combination that means nothing."""
    from greatseal.domain.signing import CannotSign, author_of, chain_of
    from greatseal.kernel.clock import SystemClock
    from greatseal.x509.cms import Digest

    if given["target"] is not None and len(files) > 1:
        raise Unusable("--to is for one FILE; of several, each signature stands beside its file")
    classic = given["form"] == "classic"
    if classic and (len(given["keys"]) > 1 or given["stamper"] or any(path.is_dir() for path in files)):
        raise Unusable("a classic object has one key, no timestamp and a file as its content")
    clock = SystemClock()
    certificates = certificates_of(given["certificates"])
    digest = Digest[given["digest"]] if given["digest"] else None
    try:
        authors = [
            author_of(key, certificates, at=clock.now(), digest=digest, pss=given["pss"])
            for key in keys_of(given["keys"], given["data"], given["config"])
        ]
    except CannotSign as error:
        raise Unusable(str(error)) from None
    if classic:
        return lambda path: _classic(path, authors[0], given["target"])
    chain = chain_of(authors, certificates)
    stamper = _stamper(given["stamper"])
    return lambda path: _sign(path, authors, chain, clock.now(), stamper, given)


def _stamper(url: str | None) -> "Stamper | None":
    if url is None:
        return None
    from greatseal.integrations.timestamps import HttpStamper

    return HttpStamper(url)


def _sign(
    path: Path,
    authors: list["Author"],
    chain: tuple["Certificate", ...],
    at: "datetime",
    stamper: "Stamper | None",
    given: dict[str, Any],
) -> Done:
    from greatseal.domain.signing import folders, manifest, sign, wanted
    from greatseal.domain.signing.files import digests_of
    from greatseal.x509 import pem

    count = 1
    if path.is_dir():
        text, count = folders.make(path, given["jobs"])
        digests = folders.sums(text, wanted(authors))
        # The manifest first: a signature without what it signs is worse than the reverse.
        replace(path / manifest.NAME, text)
        beside = path / manifest.SIGNATURE
    else:
        digests = digests_of(path, wanted(authors))
        beside = path.with_name(path.name + ".p7s")
    target: Path = given["target"] or beside
    made = sign(authors, chain, digests, at=at, stamper=stamper)
    replace(target, (pem.write("CMS", made) + "\n").encode() if given["pem"] else made)
    return Done(str(path), str(target), count)


def _classic(path: Path, author: "Author", target: Path | None) -> Done:
    from greatseal.domain.signing import classic
    from greatseal.x509 import custom_object, pem

    with path.open("rb") as file:
        data = file.read(custom_object.MAX_SIZE)
    if len(data) > custom_object.MAX_SIZE - 65536:
        raise OSError(None, "a classic object holds its content, and this is too much", str(path))
    target = target or path.with_name(path.name + ".object.pem")
    replace(target, (pem.write(custom_object.LABEL, classic(author, data)) + "\n").encode())
    return Done(str(path), str(target), 1)


def replace(path: Path, content: bytes) -> None:
    """Writes a file at once: whoever reads it sees the old one or the new one. Raises OSError."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        fresh.write_bytes(content)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
