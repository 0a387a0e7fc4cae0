"""The pages that people see who answer to a topic: one question, one button, no script."""

import html

POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
"""The Content-Security-Policy of the pages."""

_PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
    "<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;color:#1b1f24}}"
    "h1{{font-size:1.3rem}}dt{{color:#57606a}}dd{{margin:0 0 .8rem;font-family:monospace;overflow-wrap:anywhere}}"
    "button{{font:inherit;padding:.5rem 1.1rem;border:0;border-radius:4px;background:#0b57d0;color:#fff}}"
    "</style></head><body><h1>{title}</h1>{content}</body></html>\n"
)


def question(title: str, facts: dict[str, str], button: str, action: str) -> str:
    """What is asked, with a button that says yes. `action` is where the form goes, with its query."""
    rows = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(text)}</dd>" for name, text in facts.items())
    form = f'<form method="post" action="{html.escape(action)}"><button>{html.escape(button)}</button></form>'
    return _PAGE.format(title=html.escape(title), content=f"<dl>{rows}</dl>{form}")


def told(title: str, text: str) -> str:
    """What has become of it."""
    return _PAGE.format(title=html.escape(title), content=f"<p>{html.escape(text)}</p>")
