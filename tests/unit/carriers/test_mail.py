"""Mail as a real SMTP server receives it, and what cannot be smuggled into one."""

import ssl
from pathlib import Path
from typing import Any

import pytest

from greatseal.domain.delivery import Parcel, Undeliverable
from greatseal.integrations.carriers.mail import MailCarrier, MailServer, address_of
from greatseal.kernel.secret import Secret
from greatseal.testing import FakeClock
from made_receivers import mail_server, only, parcel
from made_tls import Shown

CLOCK = FakeClock()


def carrier(port: int, **more: Any) -> MailCarrier:
    given: dict[str, Any] = {"tls": "none", "timeout": 5.0}
    channels = more.pop("channels", None)
    return MailCarrier(
        MailServer("localhost", port, "seal@example.com", **(given | more)), clock=CLOCK, channels=channels
    )


def mail(to: str = "ann@example.com", body: str = "Hello\nworld", lane: str = "email:ann", **attributes: str) -> Parcel:
    return Parcel(lane, "email", {"to": to}, body, "id-1", attributes=attributes)


def failure(made: MailCarrier, sent: Parcel) -> Undeliverable:
    with pytest.raises(Undeliverable) as failed:
        made.carry(sent)
    return failed.value


def test_a_mail_with_everything() -> None:
    link = "https://seal.example.com/unsubscribe?token=a&b=c"
    with mail_server() as (port, box):
        carrier(port).carry(
            mail(
                body='{"a": "<b> & ü"}\n',
                subject="Zertifikat läuft ab",
                sender_name="Siegel, rot",
                unsubscribe_url=link,
            )
        )
    (got,), (envelope,) = box.mails, box.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == ("seal@example.com", ["ann@example.com"])
    assert got["Subject"] == "Zertifikat läuft ab"
    assert got["From"].addresses[0].display_name == "Siegel, rot"
    assert (got["List-Unsubscribe"], got["List-Unsubscribe-Post"]) == (f"<{link}>", "List-Unsubscribe=One-Click")
    assert got["Auto-Submitted"] == "auto-generated"
    assert got["Date"].datetime == CLOCK.now()
    assert [part.get_content_type() for part in got.iter_parts()] == ["text/plain", "text/html"]
    plain, page = (part.get_content() for part in got.iter_parts())
    assert plain == '{"a": "<b> & ü"}\r\n'
    assert "{&quot;a&quot;: &quot;&lt;b&gt; &amp; ü&quot;}" in page
    assert 'href="https://seal.example.com/unsubscribe?token=a&amp;b=c"' in page


def test_the_message_id_is_that_of_message_and_receiver() -> None:
    with mail_server() as (port, box):
        made = carrier(port)
        for lane in ("email:ann", "email:ann", "email:bob"):
            made.carry(mail(lane=lane))
    first, again, other = (each["Message-ID"] for each in box.mails)
    assert first == again != other
    assert first.endswith("@example.com>")


@pytest.mark.parametrize("newline", ["\r\n", "\n", "\r", "\x0b", "\u2028", "\x85", "\x00"])
def test_nothing_gets_into_the_headers(newline: str) -> None:
    evil = f"Hi{newline}Bcc: victim@example.com{newline}{newline}body"
    with mail_server() as (port, box):
        made = carrier(port)
        made.carry(
            mail(subject=evil, sender_name=evil, unsubscribe_url=f"https://x.example/{newline}Bcc: v@example.com")
        )
        for to in (f"ann@example.com{newline}Bcc: v@example.com", f"ann{newline}@example.com"):
            assert failure(made, mail(to=to)).final
    (got,), (envelope,) = box.mails, box.envelopes
    assert envelope.rcpt_tos == ["ann@example.com"]
    assert got["Bcc"] is None
    assert got["List-Unsubscribe"] is None
    assert got["Subject"] == "Hi Bcc: victim@example.com body"


