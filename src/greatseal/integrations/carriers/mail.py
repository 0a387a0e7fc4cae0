"""A mail by SMTP: plain text with a readable HTML alternative. The server is the operator's own.

A parcel has arrived when the server has taken it. What becomes of it after that (bounces) is not followed.
"""

import hashlib
import html
import logging
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Literal, NoReturn

from greatseal.domain.delivery import Parcel, Undeliverable
from greatseal.integrations.pinned import cut_at, said
from greatseal.kernel.clock import Clock
from greatseal.kernel.secret import Secret

_log = logging.getLogger(__name__)

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_LONGEST_SUBJECT = 200
_PAGE = (
    '<!doctype html><html><head><meta charset="utf-8"><title>{subject}</title></head>'
    '<body style="margin:0;padding:24px;font-family:sans-serif;color:#1b1f24">'
    '<h1 style="font-size:18px;margin:0 0 16px">{subject}</h1>'
    '<pre style="font:13px/1.5 monospace;white-space:pre-wrap;overflow-wrap:anywhere;margin:0">{text}</pre>'
    "{foot}</body></html>\n"
)


@dataclass(frozen=True, slots=True)
class MailServer:
    """The SMTP server that takes our mail."""

    host: str
    port: int
    sender: str
    tls: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password: Secret | None = field(default=None, repr=False)
    context: ssl.SSLContext | None = None
    """None trusts the system's authorities."""
    timeout: float = 20.0
    """Seconds for a whole mail."""


