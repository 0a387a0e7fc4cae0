"""What endpoints of topics answer with: pages for people, links for programs, the certificate of the signatures.

    /sns/confirm?token=…        a page; its button (POST) confirms a subscription
    /sns/unsubscribe?token=…    a page; its button, or one-click POST (RFC 8058), ends one
    /sns/?Action=ConfirmSubscription&TopicArn=…&Token=…    the SubscribeURL of documents: GET confirms
    /sns/SimpleNotificationService-….pem

Programs that look into mails follow links, so no GET of a mail's link changes anything.
"""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode
from xml.sax.saxutils import escape

from greatseal.domain.notifications import NotificationRoom
from greatseal.domain.notifications.model import Subscription
from greatseal.edge.messages import HeaderList, HttpRequest, HttpResponse, json_response
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import AccessDenied, Refusal
from greatseal.web import topics_page

PREFIX = "/sns"
MAX_BODY = 4096
_CERTIFICATE = re.compile(rb"/sns/SimpleNotificationService-([0-9a-f]{32})\.pem")
_XML = "http://sns.amazonaws.com/doc/2010-03-31/"
_GONE = ("This link is not good any more", "It was used already, it is too old, or a part of it is missing.")

Outsider = Callable[[str, str, str], Caller]
"""From a topic's ARN, an operation and a client's address to who acts."""


class TopicsDoor:
    """Answers below `/sns`."""

    def __init__(self, *, room: NotificationRoom, certificate: Callable[[str], str | None], outsider: Outsider) -> None:
        """`certificate` finds the one with a fingerprint, in PEM."""
        self._subscriptions = room.subscriptions
        self._certificate = certificate
        self._outsider = outsider

    def handle(self, request: HttpRequest) -> HttpResponse:
        """One request."""
        if request.method not in ("GET", "HEAD", "POST"):
            refusal = {"message": "Method not allowed", "requestId": request.request_id}
            return json_response(405, refusal, ((b"allow", b"GET, HEAD, POST"),))
        asks = request.method == "POST"
        query = {name: values[0] for name, values in parse_qs(request.raw_query.decode("latin-1")).items()}
        found = _CERTIFICATE.fullmatch(request.raw_path)
        if found is not None and not asks:
            return self._pem(request, found[1].decode())
        match request.raw_path:
            case b"/sns/confirm":
                return self._confirm(request, query.get("token", ""), said_yes=asks)
            case b"/sns/unsubscribe":
                return self._unsubscribe(request, query.get("token", ""), said_yes=asks)
            case b"/sns" | b"/sns/" if query.get("Action") == "ConfirmSubscription" and request.method != "HEAD":
                return self._confirm_by_program(request, query)
        return json_response(404, {"message": "Not found", "requestId": request.request_id})

    def _confirm(self, request: HttpRequest, token: str, *, said_yes: bool) -> HttpResponse:
        if not said_yes:
            found = self._subscriptions.asked(token)
            if found is None:
                return _page(404, topics_page.told(*_GONE), "ConfirmSubscription")
            asked = topics_page.question(
                "Do you want these messages?", _facts(found), "Confirm the subscription", _again("confirm", token)
            )
            return _page(200, asked, "ConfirmSubscription")
        try:
            done = self._subscriptions.confirm(None, token, by=self._by(request, "ConfirmSubscription"))
        except Refusal:
            return _page(404, topics_page.told(*_GONE), "ConfirmSubscription")
        text = f"Messages of {done.topic_arn} will come to {done.endpoint}."
        return _page(200, topics_page.told("Subscription confirmed", text), "ConfirmSubscription")

    def _unsubscribe(self, request: HttpRequest, token: str, *, said_yes: bool) -> HttpResponse:
        try:
            if not said_yes:
                found = self._subscriptions.in_link(token)
                asked = topics_page.question(
                    "Receive no more of these messages?",
                    _facts(found),
                    "End the subscription",
                    _again("unsubscribe", token),
                )
                return _page(200, asked, "Unsubscribe")
            done = self._subscriptions.unsubscribe_by_link(token, self._by(request, "Unsubscribe"))
        except AccessDenied as error:
            return _page(403, topics_page.told("This link cannot end the subscription", error.message), "Unsubscribe")
        except Refusal:
            return _page(404, topics_page.told(*_GONE), "Unsubscribe")
        text = f"Nothing of {done.topic_arn} will come to {done.endpoint} any more."
        return _page(200, topics_page.told("Subscription ended", text), "Unsubscribe")

    def _confirm_by_program(self, request: HttpRequest, query: dict[str, str]) -> HttpResponse:
        try:
            done = self._subscriptions.confirm(
                query.get("TopicArn", ""), query.get("Token", ""), by=self._by(request, "ConfirmSubscription")
            )
        except Refusal as refusal:
            told = f"<Type>Sender</Type><Code>InvalidParameter</Code><Message>{escape(refusal.message)}</Message>"
            return _xml(400, "ErrorResponse", f"<Error>{told}</Error><RequestId>{request.request_id}</RequestId>")
        result = f"<SubscriptionArn>{escape(done.arn)}</SubscriptionArn>"
        told = f"<ResponseMetadata><RequestId>{request.request_id}</RequestId></ResponseMetadata>"
        return _xml(
            200,
            "ConfirmSubscriptionResponse",
            f"<ConfirmSubscriptionResult>{result}</ConfirmSubscriptionResult>{told}",
        )

    def _pem(self, request: HttpRequest, fingerprint: str) -> HttpResponse:
        found = self._certificate(fingerprint)
        if found is None:
            return json_response(404, {"message": "Not found", "requestId": request.request_id})
        headers = ((b"content-type", b"application/x-pem-file"), (b"cache-control", b"public, max-age=86400"))
        return HttpResponse(200, headers, found.encode("ascii"), "GetSigningCertificate")

    def _by(self, request: HttpRequest, operation: str) -> Callable[[str], Caller]:
        return lambda topic_arn: self._outsider(topic_arn, operation, request.client_ip)


def _facts(found: Subscription) -> dict[str, str]:
    return {"Topic": found.topic_arn, "Address": found.endpoint}


def _again(page: str, token: str) -> str:
    return f"{PREFIX}/{page}?{urlencode({'token': token})}"


def _page(status: int, page: str, operation: str) -> HttpResponse:
    headers: HeaderList = (
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-security-policy", topics_page.POLICY.encode("ascii")),
        (b"cache-control", b"no-store"),
        (b"referrer-policy", b"no-referrer"),
        (b"x-content-type-options", b"nosniff"),
    )
    return HttpResponse(status, headers, page.encode(), operation)


def _xml(status: int, name: str, content: str) -> HttpResponse:
    headers = ((b"content-type", b"text/xml"), (b"cache-control", b"no-store"))
    return HttpResponse(status, headers, f'<{name} xmlns="{_XML}">{content}</{name}>'.encode(), "ConfirmSubscription")
