"""What a customer publishes to show control of a domain: the same for ever, for one account and domain (acm.md 8.1).

Everything follows from the installation's secret, so nothing is stored, every region shows the same record, and a
certificate that is deleted and requested again needs no work in the DNS.
"""

from dataclasses import dataclass
from hashlib import sha256
from hmac import digest

from greatseal.domain.validation.model import without_wildcard
from greatseal.kernel.secret import Secret

DEFAULT_SUFFIX = "acm-validations.aws"
WELL_KNOWN = "/.well-known/pki-validation"
_LETTERS = 10


@dataclass(frozen=True, slots=True)
class Record:
    """A CNAME record; both names end with a dot."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a web site, or the redirect to ours; `content` is what is answered in the end."""

    redirect_from: str
    path: str
    """Of our page, below the address of the plain listener."""
    content: str


class Tokens:
    """Makes records, pages and the tokens of mails under a key of this installation."""

    def __init__(self, secret: Secret, *, suffix: str = DEFAULT_SUFFIX) -> None:
        """`suffix` is the zone that values of records lie in."""
        self._key = digest(secret.reveal(), b"domain validation", sha256)
        self.suffix = suffix.strip(".").lower()

    def record(self, account: str, domain: str) -> Record:
        """The record of a domain; `*.example.com` and `example.com` have one."""
        base = without_wildcard(domain)
        name = self._mac("dns-name", account, base).hex()[:32]
        value = self._mac("dns-value", account, base)
        return Record(f"_{name}.{base}.", f"_{value.hex()[:32]}.{_letters(value[16:])}.{self.suffix}.")

    def page(self, account: str, domain: str) -> Page:
        """The page of a domain (acm.md 8.3)."""
        folder = self._mac("http-account", account).hex()[:12]
        file = self._mac("http-file", account, domain).hex()[:32]
        return Page(
            f"http://{domain}{WELL_KNOWN}/{file}.txt",
            f"/{folder}{WELL_KNOWN}/{file}.txt",
            self.content(folder, file),
        )

    def content(self, folder: str, file: str) -> str:
        """What our page answers. Of another account's folder it is another, so a redirect speaks for one account."""
        return self._mac("http-content", folder, file).hex()

    def approval(self, nonce: str) -> str:
        """The token of a mail, from what is stored of it: who reads the database cannot make it."""
        return self._mac("approval", nonce).hex()

    def _mac(self, *parts: str) -> bytes:
        # No part has a line end: two different lists of parts are two different texts.
        return digest(self._key, "\n".join(parts).encode(), sha256)


def _letters(octets: bytes) -> str:
    number = int.from_bytes(octets, "big")
    letters = []
    for _ in range(_LETTERS):
        number, letter = divmod(number, 26)
        letters.append(chr(ord("a") + letter))
    return "".join(letters)
