"""Queues and messages as the room knows them, and the sums by which clients check what they sent. Pure."""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from greatseal.kernel.arn import Arn

FIFO = ".fifo"
LARGEST_BATCH = 10
LARGEST_MESSAGE = 1024 * 1024
MOST_ATTRIBUTES = 10
DEDUPLICATION = timedelta(minutes=5)
LONGEST_INVISIBLE = timedelta(hours=12)
LONGEST_WAIT = 20
"""Seconds that a receiver may wait for a message."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")


@dataclass(frozen=True, slots=True)
class Redrive:
    """Where messages go that were received more often than `most` times and never deleted."""

    target_arn: str
    most: int


@dataclass(frozen=True, slots=True)
class RedriveAllowance:
    """Which queues may name this one as theirs for dead letters: `allowAll`, `denyAll` or `byQueue`."""

    permission: str = "allowAll"
    source_arns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """What the owner of a queue decides. Times are seconds, sizes octets."""

    delay: int = 0
    maximum_size: int = LARGEST_MESSAGE
    retention: int = 345_600
    wait: int = 0
    visibility: int = 30
    redrive: Redrive | None = None
    allowance: RedriveAllowance | None = None
    fifo: bool = False
    content_deduplication: bool = False
    deduplication_scope: str = "queue"
    throughput_limit: str = "perQueue"


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue of an account in a region."""

    arn: str
    created_at: datetime
    modified_at: datetime
    settings: Settings = field(default_factory=Settings)
    purged_at: datetime | None = None

    @property
    def account(self) -> str:
        """The owner."""
        return Arn.parse(self.arn).account

    @property
    def name(self) -> str:
        """The name, unique for the owner in a region."""
        return Arn.parse(self.arn).resource


@dataclass(frozen=True, slots=True)
class Attribute:
    """A value beside the body, with its type: `String`, `Number` or `Binary`, perhaps with a label after a dot."""

    type: str
    value: str | bytes


@dataclass(frozen=True, slots=True)
class NewMessage:
    """What a sender hands in."""

    body: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    trace_header: str | None = None
    delay: int | None = None
    group: str | None = None
    deduplication_id: str | None = None
    id: str | None = None
    """The id that the message had before it came here; None for a new one."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What the sender is told. `sequence` only for queues that keep an order."""

    message_id: str
    sequence: str | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """A message in somebody's hands."""

    handle: str
    """Says which reception this was; it deletes the message or changes for how long others do not see it."""
    message_id: str
    body: str
    attributes: Mapping[str, Attribute]
    sender_id: str
    sent_at: datetime
    first_received_at: datetime
    receptions: int
    trace_header: str | None = None
    group: str | None = None
    deduplication_id: str | None = None
    sequence: str | None = None
    dead_source_arn: str | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many messages can be received, are in somebody's hands, and are delayed."""

    visible: int
    in_flight: int
    delayed: int


def is_name(name: str) -> bool:
    """Whether a queue may be called so."""
    return len(name) <= 80 and _NAME.fullmatch(name.removesuffix(FIFO)) is not None


def sequence_of(row_id: int) -> str:
    """Twenty digits that grow from message to message."""
    return f"{10**19 + row_id:020d}"


def body_digest(body: str) -> str:
    """MD5 of a text, as clients compute it; it proves nothing against an attacker."""
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()


def attributes_digest(attributes: Mapping[str, Attribute]) -> str | None:
    """MD5 over all attributes by name, each part behind its length in four octets; None for none."""
    if not attributes:
        return None
    digest = hashlib.md5(usedforsecurity=False)
    for name in sorted(attributes):
        attribute = attributes[name]
        binary = isinstance(attribute.value, bytes)
        value = attribute.value if isinstance(attribute.value, bytes) else attribute.value.encode()
        for part in (name.encode(), attribute.type.encode()):
            digest.update(len(part).to_bytes(4, "big") + part)
        digest.update((b"\x02" if binary else b"\x01") + len(value).to_bytes(4, "big") + value)
    return digest.hexdigest()


def attributes_out(attributes: Mapping[str, Attribute]) -> dict[str, list[str]]:
    """Attributes as texts: by name the type and the value, octets in base64."""
    return {
        name: [each.type, base64.b64encode(each.value).decode() if isinstance(each.value, bytes) else each.value]
        for name, each in attributes.items()
    }


def attributes_in(written: Mapping[str, list[str]]) -> dict[str, Attribute]:
    """The attributes in what `attributes_out` gives."""
    return {
        name: Attribute(kind, base64.b64decode(value) if kind.startswith("Binary") else value)
        for name, (kind, value) in written.items()
    }


def size_of(message: NewMessage) -> int:
    """Octets of the body and of the names, types and values of the attributes."""
    attributes = message.attributes.items()
    return len(message.body.encode()) + sum(
        len(name.encode())
        + len(each.type.encode())
        + len(each.value if isinstance(each.value, bytes) else each.value.encode())
        for name, each in attributes
    )
