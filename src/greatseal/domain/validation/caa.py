"""Certification Authority Authorization: may we issue for this domain? (RFC 8659, RFC 8657, acm.md 6.3)

Pure: whoever calls brings a function that looks records up. What is not understood forbids.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from greatseal.domain.validation.ports import ControlFailure, Finding

ISSUERS = ("amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com")
"""Issuer domain names that let us issue, as in the real service (acm.md 6.3); installations add their own."""

MOST_RECORDS = 200
"""A set with more records is not weighed but refused."""

_CRITICAL = 0x80
_KNOWN = ("issue", "issuewild", "iodef")
_METHODS = {
    # Section numbers of the Baseline Requirements below 3.2.2.4 (4.2.2.1.2 there), and names of ACME.
    "dns": ("ca-tbr-7",),
    "http": ("ca-tbr-18",),
    "email": ("ca-tbr-4",),
    "dns-01": ("dns-01", "ca-tbr-7"),
    "http-01": ("http-01", "ca-tbr-19"),
    "tls-alpn-01": ("tls-alpn-01", "ca-tbr-20"),
}
_WORD = r"[A-Za-z0-9](?:-*[A-Za-z0-9])*"
_VALUE = re.compile(rf"[ \t]*({_WORD}(?:\.{_WORD})*)?[ \t]*(?:;[ \t]*(.*?)[ \t]*)?", re.DOTALL)
_PARAMETER = re.compile(rf"({_WORD})[ \t]*=[ \t]*([!-:<-~]*)")
_LABELS = re.compile(r"(?:[A-Za-z0-9-]+(?:,[A-Za-z0-9-]+)*)?")


@dataclass(frozen=True, slots=True)
class CaaRecord:
    """One property as it stands in the DNS (RFC 8659 section 4.1)."""

    flags: int
    tag: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Issuer:
    """The value of an `issue` or `issuewild` property that follows the grammar; no name lets nobody issue."""

    name: str | None
    parameters: tuple[tuple[str, str], ...] = ()

    def all(self, tag: str) -> list[str]:
        """The values of a parameter, of which the RFC allows one."""
        return [value for name, value in self.parameters if name == tag]


class LookupFailed(Exception):
    """There is no trustworthy answer; `failure` says why, the message is one sentence."""

    def __init__(self, failure: ControlFailure, message: str) -> None:
        super().__init__(message)
        self.failure = failure


Lookup = Callable[[str], Sequence[CaaRecord]]
"""The CAA records of one name, at the end of its CNAME chain; none when there are none. Raises LookupFailed."""


def check(
    domain: str,
    lookup: Lookup,
    *,
    issuers: Iterable[str],
    wildcard: bool,
    method: str,
    account_uri: str,
    is_private: Callable[[str], bool] = lambda name: False,
) -> Finding:
    """Whether the records of `domain`, or of the closest name above that has any, let one of `issuers` issue.

    From a domain that `is_private` the way up ends where names are not any more: nobody above knows of it.
    A failed lookup forbids, whatever the zone is: the exception that the Baseline Requirements make for zones that are
    not signed (4.2.2.1) is not used.
    """
    name = domain.rstrip(".").lower()
    inside = is_private(name)
    while name and is_private(name) == inside:
        try:
            records = lookup(name)
        except LookupFailed as failed:
            return Finding(False, failed.failure, f"the CAA records of {name} cannot be read: {failed}")
        if records:
            return _weighed(name, records, frozenset(_folded(each) for each in issuers), wildcard, method, account_uri)
        name = name.partition(".")[2]
    return Finding(True)


def parse_issuer(value: bytes) -> Issuer | None:
    """The value of an `issue` or `issuewild` property (RFC 8659 section 4.2); None for one outside the grammar."""
    try:
        text = value.decode("ascii")
    except UnicodeDecodeError:
        return None
    found = _VALUE.fullmatch(text)
    if found is None:
        return None
    parameters = []
    for each in found[2].split(";") if found[2] else ():
        parameter = _PARAMETER.fullmatch(each.strip(" \t"))
        if parameter is None:
            return None
        parameters.append((parameter[1].lower(), parameter[2]))
    return Issuer(_folded(found[1]) if found[1] else None, tuple(parameters))


def _weighed(
    name: str, records: Sequence[CaaRecord], issuers: frozenset[str], wildcard: bool, method: str, account_uri: str
) -> Finding:
    """What the set of one name says."""
    if len(records) > MOST_RECORDS:
        return _forbidden(f"{name} has more than {MOST_RECORDS} CAA records", records)
    for record in records:
        if record.flags & _CRITICAL and record.tag.lower() not in _KNOWN:
            return _forbidden(f"{name} has a critical CAA property that is not known here", records)
    asked = _tagged(records, "issuewild") if wildcard else []
    asked = asked or _tagged(records, "issue")
    if not asked:
        return Finding(True)
    named = [issuer for issuer in map(parse_issuer, asked) if issuer is not None and issuer.name in issuers]
    if not named:
        return _forbidden(f"the CAA records of {name} do not name this certificate authority", records)
    if any(_fits(issuer, method, account_uri) for issuer in named):
        return Finding(True)
    return _forbidden(
        f"the CAA records of {name} name this certificate authority for another account or method", records
    )


def _fits(issuer: Issuer, method: str, account_uri: str) -> bool:
    """Whether the parameters of RFC 8657 let this account issue after this method. Others are ignored."""
    accounts, methods = issuer.all("accounturi"), issuer.all("validationmethods")
    if len(accounts) > 1 or len(methods) > 1:
        return False
    if accounts and (accounts[0] != account_uri or not account_uri):
        return False
    if not methods:
        return True
    listed = methods[0].split(",") if _LABELS.fullmatch(methods[0]) else []
    return any(label in listed for label in _METHODS.get(method, (method,)))


def _tagged(records: Sequence[CaaRecord], tag: str) -> list[bytes]:
    return [record.value for record in records if record.tag.lower() == tag]


def _forbidden(sentence: str, records: Sequence[CaaRecord]) -> Finding:
    """With the contacts that the domain wants incidents reported to, for the operator to see."""
    contacts = [value.decode("ascii", "backslashreplace") for value in _tagged(records, "iodef")]
    kept = [each for each in contacts if re.fullmatch(r"(mailto|https?):[!-~]{1,200}", each)][:3]
    return Finding(False, ControlFailure.CAA, sentence + (f" (iodef: {', '.join(kept)})" if kept else ""))


def _folded(name: str) -> str:
    return name.rstrip(".").lower()
