"""What the monitor says: findings and events, in the words of both. Pure."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from greatseal.domain.findings.model import Document
from greatseal.domain.findings.writing import finding
from greatseal.domain.transparency.heads import SignedHead, head_members
from greatseal.domain.transparency.sightings import Sighting
from greatseal.kernel.arn import Arn, partition_of

SOURCE = "greatseal.transparency"
SEEN = "Greatseal Certificate Seen In Log"
MISBEHAVED = "Greatseal Log Misbehaved"
MONITOR = "greatseal/transparency-monitor"
_MAX_NAME = 200
_SPECIFICATION = "https://www.rfc-editor.org/rfc/rfc6962"


def log_arn(account: str, region: str, log_id: str) -> str:
    """The name of a log that is followed, as resource of events and findings."""
    return str(Arn(partition_of(region), "greatseal", region, account, f"transparency-log/{log_id}"))


def details_of(log_name: str, log_id: str, found: Sighting) -> dict[str, Any]:
    """What is told of a certificate that was seen."""
    told: dict[str, Any] = {
        "LogName": log_name,
        "LogId": log_id,
        "Index": found.index,
        "LoggedAt": _iso(datetime.fromtimestamp(found.timestamp / 1000, UTC)),
        "Precertificate": found.is_precertificate,
        "Sha256": found.fingerprint,
        "Names": [name[:_MAX_NAME] for name in found.names],
    }
    if found.certificate is not None:
        told |= {
            "Issuer": found.certificate.issuer.display()[:_MAX_NAME],
            "SerialNumber": f"{found.certificate.serial:x}",
            "NotBefore": _iso(found.certificate.not_before),
            "NotAfter": _iso(found.certificate.not_after),
        }
    return told


def unknown_certificate(
    *, account: str, region: str, log_name: str, log_id: str, found: Sighting, at: datetime
) -> Document:
    """Somebody else has a certificate for a watched domain."""
    details = details_of(log_name, log_id, found)
    told = {
        name: str(value) if not isinstance(value, list) else ", ".join(value)[:1000] for name, value in details.items()
    }
    name = found.names[0][:_MAX_NAME] if found.names else "a certificate that cannot be read"
    issuer = details.get("Issuer", "an unknown issuer")
    return finding(
        account=account,
        region=region,
        id=f"{region}/{account}/transparency/{found.identity}",
        generator=MONITOR,
        at=at,
        types=["TTPs/Resource Development"],
        normalized=70,
        title="Certificate for a watched domain that was not issued here",
        description=f"The log {log_name[:_MAX_NAME]} has a certificate for {name}, issued by {issuer}, entry "
        f"{found.index}. This installation did not issue it.",
        advice="Ask whoever may have requested it. If nobody did, have its issuer revoke it, and look at CAA records "
        "and at who can change the DNS and the web server of the domain.",
        url=_SPECIFICATION,
        product="Greatseal",
        resource=log_arn(account, region, log_id),
        details=told,
    )


def misbehaved(
    *,
    account: str,
    region: str,
    log_name: str,
    log_id: str,
    kind: str,
    reason: str,
    evidence: Sequence[str],
    at: datetime,
) -> Document:
    """A log broke its promise, or nobody can tell any more whether it keeps it. `evidence` are signed tree heads."""
    return finding(
        account=account,
        region=region,
        id=accusation_id(account, region, log_id, kind),
        generator=MONITOR,
        at=at,
        types=["Unusual Behaviors"],
        normalized=40 if kind == "silent" else 90,
        title="A transparency log cannot be followed" if kind == "silent" else "A transparency log broke its promise",
        description=f"The log {log_name[:_MAX_NAME]}: {reason}."[:1024],
        advice="Do not rely on timestamps of this log. Keep both tree heads: together they prove what it did, and are "
        "what its operator, other monitors and browsers want to see."
        if kind != "silent"
        else "See whether the log is retired, and whether its address and key are still right.",
        url=_SPECIFICATION,
        product="Greatseal",
        resource=log_arn(account, region, log_id),
        details={"LogName": log_name[:_MAX_NAME], "LogId": log_id, "Kind": kind, "Reason": reason[:1000]}
        | {f"TreeHead{number}": each for number, each in enumerate(evidence, 1)},
    )


def accusation_id(account: str, region: str, log_id: str, kind: str) -> str:
    """The id of the finding about a log; one for each kind of trouble."""
    return f"{region}/{account}/transparency/log/{log_id}/{kind}"


def evidence_of(signed: SignedHead) -> str:
    """A signed tree head in one line, as its members are in an answer of get-sth: JSON."""
    return json.dumps(head_members(signed), separators=(",", ":"))


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
