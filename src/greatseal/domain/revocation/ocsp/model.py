"""What an OCSP answer and a responder are, and their times (docs/ocsp.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.domain.authorities.issued import JournalState
from greatseal.domain.authorities.model import Authority, Status
from greatseal.x509.ocsp import OcspError

RESPONDER_LIFETIME = timedelta(days=7)
"""A responder cannot be revoked in the eyes of its clients (ocsp-nocheck), so it lives as long as a short CRL."""
RENEW_BEFORE = timedelta(days=3)
BACKDATED = timedelta(minutes=60)
"""NotBefore lies this far back, for clients whose clocks are slow, as in all certificates of the service."""
ANSWER_LIFETIME = timedelta(hours=24)
"""From thisUpdate to nextUpdate (acm-pca.md 10.6). Servers that staple live this long on one answer."""
UNKNOWN_LIFETIME = timedelta(minutes=5)
"""The certificate may be issued the next moment."""
SIGNED_AGAIN_AFTER = timedelta(hours=1)
"""How old thisUpdate of an answer may be when it is given out."""
RETRY_AFTER = timedelta(minutes=1)
"""A CA whose key could not sign a responder's certificate is not asked again before."""

ANSWERING = frozenset({Status.ACTIVE, Status.DISABLED})
"""The states in which a CA answers (acm-pca.md 4 and 10.6)."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What an answer about one certificate rests on: the CA's certificate, and the mark of the certificate's share."""

    authority_id: str
    certificate_id: str | None
    share: int
    mark: str | None
    since: datetime
    until: datetime
    """The answer is given out from `since`, and not any more at `until`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An OCSPResponse. `error` is None for a signed one, which has times; `cacheable` if it may be kept by others.

    `ground` is what it rests on, None when it is for the one who asked only (see `Ocsp.stands`).
    """

    der: bytes
    error: OcspError | None = None
    this_update: datetime | None = None
    next_update: datetime | None = None
    cacheable: bool = False
    ground: Ground | None = None


@dataclass(frozen=True, slots=True)
class Responder:
    """A key that signs answers for a CA, and what the journal says of its certificate."""

    number: int
    key_id: str
    algorithm: SignatureAlgorithm
    state: JournalState
    prepared_at: datetime
    not_after: datetime
    issuer_certificate_id: str | None
    certificate: bytes | None
    revoked: bool

    def is_usable(self, now: datetime) -> bool:
        """Whether clients accept what it signs."""
        valid = not self.is_early(now) and now < self.not_after
        return self.state is JournalState.ISSUED and not self.revoked and valid

    def is_early(self, now: datetime) -> bool:
        """Whether its certificate is not valid yet, because the clock was set back since it was made."""
        return now < self.prepared_at - BACKDATED


def answers(authority: Authority, now: datetime) -> bool:
    """Whether a CA answers OCSP requests at all."""
    return (
        authority.revocation.ocsp.enabled
        and authority.certificate is not None
        and authority.status_at(now) in ANSWERING
    )


def is_due(authority: Authority, responders: Sequence[Responder], now: datetime) -> bool:
    """Whether a CA needs another responder; `responders` has the newest first."""
    if not answers(authority, now):
        return False
    if not responders:
        return True
    newest = responders[0]
    if newest.state is not JournalState.ISSUED:
        # Somebody is at it, or recovery will be; what failed is tried again after a while.
        return newest.state is JournalState.FAILED and newest.prepared_at + RETRY_AFTER <= now
    assert authority.certificate is not None
    assert authority.not_after is not None
    if newest.revoked or newest.is_early(now) or newest.issuer_certificate_id != authority.certificate.id:
        return True
    # Near the CA's own end no successor would live longer.
    return newest.not_after - now < RENEW_BEFORE and newest.not_after < authority.not_after


def usable(responders: Sequence[Responder], now: datetime) -> Responder | None:
    """The newest responder that clients accept."""
    return next((each for each in responders if each.is_usable(now)), None)
