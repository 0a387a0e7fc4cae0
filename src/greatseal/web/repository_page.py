"""Repository pages for people: plain HTML, no scripts, nothing loaded from elsewhere. Every value is escaped."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape

from greatseal.domain.revocation.repository import Entry, PublishedList

_STYLE = """
:root{color-scheme:light dark;--line:#8884;--quiet:#666;--link:#0b5cad;--bad:#b00020}
@media(prefers-color-scheme:dark){:root{--quiet:#aaa;--link:#8ab8ff;--bad:#ff8a80}}
body{font:1rem/1.5 system-ui,sans-serif;margin:0 auto;max-width:52rem;padding:1rem}
h1{font-size:1.5rem;line-height:1.25;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:2rem 0 .5rem}
a{color:var(--link)}
dl{margin:0}
dl>div{border-top:1px solid var(--line);padding:.5rem 0}
dt{color:var(--quiet);font-size:.875rem}
dd{margin:0;overflow-wrap:anywhere}
code{font:.875rem/1.5 ui-monospace,monospace}
ul{list-style:none;margin:0;padding:0}
li{border-top:1px solid var(--line);overflow-wrap:anywhere;padding:.5rem 0}
small{color:var(--quiet);display:block}
strong{color:var(--bad)}
@media(min-width:40rem){dl>div{display:grid;grid-template-columns:13rem 1fr}}
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode("ascii")
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The Content-Security-Policy: what these pages hold, and nothing else."""

_FILES = (
    ("pem", "Certificate, PEM"),
    ("cer", "Certificate, DER"),
    ("p7c", "Certificate, PKCS#7"),
    ("chain.pem", "Certificate with the chain up to its root, PEM"),
    ("chain.p7c", "Certificate with the chain up to its root, PKCS#7"),
    ("json", "This page, JSON"),
)


def entry(found: Entry) -> str:
    """The page of a CA."""
    certificate, key = found.certificate, hashlib.sha256(found.certificate.spki).digest()
    over = found.at > certificate.not_after
    facts = (
        ("Subject", escape(certificate.subject.display())),
        ("Issuer", escape(certificate.issuer.display())),
        ("Serial number", code(colons(certificate.serial.to_bytes((certificate.serial.bit_length() + 7) // 8 or 1)))),
        ("Valid from", moment_of(certificate.not_before)),
        ("Valid until", moment_of(certificate.not_after) + (" <strong>expired</strong>" if over else "")),
        ("Key", escape(found.key_algorithm)),
    )
    # A pin is one of these, never one of those: the two are mixed up easily (workflows.md 13.1).
    digests = (
        ("Public key (SPKI), SHA-256", code(key.hex())),
        ("Public key (SPKI), SHA-256 in base64", code(base64.b64encode(key).decode("ascii"))),
        ("Certificate, SHA-256", code(colons(certificate.fingerprint_sha256))),
        ("Certificate, SHA-1", code(colons(hashlib.sha1(certificate.der, usedforsecurity=False).digest()))),
    )
    files = (f'<a href="/ca/{found.id}.{ending}">{escape(text)}</a>' for ending, text in _FILES)
    return page(
        _title(found),
        f"{facts_of(facts)}<h2>Digests</h2>{facts_of(digests)}<h2>Downloads</h2>{items(files)}"
        f"<h2>Revocation</h2>{items(_checks(found))}",
    )


def index(entries: Sequence[Entry], more: str | None) -> str:
    """A page of the index; `more` is the id to go on after."""
    cas = (
        f'<a href="/ca/{each.id}">{escape(_title(each))}</a><small>{escape(each.certificate.subject.display())}, '
        f"until {moment_of(each.certificate.not_after)}</small>"
        for each in entries
    )
    content = items(cas) if entries else "<p>No certificate authority is listed here.</p>"
    following = f'<p><a href="/ca/?after={escape(more)}">More</a></p>' if more else ""
    return page("Certificate authorities", content + following)


def _checks(found: Entry) -> Iterable[str]:
    if found.ocsp_url is not None:
        yield f"OCSP: {code(found.ocsp_url)}"
    for each in found.lists:
        yield _list(each)
    if found.ocsp_url is None and not found.lists:
        yield "Neither OCSP nor a revocation list is offered."


def _list(found: PublishedList) -> str:
    kind = "Revocation list of a part of the certificates" if found.is_part else "Revocation list"
    delta = (
        f'<small>Changes since: <a href="{escape(found.delta_url)}">delta list</a></small>' if found.delta_url else ""
    )
    return (
        f'{kind}: <a href="{escape(found.url)}">{escape(found.url)}</a>'
        f"<small>Number {found.number}, next update {moment_of(found.next_update)}</small>{delta}"
    )


def _title(found: Entry) -> str:
    subject = found.certificate.subject
    return (subject.common_names or (subject.display(),))[0] or found.id


def facts_of(facts: Iterable[tuple[str, str]]) -> str:
    """A list of names and values, both HTML."""
    return "<dl>" + "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts) + "</dl>"


def items(entries: Iterable[str]) -> str:
    """A list of HTML."""
    return "<ul>" + "".join(f"<li>{entry}</li>" for entry in entries) + "</ul>"


def code(text: str) -> str:
    """Text that people copy."""
    return f"<code>{escape(text)}</code>"


def colons(octets: bytes) -> str:
    """Hex pairs with colons between them, as key stores print fingerprints."""
    return octets.hex(":").upper()


def moment_of(moment: datetime) -> str:
    """A time, for people and for programs."""
    machine = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return f'<time datetime="{machine}">{moment.strftime("%Y-%m-%d %H:%M:%S")} UTC</time>'


def page(title: str, content: str) -> str:
    """A whole page; `content` is HTML."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{content}</main></body></html>\n"
    )
