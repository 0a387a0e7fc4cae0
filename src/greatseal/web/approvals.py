"""What the mails of domain validation lead to, and the pages of HTTP validation (acm.md 8.2, 8.3).

    /approvals?code=…                                       a page; its buttons (POST) approve or decline
    /validation/<12 hex>/.well-known/pki-validation/<32 hex>.txt   what sites redirect to

No GET changes anything: programs that look into mails follow links. The form carries the code in its body, so that
nobody who does not know the code can have a browser send it.
"""

import re
from collections.abc import Callable
from urllib.parse import parse_qs

from greatseal.domain.validation import Approvals, Tokens
from greatseal.domain.validation.letters import PATH
from greatseal.domain.validation.model import Question
from greatseal.edge.messages import HeaderList, HttpRequest, HttpResponse, json_response
from greatseal.edge.mounts import Handler
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import Refusal
from greatseal.web import approvals_page

PREFIX = PATH
PAGES = "/validation"
MAX_BODY = 4096
_PAGE = re.compile(rb"/validation/([0-9a-f]{12})/\.well-known/pki-validation/([0-9a-f]{32})\.txt")
_GONE = ("This link is not good any more", "It was answered already, it is too old, or a part of it is missing.")

Approver = Callable[[str, str, str], Caller]
"""From a certificate's ARN, a client's address and an operation to who acts."""


class ApprovalsDoor:
    """Answers at `/approvals`."""

    def __init__(self, *, approvals: Approvals, approver: Approver) -> None:
        self._approvals = approvals
        self._approver = approver

    def handle(self, request: HttpRequest) -> HttpResponse:
        """One request."""
        if request.raw_path not in (b"/approvals", b"/approvals/"):
            return json_response(404, {"message": "Not found", "requestId": request.request_id})
        match request.method:
            case "GET" | "HEAD":
                return self._ask(request)
            case "POST":
                return self._decide(request)
            case _:
                refusal = {"message": "Method not allowed", "requestId": request.request_id}
                return json_response(405, refusal, ((b"allow", b"GET, HEAD, POST"),))

    def _ask(self, request: HttpRequest) -> HttpResponse:
        code = _fields(request.raw_query).get("code", "")
        found = self._approvals.asked(code)
        if found is None:
            return _html(404, approvals_page.told(*_GONE), "ShowApproval")
        return _html(200, approvals_page.question(_facts(found), code, renewal=found.renewal), "ShowApproval")

    def _decide(self, request: HttpRequest) -> HttpResponse:
        sent = _fields(request.body)
        decision = sent.get("decision")
        if decision not in ("approve", "decline") or _is_foreign(request):
            page = approvals_page.told("Nothing was done", "Open the link of the mail and press one of its buttons.")
            return _html(400, page, "DecideApproval")
        approve = decision == "approve"
        operation = "ApproveDomainValidation" if approve else "DeclineDomainValidation"
        try:
            done = self._approvals.decide(
                sent.get("code", ""),
                approve=approve,
                by=lambda arn: self._approver(arn, request.client_ip, operation),
            )
        except Refusal:
            return _html(404, approvals_page.told(*_GONE), "DecideApproval")
        told = ("Approved", f"The certificate for {done.name} was approved. You can close this page.")
        if not approve:
            told = ("Declined", f"No certificate is issued for {done.name} on this request.")
        return _html(200, approvals_page.told(*told), "DecideApproval")


def pages(tokens: Tokens) -> Handler:
    """Answers below `/validation`: the content that a site's redirect leads to."""

    def handle(request: HttpRequest) -> HttpResponse:
        found = _PAGE.fullmatch(request.raw_path)
        if found is None or request.method not in ("GET", "HEAD"):
            return json_response(404, {"message": "Not found", "requestId": request.request_id})
        content = tokens.content(found[1].decode("ascii"), found[2].decode("ascii")).encode("ascii")
        headers = ((b"content-type", b"text/plain; charset=us-ascii"), (b"cache-control", b"no-store"))
        return HttpResponse(200, headers, content, "GetValidationPage")

    return handle


def _is_foreign(request: HttpRequest) -> bool:
    """Whether a browser says that another site's page sent the form (Fetch Metadata)."""
    return request.header("sec-fetch-site") not in (None, "same-origin", "none")


def _facts(found: Question) -> dict[str, str]:
    return {
        "Domain": found.name,
        "AWS account ID": found.account,
        "AWS Region name": found.region,
        "Certificate Identifier": found.arn,
        "Asked by mail to": found.mailbox,
    }


def _fields(text: bytes) -> dict[str, str]:
    try:
        parsed = parse_qs(text.decode("latin-1"), max_num_fields=10)
    except ValueError:
        return {}
    return {name: values[0] for name, values in parsed.items()}


def _html(status: int, page: str, operation: str) -> HttpResponse:
    headers: HeaderList = (
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-security-policy", approvals_page.POLICY.encode("ascii")),
        (b"cache-control", b"no-store"),
        (b"referrer-policy", b"no-referrer"),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
    )
    return HttpResponse(status, headers, page.encode(), operation)
