"""Our transparency logs over HTTP: both APIs below one address, and the list of logs.

    /ct/<log>/ct/v1/add-chain …                       RFC 6962 section 4 (`ct_rfc6962.py`)
    /ct/<log>/checkpoint  tile/<L>/<N>[.p/<W>]  tile/data/<N>[.p/<W>]  issuer/<sha256>     c2sp.org/static-ct-api
    /ct/log_list.json                                 who runs what, in the form that browsers have

Ruled by docs/transparency.md. Anybody may read, and submit what chains up to an accepted root.
"""

import gzip
import re
from typing import TYPE_CHECKING

from greatseal.domain.transparency import Logs
from greatseal.domain.transparency.log_list import log_list
from greatseal.domain.transparency.model import ChainRefused, LogClosed, NoSuchEntry
from greatseal.domain.transparency.paths import read_tile_path
from greatseal.edge.messages import HeaderList, HttpRequest, HttpResponse, json_response
from greatseal.edge.mounts import Handler
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import InProgress, InvalidArgument, InvalidState, NotFound, Refusal
from greatseal.web import ct_rfc6962

if TYPE_CHECKING:
    from greatseal.domain.transparency.reading import LogReading

PREFIX = "/ct"
MAX_BODY = 1024 * 1024
"""Octets of a submission: a chain in base64."""

_PATH = re.compile(rb"/ct/([a-z0-9][a-z0-9-]{0,63})/([A-Za-z0-9/._-]{1,200})")
_V1 = "ct/v1/"
_ISSUER = re.compile(r"issuer/([0-9a-f]{64})")
_FOR_EVER = (b"cache-control", b"public, max-age=31536000, immutable")
_NOW = (b"cache-control", b"no-cache")
_ANYBODY: HeaderList = ((b"access-control-allow-origin", b"*"), (b"x-content-type-options", b"nosniff"))
_RETRY = (b"retry-after", b"10")


def handler(logs: Logs, clock: Clock) -> Handler:
    """Answers below `/ct`."""

    def handle(request: HttpRequest) -> HttpResponse:
        if request.raw_path == b"/ct/log_list.json":
            return _list(logs, clock, request)
        found = _PATH.fullmatch(request.raw_path)
        if found is None:
            return _refused(404, "There is nothing at this path.")
        log, path = found[1].decode("ascii"), found[2].decode("ascii")
        try:
            if path.startswith(_V1):
                return ct_rfc6962.answer(logs, log, path.removeprefix(_V1), request)
            if request.method not in ("GET", "HEAD"):
                return _refused(405, "Only GET is answered here.", ((b"allow", b"GET, HEAD"),))
            return _static(logs.reading(log), path, request) or _refused(404, "There is nothing at this path.")
        except Refusal as refusal:
            return _answer_to(refusal)

    return handle


def _static(reading: "LogReading", path: str, request: HttpRequest) -> HttpResponse | None:
    if path == "checkpoint":
        headers = ((b"content-type", b"text/plain; charset=utf-8"), _NOW, *_ANYBODY)
        return HttpResponse(200, headers, reading.checkpoint().encode(), operation="GetCheckpoint")
    tile = read_tile_path(path)
    if tile is not None:
        level, number, width = tile
        if level is None:
            entries = reading.data_tile(number, width)
            return None if entries is None else _tile(entries, request, compressed=True)
        hashes = reading.tile(level, number, width)
        return None if hashes is None else _tile(hashes, request, compressed=False)
    issuer = _ISSUER.fullmatch(path)
    certificate = reading.issuer(bytes.fromhex(issuer[1])) if issuer is not None else None
    if certificate is None:
        return None
    headers = ((b"content-type", b"application/pkix-cert"), _FOR_EVER, *_ANYBODY)
    return HttpResponse(200, headers, certificate, operation="GetIssuer")


def _tile(content: bytes, request: HttpRequest, *, compressed: bool) -> HttpResponse:
    headers: HeaderList = ((b"content-type", b"application/octet-stream"), _FOR_EVER, *_ANYBODY)
    if compressed:
        # Certificates of one CA are mostly the same octets; hashes are not.
        headers = (*headers, (b"vary", b"accept-encoding"))
        if "gzip" in (request.header("accept-encoding") or "").lower():
            headers = (*headers, (b"content-encoding", b"gzip"))
            content = gzip.compress(content, 6, mtime=0)
    return HttpResponse(200, headers, content, operation="GetTile")


def _list(logs: Logs, clock: Clock, request: HttpRequest) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        return _refused(405, "Only GET is answered here.", ((b"allow", b"GET, HEAD"),))
    answer = json_response(200, log_list(logs, clock.now()))
    headers = tuple(each for each in answer.headers if each[0] != b"cache-control")
    return HttpResponse(200, (*headers, _NOW, *_ANYBODY), answer.body, operation="GetLogList")


def _answer_to(refusal: Refusal) -> HttpResponse:
    if isinstance(refusal, ChainRefused | InvalidArgument):
        return _refused(400, refusal.message)
    if isinstance(refusal, LogClosed):
        return _refused(403, refusal.message)
    if isinstance(refusal, NoSuchEntry | NotFound):
        return _refused(404, refusal.message)
    if isinstance(refusal, InProgress):
        return _refused(503, "The entry could not be stored. Try again.", (_RETRY,))
    if isinstance(refusal, InvalidState):
        return _refused(503, "The log signs nothing at present.", (_RETRY,))
    raise refusal


def _refused(status: int, message: str, extra: HeaderList = ()) -> HttpResponse:
    answer = json_response(status, {"error_message": message, "success": False}, (*_ANYBODY, *extra))
    return HttpResponse(status, answer.headers, answer.body)
