"""The OCSP door: RFC 6960 appendix A over HTTP, with the caching rules of RFC 5019 section 6.

`/ocsp` answers for every CA of the installation, `/ocsp/<id of a CA>` for that one. GET carries the request in
base64 as the last part of the path, POST as the body.
"""

import base64
import binascii
import hashlib
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from urllib.parse import quote, unquote_to_bytes

from greatseal.domain.revocation.ocsp import Answer, Ground, Memory, Ocsp
from greatseal.edge.messages import HeaderList, HttpRequest, HttpResponse
from greatseal.edge.mounts import Handler
from greatseal.kernel.clock import Clock
from greatseal.x509.ocsp import MAX_REQUEST, OcspError, error_response

log = logging.getLogger(__name__)

PATH = "/ocsp"
MAX_BODY = MAX_REQUEST
MAX_AGE = 300
"""Seconds for which others may keep an answer. A revocation takes this long behind a cache of theirs."""

_REQUEST_TYPE = "application/ocsp-request"
_RESPONSE_TYPE = (b"content-type", b"application/ocsp-response")
_NOT_KEPT: HeaderList = ((b"cache-control", b"no-store"),)
_PATH = re.compile(rb"/ocsp(?:/+([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))?(?:/+(.*))?")
# A request is a SEQUENCE, whose base64 begins with M; the shortest has some forty octets.
_ENCODED = re.compile(rb"/+M[A-Za-z0-9+/=%]{40,}")
_MEMORY = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Remembered:
    answer: Answer
    ground: Ground
    sent: bytes


class OcspDoor:
    """Answers OCSP requests: whatever they hold, with an OCSP message or a refusal of HTTP, never with a 5xx.

    Answers to GET that many may ask for are remembered by their path, as the octets that are sent.
    """

    def __init__(self, ocsp: Ocsp, clock: Clock) -> None:
        self._ocsp = ocsp
        self._clock = clock
        self._remembered: Memory[_Remembered] = Memory(_MEMORY)

    def handle(self, request: HttpRequest) -> HttpResponse:
        """The answer to any request below `/ocsp`."""
        found = _PATH.fullmatch(request.raw_path)
        if found is None:
            return _refused(404)
        authority_id = found[1].decode("ascii") if found[1] else None
        if request.method == "POST":
            return _post(request, lambda body: _answer(self._ocsp, body, authority_id), in_path=bool(found[2]))
        if request.method in ("GET", "HEAD"):
            answer = self._repeated(request.raw_path) or self._made(request.raw_path, found[2] or b"", authority_id)
            return _get(request, answer, self._clock.now())
        return _refused(405, ((b"allow", b"GET, HEAD, POST"),))

    def ready(self, path: bytes) -> bytes | None:
        """Header fields and body of the answer to a GET, if it is remembered and still true. Never waits."""
        found = self._remembered.get(path)
        if found is None or not self._ocsp.stands(found.ground, self._clock.now()):
            return None
        return found.sent

    def ready_at_root(self, path: bytes) -> bytes | None:
        """The same under a name of its own (see `at_root`)."""
        return self.ready(b"/ocsp" + path)

    def _repeated(self, path: bytes) -> Answer | None:
        """The remembered answer, after a look at its CA."""
        found = self._remembered.get(path)
        if found is None:
            return None
        if self._ocsp.stands_still(found.ground):
            return found.answer
        self._remembered.remove(path)
        return None

    def _made(self, path: bytes, text: bytes, authority_id: str | None) -> Answer:
        encoded = unquote_to_bytes(text)
        answer = _answer(self._ocsp, _decoded(encoded), authority_id)
        ground, end = answer.ground, answer.next_update
        # Header fields are to stay as they are, so that an answer whose end is near is not remembered.
        if ground is None or end is None or end - ground.until < timedelta(seconds=MAX_AGE):
            return answer
        # One request has few spellings that count.
        if path == _path(authority_id) + text and text in (encoded, quote(encoded, safe="").encode("ascii")):
            head = b"".join(b"%b: %b\r\n" % field for field in (_RESPONSE_TYPE, *_kept_by_others(answer, ground.since)))
            sent = b"%bcontent-length: %d\r\n\r\n%b" % (head, len(answer.der), answer.der)
            self._remembered.put(path, _Remembered(answer, ground, sent), len(sent) + len(answer.der))
        return answer


