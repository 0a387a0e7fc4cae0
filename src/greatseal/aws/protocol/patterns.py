r"""Java regular expressions of the service models, as Python's.

The models are written for `java.util.regex` and `matches()`: the whole string must match, `\w`, `\d` and `\s`
are ASCII, `.` stops at every Unicode line end, and `\p{L}`, `\p{Z}`, `\p{N}` are Unicode categories, which
Python's `re` does not know. Categories become explicit ranges of code points, computed once on first use.
"""

import functools
import re
import sys
import unicodedata

_TOKEN = re.compile(r"\\p\{(\w+)\}|\\.|.", re.DOTALL)
_ANY = "[^\\n\\r\\u0085\\u2028\\u2029]"


@functools.cache
def _ranges() -> dict[str, str]:
    """The code points of each one-letter category, as the inside of a character class.

    One pass over Unicode takes about 0.2 s; it happens at the first tag that is ever checked.
    """
    parts: dict[str, list[str]] = {}
    start, current = 0, unicodedata.category("\0")[0]
    for point in range(1, sys.maxunicode + 2):
        category = unicodedata.category(chr(point))[0] if point <= sys.maxunicode else ""
        if category != current:
            parts.setdefault(current, []).append(f"\\U{start:08x}-\\U{point - 1:08x}")
            start, current = point, category
    return {category: "".join(ranges) for category, ranges in parts.items()}


def translate(pattern: str) -> str:
    """The Python spelling of a Java pattern. Raises ValueError for a category that is not a single letter."""
    out: list[str] = []
    in_class = False
    for token in _TOKEN.finditer(pattern):
        text = token.group()
        if token.group(1):
            ranges = _ranges().get(token.group(1))
            if ranges is None:
                raise ValueError(f"unsupported category in pattern: {text}")
            out.append(ranges if in_class else f"[{ranges}]")
            continue
        if text == "." and not in_class:
            text = _ANY
        in_class = (in_class or text == "[") and text != "]"
        out.append(text)
    return "".join(out)


@functools.lru_cache(maxsize=1024)
def compile_java(pattern: str) -> re.Pattern[str]:
    """The compiled pattern, to be used with `fullmatch`. The cache is as large as all models together."""
    return re.compile(translate(pattern), re.ASCII)
