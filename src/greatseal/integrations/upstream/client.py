"""An ACME client: nonces, signed requests, problem documents (RFC 8555), renewal information (RFC 9773)."""

import hashlib
import hmac
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.domain.upstream.jose import base64url, jwk
from greatseal.domain.upstream.outcome import problem_in
from greatseal.domain.upstream.ports import Account, Answer, Problem
from greatseal.integrations.upstream.transport import Reply, Transport, retry_after
from greatseal.kernel.clock import Clock

_DIRECTORY_LASTS = timedelta(hours=1)
_NONCES_KEPT = 8
_NONCE_TRIES = 3
_PEM = "application/pem-certificate-chain"


class AcmeClient:
    """Speaks with one CA; threads may share it. Implements `AcmeServer`."""

    def __init__(self, directory_url: str, *, transport: Transport, clock: Clock) -> None:
        self._url = directory_url
        self._transport = transport
        self._clock = clock
        self._lock = threading.Lock()
        self._known: tuple[datetime, Mapping[str, Any]] | None = None
        self._nonces: deque[str] = deque(maxlen=_NONCES_KEPT)

    @property
    def directory_url(self) -> str:
        """Where its directory is."""
        return self._url

    def directory(self) -> Mapping[str, Any]:
        """As `AcmeServer.directory`; asked for again after an hour."""
        known, now = self._known, self._clock.now()
        if known is not None and timedelta(0) <= now - known[0] < _DIRECTORY_LASTS:
            return known[1]
        members = self._members(self._transport.send("GET", self._url))
        if not {"newNonce", "newAccount", "newOrder"} <= members.keys():
            raise Problem("", f"{self._url} is not the directory of an ACME server")
        self._known = (now, members)
        return members

    def new_account(self, account: Account, *, contact: Sequence[str], binding: tuple[str, bytes] | None) -> str:
        """As `AcmeServer.new_account`."""
        url = str(self.directory()["newAccount"])
        payload: dict[str, Any] = {"termsOfServiceAgreed": True}
        if contact:
            payload["contact"] = list(contact)
        if binding is not None:
            payload["externalAccountBinding"] = _bound(url, account, *binding)
        reply = self._signed(Account(account.signer), url, payload)
        return self._location(reply)

    def new_order(self, account: Account, names: Sequence[str], *, profile: str | None, replaces: str | None) -> Answer:
        """As `AcmeServer.new_order`. Raises Problem `invalidProfile` for one that the CA does not have."""
        directory = self.directory()
        payload: dict[str, Any] = {"identifiers": [{"type": "dns", "value": name} for name in names]}
        if profile is not None:
            offered = (directory.get("meta") or {}).get("profiles") or {}
            # A server that does not know profiles would ignore the member: never weaker than asked.
            if profile not in offered:
                raise Problem("invalidProfile", f"the CA has no profile {profile!r}; it has {sorted(offered)}")
            payload["profile"] = profile
        if replaces is not None:
            payload["replaces"] = replaces
        reply = self._signed(account, str(directory["newOrder"]), payload)
        return Answer(self._members(reply), self._location(reply), retry_after(reply, self._clock))

    def look(self, account: Account, url: str) -> Answer:
        """As `AcmeServer.look`."""
        reply = self._signed(account, url, None)
        return Answer(self._members(reply), url, retry_after(reply, self._clock))

    def post(self, account: Account, url: str, members: Mapping[str, Any]) -> Answer:
        """As `AcmeServer.post`."""
        reply = self._signed(account, url, members)
        return Answer(self._members(reply) if reply.body else {}, url, retry_after(reply, self._clock))

    def certificate(self, account: Account, url: str) -> bytes:
        """As `AcmeServer.certificate`."""
        return self._signed(account, url, None, accept=_PEM).body

    def renewal_window(self, url: str) -> tuple[datetime, datetime, timedelta | None]:
        """As `AcmeServer.renewal_window`."""
        reply = self._transport.send("GET", url)
        window: Any = self._members(reply).get("suggestedWindow")
        try:
            start, end = (datetime.fromisoformat(str(window[each])) for each in ("start", "end"))
            if not start.astimezone(UTC) < end.astimezone(UTC):
                raise ValueError("a window ends after it began")
        except (TypeError, KeyError, ValueError):
            raise Problem("malformed", "the CA suggests no window that can be read") from None
        return start.astimezone(UTC), end.astimezone(UTC), retry_after(reply, self._clock)

    def _signed(
        self, account: Account, url: str, payload: Mapping[str, Any] | None, accept: str = "application/json"
    ) -> Reply:
        """A POST, or a POST-as-GET without a payload; again with the nonce of the answer when ours was too old."""
        for attempt in range(1, _NONCE_TRIES + 1):
            header: dict[str, Any] = {"alg": "ES256", "nonce": self._nonce(), "url": url}
            header |= {"jwk": jwk(account.signer.spki)} if account.url is None else {"kid": account.url}
            body = _jws(header, b"" if payload is None else msgspec.json.encode(payload), account)
            reply = self._transport.send("POST", url, body, accept)
            if fresh := reply.headers.get("replay-nonce"):
                self._keep(fresh)
            if reply.status < 300:
                return reply
            problem = self._problem(reply)
            if problem.kind != "badNonce" or attempt == _NONCE_TRIES:
                raise problem
        raise AssertionError("the loop returns or raises")

    def _nonce(self) -> str:
        with self._lock:
            if self._nonces:
                return self._nonces.pop()
        reply = self._transport.send("HEAD", str(self.directory()["newNonce"]))
        nonce = reply.headers.get("replay-nonce")
        if nonce is None:
            raise Problem("", "the CA gives no nonce")
        return nonce

    def _keep(self, nonce: str) -> None:
        with self._lock:
            self._nonces.append(nonce)

    def _members(self, reply: Reply) -> Mapping[str, Any]:
        if reply.status >= 300:
            raise self._problem(reply)
        try:
            return msgspec.json.decode(reply.body, type=dict[str, Any])
        except msgspec.MsgspecError:
            raise Problem(
                "", f"the CA answers something that is not a JSON object, with status {reply.status}"
            ) from None

    def _problem(self, reply: Reply) -> Problem:
        told = None
        if reply.headers.get("content-type", "").partition(";")[0].strip().endswith("json"):
            try:
                told = problem_in(msgspec.json.decode(reply.body, type=dict[str, Any]))
            except msgspec.MsgspecError:
                told = None
        # What stands in front of a CA answers in pages of HTML, most often that it is overloaded.
        kind, detail = (told.kind, told.detail) if told else ("", f"HTTP status {reply.status}")
        inner = told.inner if told else ()
        return Problem(kind, detail, status=reply.status, retry_after=retry_after(reply, self._clock), inner=inner)

    def _location(self, reply: Reply) -> str:
        location = reply.headers.get("location")
        if location is None:
            raise Problem("", "the CA does not say where the new resource is")
        return location


def _jws(header: Mapping[str, Any], payload: bytes, account: Account) -> bytes:
    """The flattened JSON serialization, signed with ES256 (RFC 7515, RFC 7518 section 3.4)."""
    protected, content = base64url(msgspec.json.encode(header)), base64url(payload)
    der = account.signer.sign(f"{protected}.{content}".encode("ascii"), SignatureAlgorithm.SHA256WITHECDSA)
    r, s = decode_dss_signature(der)
    signature = base64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return msgspec.json.encode({"protected": protected, "payload": content, "signature": signature})


def _bound(url: str, account: Account, key_id: str, key: bytes) -> dict[str, str]:
    """The external account binding (RFC 8555 section 7.3.4)."""
    header = {"alg": "HS256", "kid": key_id, "url": url}
    protected = base64url(msgspec.json.encode(header))
    payload = base64url(msgspec.json.encode(jwk(account.signer.spki)))
    signature = hmac.digest(key, f"{protected}.{payload}".encode("ascii"), hashlib.sha256)
    return {"protected": protected, "payload": payload, "signature": base64url(signature)}