def at_root(answers: Handler, other: Handler | None) -> Handler:
    """OCSP under a name of its own (OcspCustomCname), to which certificates append nothing: POST `/` and GET `/…`.

    What does not look like a request goes to `other`, or is not found.
    """

    def handle(request: HttpRequest) -> HttpResponse:
        posted = request.method == "POST" and _kind(request) == _REQUEST_TYPE
        if (posted and request.raw_path == b"/") or (request.method != "POST" and _ENCODED.fullmatch(request.raw_path)):
            return answers(replace(request, raw_path=PATH.encode("ascii") + request.raw_path))
        return other(request) if other is not None else _refused(404)

    return handle


def _post(request: HttpRequest, answer: Callable[[bytes], Answer], *, in_path: bool) -> HttpResponse:
    if in_path:
        return _refused(404)
    if _kind(request) != _REQUEST_TYPE:
        return _refused(415, ((b"accept", _REQUEST_TYPE.encode("ascii")),))
    if len(request.body) > MAX_BODY:
        return _refused(413)
    return _response(answer(request.body), _NOT_KEPT)


def _kind(request: HttpRequest) -> str:
    """The media type of the body; case and parameters do not matter (RFC 9110 section 8.3.1)."""
    return (request.header("content-type") or "").partition(";")[0].strip().lower()


def _get(request: HttpRequest, answer: Answer, now: datetime) -> HttpResponse:
    if not answer.cacheable:
        return _response(answer, _NOT_KEPT)
    headers = _kept_by_others(answer, now)
    tag = _tag(answer)
    if tag in [each.strip().removeprefix("W/") for each in (request.header("if-none-match") or "").split(",")]:
        return HttpResponse(304, headers, operation=_operation(answer))
    return _response(answer, headers)


def _kept_by_others(answer: Answer, now: datetime) -> HeaderList:
    """The header fields of RFC 5019 section 6."""
    assert answer.this_update is not None
    assert answer.next_update is not None
    age = min(MAX_AGE, max(0, int((answer.next_update - now).total_seconds())))
    return (
        (b"cache-control", f"max-age={age}, public, no-transform, must-revalidate".encode("ascii")),
        (b"last-modified", _http_date(answer.this_update)),
        (b"expires", _http_date(answer.next_update)),
        (b"etag", _tag(answer).encode("ascii")),
    )


def _tag(answer: Answer) -> str:
    return f'"{hashlib.sha256(answer.der).hexdigest()[:40]}"'


def _path(authority_id: str | None) -> bytes:
    return (PATH if authority_id is None else f"{PATH}/{authority_id}").encode("ascii") + b"/"


def _answer(ocsp: Ocsp, request: bytes, authority_id: str | None) -> Answer:
    try:
        return ocsp.answer(request, authority_id)
    except Exception:
        # A client waits for an OCSP message; the reason is in our own log.
        log.exception("an OCSP request could not be answered")
        return Answer(error_response(OcspError.INTERNAL_ERROR), OcspError.INTERNAL_ERROR)


def _decoded(text: bytes) -> bytes:
    """The request in a path; empty, which no request is, for what is not base64 (RFC 6960 appendix A.1)."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


def _response(answer: Answer, headers: HeaderList) -> HttpResponse:
    return HttpResponse(200, (_RESPONSE_TYPE, *headers), answer.der, _operation(answer))


def _operation(answer: Answer) -> str:
    return "successful" if answer.error is None else answer.error.name.lower()


def _refused(status: int, headers: HeaderList = ()) -> HttpResponse:
    return HttpResponse(status, (*headers, *_NOT_KEPT), operation="refused")


def _http_date(moment: datetime) -> bytes:
    return format_datetime(moment, usegmt=True).encode("ascii")