class MailCarrier:
    """Carries parcels of the kind `email`; threads may share it."""

    def __init__(
        self, server: MailServer | None, *, clock: Clock, channels: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        """`channels` are lists of addresses by name. Without a server every mail is refused."""
        self._server = server
        self._clock = clock
        self._channels = dict(channels or {})

    def carry(self, parcel: Parcel) -> None:
        """Returns once the server has taken the mail. Raises Undeliverable."""
        if self._server is None:
            raise Undeliverable("the settings name no mail server: set [mail] host and sender", final=True)
        try:
            message = self._message(parcel, self._server)
        except (ValueError, IndexError, MessageError) as error:
            raise Undeliverable(f"no mail can be made of it: {type(error).__name__}", final=True) from None
        _hand_over(self._server, message)

    def _message(self, parcel: Parcel, server: MailServer) -> EmailMessage:
        receivers = [parcel.address["to"]] if "to" in parcel.address else self._channels.get(parcel.address["channel"])
        if not receivers:
            raise Undeliverable("there is no such mail channel in the settings", final=True)
        wanted = parcel.attributes
        subject = _one_line(wanted.get("subject", "") or "Notification")
        sender = address_of(server.sender)
        message = EmailMessage(policy=SMTP)
        message["From"] = Address(_one_line(wanted.get("sender_name", "") or "Greatseal"), addr_spec=sender.addr_spec)
        message["To"] = tuple(address_of(each) for each in receivers)
        message["Subject"] = subject
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = _message_id(parcel, sender.domain)
        message["Auto-Submitted"] = "auto-generated"
        link = _link(wanted.get("unsubscribe_url", ""))
        if link:
            message["List-Unsubscribe"] = f"<{link}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(parcel.body)
        message.add_alternative(wanted.get("html") or _page(subject, parcel.body, link), subtype="html")
        return message


def address_of(text: str) -> Address:
    """The one address that a text is; a domain that is not ASCII becomes its IDNA form. Raises ValueError."""
    local, at, domain = text.rpartition("@")
    if (
        not (local and at and domain)
        or len(text) > 254
        or _CONTROL.search(text)
        or re.search(r"[\s<>()\[\],;:\"\\]", text)
    ):
        raise ValueError("not an address of one mailbox")
    if not domain.isascii():
        domain = domain.encode("idna").decode()
    try:
        # The parser of addresses knows ASCII only; what is beyond it has no characters with a meaning.
        return Address(addr_spec=f"{local}@{domain}") if local.isascii() else Address(username=local, domain=domain)
    except (IndexError, MessageError):
        raise ValueError("not an address of one mailbox") from None


def _hand_over(server: MailServer, message: EmailMessage) -> None:
    until = time.monotonic() + server.timeout
    with ExitStack() as stack:
        client = _Client(server, stack, until)
        stack.callback(client.close)
        try:
            _greet(server, client)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise Undeliverable(_reason(error, until), down=True) from None
        try:
            refused = client.send_message(message)
            if refused:
                # The others have it, and would get it once more with every further attempt.
                _log.warning("the mail server took a mail for some of its receivers only, refusing %d", len(refused))
        except smtplib.SMTPSenderRefused as error:
            raise Undeliverable(f"the mail server refused our sender: {error.smtp_code}", down=True) from None
        except smtplib.SMTPRecipientsRefused as error:
            _refused([code for code, _ in error.recipients.values()])
        except smtplib.SMTPResponseException as error:
            _refused([error.smtp_code])
        except smtplib.SMTPNotSupportedError:
            raise Undeliverable("the mail server takes no such address (SMTPUTF8)", final=True) from None
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise Undeliverable(_reason(error, until), down=time.monotonic() >= until) from None
        # It has been taken: how the conversation ends is of no importance.
        with suppress(OSError, smtplib.SMTPException, ValueError):
            client.quit()


def _greet(server: MailServer, client: "_Client") -> None:
    """Connects, secures the connection and signs in. Raises OSError, SMTPException, ValueError."""
    code, _ = client.connect(server.host, server.port)
    if code != 220:
        raise smtplib.SMTPConnectError(code, "")
    client.ehlo()
    if server.tls == "starttls":
        # Raises when the server does not offer it: never in the clear instead.
        client.starttls(context=server.context or ssl.create_default_context())
        client.ehlo()
    if server.user is not None and server.password is not None:
        client.login(server.user, server.password.reveal().decode())


class _Client(smtplib.SMTP):
    """A client whose connection ends at an instant."""

    def __init__(self, server: MailServer, stack: ExitStack, until: float) -> None:
        super().__init__(timeout=server.timeout)
        self._host = server.host  # the name that STARTTLS checks; the parent knows it only when it connects by itself
        self._server = server
        self._stack = stack
        self._until = until

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        raw = socket.create_connection((host, port), timeout)
        self._stack.callback(raw.close)
        self._stack.enter_context(cut_at(self._until, raw))
        if self._server.tls != "tls":
            return raw
        return (self._server.context or ssl.create_default_context()).wrap_socket(raw, server_hostname=host)


def _refused(codes: Sequence[int]) -> NoReturn:
    final = all(500 <= code < 600 for code in codes)
    raise Undeliverable(f"the mail server refused it: {', '.join(map(str, sorted(set(codes))))}", final=final)


def _reason(error: Exception, until: float) -> str:
    if time.monotonic() >= until or isinstance(error, TimeoutError):
        return "the mail server took too long"
    code = f" {error.smtp_code}" if isinstance(error, smtplib.SMTPResponseException) else ""
    return f"the mail server: {said(error)}{code}"


def _message_id(parcel: Parcel, domain: str) -> str:
    """The same however often it is sent, and another for each receiver."""
    digest = hashlib.sha256(f"{parcel.lane}\n{parcel.message_id}".encode()).hexdigest()
    return f"<{digest[:40]}@{domain}>"


def _one_line(text: str) -> str:
    """Text for a header: what ends a line is a space."""
    return _CONTROL.sub(" ", text).strip()[:_LONGEST_SUBJECT]


def _link(url: str) -> str:
    """RFC 8058 wants https; anything that could end the header is no link."""
    return url if re.fullmatch(r"https://[!-;=?-~]+", url) else ""


def _page(subject: str, text: str, link: str) -> str:
    foot = ""
    if link:
        foot = f'<p style="font-size:12px;margin:24px 0 0"><a href="{html.escape(link)}">Unsubscribe</a></p>'
    return _PAGE.format(subject=html.escape(subject), text=html.escape(text), foot=foot)
