"""The table of roots for people. Two digests are mixed up easily, so each is labelled (workflows.md 13.1)."""

import hashlib
from collections.abc import Iterator, Sequence
from html import escape

from greatseal.domain.trust_services.repository import RootEntry
from greatseal.web.repository_page import POLICY, code, colons, facts_of, items, moment_of, page

__all__ = ["POLICY", "table"]

_TITLE = "Trust services"
_ADVICE = (
    "<p>Trust roots, and all of them; pin neither certificates of servers nor issuing CAs, which change at renewal. "
    "No browser or operating system knows these roots: whoever is to trust them has to add them.</p>"
)


def table(roots: Sequence[RootEntry]) -> str:
    """The page with every root."""
    if not roots:
        return page(_TITLE, "<p>The roots are made when the first public certificate is issued.</p>")
    bundle = items(
        (
            '<a href="/trust/roots.pem">All roots, PEM</a>',
            '<a href="/trust/index.json">This page, JSON</a>',
        )
    )
    return page(_TITLE, _ADVICE + bundle + "".join(_root(root) for root in roots))


def _root(root: RootEntry) -> str:
    certificate, number = root.certificate, root.tier.number
    common_name = (certificate.subject.common_names or ("",))[0]
    facts = [
        ("Subject", escape(certificate.subject.display())),
        ("Key", escape(root.tier.key.name)),
        ("Valid until", moment_of(certificate.not_after)),
        ("Public key (SPKI), SHA-256", code(hashlib.sha256(certificate.spki).hexdigest())),
        ("Certificate, SHA-256", code(colons(certificate.fingerprint_sha256))),
    ]
    facts += [(f"Test, {each.state.value}", _place(each.url)) for each in root.endpoints]
    role = "<p>The older root, which signed the others.</p>" if root.is_old else ""
    return f"<h2>{escape(common_name)}</h2>{role}{facts_of(facts)}{items(_links(root, f'/trust/root{number}'))}"


def _place(url: str | None) -> str:
    return f'<a href="{escape(url)}">{escape(url)}</a>' if url else "not there yet"


def _links(root: RootEntry, start: str) -> Iterator[str]:
    yield f'<a href="{start}.pem">Certificate, PEM</a>, <a href="{start}.cer">DER</a>'
    if root.cross is not None:
        yield f'Signed by the older root: <a href="{start}-cross.pem">PEM</a>, <a href="{start}-cross.cer">DER</a>'
    yield f'<a href="/ca/{root.id}">Revocation</a>'
    for each in root.issuers:
        yield f'Issuing CA: <a href="/ca/{each.id}">{escape(each.certificate.subject.display())}</a>'
