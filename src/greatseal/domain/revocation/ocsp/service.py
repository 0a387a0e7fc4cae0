"""The verb of OCSP: answer a request. The numbers are the steps of docs/ocsp.md."""

from collections.abc import Hashable
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from greatseal.crypto.signature import SignerUnavailable
from greatseal.domain.authorities.issued import serial_text
from greatseal.domain.keys import Keys
from greatseal.domain.revocation.ocsp import store
from greatseal.domain.revocation.ocsp.cache import Memory
from greatseal.domain.revocation.ocsp.issuers import Issuers
from greatseal.domain.revocation.ocsp.looks import Looks
from greatseal.domain.revocation.ocsp.model import (
    ANSWER_LIFETIME,
    SIGNED_AGAIN_AFTER,
    UNKNOWN_LIFETIME,
    Answer,
    Ground,
    Responder,
)
from greatseal.domain.revocation.ocsp.responders import Responders
from greatseal.domain.revocation.ocsp.store import Standing
from greatseal.domain.revocation.store.marks import share_of
from greatseal.kernel.clock import Clock
from greatseal.storage import Storage
from greatseal.storage.errors import StorageUnavailable
from greatseal.x509.certificate import Certificate
from greatseal.x509.der import DerError
from greatseal.x509.extensions import key_identifier_of
from greatseal.x509.ocsp import (
    CertId,
    Good,
    OcspError,
    OcspRequest,
    Revoked,
    SingleResponse,
    Status,
    Unknown,
    assemble,
    encode_tbs,
    error_response,
    parse_request,
)

_MEMORY = 64 * 1024 * 1024


class Ocsp:
    """Answers OCSP requests for every CA of the installation."""

    def __init__(self, *, storage: Storage, keys: Keys, responders: Responders, clock: Clock) -> None:
        self._storage = storage
        self._keys = keys
        self._responders = responders
        self._clock = clock
        self._issuers = Issuers(storage=storage)
        self._signed_answers: Memory[tuple[Answer, datetime]] = Memory(_MEMORY)
        self._looks = Looks(storage=storage, clock=clock)

    def answer(self, request: bytes, authority_id: str | None = None) -> Answer:
        """The answer to a request (DER), whatever it holds; with `authority_id`, that CA is the only one that answers.

        What goes wrong in a foreseen way is an answer too. A defect raises; the door makes `internalError` of it.
        """
        try:
            asked = parse_request(request)  # 1
        except DerError:
            return failure(OcspError.MALFORMED_REQUEST)
        try:
            return self._answer(asked, authority_id)
        except (StorageUnavailable, SignerUnavailable):
            return failure(OcspError.TRY_LATER)

    def stands(self, ground: Ground, now: datetime) -> bool:
        """Whether an answer that rests on this may be given once more. Never waits; no may mean: ask `stands_still`."""
        return self._looks.shows(ground, now)

    def stands_still(self, ground: Ground) -> bool:
        """The same after a look into the database, unless there was one just now."""
        try:
            return self._looks.renew(ground)
        except StorageUnavailable:
            return False

    def _answer(self, asked: OcspRequest, authority_id: str | None) -> Answer:
        issuers = self._issuers_of(asked)  # 2
        owner = next((each for each in issuers if each is not None and authority_id in (None, each)), None)
        if owner is None:
            return failure(OcspError.UNAUTHORIZED)
        now = self._clock.now()
        serials = [
            _serial(each) if issuer == owner else None for each, issuer in zip(asked.certificates, issuers, strict=True)
        ]
        wanted = {serial for serial in serials if serial is not None}
        standing = self._storage.read(lambda tx: store.standing(tx, owner, wanted, now))  # 3
        if not standing.answers:
            return failure(OcspError.UNAUTHORIZED)
        statuses = tuple(_status(standing, serial) for serial in serials)
        cutoffs = tuple(standing.kept_since if serial in standing.expired else None for serial in serials)
        key = (owner, standing.certificate_id, tuple(each.der for each in asked.certificates), statuses, cutoffs)
        kept = self._kept(key, now) if asked.nonce is None else None  # 4
        if kept is None:
            responder = self._responders.current(owner)  # 5
            if responder is None:
                return failure(OcspError.TRY_LATER)
            made = self._signed(asked, statuses, cutoffs, responder, now)
            assert made.next_update is not None
            kept = made, min(now + SIGNED_AGAIN_AFTER, made.next_update)
            # Certificates can be asked about together in more ways than any memory holds.
            if kept[0].cacheable and len(serials) == 1:
                self._signed_answers.put(key, kept, len(kept[0].der))
        answer, until = kept
        serial = serials[0]
        if not asked.is_plain or serial is None or answer.this_update is None or not answer.cacheable:
            return answer
        ground = Ground(
            owner, standing.certificate_id, share_of(serial), standing.mark, since=answer.this_update, until=until
        )
        return replace(answer, ground=ground)

    def _kept(self, key: Hashable, now: datetime) -> tuple[Answer, datetime] | None:
        """A signed answer, and the time until which it may be given out."""
        kept = self._signed_answers.get(key)
        if kept is None:
            return None
        answer, until = kept
        assert answer.this_update is not None
        # Also after the clock went back: an answer is never older than it says.
        if answer.this_update <= now < until:
            return kept
        self._signed_answers.remove(key)
        return None

    def _issuers_of(self, asked: OcspRequest) -> list[str | None]:
        found = [self._issuers.find(each) for each in asked.certificates]
        if None not in found:
            return found
        self._issuers.learn()
        return [self._issuers.find(each) for each in asked.certificates]

    def _signed(
        self,
        asked: OcspRequest,
        statuses: tuple[Status, ...],
        cutoffs: tuple[datetime | None, ...],
        responder: Responder,
        now: datetime,
    ) -> Answer:
        """Step 6."""
        assert responder.certificate is not None
        produced = now.replace(microsecond=0)
        fleeting = any(isinstance(each, Unknown) for each in statuses)
        until = min(produced + (UNKNOWN_LIFETIME if fleeting else ANSWER_LIFETIME), responder.not_after)
        tbs = encode_tbs(
            [
                SingleResponse(each.der, status, produced, until, cutoff)
                for each, status, cutoff in zip(asked.certificates, statuses, cutoffs, strict=True)
            ],
            responder_key_hash=_key_hash(responder.certificate),
            produced_at=produced,
            nonce=asked.nonce,
        )
        signed = self._keys.signer(responder.key_id).sign(tbs, responder.algorithm)
        whole = assemble(tbs, responder.algorithm, signed, responder.certificate)
        return Answer(whole, None, produced, until, cacheable=asked.nonce is None and not fleeting)


def failure(error: OcspError) -> Answer:
    """The unsigned answer that says what went wrong."""
    return Answer(error_response(error), error)


def _serial(asked: CertId) -> str | None:
    """The serial as the journal has it; None for a number that no certificate of ours can have."""
    # Twenty octets: RFC 5280 section 4.1.2.2.
    return serial_text(asked.serial) if 0 < asked.serial < 1 << 160 else None


def _status(standing: Standing, serial: str | None) -> Status:
    """A serial that the CA never issued is not good (Baseline Requirements 4.9.10)."""
    if serial is None or serial not in standing.issued:
        return Unknown()
    revocation = standing.issued[serial]
    return Good() if revocation is None else Revoked(revocation[0], revocation[1].value)


@lru_cache(256)
def _key_hash(certificate: bytes) -> bytes:
    """The SHA-1 of the responder's key, by which a client recognises it in the answer."""
    return key_identifier_of(Certificate.parse(certificate).spki)
