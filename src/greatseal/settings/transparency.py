"""Settings of Certificate Transparency, and what no single value shows (docs/transparency.md)."""

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta

from greatseal.settings.control import Suffix
from greatseal.settings.values import Section

_URL = r"^https?://[^/?#@\s]+(/[^?#\s]*)?$"


class TransparencySettings(Section, frozen=True, kw_only=True):
    """Our own transparency logs, and what others' logs are for (docs/transparency.md)."""

    own_logs: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,47}\|[^|]{1,128}$")], ...],
        Meta(
            description="Logs that this installation has, `NAME|OPERATOR` each: the name is part of the address, the "
            "operator is what lists of logs say"
        ),
    ] = ("alder|Greatseal Alder", "birch|Greatseal Birch")
    submit_to_own: Annotated[
        bool, Meta(description="Ask our own logs for timestamps, after those of `transparency_logs` that take them")
    ] = True
    scts: Annotated[
        int, Meta(ge=1, le=10, description="Timestamps (SCTs) that a logged certificate carries at the least")
    ] = 2
    operators: Annotated[
        int, Meta(ge=1, le=10, description="From how many different operators these come at the least")
    ] = 2
    patience_seconds: Annotated[
        float, Meta(gt=0, le=60, description="After so long another log is asked beside one that does not answer")
    ] = 2.0
    deadline_seconds: Annotated[
        float, Meta(gt=0, le=120, description="How long logs may take together; the certificate is tried again later")
    ] = 15.0
    roots: Annotated[
        tuple[Path, ...],
        Meta(description="Files of roots (PEM) that our logs accept besides those of our own trust services"),
    ] = ()
    checkpoint_folders: Annotated[
        tuple[Path, ...],
        Meta(
            description="Further folders, on other disks, that keep the newest checkpoint of our logs: what makes a "
            "database that was put back noticed"
        ),
    ] = ()
    watched_domains: Annotated[
        tuple[Suffix, ...],
        Meta(description="Domains whose certificates in followed logs are reported when they were not issued here"),
    ] = ()
    ca_file: Annotated[
        Path | None,
        Meta(description="Certificate authorities (PEM) that logs are trusted under, besides the system's own"),
    ] = None


class OutsideLogSettings(Section, frozen=True, kw_only=True):
    """A log of somebody else: `[transparency_logs.NAME]`. Its fields are described in docs/transparency.md."""

    url: Annotated[str, Meta(pattern=_URL, max_length=500)]
    key: Annotated[str, Meta(max_length=2048)]
    operator: Annotated[str, Meta(min_length=1, max_length=128)]
    kind: Literal["rfc6962", "static"] = "rfc6962"
    origin: Annotated[str, Meta(pattern=r"^[^\s+]+$", max_length=500)] | None = None
    monitoring_url: Annotated[str, Meta(pattern=_URL, max_length=500)] | None = None
    submit: bool = False
    follow: bool = True
    from_start: bool = False

    @property
    def spki(self) -> bytes:
        """The log's key (DER of its SubjectPublicKeyInfo). Raises ValueError."""
        return base64.b64decode(self.key, validate=True)


OutsideLogs = Annotated[
    dict[Annotated[str, Meta(pattern="^[a-z][a-z0-9_-]{0,63}$")], OutsideLogSettings],
    Meta(
        description="Logs of others by name, as tables `[transparency_logs.NAME]` of the file: `url`, `key`, "
        "`operator`, `kind` (`rfc6962`, `static`), `submit`, `follow`; see docs/transparency.md"
    ),
]


def transparency_problems(chosen: Mapping[str, Any]) -> list[str]:
    """What is wrong with `transparency.*` and `transparency_logs`, a line a problem."""
    defaults = TransparencySettings()
    own: tuple[str, ...] = chosen.get("transparency.own_logs", defaults.own_logs)
    names = [each.partition("|")[0] for each in own]
    problems = []
    if len(set(names)) < len(names):
        problems.append("transparency.own_logs: two logs have one name")
    outside: Mapping[str, OutsideLogSettings] = chosen.get("transparency_logs", {})
    keys: dict[bytes, str] = {}
    for name, log in outside.items():
        try:
            spki = log.spki
        except (binascii.Error, ValueError):
            problems.append(f"transparency_logs.{name}: `key` is not base64")
            continue
        if spki in keys:
            problems.append(f"transparency_logs.{name}: it has the key of {keys[spki]}")
        keys[spki] = name
        if log.kind == "rfc6962" and (log.origin or log.monitoring_url):
            problems.append(f"transparency_logs.{name}: `origin` and `monitoring_url` are for the kind static")
    operators = {log.operator for log in outside.values() if log.submit}
    if chosen.get("transparency.submit_to_own", defaults.submit_to_own):
        operators |= {each.partition("|")[2] for each in own}
    if len(operators) < chosen.get("transparency.operators", defaults.operators):
        problems.append(
            f"transparency.operators: the logs that are asked have {len(operators)} operators, which is too few"
        )
    return problems
