"""May this name be in a certificate that the public is to believe? (acm.md 6.2 and 7.1; Baseline Requirements 4.2.2)

Pure, but for the list of public suffixes, which is data of a package.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import idna
from publicsuffixlist import PublicSuffixList

from greatseal.kernel.errors import Refusal

INVALID = "INVALID_PUBLIC_DOMAIN"
NOT_ALLOWED = "DOMAIN_NOT_ALLOWED"
MORE_NEEDED = "ADDITIONAL_VERIFICATION_REQUIRED"

BLOCKED = (
    "acm-validations.aws",
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazontrust.com",
    "awsglobalaccelerator.com",
    "cloudfront.net",
    "elasticbeanstalk.com",
)
"""Names at or below which the real service never issues for its customers."""

HIGH_VALUE = (
    "amazon.com", "apple.com", "baidu.com", "bing.com", "chatgpt.com", "cloudflare.com", "facebook.com", "github.com",
    "gmail.com", "google.com", "icloud.com", "instagram.com", "linkedin.com", "live.com", "microsoft.com",
    "mozilla.org", "netflix.com", "office.com", "paypal.com", "reddit.com", "telegram.org", "tiktok.com", "twitter.com",
    "whatsapp.com", "wikipedia.org", "windows.com", "x.com", "yahoo.com", "youtube.com",
)  # fmt: skip
"""Where a wrong certificate does the most harm: somebody has to look first."""

_SPECIAL = frozenset({"alt", "arpa", "example", "internal", "invalid", "local", "localhost", "onion", "test"})
"""Top-level names that the DNS of the public does not serve (RFC 6761, 7686, 9476) and the zones of addresses."""

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# Scripts that are written together; the name of a character begins with that of its script.
_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)
_NO_SCRIPT = frozenset({"COMBINING", "DIGIT", "HYPHEN-MINUS", "KATAKANA-HIRAGANA", "MIDDLE", "MODIFIER", "ZERO"})
_LIKE_LATIN = frozenset("асԁеһіјӏорԛѕԝхуъьҽпгѵѡ" + "αενοργιτυωηκχ")
"""Letters of Cyrillic and Greek that look like Latin ones; a label of nothing else imitates one."""


class PublicNameRefused(Refusal):
    """A name that no public certificate may have; `reason` is the FailureReason of acm.md 6.2."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class NameRules:
    """What an installation adds to the rules. Names are without dots at either end; all lower case."""

    private_suffixes: tuple[str, ...] = ()
    """Names at or below which the DNS of this installation is believed, and no list of the public is asked."""
    blocked: tuple[str, ...] = BLOCKED
    high_value: tuple[str, ...] = HIGH_VALUE

    def is_private(self, name: str) -> bool:
        """Whether a name, with a wildcard or not, belongs to a network of one's own."""
        return _under(name.lower().removeprefix("*."), self.private_suffixes)


def check_public(names: Iterable[str], rules: NameRules | None = None) -> None:
    """Refuses the first name that no public certificate may have. Raises PublicNameRefused."""
    for name in names:
        _check(name, rules or NameRules())


def _check(name: str, rules: NameRules) -> None:
    folded = name.lower()
    base = folded.removeprefix("*.")
    labels = base.split(".")
    if len(folded) > 253 or len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        raise PublicNameRefused(INVALID, f"{name} is not a fully qualified domain name")
    if labels[-1].isdigit() or re.fullmatch(r"0x[0-9a-f]*", labels[-1]):
        raise PublicNameRefused(INVALID, f"{name} is an address or looks like one")
    for label in labels:
        _check_label(name, label, labels[-1])
    if rules.is_private(base):
        return
    if labels[-1] in _SPECIAL:
        raise PublicNameRefused(INVALID, f".{labels[-1]} is no top-level domain of the public DNS")
    if _under(base, rules.blocked):
        raise PublicNameRefused(NOT_ALLOWED, f"certificates for {name} are not issued")
    _check_suffix(name, base)
    if _registrable(base) in rules.high_value or base in rules.high_value:
        raise PublicNameRefused(MORE_NEEDED, f"{name} belongs to a very popular site; somebody must look first")


def _check_suffix(name: str, base: str) -> None:
    """Names that belong to nobody: registries' own, and wildcards that would cover all their customers."""
    official = _lists()[0].publicsuffix(base)
    if official is None:
        raise PublicNameRefused(INVALID, f"{name} is below no public top-level domain")
    if official == base:
        raise PublicNameRefused(INVALID, f"{name} is a public suffix, below which others register")
    if name.startswith("*.") and _lists()[1].publicsuffix(base) == base:
        raise PublicNameRefused(INVALID, f"{name} would cover everybody who registers below {base}")


def _check_label(name: str, label: str, top: str) -> None:
    """Internationalized labels: valid, of one script, and no imitation of another."""
    if label[2:4] != "--":
        return
    try:
        text = idna.ulabel(label)
        valid = label.startswith("xn--") and idna.alabel(text).decode() == label
    except idna.IDNAError:
        valid = False
    if not valid:
        raise PublicNameRefused(INVALID, f"the label {label} of {name} is not a valid internationalized label")
    scripts = {_script(each) for each in text} - _NO_SCRIPT
    if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
        raise PublicNameRefused(INVALID, f"the label {label} of {name} mixes scripts")
    letters = {each for each in text if unicodedata.category(each).startswith("L")}
    if letters and letters <= _LIKE_LATIN and not top.startswith("xn--"):
        raise PublicNameRefused(INVALID, f"the label {label} of {name} imitates Latin letters")


def _script(letter: str) -> str:
    """The script of a character, by its name: the Unicode data of Python do not say it otherwise."""
    return unicodedata.name(letter, "UNKNOWN").split()[0]


def _under(name: str, suffixes: tuple[str, ...]) -> bool:
    return any(name == each or name.endswith(f".{each}") for each in suffixes)


def _registrable(name: str) -> str | None:
    found = _lists()[0].privatesuffix(name)
    return str(found) if found else None


@cache
def _lists() -> tuple[PublicSuffixList, PublicSuffixList]:
    """Suffixes of registries, and these with the suffixes of everybody else who lets others register."""
    return PublicSuffixList(accept_unknown=False, only_icann=True), PublicSuffixList(accept_unknown=False)
