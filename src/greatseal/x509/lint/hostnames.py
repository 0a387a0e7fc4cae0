"""Syntax of host names as certificates carry them (RFC 1034 section 3.5, RFC 5890 section 2.3)."""

import re
from unicodedata import category, normalize

MAX_NAME, MAX_LABEL = 253, 63
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?", re.ASCII)
# Controls, halves of pairs, private and unassigned characters, and white space.
_NEVER_IN_LABELS = ("Cc", "Cs", "Co", "Cn", "Zs", "Zl", "Zp")
_IPV4 = re.compile(r"[0-9]+(?:\.[0-9]+){3}", re.ASCII)


def flaw_of_host(host: str, *, wildcard: bool = False) -> str | None:
    """What is wrong with a host name in ASCII, or None. With `wildcard` the left-most label may be a star.

    Single labels and underscores pass: private networks use them.
    """
    if len(host) > MAX_NAME:
        return f"has more than {MAX_NAME} characters"
    if host == "*":
        return "is a bare wildcard"
    if _IPV4.fullmatch(host) or ":" in host:
        return "is an address, not a name"
    labels = host.split(".")
    if wildcard and labels[0] == "*":
        labels = labels[1:]
    for label in labels:
        if flaw := _flaw_of_label(label):
            return flaw
    return None


def _flaw_of_label(label: str) -> str | None:
    if not label:
        return "has an empty label or a final dot"
    if len(label) > MAX_LABEL:
        return f"has a label of more than {MAX_LABEL} characters"
    if "*" in label:
        return "has a wildcard that is not the whole left-most label"
    if not _LABEL.fullmatch(label):
        return "has a label with other characters than letters, digits and inner hyphens"
    if label.lower().startswith("xn--") and not decodes(label):
        return "has an internationalised label that cannot be decoded"
    return None


def decodes(label: str) -> bool:
    """Whether an A-label is the one encoding of a text that may be a U-label (RFC 5891 section 4.2, RFC 5892).

    A label that decodes to plain ASCII is a disguise for another label, and one that decodes to capitals
    (`xn--example`, acm.md 7.1) is stable under no mapping. Symbols pass: names made of them exist.
    """
    encoded = label[4:].lower()
    try:
        text = encoded.encode("ascii").decode("punycode")
        if text.isascii() or text.encode("punycode").decode("ascii") != encoded:
            return False
    except (UnicodeError, OverflowError):
        return False
    if text != text.lower() or text != normalize("NFC", text):
        return False
    return not any(category(character) in _NEVER_IN_LABELS for character in text)


def is_reserved_label(label: str) -> bool:
    """Whether hyphens in the third and fourth place reserve the label, without it being an A-label (RFC 5890)."""
    return label[2:4] == "--" and not label.lower().startswith("xn--")
