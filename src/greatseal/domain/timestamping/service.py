"""One request, one answer: a token, or the reason why there is none (RFC 3161 section 2.4)."""

import logging
from dataclasses import dataclass
from datetime import datetime

from greatseal.crypto.algorithms import signature_algorithm_of
from greatseal.crypto.signature import SignerLied, SignerUnavailable
from greatseal.domain.keys import Keys
from greatseal.domain.timestamping import store
from greatseal.domain.timestamping.keys import StampKeys
from greatseal.domain.timestamping.model import StampKey, StampWishes, next_serial, time_of
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import Refusal
from greatseal.storage import Storage, Tx
from greatseal.x509 import cms, timestamp
from greatseal.x509.certificate import Certificate
from greatseal.x509.timestamp import TimestampError, TimestampRequest, TimestampResponse, TstInfo

log = logging.getLogger(__name__)

_WORDS = {
    timestamp.BAD_ALG: "bad-algorithm",
    timestamp.BAD_DATA_FORMAT: "bad-data-format",
    timestamp.TIME_NOT_AVAILABLE: "time-not-available",
    timestamp.UNACCEPTED_POLICY: "unaccepted-policy",
    timestamp.UNACCEPTED_EXTENSION: "unaccepted-extension",
    timestamp.SYSTEM_FAILURE: "system-failure",
}


@dataclass(frozen=True, slots=True)
class StampReply:
    """A TimeStampResp (DER), and in a word what it is: `granted` or the failure."""

    der: bytes
    word: str


class _Rejected(Exception):
    """There is no token. `failure` is a bit of PKIFailureInfo, the message is for whoever asked."""

    def __init__(self, failure: int, message: str) -> None:
        super().__init__(message)
        self.failure = failure


class Stamping:
    """The timestamp authority; policy, accuracy and order of its tokens are the same for everybody."""

    def __init__(
        self, *, storage: Storage, stamp_keys: StampKeys, keys: Keys, clock: Clock, wishes: StampWishes
    ) -> None:
        self._storage = storage
        self._stamp_keys = stamp_keys
        self._keys = keys
        self._clock = clock
        self._wishes = wishes
        self._chains: dict[int, tuple[Certificate, ...]] = {}

    def answer(self, data: bytes) -> StampReply:
        """The answer to any octets. Never raises for what a stranger sends, nor when a key or a clock is missing."""
        try:
            token = self._token(self._accepted(data))
        except _Rejected as error:
            response = TimestampResponse(timestamp.REJECTION, None, (str(error),), error.failure)
            return StampReply(response.encode(), _WORDS[error.failure])
        return StampReply(TimestampResponse(timestamp.GRANTED, token).encode(), "granted")

    def tokens(self) -> int:
        """How many tokens the installation has given out."""
        return self._storage.read(store.tokens)

    def _accepted(self, data: bytes) -> TimestampRequest:
        """The request, if it asks for what we give. Raises _Rejected."""
        try:
            request = TimestampRequest.parse(data)
        except TimestampError as error:
            raise _Rejected(timestamp.BAD_DATA_FORMAT, str(error)) from None
        try:
            _ = request.imprint.digest
        except cms.CmsError as error:
            wrong = error.fault in (cms.Fault.DIGEST_LENGTH, cms.Fault.MALFORMED)
            raise _Rejected(timestamp.BAD_DATA_FORMAT if wrong else timestamp.BAD_ALG, str(error)) from None
        if request.policy not in (None, self._wishes.policy):
            raise _Rejected(timestamp.UNACCEPTED_POLICY, f"the policy of this authority is {self._wishes.policy}")
        if request.extensions:
            raise _Rejected(timestamp.UNACCEPTED_EXTENSION, "no extension of a request is understood")
        return request

    def _token(self, request: TimestampRequest) -> bytes:
        """The token (DER). Raises _Rejected."""
        try:
            key = self._stamp_keys.current()
            if key is None:
                raise _Rejected(timestamp.SYSTEM_FAILURE, "the authority has no key now; ask again later")
            chain = self._chain(key)
            signer = self._keys.signer(key.key_id)
            scheme = cms.scheme_for(chain[0].spki)
            algorithm = signature_algorithm_of(scheme.effective)
            assert algorithm is not None
            # Last, and after everything that may be slow: the time is when the imprint had been seen.
            serial = self._storage.transact(self._take_serial)
            content = self._info(request, serial).encode()
            made = cms.sign(
                chain[0],
                scheme,
                scheme.digest.of(content),
                lambda octets: signer.sign(octets, algorithm),
                content_type=cms.TST_INFO,
            )
        except (SignerUnavailable, SignerLied, LookupError, Refusal) as error:
            log.error("a timestamp could not be signed: %s", error)
            raise _Rejected(timestamp.SYSTEM_FAILURE, "the authority cannot sign now; ask again later") from None
        sent = chain if request.certificates else ()
        return cms.encode([made], sent, content_type=cms.TST_INFO, content=content)

    def _info(self, request: TimestampRequest, serial: int) -> TstInfo:
        return TstInfo(
            policy=self._wishes.policy,
            imprint=request.imprint,
            serial=serial,
            at=time_of(serial),
            accuracy=self._wishes.accuracy,
            # Serials of all nodes rise, and they are the times (section 2.4.2).
            ordering=True,
            nonce=request.nonce,
        )

    def _take_serial(self, tx: Tx) -> int:
        """The next serial of all nodes, which is the token's time. Raises _Rejected when clocks differ too much."""
        now: datetime = self._clock.now()
        serial = next_serial(store.last_serial(tx), now)
        if time_of(serial) - now > self._wishes.accuracy:
            log.error("the last timestamp lies in the future: the clock of this or another node is wrong")
            raise _Rejected(timestamp.TIME_NOT_AVAILABLE, "the clock of the authority is not to be trusted now")
        store.take_serial(tx, serial)
        return serial

    def _chain(self, key: StampKey) -> tuple[Certificate, ...]:
        found = self._chains.get(key.number)
        if found is None or found[0].der != key.certificate:
            found = self._chains[key.number] = self._stamp_keys.chain(key)
        return found