@pytest.mark.parametrize(
    "to",
    [
        *("", "ann", "@example.com", "ann@", "a@b, c@d.example", "Ann <ann@example.com>", "a b@example.com"),
        *(
            "a@b@c.example",
            "a;b@example.com",
            "x" * 250 + "@b.example",
            "<a@b.example>",
            '"a"@b.example',
            "a@b.example>",
        ),
    ],
)
def test_what_is_not_one_address_is_refused(to: str) -> None:
    assert failure(carrier(1), mail(to=to)).final


def test_addresses_beyond_ascii() -> None:
    assert address_of("ann@bücher.example").domain == "xn--bcher-kva.example"
    with mail_server(enable_SMTPUTF8=True) as (port, box):
        carrier(port).carry(mail(to="jörg@bücher.example"))
    assert box.envelopes[0].rcpt_tos == ["jörg@xn--bcher-kva.example"]
    with mail_server(enable_SMTPUTF8=False) as (port, box):
        assert failure(carrier(port), mail(to="jörg@example.com")).final


@pytest.mark.parametrize("body", ["", ".", ".\r\nQUIT\r\n", "x" * 5000, "\x00\x07", "a\r\n.\r\nb", "日本語" * 500])
def test_any_text_is_a_body(body: str) -> None:
    with mail_server() as (port, box):
        carrier(port).carry(mail(body=body))
    assert len(box.mails) == 1
    plain = box.mails[0].get_body(("plain",))
    assert plain is not None
    assert plain.get_content().replace("\r\n", "\n").rstrip("\n") == body.replace("\r\n", "\n").rstrip("\n")


@pytest.mark.parametrize(
    ("command", "answer", "final", "down"),
    [
        ("RCPT", "550 No such user", True, False),
        ("RCPT", "450 Mailbox busy", False, False),
        ("DATA", "554 Spam", True, False),
        ("DATA", "451 Try later", False, False),
        ("MAIL", "550 Who are you", False, True),
    ],
)
def test_what_the_server_says(command: str, answer: str, final: bool, down: bool) -> None:
    with mail_server() as (port, box):
        box.answers[command] = answer
        failed = failure(carrier(port), mail())
    assert (failed.final, failed.down) == (final, down)


def test_tls_and_a_password(tmp_path: Path) -> None:
    shown = Shown(tmp_path)
    with mail_server(
        tls_context=shown.server(), require_starttls=True, authenticator=only("ann", "pw"), auth_required=True
    ) as (port, box):
        good = {"tls": "starttls", "context": shown.client(), "user": "ann"}
        carrier(port, **good, password=Secret(b"pw")).carry(mail())
        assert len(box.mails) == 1
        assert failure(carrier(port, **good, password=Secret(b"wrong")), mail()).down
        untrusted = {**good, "context": ssl.create_default_context()}
        assert failure(carrier(port, **untrusted, password=Secret(b"pw")), mail()).down
        assert len(box.mails) == 1


def test_it_never_falls_back_to_plain_text() -> None:
    with mail_server() as (port, box):
        failed = failure(carrier(port, tls="starttls"), mail())
        assert (failed.down, box.mails) == (True, [])
        assert failure(carrier(port, tls="tls"), mail()).down


def test_implicit_tls(tmp_path: Path) -> None:
    shown = Shown(tmp_path)
    with mail_server(ssl_context=shown.server()) as (port, box):
        carrier(port, tls="tls", context=shown.client()).carry(mail())
    assert len(box.mails) == 1


def test_a_channel_of_addresses() -> None:
    with mail_server() as (port, box):
        made = carrier(port, channels={"people": ["ann@example.com", "bob@example.com"]})
        made.carry(parcel("email", channel="people"))
        assert failure(made, parcel("email", channel="others")).final
    assert box.envelopes[0].rcpt_tos == ["ann@example.com", "bob@example.com"]


def test_without_a_server_mail_is_a_dead_letter() -> None:
    failed = failure(MailCarrier(None, clock=CLOCK), mail())
    assert failed.final
    assert "[mail]" in str(failed)
