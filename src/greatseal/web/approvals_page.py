"""The pages that contacts of a domain see: who asks for a certificate, two buttons, no script."""

import html

from greatseal.web.topics_page import POLICY, told

__all__ = ["POLICY", "question", "told"]

_PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
    "<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;color:#1b1f24}}"
    "h1{{font-size:1.3rem}}dt{{color:#57606a}}dd{{margin:0 0 .8rem;font-family:monospace;overflow-wrap:anywhere}}"
    "button{{font:inherit;padding:.5rem 1.1rem;border:1px solid #0b57d0;border-radius:4px;margin-right:.8rem}}"
    ".yes{{background:#0b57d0;color:#fff}}.no{{background:#fff;color:#0b57d0}}"
    "</style></head><body><h1>{title}</h1><p>{opening}</p><dl>{rows}</dl>"
    '<form method="post" action="/approvals"><input type="hidden" name="code" value="{code}">'
    '<button class="yes" name="decision" value="approve">I Approve</button>'
    '<button class="no" name="decision" value="decline">I Decline</button></form></body></html>\n'
)


def question(facts: dict[str, str], code: str, *, renewal: bool) -> str:
    """Who asks, with buttons that say yes and no."""
    title = "Renew a certificate for this domain?" if renewal else "Issue a certificate for this domain?"
    opening = "Whoever has the certificate can show this name to browsers. Approve only what you expect."
    rows = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(text)}</dd>" for name, text in facts.items())
    return _PAGE.format(title=html.escape(title), opening=opening, rows=rows, code=html.escape(code))
