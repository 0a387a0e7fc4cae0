"""DNS zones, built as one: our own ones and their name server, and those at the providers of the settings."""

import binascii
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from greatseal.app.own_acts import recorder
from greatseal.domain.audit import Audit
from greatseal.domain.zones import CREATE_RECORD_JOB, DnsProvider, Hosted, HostedZones, OwnZones
from greatseal.integrations.dns_providers.rfc2136 import Rfc2136Provider, UpdateServer
from greatseal.integrations.zone_server import Answering, Authority, ZoneServer
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.secret import Secret
from greatseal.settings import Settings
from greatseal.settings.dns import DnsProviderSettings
from greatseal.storage import Storage
from greatseal.work.runner import Handler


@dataclass(frozen=True, slots=True)
class Zones:
    """The room of zones."""

    own: OwnZones
    hosted: HostedZones

    def delivery_handlers(self) -> Mapping[str, Handler]:
        """What is done with jobs that wait for a provider, by kind."""
        return {CREATE_RECORD_JOB: lambda job: self.hosted.carry_out(job.payload)}

    def employ(self, own: Sequence[str], hosted: Sequence[Hosted]) -> None:
        """Takes zones over. In our own ones records are always created: nobody else can."""
        self.own.employ(own)
        ours = [Hosted(self.own, self.own.zones, auto_create=True, ttl=60)] if own else []
        self.hosted.employ([*hosted, *ours])


def build_zones(storage: Storage, audit: Audit, *, clock: Clock, entropy: Entropy, region: str) -> Zones:
    """Builds the room; without `employ` it has no zones."""
    record = recorder(audit, clock=clock, entropy=entropy, region=region)
    return Zones(OwnZones(storage=storage), HostedZones(storage=storage, clock=clock, record=record))


def employ_zones(settings: Settings, zones: Zones) -> None:
    """Gives the room the zones of the settings. Raises OSError for a file or an extra that is missing."""
    hosted = [
        Hosted(
            _provider(name, each),
            each.zones,
            auto_create=each.auto_create,
            ttl=each.ttl,
            settles_after=each.settles_after_seconds,
        )
        for name, each in settings.dns_providers.items()
    ]
    zones.employ(settings.zone_server.zones, hosted)


def zone_server(settings: Settings, zones: Zones) -> ZoneServer | None:
    """The name server of the settings, bound but not started. Raises OSError."""
    wanted = settings.zone_server
    if wanted.listen is None:
        return None
    authority = Authority(
        tuple(each.removesuffix(".").lower() for each in wanted.nameservers),
        None if wanted.hostmaster is None else wanted.hostmaster.removesuffix("."),
    )
    return ZoneServer(
        wanted.listen.host,
        wanted.listen.port,
        answering=Answering(look_up=zones.own.look_up, authority=authority),
        per_second=wanted.answers_per_second,
    )


def _provider(name: str, wanted: DnsProviderSettings) -> DnsProvider:
    match wanted.kind:
        case "rfc2136":
            assert wanted.server is not None
            assert wanted.tsig_secret_file is not None
            return Rfc2136Provider(
                name,
                UpdateServer(
                    host=wanted.server.host,
                    port=wanted.server.port,
                    key_name=wanted.tsig_name or "",
                    secret=_tsig_secret(wanted.tsig_secret_file),
                    algorithm=wanted.tsig_algorithm,
                    timeout=wanted.timeout_seconds,
                ),
            )
        case "route53":
            # Botocore is a tenth of what the service would import.
            from greatseal.integrations.dns_providers.route53 import Route53Account, Route53Provider

            assert wanted.secret_access_key_file is not None
            return Route53Provider(
                name,
                Route53Account(
                    access_key_id=wanted.access_key_id or "",
                    secret_access_key=_secret(wanted.secret_access_key_file),
                    endpoint=wanted.endpoint,
                    region=wanted.region,
                    timeout=wanted.timeout_seconds,
                ),
            )
        case "lexicon":
            try:
                from greatseal.integrations.dns_providers.lexicon import LexiconProvider
            except ImportError:
                raise OSError("DNS providers of the kind lexicon need: pip install 'greatseal[dns]'") from None
            secrets = {option: _secret(path) for option, path in wanted.secret_files.items()}
            return LexiconProvider(name, wanted.hoster or "", options=wanted.options, secrets=secrets)


def _tsig_secret(path: Path) -> Secret:
    """A TSIG secret, which is written in base64 everywhere. Raises OSError."""
    try:
        return Secret(b64decode(_secret(path).reveal(), validate=True))
    except binascii.Error:
        raise OSError(f"{path} is not a TSIG secret in base64") from None


def _secret(path: Path) -> Secret:
    """What a file holds, without the line end that editors leave. Raises OSError."""
    value = path.read_bytes().strip()
    if not value:
        raise OSError(f"{path} is empty")
    return Secret(value)
