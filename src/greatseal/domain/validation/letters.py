"""The mails that ask for approval: whom, what they say, and how they leave (acm.md 8.2).

A parcel waits in the database without its token, and is a dead letter without it; the carrier puts it in.
"""

import html
from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import urlencode

from greatseal.domain.delivery import Carrier, Parcel, Undeliverable
from greatseal.domain.validation.model import Question
from greatseal.domain.validation.tokens import Tokens

KIND = "approval"
"""The kind of the parcels, for `Deliveries`."""

PATH = "/approvals"
MAILBOXES = ("administrator", "hostmaster", "postmaster", "webmaster", "admin")
"""The constructed addresses of the Baseline Requirements (3.2.2.4.4); nobody else is asked."""

_LINK = "{link}"
_BODY = """\
{opening}

Domain: {domain}
AWS account ID: {account}
AWS Region name: {region}
Certificate Identifier: {arn}

To approve or to decline, open this page. Nothing happens until you press one of its buttons:

{{link}}

The page is good for 72 hours. If you know nothing of this request, decline it or ignore this mail.
Whoever has this link can approve: do not pass the mail on.
"""
_NEW = "Somebody has asked for a certificate for this domain, and you are a contact of the domain."
_RENEWAL = (
    "A certificate for this domain needs your approval to renew. Without it the certificate ends and is not renewed."
)


def mailboxes(domain: str) -> tuple[str, ...]:
    """The five addresses at a validation domain."""
    return tuple(f"{box}@{domain}" for box in MAILBOXES)


def letter(question: Question, nonce: str) -> Parcel:
    """The mail to one mailbox, without its token."""
    kind = "Certificate renewal" if question.renewal else "Certificate request"
    body = _BODY.format(
        opening=_RENEWAL if question.renewal else _NEW,
        domain=question.name,
        account=question.account,
        region=question.region,
        arn=question.arn,
    )
    return Parcel(
        lane=f"{KIND}:{question.mailbox}",
        kind=KIND,
        address={"to": question.mailbox},
        body=body,
        message_id=nonce,
        attributes={"subject": f"{kind} for {question.name}", "sender_name": "Certificate requests"},
        account=question.account,
    )


class ApprovalCarrier:
    """Carries parcels of the kind `approval`, as mails with a link. Implements `Carrier`."""

    def __init__(self, *, tokens: Tokens, base: Callable[[], str], mail: Callable[[], Carrier | None]) -> None:
        """`base` is the address of the pages, `mail` who carries mail now."""
        self._tokens = tokens
        self._base = base
        self._mail = mail

    def carry(self, parcel: Parcel) -> None:
        """Returns once the mail server has taken the mail. Raises Undeliverable."""
        carrier = self._mail()
        if carrier is None:
            raise Undeliverable("this installation has nothing that carries mail", final=True)
        link = f"{self._base()}{PATH}?{urlencode({'code': self._tokens.approval(parcel.message_id)})}"
        attributes = {**parcel.attributes, "html": _page(parcel.attributes, parcel.body, link)}
        carrier.carry(replace(parcel, kind="email", body=parcel.body.replace(_LINK, link), attributes=attributes))


def _page(attributes: Mapping[str, str], body: str, link: str) -> str:
    anchor = f'<a href="{html.escape(link)}">{html.escape(link)}</a>'
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{html.escape(attributes.get("subject", ""))}</title>'
        '</head><body style="margin:0;padding:24px;font-family:sans-serif;color:#1b1f24">'
        '<div style="white-space:pre-wrap;overflow-wrap:anywhere">'
        f"{html.escape(body).replace(_LINK, anchor)}</div></body></html>\n"
    )
