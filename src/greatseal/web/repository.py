"""The repository over plain HTTP: certificates of CAs in every form, a page for each, and an index.

    /ca/<id>.cer  .pem  .p7c  .chain.pem  .chain.p7c     the certificate, and the chain up to the root
    /ca/<id>      /ca/<id>.json                           the page
    /ca/          /ca/index.json                          the index

Ruled by docs/repository.md. Nothing here needs or takes a credential.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

import msgspec

from greatseal.domain.revocation.repository import Repository
from greatseal.edge.messages import HeaderList, HttpRequest, HttpResponse, json_response
from greatseal.edge.mounts import Handler
from greatseal.web import repository_json, repository_page
from greatseal.x509 import pem, pkcs7

PREFIX = "/ca"

_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_PATH = re.compile(rf"/ca/({_ID})(\.[a-z0-9.]+)?".encode())
_INDEX = frozenset({b"/ca", b"/ca/", b"/ca/index.json"})

_Chain = tuple[bytes, ...]
_FILES: Mapping[bytes, tuple[bytes, Callable[[_Chain], bytes]]] = {
    b".cer": (b"application/pkix-cert", lambda chain: chain[0]),
    b".pem": (b"application/x-pem-file", lambda chain: _pem(chain[:1])),
    b".p7c": (b"application/pkcs7-mime; smime-type=certs-only", lambda chain: pkcs7.certificates_only(chain[:1])),
    b".chain.pem": (b"application/x-pem-file", lambda chain: _pem(chain)),
    b".chain.p7c": (b"application/pkcs7-mime; smime-type=certs-only", pkcs7.certificates_only),
}
"""Media types of RFC 2585 section 4 and RFC 8551 section 3.2."""

_FILE_SECONDS, _PAGE_SECONDS = 3600, 60


def handler(repository: Repository) -> Handler:
    """Answers GET and HEAD below `/ca`."""

    def handle(request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            refusal = {"message": "Method not allowed", "requestId": request.request_id}
            return json_response(405, refusal, ((b"allow", b"GET, HEAD"),))
        if request.raw_path in _INDEX:
            return _index(repository, request) or _missing(request)
        found = _PATH.fullmatch(request.raw_path)
        if found is None:
            return _missing(request)
        authority_id, ending = found[1].decode("ascii"), found[2]
        if ending in _FILES:
            return _file(repository, request, authority_id, ending) or _missing(request)
        if ending in (None, b".json"):
            return _page(repository, request, authority_id) or _missing(request)
        return _missing(request)

    return handle


def _file(repository: Repository, request: HttpRequest, authority_id: str, ending: bytes) -> HttpResponse | None:
    chain = repository.certificates(authority_id)
    if chain is None:
        return None
    kind, write = _FILES[ending]
    return _answer(request, kind, write(chain), _FILE_SECONDS, "GetCaCertificate")


def _page(repository: Repository, request: HttpRequest, authority_id: str) -> HttpResponse | None:
    entry = repository.find(authority_id)
    if entry is None:
        return None
    if _wants_json(request):
        return _json(request, repository_json.entry(entry))
    return _html(request, repository_page.entry(entry))


def _index(repository: Repository, request: HttpRequest) -> HttpResponse | None:
    after = parse_qs(request.raw_query.decode("latin-1")).get("after", [""])[0]
    # What is no id begins anew, as an unknown one does; PostgreSQL takes not every text.
    found = repository.index(after if re.fullmatch(_ID, after) else "")
    if found is None:
        return None
    entries, more = found
    if _wants_json(request):
        return _json(request, repository_json.index(entries, more))
    return _html(request, repository_page.index(entries, more))


def _json(request: HttpRequest, content: object) -> HttpResponse:
    return _answer(request, b"application/json", msgspec.json.encode(content), _PAGE_SECONDS, "GetRepository")


def _html(request: HttpRequest, page: str) -> HttpResponse:
    policy = (b"content-security-policy", repository_page.POLICY.encode("ascii"))
    referrer = (b"referrer-policy", b"no-referrer")
    kind = b"text/html; charset=utf-8"
    return _answer(request, kind, page.encode(), _PAGE_SECONDS, "GetRepository", (policy, referrer))


def _answer(
    request: HttpRequest, kind: bytes, body: bytes, seconds: int, operation: str, more: HeaderList = ()
) -> HttpResponse:
    tag = f'"{hashlib.sha256(body).hexdigest()[:40]}"'
    headers: HeaderList = (
        (b"cache-control", f"public, max-age={seconds}".encode("ascii")),
        (b"etag", tag.encode("ascii")),
        (b"vary", b"accept"),
        (b"x-content-type-options", b"nosniff"),
    )
    known = {each.strip().removeprefix("W/") for each in (request.header("if-none-match") or "").split(",")}
    if tag in known or "*" in known:
        return HttpResponse(304, headers, operation=operation)
    return HttpResponse(200, ((b"content-type", kind), *headers, *more), body, operation)


def _wants_json(request: HttpRequest) -> bool:
    """Programs ask for JSON by name; browsers always name HTML."""
    accept = (request.header("accept") or "").lower()
    return request.raw_path.endswith(b".json") or ("application/json" in accept and "text/html" not in accept)


def _missing(request: HttpRequest) -> HttpResponse:
    return json_response(404, {"message": "Not found", "requestId": request.request_id})


def _pem(chain: _Chain) -> bytes:
    return (pem.write_certificates(chain) + "\n").encode("ascii")
