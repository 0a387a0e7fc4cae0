"""The door of the timestamp authority: RFC 3161 section 3.4 over HTTP. `GET /tsa/root.pem` is whom to trust."""

import logging
from collections.abc import Callable

from greatseal.domain.timestamping import Stamping, StampReply
from greatseal.edge.messages import HeaderList, HttpRequest, HttpResponse
from greatseal.x509 import pem, timestamp
from greatseal.x509.timestamp import TimestampResponse

log = logging.getLogger(__name__)

PATH = "/tsa"
ROOT_PATH = "/tsa/root.pem"
MAX_BODY = timestamp.MAX_REQUEST

_REQUEST_TYPE = "application/timestamp-query"
_RESPONSE_TYPE = (b"content-type", b"application/timestamp-reply")
_NOT_KEPT: HeaderList = ((b"cache-control", b"no-store"),)


class TsaDoor:
    """Answers with a timestamp message or a refusal of HTTP, never with a 5xx."""

    def __init__(self, stamping: Stamping, root: Callable[[], bytes | None]) -> None:
        """`root` tells the certificate (DER) that verifiers trust."""
        self._stamping = stamping
        self._root = root

    def handle(self, request: HttpRequest) -> HttpResponse:
        """The answer to any request below `/tsa`."""
        if request.raw_path == ROOT_PATH.encode("ascii"):
            return self._trusted(request)
        if request.raw_path.rstrip(b"/") != PATH.encode("ascii"):
            return _refused(404)
        if request.method != "POST":
            return _refused(405, ((b"allow", b"POST"),))
        # Case and parameters of a media type do not matter (RFC 9110 section 8.3.1).
        kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
        if kind != _REQUEST_TYPE:
            return _refused(415, ((b"accept", _REQUEST_TYPE.encode("ascii")),))
        if len(request.body) > MAX_BODY:
            return _refused(413)
        reply = self._answer(request.body)
        return HttpResponse(200, (_RESPONSE_TYPE, *_NOT_KEPT), reply.der, operation=reply.word)

    def _trusted(self, request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return _refused(405, ((b"allow", b"GET, HEAD"),))
        root = self._root()
        if root is None:
            return _refused(404)
        content = pem.write_certificates([root]).encode("ascii") + b"\n"
        return HttpResponse(200, ((b"content-type", b"application/x-pem-file"), *_NOT_KEPT), content, operation="root")

    def _answer(self, body: bytes) -> StampReply:
        try:
            return self._stamping.answer(body)
        except Exception:
            # A client waits for a timestamp message; the reason is in our own log.
            log.exception("a timestamp request could not be answered")
            text = "the authority failed; ask again later"
            failed = TimestampResponse(timestamp.REJECTION, None, (text,), timestamp.SYSTEM_FAILURE)
            return StampReply(failed.encode(), "internal-error")


def _refused(status: int, headers: HeaderList = ()) -> HttpResponse:
    return HttpResponse(status, (*headers, *_NOT_KEPT), operation="refused")
