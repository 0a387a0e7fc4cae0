"""`GET /….crl`: the newest revocation lists, as clients of every kind fetch them (RFC 5280 section 4.2.1.13).

The last step of the path names the list; the folders before it are the operator's choice and change nothing, also
when another door has that name (`CustomPath` may be `ocsp`). `…-delta.crl` is the delta to a list.
Requests with the ETag or the time of the list that is published are answered without reading it.
"""

import re
from email.utils import format_datetime, parsedate_to_datetime

from greatseal.domain.revocation import Publications
from greatseal.domain.revocation.deltas import Deltas
from greatseal.domain.revocation.lists import ListHead
from greatseal.edge.messages import HeaderList, HttpRequest, HttpResponse, json_response
from greatseal.edge.mounts import Handler

NAME = re.compile(rb"/(?:[^?#]*/)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(-delta)?\.crl")
"""The paths of lists."""
_FRESH_SECONDS = 60
"""How long caches may answer without asking: a revocation should not wait for them for long."""


def handler(publications: Publications, other: Handler | None = None) -> Handler:
    """Serves lists; what names none that is published goes to `other`, or is not found."""

    def handle(request: HttpRequest) -> HttpResponse:
        name = NAME.fullmatch(request.raw_path)
        if name is not None and request.method in ("GET", "HEAD"):
            source = publications.deltas if name[2] else publications
            found = _serve(source, name[1].decode("ascii"), request)
            if found is not None:
                return found
        answer = other(request) if other is not None else None
        if answer is not None and (name is None or answer.status != 404):
            return answer
        if name is not None and request.method not in ("GET", "HEAD"):
            refusal = {"message": "Method not allowed", "requestId": request.request_id}
            return json_response(405, refusal, ((b"allow", b"GET, HEAD"),))
        return json_response(404, {"message": "Not found", "requestId": request.request_id})

    return handle


def behind(first: Handler, publications: Publications) -> Handler:
    """Lists at paths that belong to another door: it is asked `first`, and the lists when it has nothing to show."""

    def handle(request: HttpRequest) -> HttpResponse:
        answer = first(request)
        if answer.status not in (403, 404) or NAME.fullmatch(request.raw_path) is None:
            return answer
        return handler(publications, lambda _: answer)(request)

    return handle


def _serve(publications: Publications | Deltas, list_id: str, request: HttpRequest) -> HttpResponse | None:
    head = publications.head(list_id)
    if head is not None and _is_current(head, request):
        return HttpResponse(304, _headers(head), operation="GetCrl")
    found = publications.read(list_id)
    if found is None:
        return None
    # Read again: a newer list may have come since, and its headers must be its own.
    head, der = found
    headers = ((b"content-type", b"application/pkix-crl"), *_headers(head))
    return HttpResponse(200, headers, der, operation="GetCrl")


def _headers(head: ListHead) -> HeaderList:
    modified = format_datetime(head.generated_at.replace(microsecond=0), usegmt=True)
    return (
        (b"cache-control", f"public, max-age={_FRESH_SECONDS}, must-revalidate".encode()),
        (b"etag", _etag(head)),
        (b"last-modified", modified.encode()),
    )


def _etag(head: ListHead) -> bytes:
    """The number of the list, which is never used twice."""
    return f'"{head.number:x}"'.encode()


def _is_current(head: ListHead, request: HttpRequest) -> bool:
    """Whether the client has this list (RFC 9110 section 13.2.2: an ETag outweighs a time)."""
    known = request.header("if-none-match")
    if known is not None:
        tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
        return "*" in tags or _etag(head).decode() in tags
    since = request.header("if-modified-since")
    if since is None:
        return False
    try:
        return head.generated_at.replace(microsecond=0) <= parsedate_to_datetime(since)
    except (ValueError, TypeError, OverflowError):
        return False  # a date that is none, or one without a zone, counts as not sent
