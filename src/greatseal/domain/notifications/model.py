"""Topics, subscriptions and messages as the room knows them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from greatseal.kernel.arn import Arn

LARGEST_MESSAGE = 256 * 1024
MOST_SUBSCRIPTIONS = 10_000
TOKEN_LIFETIME = timedelta(days=2)
EMAIL, WEBHOOK, QUEUE = "email", "webhook", "queue"
"""Kinds of parcels."""


class Protocol(Enum):
    """How a subscriber is reached."""

    EMAIL = "email"
    EMAIL_JSON = "email-json"
    HTTP = "http"
    HTTPS = "https"
    SQS = "sqs"

    @property
    def is_mail(self) -> bool:
        """Whether people read it."""
        return self in (Protocol.EMAIL, Protocol.EMAIL_JSON)


class State(Enum):
    """What the endpoint has said."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    ENDED = "ended"
    """It was told that it is unsubscribed, and may take that back for a while."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What messages are published to."""

    arn: str
    created_at: datetime
    display_name: str = ""
    delivery_policy: str | None = None

    @property
    def account(self) -> str:
        """The owner."""
        return Arn.parse(self.arn).account

    @property
    def name(self) -> str:
        """The name, unique for the owner in a region."""
        return Arn.parse(self.arn).resource


@dataclass(frozen=True, slots=True)
class Options:
    """What the owner of a subscription decides."""

    filter_policy: str | None = None
    filter_body: bool = False
    """Whether the filter looks at the message itself and not at its attributes."""
    raw: bool = False
    """The message as it is, without the document around it."""
    dead_letter_arn: str | None = None
    delivery_policy: str | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """Somebody who wants to hear of a topic."""

    arn: str
    topic_arn: str
    account: str
    """Who subscribed."""
    principal: str
    protocol: Protocol
    endpoint: str
    state: State
    created_at: datetime
    options: Options = field(default_factory=Options)
    token_digest: str | None = None
    """SHA-256 of the token that confirms."""
    token_expires: datetime | None = None
    authenticated: bool = False
    """Whether the confirmation was signed by somebody of an account."""
    guarded: bool = False
    """Whether links of mails and documents cannot end it."""

    @property
    def lane(self) -> str:
        """The lane of its parcels: nobody waits for another's receiver."""
        return f"subscription:{self.arn}"


@dataclass(frozen=True, slots=True)
class Attribute:
    """A value beside a message, with its type: `String`, `String.Array`, `Number` or `Binary`."""

    type: str
    value: str | bytes


@dataclass(frozen=True, slots=True)
class Message:
    """What is published."""

    body: str
    subject: str | None = None
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    by_protocol: Mapping[str, str] = field(default_factory=dict)
    """Other texts for some protocols."""
    id: str | None = None
    """The id that it had before it came here; None for a new one."""
    order_key: str = ""

    def text_for(self, protocol: Protocol) -> str:
        """What subscribers of this protocol read."""
        return self.by_protocol.get(protocol.value, self.body)
