"""What a revocation list is: its place, its number, its times (docs/revocation.md), pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from greatseal.domain.authorities.model import Authority, Status
from greatseal.domain.authorities.revocation_settings import CrlSettings

# Clients whose clocks are behind must not find the list to be of the future (acm-pca.md 10.3).
BACKDATED = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DELTA_LIFE = timedelta(hours=24)
# A revocation that was being committed while the base was made is on neither of its sides for sure, so deltas
# begin this much earlier. That an entry is on both lists does no harm.
DELTA_OVERLAP = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Pace:
    """How soon lists follow what happened."""

    delay: timedelta = timedelta(seconds=10)
    """From a revocation to the list that has it; what is revoked meanwhile comes with it."""
    retry: timedelta = timedelta(minutes=1)
    """After a failure."""
    deltas: bool = False
    """Whether deltas are made: then it is they that follow after `delay`."""
    complete: timedelta = timedelta(hours=1)
    """With deltas: from a revocation to the complete list that has it."""


@dataclass(frozen=True, slots=True)
class ListState:
    """A list of a CA: the complete one, which has the CA's own id, or a part, which has a place for ever."""

    id: str
    authority_id: str
    place: str | None = None
    url: str | None = None
    key: str | None = None
    bound: int = 0
    number: int = 0
    published_number: int = 0
    generated_at: datetime | None = None

    @property
    def is_part(self) -> bool:
        """Whether the list covers only the certificates that name it."""
        return self.url is not None


@dataclass(frozen=True, slots=True)
class ListHead:
    """What is published under which number, made when, and good until when."""

    number: int
    generated_at: datetime
    next_update: datetime


@dataclass(frozen=True, slots=True)
class DeltaState:
    """The deltas of a list: all of them tell what was revoked since the complete list `base_number` of `base_at`."""

    list_id: str
    base_number: int
    base_at: datetime
    number: int = 0
    published_number: int = 0


def next_number(taken: int, now: datetime) -> int:
    """Milliseconds since 1970, and more than `taken`, the last number, however the clock was set meanwhile.

    A database that was restored from a backup does not know its latest numbers, but the time exceeds them.
    """
    return max(taken + 1, (now - _EPOCH) // timedelta(milliseconds=1))


def midpoint(made: ListHead) -> datetime:
    """When a list is made anew though nothing was revoked: half of its life is left for failures."""
    return made.generated_at + (made.next_update - made.generated_at) / 2


def is_published(authority: Authority, now: datetime) -> bool:
    """Whether lists of this CA are made at all: it can sign, and its owner wants them (acm-pca.md 10.4)."""
    settled = authority.status_at(now) in (Status.ACTIVE, Status.DISABLED)
    return settled and authority.revocation.crl.enabled and authority.certificate is not None


def folder_of(authority: Authority, *, part: bool) -> str:
    """The folder of a list inside its bucket, empty or with a slash at its end (acm-pca.md 10.2)."""
    path = authority.revocation.crl.custom_path
    if path is None:
        return f"crl/{authority.id}/" if part else "crl/"
    return "" if path == "/" else f"{path}/"


def key_of(state: ListState, authority: Authority) -> str:
    """The name of the list's object. That of a part never changes."""
    return state.key or f"{folder_of(authority, part=False)}{state.id}.crl"


def delta_name(name: str) -> str:
    """The key or URL of a list's deltas, from that of the list."""
    return f"{name.removesuffix('.crl')}-delta.crl"


def host_of(crl: CrlSettings, base_url: str) -> str:
    """The start of a list's URL, with a slash at its end; always plain HTTP behind a CNAME."""
    return (base_url if crl.custom_cname is None else f"http://{crl.custom_cname}").rstrip("/") + "/"
