"""`greatseal verify` of what was signed: files with signatures, directories, classic objects (docs/signing.md)."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

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
    from greatseal.domain.signing import Judge, SignedReport
    from greatseal.domain.signing.folders import FolderReport

_BEGINNING = 64 * 1024
_LARGEST_SIGNATURE = 2 * 1024 * 1024


def is_about_signatures(files: tuple[Path, ...], given: dict[str, Any]) -> bool:
    """Whether what FILEs contain is to be judged, and not certificates. Raises Unusable when it is both."""
    if given["signatures"] or given["signed"]:
        return True
    kinds = {path.is_dir() or _is_object(path) for path in files}
    if len(kinds) > 1:
        raise Unusable("certificates and what was signed are verified one after the other, not together")
    return kinds.pop()


def _is_object(path: Path) -> bool:
    from greatseal.x509.custom_object import is_object

    try:
        with path.open("rb") as file:
            return is_object(file.read(_BEGINNING))
    except OSError:
        return False


def verify_signed(files: tuple[Path, ...], output: str, given: dict[str, Any]) -> bool:
    """Prints a verdict for each FILE; whether all are good. Raises Unusable."""
    from greatseal.cli.signed_verdicts import as_json, as_text
    from greatseal.domain.signing.files import in_parallel

    pairs = _pairs(files, given)
    judge = _judges(given)

    def one(pair: "tuple[Path, Path | None]") -> "tuple[SignedReport, FolderReport | None]":
        return _verdict(*pair, judge())

    good = True
    printed: list[dict[str, Any]] = []
    for (path, _), (report, folder) in zip(pairs, _guarded(in_parallel(pairs, one)), strict=True):
        good = good and report.good
        if output == "json":
            printed.append(as_json(path, report, folder))
        else:
            click.echo(as_text(path, report, folder))
    if output == "json":
        click.echo(json.dumps(printed, indent=2))
    return good


def _guarded(
    found: "Iterator[tuple[SignedReport, FolderReport | None]]",
) -> "Iterator[tuple[SignedReport, FolderReport | None]]":
    try:
        yield from found
    except OSError as error:
        name = f"{os.fsdecode(error.filename)}: " if error.filename else ""
        raise Unusable(f"{name}{error.strerror or error}") from None


def _pairs(files: tuple[Path, ...], given: dict[str, Any]) -> list[tuple[Path, Path | None]]:
    """Each FILE with its signature; None for an object that carries its own."""
    from greatseal.domain.signing import manifest

    for option in ("server", "policies", "nonce"):
        if given[option]:
            raise Unusable("--name, --policy and --nonce are about certificates, not about what was signed")
    signatures: tuple[Path, ...] = given["signatures"]
    if signatures:
        if given["signed"] or len(signatures) != len(files):
            raise Unusable("give one --signature for each FILE, in their order, or --signed")
        return list(zip(files, signatures, strict=True))
    if given["signed"]:
        return [(path, path / manifest.SIGNATURE if path.is_dir() else _beside(path)) for path in files]
    return [(path, path / manifest.SIGNATURE if path.is_dir() else None) for path in files]


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".p7s")


def _judges(given: dict[str, Any]) -> "Callable[[], Judge]":
    """One judge for all files; with --fetch one for each, which has its own allowance."""
    from greatseal.domain.signing import Judge, Needed, Trust
    from greatseal.x509.path import Purpose
    from greatseal.x509.revocation import Mode

    asked = bool(given["lists"] or given["answers"] or given["fetch"])
    trust: Trust = Trust(
        anchors=anchors_of(given["roots"]),
        at=time_of(given["at"]),
        stamp_anchors=certificates_of(given["stamp_roots"]),
        intermediates=certificates_of(given["intermediates"]),
        purpose=Purpose[PURPOSES[given["purpose"] or "codeSigning"]],
        needed=Needed(given["signers"]),
        needs_stamp=given["needs_stamp"],
        mode=Mode(given["revocation"] or ("hard" if asked else "off")),
        material=material_of(given),
    )
    if given["fetch"]:
        return lambda: Judge(replace(trust, fetcher=fetcher_of(given)))
    judge = Judge(trust)
    return lambda: judge


def _verdict(path: Path, signature: Path | None, judge: "Judge") -> "tuple[SignedReport, FolderReport | None]":
    from greatseal.domain.signing import Reason, SignedReport, folders, manifest
    from greatseal.domain.signing.files import digests_of
    from greatseal.x509 import cms, custom_object

    try:
        if signature is None:
            return judge.object(custom_object.read(_read(path, custom_object.MAX_SIZE))), None
        signed = cms.read(_read(signature, _LARGEST_SIGNATURE))
        wanted = cms.wanted(signed)
        if not path.is_dir():
            return judge.signed(signed, digests_of(path, wanted)), None
        text = _read(path / manifest.NAME, manifest.LARGEST)
        report = judge.signed(signed, folders.sums(text, wanted))
        if not report.good:
            return report, None
        # Names of files are believed only when the manifest is.
        folder = folders.compare(path, text)
        return replace(report, problem=folder.problem), folder
    except cms.CmsError as error:
        return SignedReport(Reason(error.fault.value, str(error))), None
    except custom_object.ObjectError as error:
        return SignedReport(Reason(cms.Fault.MALFORMED.value, str(error))), None
    except manifest.ManifestError as error:
        return SignedReport(Reason("manifest", str(error))), None


def _read(path: Path, largest: int) -> bytes:
    with path.open("rb") as file:
        data = file.read(largest + 1)
    if len(data) > largest:
        raise OSError(None, f"it has more than {largest} octets", str(path))
    return data
