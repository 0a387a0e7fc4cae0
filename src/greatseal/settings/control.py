"""Settings of how domains are looked at, and what no single value shows (docs/domain-control.md)."""

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta

from greatseal.settings.values import Address, Route, Section

_SUFFIX = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$"
Suffix = Annotated[str, Meta(pattern=_SUFFIX, max_length=253)]


class DomainControlSettings(Section, frozen=True, kw_only=True):
    """How it is checked who controls a domain, and which names are public (docs/domain-control.md)."""

    private_suffixes: Annotated[
        tuple[Suffix, ...],
        Meta(
            description="Names that only your own network knows, such as `corp.internal`: validated without regard to "
            "lists of public names, and never looked at by remote perspectives"
        ),
    ] = ()
    private_addresses: Annotated[
        tuple[Suffix, ...],
        Meta(description="Domains whose pages of HTTP validation may be at private addresses"),
    ] = ()
    caa_issuers: Annotated[
        tuple[Suffix, ...],
        Meta(description="Names in CAA records that mean this installation, besides those of the real service"),
    ] = ()
    high_value_file: Annotated[
        Path | None,
        Meta(description="File of domains, one a line, that somebody must look at before: added to a short list"),
    ] = None
    regions: Annotated[
        int,
        Meta(ge=1, le=5, description="In how many regions there must be remote perspectives that see the same"),
    ] = 2
    certificate_file: Annotated[
        Path | None, Meta(description="Certificate chain (PEM) that is shown to remote perspectives")
    ] = None
    key_file: Annotated[Path | None, Meta(description="Its private key (PEM)")] = None
    ca_file: Annotated[
        Path | None, Meta(description="The certificate authority (PEM) of remote perspectives, and no other")
    ] = None
    timeout_seconds: Annotated[
        float, Meta(gt=0, le=120, description="How long a remote perspective may take, in seconds")
    ] = 30.0


class PerspectiveSettings(Section, frozen=True, kw_only=True):
    """A remote perspective: `[perspectives.NAME]`. Its fields are described in docs/domain-control.md."""

    address: Address
    region: Annotated[str, Meta(min_length=1, max_length=64)]


class ResolverSettings(Section, frozen=True, kw_only=True):
    """How the DNS is asked when domains are looked at (docs/domain-control.md)."""

    mode: Annotated[
        Literal["iterative", "recursive"],
        Meta(description="From the root servers down to those of the zone, or through `resolver.servers`"),
    ] = "iterative"
    servers: Annotated[
        tuple[Address, ...], Meta(description="Recursive servers, `ADDRESS:PORT`; they must hand out signatures")
    ] = ()
    zones: Annotated[
        tuple[Route, ...],
        Meta(
            description="Servers of zones of your own, `ZONE=ADDRESS:PORT`, asked in place of the public's; not "
            "verified, unless `resolver.anchors_file` has a key for the zone"
        ),
    ] = ()
    hints: Annotated[
        tuple[Annotated[str, Meta(max_length=64)], ...],
        Meta(description="Addresses of root servers, in place of those of the public"),
    ] = ()
    anchors_file: Annotated[
        Path | None,
        Meta(description="Trust anchors of DNSSEC, lines `ZONE DS …`, in place of those of the public root zone"),
    ] = None
    port: Annotated[int, Meta(ge=1, le=65535, description="The port of name servers that are found")] = 53
    private_servers: Annotated[
        bool, Meta(description="Ask name servers at private addresses and on this host, where delegations lead to them")
    ] = False
    query_seconds: Annotated[float, Meta(gt=0, le=30, description="How long a server may take for one answer")] = 2.0
    check_seconds: Annotated[float, Meta(gt=0, le=120, description="How long one check of a domain may take")] = 20.0


def control_problems(chosen: Mapping[str, Any]) -> list[str]:
    """What no single value shows."""
    problems = []
    if chosen.get("resolver.mode") == "recursive" and not chosen.get("resolver.servers"):
        problems.append("resolver.mode is recursive: name resolver.servers")
    hosts = [("resolver.hints", each) for each in chosen.get("resolver.hints", ())]
    hosts += [("resolver.servers", each.host) for each in chosen.get("resolver.servers", ())]
    hosts += [("resolver.zones", each.to.host) for each in chosen.get("resolver.zones", ())]
    problems += [f"{name}: {host!r} is not an IP address" for name, host in hosts if not _is_address(host)]
    perspectives = chosen.get("perspectives", {})
    files = [f"domain_control.{each}_file" for each in ("certificate", "key", "ca")]
    if perspectives and not all(chosen.get(each) for each in files):
        problems.append(f"perspectives are asked over TLS: set {', '.join(files)}")
    wanted = chosen.get("domain_control.regions", 2)
    if perspectives and len({each.region for each in perspectives.values()}) < wanted:
        problems.append(f"perspectives: they are in fewer regions than domain_control.regions asks for ({wanted})")
    return problems


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
