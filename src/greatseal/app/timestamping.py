"""The timestamp authority, built as one: its CA, its keys and its answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from greatseal.app.own_acts import INSTALLATION_ACCOUNT
from greatseal.domain.authorities import Issuance, Lifecycle, Registry
from greatseal.domain.authorities.ports import RevocationPoints
from greatseal.domain.events import Desk
from greatseal.domain.keys import Keys
from greatseal.domain.timestamping import Stamping, StampKeys, StampWishes
from greatseal.domain.timestamping.authority import StampAuthority
from greatseal.settings import Settings
from greatseal.work.schedule import Recurring


@dataclass(frozen=True, slots=True)
class Timestamps:
    """The room, or what is left of it when it is switched off."""

    authority: StampAuthority
    keys: StampKeys
    stamping: Stamping
    enabled: bool

    def recurring(self) -> list[Recurring]:
        """What the clock's door does every so often."""
        return [Recurring("rotate-timestamp-keys", timedelta(minutes=10), self.keys.rotate)] if self.enabled else []


def build_timestamps(
    desk: Desk,
    *,
    registry: Registry,
    lifecycle: Lifecycle,
    issuance: Issuance,
    keys: Keys,
    points: RevocationPoints,
    wishes: StampWishes | None,
    region: str,
) -> Timestamps:
    """Builds the room. Without `wishes` it is switched off."""
    given = wishes or StampWishes()
    authority = StampAuthority(
        storage=desk.storage,
        registry=registry,
        lifecycle=lifecycle,
        issuance=issuance,
        entropy=desk.entropy,
        configured=given.authority,
    )
    stamp_keys = StampKeys(
        storage=desk.storage,
        authority=authority,
        keys=keys,
        issuance=issuance,
        points=points,
        audit=desk.audit,
        clock=desk.clock,
        entropy=desk.entropy,
        account=INSTALLATION_ACCOUNT,
        region=region,
    )
    stamping = Stamping(storage=desk.storage, stamp_keys=stamp_keys, keys=keys, clock=desk.clock, wishes=given)
    return Timestamps(authority, stamp_keys, stamping, wishes is not None)


def stamp_wishes(settings: Settings) -> StampWishes | None:
    """What the settings say; None for no timestamps."""
    wanted = settings.timestamps
    if not wanted.enabled:
        return None
    more: Mapping[str, str] = {} if wanted.policy is None else {"policy": wanted.policy}
    return StampWishes(
        accuracy=timedelta(milliseconds=wanted.accuracy_milliseconds), authority=wanted.authority, **more
    )
