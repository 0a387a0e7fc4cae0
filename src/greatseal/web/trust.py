"""The repository of the trust services over plain HTTP, for everybody.

    /trust            the table of roots           /trust/index.json    the same for programs
    /trust/roots.pem  all roots, one file          /trust/root1.pem  .cer  -cross.pem  -cross.cer

Certificates of the CAs are under `/ca` as well, where issued ones point to.
"""

import hashlib
import re
from collections.abc import Iterable

import msgspec

from greatseal.domain.trust_services import TrustRepository
from greatseal.domain.trust_services.repository import RootEntry
from greatseal.edge.messages import HeaderList, HttpRequest, HttpResponse, json_response
from greatseal.edge.mounts import Handler
from greatseal.web import trust_page
from greatseal.x509 import pem
from greatseal.x509.certificate import Certificate

PREFIX = "/trust"

_FILE = re.compile(rb"/trust/root([0-9])(-cross)?\.(pem|cer)")
_SECONDS = 60


def handler(repository: TrustRepository) -> Handler:
    """Answers GET and HEAD below `/trust`."""

    def handle(request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            refusal = {"message": "Method not allowed", "requestId": request.request_id}
            return json_response(405, refusal, ((b"allow", b"GET, HEAD"),))
        roots = repository.roots()
        path = request.raw_path
        if path in (b"/trust", b"/trust/"):
            if _wants_json(request):
                return _json(request, roots)
            page = trust_page.table(roots)
            policy = (b"content-security-policy", trust_page.POLICY.encode("ascii"))
            headers = (policy, (b"referrer-policy", b"no-referrer"))
            return _answer(request, b"text/html; charset=utf-8", page.encode(), headers)
        if path == b"/trust/index.json":
            return _json(request, roots)
        if path == b"/trust/roots.pem" and roots:
            return _answer(request, b"application/x-pem-file", _pem(root.certificate for root in roots))
        found = _FILE.fullmatch(path)
        wanted = next((root for root in roots if found and root.tier.number == int(found[1])), None)
        certificate = None
        if found is not None and wanted is not None:
            certificate = wanted.cross if found[2] else wanted.certificate
        if found is None or certificate is None:
            return json_response(404, {"message": "Not found", "requestId": request.request_id})
        if found[3] == b"cer":
            return _answer(request, b"application/pkix-cert", certificate.der)
        return _answer(request, b"application/x-pem-file", _pem([certificate]))

    return handle


def content(roots: Iterable[RootEntry]) -> dict[str, object]:
    """The table for programs; digests in lower-case hex."""
    return {
        "roots": [
            {
                "number": root.tier.number,
                "subject": root.certificate.subject.display(),
                "crossSigns": root.is_old,
                "keyAlgorithm": root.tier.key.name,
                "spkiSha256": hashlib.sha256(root.certificate.spki).hexdigest(),
                "certificateSha256": root.certificate.fingerprint_sha256.hex(),
                "notAfter": root.certificate.not_after.isoformat(),
                "certificate": f"{PREFIX}/root{root.tier.number}.pem",
                "crossCertificate": f"{PREFIX}/root{root.tier.number}-cross.pem" if root.cross else None,
                "issuers": [
                    {"subject": each.certificate.subject.display(), "page": f"/ca/{each.id}"} for each in root.issuers
                ],
                "endpoints": {each.state.value: each.url for each in root.endpoints},
            }
            for root in roots
        ],
        "bundle": f"{PREFIX}/roots.pem",
    }


def _json(request: HttpRequest, roots: Iterable[RootEntry]) -> HttpResponse:
    return _answer(request, b"application/json", msgspec.json.encode(content(roots)))


def _answer(request: HttpRequest, kind: bytes, body: bytes, more: HeaderList = ()) -> HttpResponse:
    tag = f'"{hashlib.sha256(body).hexdigest()[:40]}"'.encode("ascii")
    headers: HeaderList = (
        (b"cache-control", f"public, max-age={_SECONDS}".encode("ascii")),
        (b"etag", tag),
        (b"vary", b"accept"),
        (b"x-content-type-options", b"nosniff"),
    )
    if (request.header("if-none-match") or "").encode() == tag:
        return HttpResponse(304, headers, operation="GetTrustRepository")
    return HttpResponse(200, ((b"content-type", kind), *headers, *more), body, "GetTrustRepository")


def _wants_json(request: HttpRequest) -> bool:
    accept = (request.header("accept") or "").lower()
    return "application/json" in accept and "text/html" not in accept


def _pem(certificates: Iterable[Certificate]) -> bytes:
    return (pem.write_certificates([each.der for each in certificates]) + "\n").encode("ascii")
