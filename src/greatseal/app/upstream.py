"""The CA upstream of the settings, built as one."""

from dataclasses import dataclass, replace

from greatseal.app.publics import PublicWishes
from greatseal.app.zones import Zones
from greatseal.domain.keys import Keys
from greatseal.domain.upstream import AcmeServer, Challenges, Upstream, Wishes
from greatseal.integrations.upstream import AcmeClient
from greatseal.integrations.upstream.transport import Transport
from greatseal.kernel.clock import Clock
from greatseal.kernel.secret import Secret
from greatseal.settings.dns import UpstreamSettings
from greatseal.storage import Storage


@dataclass(frozen=True, slots=True)
class UpstreamWishes:
    """A CA upstream, and what is asked of it. `challenge` is `dns-01` or `http-01`."""

    server: AcmeServer
    wishes: Wishes
    challenge: str = "dns-01"


@dataclass(frozen=True, slots=True)
class UpstreamRoom:
    """The room, where an installation has a CA upstream."""

    issuer: Upstream
    challenges: Challenges


def build_upstream(
    wanted: UpstreamWishes | None, *, storage: Storage, zones: Zones, keys: Keys, clock: Clock
) -> UpstreamRoom | None:
    """Builds the room; None without a CA upstream."""
    if wanted is None:
        return None
    challenges = Challenges(storage=storage, hosted=zones.hosted, own=zones.own, kind=wanted.challenge, clock=clock)
    issuer = Upstream(
        storage=storage, server=wanted.server, challenges=challenges, keys=keys, clock=clock, wishes=wanted.wishes
    )
    return UpstreamRoom(issuer, challenges)


def upstream_wishes(settings: UpstreamSettings, clock: Clock) -> UpstreamWishes | None:
    """What the settings say. Raises OSError for a file that cannot be read."""
    if settings.directory is None:
        return None
    binding = None
    if settings.eab_key_id is not None:
        key = settings.eab_key.encode() if settings.eab_key is not None else b""
        if settings.eab_key_file is not None:
            key = settings.eab_key_file.read_bytes().strip()
        binding = (settings.eab_key_id, Secret(key))
    transport = Transport(ca_file=settings.ca_file, timeout=settings.timeout_seconds)
    return UpstreamWishes(
        AcmeClient(settings.directory, transport=transport, clock=clock),
        Wishes(contact=settings.contact, profile=settings.profile, binding=binding, is_logging=settings.transparency),
        settings.challenge,
    )


def issuing_for(room: UpstreamRoom | None, wishes: PublicWishes) -> PublicWishes:
    """With a CA upstream it issues, whoever would have."""
    if room is None:
        return wishes
    return replace(wishes, issuer=room.issuer, issuer_name=lambda: room.issuer.name)
