"""Settings of DNS providers, of our own name server and of a CA upstream, and what no single value shows."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from greatseal.settings.values import Address, Hidden, Section

_NAME = r"^([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?$"
ZoneName = Annotated[str, Meta(pattern=_NAME, max_length=254)]


class DnsProviderSettings(Section, frozen=True, kw_only=True):
    """A DNS provider: `[dns_providers.NAME]`. Its fields are described in docs/dns.md."""

    kind: Literal["rfc2136", "route53", "lexicon"]
    zones: Annotated[tuple[ZoneName, ...], Meta(min_length=1)]
    auto_create: bool = False
    ttl: Annotated[int, Meta(ge=0, le=86400)] = 300
    settles_after_seconds: Annotated[int, Meta(ge=0, le=3600)] = 20
    timeout_seconds: Annotated[float, Meta(gt=0, le=60)] = 10.0
    server: Address | None = None
    tsig_name: ZoneName | None = None
    tsig_algorithm: Literal["hmac-sha256", "hmac-sha384", "hmac-sha512"] = "hmac-sha256"
    tsig_secret_file: Path | None = None
    endpoint: Annotated[str, Meta(pattern=r"^https?://[^/?#\s]+$", max_length=200)] | None = None
    region: Annotated[str, Meta(pattern="^[a-z0-9-]{1,64}$")] = "us-east-1"
    access_key_id: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    secret_access_key_file: Path | None = None
    hoster: Annotated[str, Meta(pattern="^[a-z][a-z0-9]{0,31}$")] | None = None
    options: dict[str, str] = msgspec.field(default_factory=dict)
    secret_files: dict[str, Path] = msgspec.field(default_factory=dict)


class ZoneServerSettings(Section, frozen=True, kw_only=True):
    """Our own name server, for zones that validations are delegated to (docs/dns.md)."""

    listen: Annotated[
        Address | None, Meta(description="Where it listens, UDP and TCP: `HOST:PORT`; none, and there is no server")
    ] = None
    zones: Annotated[
        tuple[ZoneName, ...],
        Meta(description="The zones that it answers for; a name that is in none of them is refused"),
    ] = ()
    nameservers: Annotated[
        tuple[ZoneName, ...],
        Meta(description="Names of this server in the delegation; the first is in the SOA"),
    ] = ()
    hostmaster: Annotated[
        ZoneName | None, Meta(description="Mail address in the SOA, with a dot for the at; default `hostmaster.ZONE`")
    ] = None
    answers_per_second: Annotated[
        int, Meta(ge=1, le=100000, description="UDP answers to one network (/24, /56) in a second; more are cut short")
    ] = 100


class UpstreamSettings(Section, frozen=True, kw_only=True):
    """A CA upstream that issues public certificates in place of our own trust services (docs/upstream.md)."""

    directory: Annotated[
        Annotated[str, Meta(pattern=r"^https://[^?#\s]+$", max_length=500)] | None,
        Meta(description="URL of its ACME directory; none, and our own trust services issue"),
    ] = None
    ca_file: Annotated[
        Path | None,
        Meta(description="Certificate authorities (PEM) that its HTTPS is trusted under, not the system's"),
    ] = None
    contact: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^mailto:[^\s@<>,]+@[^\s@<>,]+$", max_length=254)], ...],
        Meta(description="Contact of the account there: `mailto:…`"),
    ] = ()
    profile: Annotated[
        Annotated[str, Meta(min_length=1, max_length=64)] | None,
        Meta(description="The certificate profile to ask for, of those in its directory"),
    ] = None
    challenge: Annotated[
        Literal["dns-01", "http-01"],
        Meta(description="How control is shown to it: TXT records that we write, or a file at the plain listener"),
    ] = "dns-01"
    eab_key_id: Annotated[
        Annotated[str, Meta(min_length=1, max_length=500)] | None,
        Meta(description="Key id of the external account binding; goes together with its key"),
    ] = None
    eab_key: Annotated[
        Hidden | None, Meta(description="Key of the external account binding, as the CA shows it (base64url)")
    ] = None
    eab_key_file: Annotated[Path | None, Meta(description="As `eab_key`, read from a file")] = None
    timeout_seconds: Annotated[
        float, Meta(gt=0, le=120, description="How long it may take for one request, in seconds")
    ] = 30.0
    transparency: Annotated[
        bool,
        Meta(
            description="It logs its certificates, so that requests with CertificateTransparencyLoggingPreference "
            "DISABLED are refused"
        ),
    ] = True


_ONLY = {
    "server": "rfc2136",
    "tsig_name": "rfc2136",
    "tsig_algorithm": "rfc2136",
    "tsig_secret_file": "rfc2136",
    "endpoint": "route53",
    "region": "route53",
    "access_key_id": "route53",
    "secret_access_key_file": "route53",
    "hoster": "lexicon",
    "options": "lexicon",
    "secret_files": "lexicon",
}
_NEEDED = {
    "rfc2136": ("server", "tsig_name", "tsig_secret_file"),
    "route53": ("access_key_id", "secret_access_key_file"),
    "lexicon": ("hoster",),
}
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+=*")


def found_from(folder: Path, provider: DnsProviderSettings) -> DnsProviderSettings:
    """The provider with its files found from the folder of the settings file."""
    changed: dict[str, Any] = {
        name: folder / path
        for name in ("tsig_secret_file", "secret_access_key_file")
        if (path := getattr(provider, name)) is not None
    }
    secrets = {option: folder / path for option, path in provider.secret_files.items()}
    return msgspec.structs.replace(provider, **changed, secret_files=secrets)


def dns_problems(chosen: Mapping[str, Any]) -> list[str]:
    """What is wrong with `dns_providers`, `zone_server.*` and `upstream.*`, a line a problem."""
    problems = []
    holders: dict[str, str] = {}
    for name, provider in chosen.get("dns_providers", {}).items():
        problems += [f"dns_providers.{name}: {problem}" for problem in _provider(provider)]
        for zone in provider.zones:
            holders.setdefault(_plain(zone), name)
            if holders[_plain(zone)] != name:
                problems.append(f"dns_providers.{name}: the zone {zone} is also with {holders[_plain(zone)]}")
    return problems + _server(chosen, holders) + _upstream(chosen)


def _provider(provider: DnsProviderSettings) -> list[str]:
    defaults = DnsProviderSettings(kind=provider.kind, zones=provider.zones)
    problems = [
        f"`{field}` is not for the kind {provider.kind}"
        for field, kind in _ONLY.items()
        if kind != provider.kind and getattr(provider, field) != getattr(defaults, field)
    ]
    missing = [field for field in _NEEDED[provider.kind] if getattr(provider, field) is None]
    problems += [f"the kind {provider.kind} needs `{field}`" for field in missing]
    if provider.server is not None and provider.server.port == 0:
        problems.append("`server` needs a port, most often 53")
    both = provider.options.keys() & provider.secret_files.keys()
    return [*problems, *(f"the option `{option}` is in `options` and in `secret_files`" for option in sorted(both))]


def _server(chosen: Mapping[str, Any], holders: Mapping[str, str]) -> list[str]:
    zones = chosen.get("zone_server.zones", ())
    given = [bool(chosen.get(f"zone_server.{name}")) for name in ("listen", "zones", "nameservers")]
    problems = [
        f"zone_server.zones: the zone {zone} is also with the DNS provider {holders[_plain(zone)]}"
        for zone in zones
        if _plain(zone) in holders
    ]
    if any(given) and not all(given):
        problems.append("zone_server.listen, zone_server.zones and zone_server.nameservers go together")
    return problems


def _upstream(chosen: Mapping[str, Any]) -> list[str]:
    keys = [name for name in ("upstream.eab_key", "upstream.eab_key_file") if chosen.get(name)]
    problems = []
    if len(keys) == 2:
        problems.append("upstream.eab_key and upstream.eab_key_file exclude each other: set one")
    if bool(chosen.get("upstream.eab_key_id")) != bool(keys):
        problems.append("upstream.eab_key_id and its key go together: set both or none")
    if (key := chosen.get("upstream.eab_key")) and not _BASE64URL.fullmatch(key):
        problems.append("upstream.eab_key: expected base64url, as the CA shows it")
    return problems


def _plain(zone: str) -> str:
    return zone.removesuffix(".").lower()
