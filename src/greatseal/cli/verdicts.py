"""Verdicts about certificates, for people and for programs."""

from datetime import datetime
from pathlib import Path
from typing import Any

from greatseal.domain.trust import Report
from greatseal.x509.extensions import OID
from greatseal.x509.path import Invalid, Valid
from greatseal.x509.revocation import Standing, State


def as_text(path: Path, report: Report) -> str:
    """The verdict first, then the path, then what was fetched; control characters of foreign names are escaped."""
    verdict = report.verdict
    lines = [f"{path}: valid" if isinstance(verdict, Valid) else f"{path}: not valid: {verdict.problem}"]
    for index, certificate in enumerate(verdict.path):
        name = certificate.subject.display() or "no subject"
        lines.append(f"  {index}  {name}  until {time_as_text(certificate.not_after)}{_standing(report, index)}")
    if isinstance(verdict, Valid):
        lines.append(f"  policies: {_policies(verdict)}")
    lines.extend(
        f"  fetched {each.url}" if each.failure is None else f"  not fetched {each.url}: {each.failure}"
        for each in report.fetched
    )
    return "\n".join(printable(line) for line in lines)


def as_json(path: Path, report: Report) -> dict[str, Any]:
    """The same as an object: `valid`, `problem`, `path`, `policies`, `fetched` (docs/verify.md)."""
    verdict = report.verdict
    problem = verdict.problem if isinstance(verdict, Invalid) else None
    return {
        "file": str(path),
        "valid": problem is None,
        "problem": problem
        and {
            "code": problem.code.value,
            "index": problem.index,
            "subject": problem.subject,
            "sentence": problem.sentence,
        },
        "path": path_as_json(report),
        "policies": sorted(verdict.policies) if isinstance(verdict, Valid) else [],
        "fetched": [{"url": each.url, "failure": each.failure} for each in report.fetched],
    }


def path_as_json(report: Report) -> list[dict[str, Any]]:
    """The certificates of the path, with what is known of their revocation."""
    return [
        {
            "subject": certificate.subject.display(),
            "issuer": certificate.issuer.display(),
            "serial": f"{certificate.serial:x}",
            "not_before": time_as_text(certificate.not_before),
            "not_after": time_as_text(certificate.not_after),
            "sha256": certificate.fingerprint_sha256.hex(),
            "revocation": _state(report, index),
        }
        for index, certificate in enumerate(report.verdict.path)
    ]


def _state(report: Report, index: int) -> dict[str, Any] | None:
    if index >= len(report.standings):
        return None
    found: Standing = report.standings[index]
    return {
        "state": found.state.value,
        "source": found.source or None,
        "why": found.why or None,
        "revoked_at": time_as_text(found.revoked_at) if found.revoked_at else None,
        "reason": found.reason,
    }


def _standing(report: Report, index: int) -> str:
    if index >= len(report.standings):
        return ""
    found: Standing = report.standings[index]
    return f"  unknown: {found.why}" if found.state is State.UNKNOWN else f"  {found.state.value} ({found.source})"


def _policies(verdict: Valid) -> str:
    if OID.ANY_POLICY in verdict.policies:
        return "any"
    return ", ".join(sorted(verdict.policies)) or "none"


def time_as_text(moment: datetime) -> str:
    """ISO 8601, UTC, seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def printable(line: str) -> str:
    """The line, escaped: what does not print could move a terminal's cursor or forge a line."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in line)
