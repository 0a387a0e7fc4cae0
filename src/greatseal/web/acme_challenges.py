"""Answers to HTTP-01 challenges of the CA upstream (RFC 8555 section 8.3), at the plain listener."""

import re
from collections.abc import Callable

from greatseal.edge.messages import HttpRequest, HttpResponse, json_response
from greatseal.edge.mounts import Handler

PREFIX = "/.well-known/acme-challenge"
_PATH = re.compile(rb"/\.well-known/acme-challenge/([A-Za-z0-9_-]{1,256})")


def handler(file: Callable[[str], str | None]) -> Handler:
    """`file` tells what is in the file with a name."""

    def handle(request: HttpRequest) -> HttpResponse:
        found = _PATH.fullmatch(request.raw_path) if request.method in ("GET", "HEAD") else None
        content = None if found is None else file(found[1].decode("ascii"))
        if content is None:
            return json_response(404, {"message": "Not found", "requestId": request.request_id})
        headers = ((b"content-type", b"application/octet-stream"), (b"cache-control", b"no-store"))
        return HttpResponse(200, headers, content.encode("ascii"), operation="AcmeChallenge")

    return handle
