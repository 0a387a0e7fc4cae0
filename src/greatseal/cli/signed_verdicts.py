"""Verdicts about what was signed, for people and for programs (docs/signing.md)."""

from datetime import datetime
from pathlib import Path
from typing import Any

from greatseal.cli import verdicts
from greatseal.domain.signing import Reason, SignedReport, SignerReport, Stamp
from greatseal.domain.signing.folders import FolderReport


def as_text(path: Path, report: SignedReport, folder: FolderReport | None) -> str:
    """The verdict first, then each signer; control characters of foreign names are escaped."""
    lines = [f"{path}: good" if report.good else f"{path}: not good: {_said(report.problem)}"]
    if folder is not None:
        lines.append(f"  {folder.files} files in the manifest")
        for what, paths in (("changed", folder.changed), ("missing", folder.missing), ("not listed", folder.unlisted)):
            lines.extend(f"  {what}: {each}" for each in paths)
    for number, signer in enumerate(report.signers, 1):
        lines.append(f"  signer {number}  {signer.name or 'unknown'}  {_how(signer)}")
        if signer.problem is not None and len(report.signers) > 1:
            lines.append(f"    not good: {signer.problem.sentence}")
        if signer.stamp is not None and signer.stamp.problem is None:
            lines.append(f"    timestamp {_time(signer.stamp.at)} by {signer.stamp.authority}")
    return "\n".join(verdicts.printable(line) for line in lines)


def _how(signer: SignerReport) -> str:
    parts = [signer.algorithm, signer.digest, f"says {_time(signer.says)}" if signer.says else ""]
    return "  ".join(part for part in parts if part)


def as_json(path: Path, report: SignedReport, folder: FolderReport | None) -> dict[str, Any]:
    """The same as an object: `good`, `problem`, `signers`, and `directory` of a directory."""
    found: dict[str, Any] = {
        "file": str(path),
        "good": report.good,
        "problem": _reason(report.problem),
        "signers": [_signer(each) for each in report.signers],
    }
    if folder is not None:
        found["directory"] = {
            "files": folder.files,
            "changed": list(folder.changed),
            "missing": list(folder.missing),
            "unlisted": list(folder.unlisted),
        }
    return found


def _signer(signer: SignerReport) -> dict[str, Any]:
    return {
        "subject": signer.name or None,
        "good": signer.problem is None,
        "problem": _reason(signer.problem),
        "algorithm": signer.algorithm or None,
        "digest": signer.digest or None,
        "post_quantum": signer.post_quantum,
        "signing_time": _time(signer.says),
        "timestamp": None if signer.stamp is None else _stamp(signer.stamp),
        "judged_at": _time(signer.judged_at),
        "path": [] if signer.report is None else verdicts.path_as_json(signer.report),
    }


def _stamp(stamp: Stamp) -> dict[str, Any]:
    return {
        "time": _time(stamp.at),
        "authority": stamp.authority or None,
        "problem": _reason(stamp.problem),
        "path": [] if stamp.report is None else verdicts.path_as_json(stamp.report),
    }


def _reason(reason: Reason | None) -> dict[str, str] | None:
    return None if reason is None else {"code": reason.code, "sentence": reason.sentence}


def _said(reason: Reason | None) -> str:
    return "" if reason is None else reason.sentence


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else verdicts.time_as_text(moment)
